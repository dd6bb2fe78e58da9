"""Posteriors, losses and phone error rates of a model over a whole split."""

import logging
from collections.abc import Iterator, Sequence

import torch
import torch.nn.functional as F
from jaxtyping import Float
from torch import Tensor

from ernn.data import phones
from ernn.data.dataset import Split
from ernn.nn.acoustic import AcousticModel
from ernn.params import Scoring
from ernn.scoring import decoding, phone_errors, tuning
from ernn.training.batches import Batch, batches, by_length

BATCH = 64
log = logging.getLogger(__name__)


def loss_sum(
    model: AcousticModel, logits: Float[Tensor, "time batch classes"], batch: Batch
) -> tuple[Float[Tensor, ""], int]:
    """Summed loss and the number of things summed: frames for cross-entropy, utterances for CTC."""
    if model.criterion == "frames":
        total = F.cross_entropy(logits.flatten(0, 1), batch.labels.flatten(), ignore_index=-1, reduction="sum")
        return total, int((batch.labels >= 0).sum())
    targets = torch.cat(batch.transcripts)
    sizes = torch.tensor([len(transcript) for transcript in batch.transcripts])
    blank = len(model.phones)
    total = F.ctc_loss(logits.log_softmax(-1), targets, batch.lengths, sizes, blank=blank, reduction="sum")
    return total, len(batch.transcripts)


def log_posteriors(model: AcousticModel, split: Split) -> Iterator[tuple[Batch, Float[Tensor, "time batch classes"]]]:
    """Every batch of `split`, longest utterances first, with its log posteriors."""
    device = next(model.parameters()).device
    lengths = split.offsets[1:] - split.offsets[:-1]
    was_training = model.training
    model.eval()
    with torch.no_grad():
        for batch in batches(split, by_length(lengths, BATCH)):
            moved = batch.to(device)
            yield moved, model(moved.x).log_softmax(-1)
    model.train(was_training)


def evaluate(model: AcousticModel, split: Split, options: Scoring) -> tuple[float, phone_errors.Score]:
    """Mean loss and the score of the decoded phones over `split`."""
    total, count = 0.0, 0
    hypotheses: list[list[int]] = [[] for _ in range(len(split))]
    for batch, posteriors in log_posteriors(model, split):
        loss, things = loss_sum(model, posteriors, batch)
        total, count = total + float(loss), count + things
        names = [split.utterances[index] for index in batch.indices]
        decoded = decode(model, posteriors, batch.lengths, options, names)
        for index, hypothesis in zip(batch.indices, decoded, strict=True):
            hypotheses[index] = hypothesis
    references = [split.transcript(index) for index in range(len(split))]
    return total / max(count, 1), phone_errors.score(references, hypotheses, phones.to_39, phones.SILENCE)


def decode(
    model: AcousticModel,
    posteriors: Float[Tensor, "time batch classes"],
    lengths: Tensor,
    options: Scoring,
    names: Sequence[str],
) -> list[list[int]]:
    """Phones of a batch by the model's own priors, bigram and, for CTC, settings; `names` are for messages."""
    utterances = _apart(posteriors, lengths)
    if model.criterion == "frames":
        return decoding.viterbi(utterances, model.log_priors, model.bigram, options, names)
    if model.decoding is None:
        return decoding.ctc_greedy(utterances, names)
    return decoding.ctc_viterbi(utterances, model.bigram, model.decoding, names)


def missing_share(model: AcousticModel, split: Split) -> float:
    """Percent of the phones of `split` that a CTC model leaves out where the best class of every frame counts alone.

    A decoder that pays for phones hides a network that has learnt nothing but the blank; this shows it.
    """
    hypotheses: list[list[int]] = [[] for _ in range(len(split))]
    for batch, posteriors in log_posteriors(model, split):
        names = [split.utterances[index] for index in batch.indices]
        decoded = decoding.ctc_greedy(_apart(posteriors, batch.lengths), names)
        for index, hypothesis in zip(batch.indices, decoded, strict=True):
            hypotheses[index] = hypothesis
    references = [split.transcript(index) for index in range(len(split))]
    errors = phone_errors.score(references, hypotheses, phones.to_39, phones.SILENCE).with_silences
    return phone_errors.rate(errors.deletions.sum(), errors.lengths.sum())


def choose_decoding(model: AcousticModel, dev: Split) -> None:
    """Give a CTC model the decoder settings with the fewest phone errors on `dev`; others have none of their own."""
    if model.criterion != "ctc":
        return
    utterances: list[Float[Tensor, "frames classes"]] = [torch.empty(0)] * len(dev)
    for batch, posteriors in log_posteriors(model, dev):
        for index, frames in zip(batch.indices, _apart(posteriors, batch.lengths), strict=True):
            utterances[index] = frames.cpu()
    references = [dev.transcript(index) for index in range(len(dev))]

    def per(hypotheses: list[list[int]]) -> float:
        return phone_errors.score(references, hypotheses, phones.to_39, phones.SILENCE).per

    greedy = per(decoding.ctc_greedy(utterances, dev.utterances))
    model.decoding, found = tuning.best(utterances, model.bigram, per, dev.utterances)
    log.info(
        "decoder: bigram x %g, %g for each phone: dev PER %.2f %% (greedy %.2f %%)",
        model.decoding.bigram_scale,
        -model.decoding.insertion_penalty,
        found,
        greedy,
    )


def count_statistics(model: AcousticModel, split: Split) -> None:
    """Give the model the class priors and the phone bigram of `split`."""
    transcripts = [split.transcript(index) for index in range(len(split))]
    model.bigram.copy_(decoding.bigram(transcripts, len(model.phones)))
    model.log_priors.copy_(decoding.log_priors(split.labels, len(model.phones)))


def _apart(posteriors: Float[Tensor, "time batch classes"], lengths: Tensor) -> list[Float[Tensor, "frames classes"]]:
    """The utterances of a batch."""
    return [posteriors[:length, column] for column, length in enumerate(lengths.tolist())]
