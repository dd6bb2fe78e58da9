"""Phone error rates of integer programs over a whole split, by the golden model."""

from collections.abc import Iterator, Sequence

import numpy as np
import torch
from jaxtyping import Float
from threadpoolctl import threadpool_limits

from ernn.data import phones
from ernn.data.dataset import Split
from ernn.golden.model import Golden, Overflow
from ernn.params import Scoring
from ernn.program.network import Program
from ernn.records.decoding import Decoding
from ernn.scoring import decoding, phone_errors
from ernn.training.batches import by_length

BATCH = 128


def score(
    program: Program, split: Split, options: Scoring, indices: np.ndarray | None = None
) -> tuple[phone_errors.Score, list[Overflow]]:
    """Errors of every utterance (of `indices`), and what was saturated on the way."""
    chosen = np.arange(len(split)) if indices is None else np.asarray(indices)
    golden = Golden(program)
    hypotheses: dict[int, list[int]] = {}
    with threadpool_limits(1, "blas"):  # products this small only wait for each other on more cores
        for batch, posteriors in _log_posteriors(golden, split, chosen):
            names = [split.utterances[index] for index in batch]
            decoded = _decode(program, posteriors, options, names)
            hypotheses |= dict(zip(batch.tolist(), decoded, strict=True))
    references = [split.transcript(int(index)) for index in chosen]
    found = [hypotheses[int(index)] for index in chosen]
    return phone_errors.score(references, found, phones.to_39, phones.SILENCE), golden.overflows()


def _log_posteriors(
    golden: Golden, split: Split, chosen: np.ndarray
) -> Iterator[tuple[np.ndarray, list[Float[np.ndarray, "frames classes"]]]]:
    lengths = np.diff(split.offsets)[chosen]
    for places in by_length(lengths, BATCH):
        batch, frames = chosen[places], lengths[places]
        x = np.zeros((int(frames.max()), len(batch), split.features.shape[1]), np.int64)
        for column, index in enumerate(batch):
            x[: frames[column], column] = golden.quantize(split.feature(int(index)), split.utterances[index])
        logits, _ = golden.run(x, lengths=frames)
        values = torch.from_numpy(logits * golden.program.logits.resolution)
        posteriors = values.log_softmax(-1).float().numpy()
        yield batch, [posteriors[:length, column] for column, length in enumerate(frames)]


def _decode(
    program: Program, posteriors: Sequence[np.ndarray], options: Scoring, names: Sequence[str]
) -> list[list[int]]:
    decoder = program.decoder
    assert decoder is not None  # of an acoustic model
    bigram = torch.from_numpy(decoder.bigram)
    if decoder.criterion == "frames":
        return decoding.viterbi(posteriors, torch.from_numpy(decoder.log_priors), bigram, options, names)
    if decoder.bigram_scale is None or decoder.insertion_penalty is None:
        return decoding.ctc_greedy(posteriors, names)
    settings = Decoding(bigram_scale=decoder.bigram_scale, insertion_penalty=decoder.insertion_penalty)
    return decoding.ctc_viterbi(posteriors, bigram, settings, names)
