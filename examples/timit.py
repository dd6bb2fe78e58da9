"""Phones of TIMIT: an LSTM of torch over log-mel features, compressed, quantized, and simulated as an accelerator.

    python examples/timit.py /data/TIMIT

Any folder in TIMIT's layout will do (docs/data.md). Networks, sizes and epochs are small, so that it ends in some
minutes: its error rates are far from the best. The comparison of methods, block sizes and widths at the sizes of the
literature is `make run PRESET=paper TIMIT=/data/TIMIT`, on a GPU.
"""

import argparse
from pathlib import Path
from tempfile import TemporaryDirectory

import numpy as np
import torch
import torch.nn.functional as F
from torch.nn.utils.rnn import pad_sequence

import ernn
from ernn.data import phones
from ernn.data.dataset import Dataset, Split
from ernn.data.preparation import prepare
from ernn.params import Corpus, Features, Scoring
from ernn.scoring import decoding, phone_errors

FEATURES = Features(mels=26, stack=2, skip=2)  # two frames of 10 ms in each vector
CLASSES = len(phones.PHONES48)


def read(folder: str) -> tuple[Split, Split]:
    """Features and phones of the folder's training and test speakers."""
    with TemporaryDirectory() as place:
        prepare(Corpus(kind="timit", path=folder), FEATURES, Path(place) / "features")
        data = Dataset.open(Path(place) / "features")
        return data.split("train"), data.split("test")


def sequences(split: Split) -> tuple[list[np.ndarray], list[np.ndarray]]:
    """Vectors of each utterance, (steps, 52), and the phone of each step."""
    each = range(len(split))
    return [split.feature(n) for n in each], [split.label(n).astype(np.int64) for n in each]


def trained(x: list[np.ndarray], y: list[np.ndarray], cells: int, epochs: int) -> tuple[torch.nn.LSTM, torch.nn.Linear]:
    """A network as anybody trains one, on the phone of each step."""
    torch.manual_seed(1)
    lstm, head = torch.nn.LSTM(x[0].shape[1], cells, batch_first=True), torch.nn.Linear(cells, CLASSES)
    optimizer = torch.optim.Adam([*lstm.parameters(), *head.parameters()], lr=5e-3)
    for _ in range(epochs):
        for chosen in torch.randperm(len(x)).split(16):
            inputs, targets = ([torch.from_numpy(each[index]) for index in chosen] for each in (x, y))
            logits = head(lstm(pad_sequence(inputs, batch_first=True))[0])
            padded = pad_sequence(targets, batch_first=True, padding_value=-1)
            loss = F.cross_entropy(logits.flatten(0, 1), padded.flatten(), ignore_index=-1)
            optimizer.zero_grad()
            loss.backward()
            optimizer.step()
    return lstm, head


def phone_error_rate(outputs: list[np.ndarray], train: Split, test: Split) -> float:
    """Percent, over the 39 phones, decoded with the bigram and the priors of the training speakers."""
    bigram = decoding.bigram([train.transcript(n) for n in range(len(train))], CLASSES)
    priors = decoding.log_priors(train.labels, CLASSES)
    posteriors = [torch.from_numpy(each).float().log_softmax(dim=-1) for each in outputs]
    found = decoding.viterbi(posteriors, priors, bigram, Scoring(), test.utterances)
    references = [test.transcript(n) for n in range(len(test))]
    return phone_errors.score(references, found, phones.to_39, phones.SILENCE).per


def main() -> None:
    """Train, compress, quantize, generate, simulate; a line each."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("folder", help="of TIMIT, or of a corpus in its layout")
    parser.add_argument("--cells", type=int, default=128, help="default: %(default)s")
    parser.add_argument("--epochs", type=int, default=8, help="of each training; default: %(default)s")
    parser.add_argument("--block-size", type=int, default=4, help="default: %(default)s")
    parser.add_argument("--device", default="xc7z020", help="default: %(default)s")
    options = parser.parse_args()
    train, test = read(options.folder)
    learnt, heard = sequences(train), sequences(test)[0]
    print(f"{len(train)} utterances to train on, {len(test)} to test")

    def errors(network: ernn.Model | ernn.Program) -> str:
        return f"{phone_error_rate(network.predict(heard), train, test):.1f} % phone errors"

    model = ernn.from_torch(*trained(*learnt, options.cells, options.epochs))
    print(f"dense:      {model.stored_words:8,} words, {errors(model)}")
    small = ernn.compress(model, learnt, options.block_size, epochs=options.epochs)
    print(f"circulant:  {small.stored_words:8,} words, {errors(small)}")
    program = ernn.quantize(small, calibration=learnt[0][:64], bits=12)
    print(f"integers:   {program.value.weight_bits:8,} bits, {errors(program)}")
    accelerator = ernn.generate(program, options.device, minimise="share", latency_us=100)
    print(accelerator)
    result = accelerator.simulate(heard[0])
    print(result)
    same = np.array_equal(result.outputs, program.predict(heard[0]))
    print(f"the Verilog gives {'exactly' if same else 'NOT'} what the program predicts")


if __name__ == "__main__":
    main()
