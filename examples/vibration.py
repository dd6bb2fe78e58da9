"""Faults of a machine from its vibration: an LSTM of torch, trained here, on an FPGA.

    python examples/vibration.py

Twelve sensors sample a shaft at 1 kHz. Five conditions are told apart at every step: sound, unbalance (once a turn),
misalignment (twice a turn), a bearing (short bursts) and looseness (many harmonics). The data are made up below; put
your own in their place. It takes about half a minute on two cores.
"""

import argparse

import numpy as np
import torch
import torch.nn.functional as F

import ernn

SENSORS, STEPS, KINDS = 12, 100, ("sound", "unbalance", "misalignment", "bearing", "looseness")


def vibrations(count: int, seed: int) -> tuple[np.ndarray, np.ndarray]:
    """Sequences (count, STEPS, SENSORS) and the kind at each step, (count, STEPS)."""
    random = np.random.default_rng(seed)
    kinds = random.integers(0, len(KINDS), count)
    turns = random.uniform(20, 30, count)[:, None] * np.arange(STEPS) / 1000 + random.random(count)[:, None]
    shaft = [np.sin(2 * np.pi * harmonic * turns) for harmonic in (1, 2, 3, 4)]
    burst = np.exp(-((3.6 * turns) % 1) * 12)
    shapes = [0 * turns, shaft[0], shaft[1], 2 * burst - 0.3, sum(shaft) / 2]
    signal = np.choose(kinds[:, None], shapes) * random.uniform(0.5, 1.5, count)[:, None]
    gains = random.normal(1, 0.5, SENSORS)
    noise = random.normal(0, 0.6, (count, STEPS, SENSORS))
    return (signal[..., None] * gains + noise).astype(np.float32), np.repeat(kinds[:, None], STEPS, axis=1)


def trained(x: np.ndarray, y: np.ndarray, epochs: int) -> tuple[torch.nn.LSTM, torch.nn.Linear]:
    """A network as anybody trains one."""
    torch.manual_seed(1)
    lstm, head = torch.nn.LSTM(SENSORS, 32, 2, batch_first=True), torch.nn.Linear(32, len(KINDS))
    optimizer = torch.optim.Adam([*lstm.parameters(), *head.parameters()], lr=3e-3)
    for _ in range(epochs):
        for chosen in torch.randperm(len(x)).split(32):
            loss = F.cross_entropy(
                head(lstm(torch.from_numpy(x[chosen]))[0]).flatten(0, 1), torch.from_numpy(y[chosen]).flatten()
            )
            optimizer.zero_grad()
            loss.backward()
            optimizer.step()
    return lstm, head


def right(outputs: np.ndarray, y: np.ndarray) -> float:
    """Percent of sequences whose last step names their kind."""
    return 100 * float((outputs[:, -1].argmax(-1) == y[:, -1]).mean())


def main() -> None:
    """Train, compress, quantize, generate, simulate; a line each."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--epochs", type=int, default=12, help="of each training; default: %(default)s")
    parser.add_argument("--sequences", type=int, default=1500, help="to train on; default: %(default)s")
    parser.add_argument("--device", default="xc7z020", help="default: %(default)s")
    options = parser.parse_args()
    train, test = vibrations(options.sequences, seed=1), vibrations(400, seed=2)

    model = ernn.from_torch(*trained(*train, options.epochs))
    print(f"dense:      {model.stored_words:6,} words, {right(model.predict(test[0]), test[1]):.1f} % right")
    small = ernn.compress(model, train, block_size=4, epochs=options.epochs)
    print(f"circulant:  {small.stored_words:6,} words, {right(small.predict(test[0]), test[1]):.1f} % right")
    program = ernn.quantize(small, calibration=train[0][:64], bits=10)
    print(f"integers:   {program.value.weight_bits:6,} bits, {right(program.predict(test[0]), test[1]):.1f} % right")
    accelerator = ernn.generate(program, options.device, minimise="share", latency_us=5)
    print(accelerator)
    result = accelerator.simulate(test[0][:3])
    print(result)
    same = np.array_equal(result.outputs, program.predict(test[0][:3]))
    print(f"the Verilog gives {'exactly' if same else 'NOT'} what the program predicts")


if __name__ == "__main__":
    main()
