"""Keywords in synthetic speech: a GRU whose last step names the word, on an FPGA.

    python examples/keywords.py

Voices of the synthetic corpus say six keywords and some other words, with noise and in rooms. Put your own recordings
in place of `spoken`: vectors of each, and the number of its word. It takes about half a minute on two cores, and needs
`pip install 'ernn[train,synthetic,hardware]'`.
"""

import argparse

import numpy as np
import torch
import torch.nn.functional as F
from torch.nn.utils.rnn import pad_sequence

import ernn
from ernn.data.features import feature_vectors
from ernn.data.sentences import Split
from ernn.data.synthetic import SyntheticSpeaker
from ernn.params import Augmentation, Features

KEYWORDS = ("yes", "no", "left", "right", "stop", "go")
OTHERS = ("bottle", "camera", "garden", "window", "seven", "mother", "yellow", "river")
FEATURES = Features(mels=20, window_ms=30.0, shift_ms=20.0, stack=1, skip=1)
CLASSES = len(KEYWORDS) + 1  # the last one is any other word


def spoken(split: Split, count: int) -> tuple[list[np.ndarray], np.ndarray]:
    """Vectors (steps, 20) of each word of so many speakers, and its number."""
    x, y = [], list[int]()
    for index in range(count):
        others = np.random.default_rng(index).choice(OTHERS, 2, replace=False)
        speaker = SyntheticSpeaker(split, index, 1, (*KEYWORDS, *map(str, others)), Augmentation())
        words = [feature_vectors(each.samples, FEATURES, each.name) for each in speaker.utterances()]
        whole = np.concatenate(words)
        x += [(each - whole.mean(axis=0)) / whole.std(axis=0) for each in words]
        y += [*range(len(KEYWORDS)), *[len(KEYWORDS)] * len(others)]
    return x, np.array(y)


def trained(x: list[np.ndarray], y: np.ndarray, epochs: int) -> tuple[torch.nn.GRU, torch.nn.Linear]:
    """A network as anybody trains one; words have different lengths."""
    torch.manual_seed(1)
    gru, head = torch.nn.GRU(x[0].shape[1], 32, batch_first=True), torch.nn.Linear(32, CLASSES)
    optimizer = torch.optim.Adam([*gru.parameters(), *head.parameters()], lr=5e-3)
    for _ in range(epochs):
        for chosen in torch.randperm(len(x)).split(32):
            words = [torch.from_numpy(x[index]) for index in chosen]
            last = torch.tensor([len(each) - 1 for each in words])
            states = gru(pad_sequence(words, batch_first=True))[0][torch.arange(len(words)), last]
            loss = F.cross_entropy(head(states), torch.from_numpy(y[chosen]))
            optimizer.zero_grad()
            loss.backward()
            optimizer.step()
    return gru, head


def right(outputs: list[np.ndarray], y: np.ndarray) -> float:
    """Percent of words that are named rightly."""
    return 100 * float((np.argmax(outputs, axis=-1) == y).mean())


def main() -> None:
    """Train, compress, quantize, generate, simulate; a line each."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--epochs", type=int, default=20, help="of each training; default: %(default)s")
    parser.add_argument("--speakers", type=int, default=120, help="to train on; default: %(default)s")
    parser.add_argument("--device", default="xc7z020", help="default: %(default)s")
    options = parser.parse_args()
    train, test = spoken("train", options.speakers), spoken("test", 40)

    model = ernn.from_torch(*trained(*train, options.epochs), last=True)
    print(f"dense:      {model.stored_words:6,} words, {right(model.predict(test[0]), test[1]):.1f} % right")
    small = ernn.compress(model, train, block_size=4, epochs=options.epochs)
    print(f"circulant:  {small.stored_words:6,} words, {right(small.predict(test[0]), test[1]):.1f} % right")
    program = ernn.quantize(small, calibration=train[0][:64], bits=10)
    print(f"integers:   {program.value.weight_bits:6,} bits, {right(program.predict(test[0]), test[1]):.1f} % right")
    accelerator = ernn.generate(program, options.device, minimise="share", latency_us=20)
    print(accelerator)
    words = test[0][:4]
    result = accelerator.simulate(words)
    print(result)
    same = np.array_equal(result.outputs, program.predict(words))
    print(f"the Verilog gives {'exactly' if same else 'NOT'} what the program predicts")


if __name__ == "__main__":
    main()
