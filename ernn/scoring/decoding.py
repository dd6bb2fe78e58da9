"""Phones from log posteriors: Viterbi with a phone bigram, and the two CTC decoders."""

from collections.abc import Sequence

import numpy as np
import torch
from jaxtyping import Float, Int
from torch import Tensor

from ernn.errors import UserError
from ernn.params import Scoring
from ernn.records.decoding import Decoding
from ernn.scoring.bigram import Markov, best_paths

Transcript = Sequence[int] | Int[np.ndarray, " phones"]
LogPosteriors = Float[Tensor, "frames classes"] | Float[np.ndarray, "frames classes"]


def bigram(transcripts: Sequence[Transcript], classes: int) -> Float[Tensor, "before classes"]:
    """Log probability of each phone after another, add-one smoothed; every row sums to one.

    Row `classes`, the last, is for the first phone of an utterance.

    Raises:
        UserError: a transcript holds a class outside of 0..classes-1.
    """
    counts = np.ones((classes + 1, classes))
    for index, transcript in enumerate(transcripts):
        check_classes(transcript, classes, f"transcript {index}")
        symbols = np.concatenate([[classes], np.asarray(transcript, dtype=np.int64)])
        np.add.at(counts, (symbols[:-1], symbols[1:]), 1)
    return torch.from_numpy(np.log(counts / counts.sum(axis=1, keepdims=True))).float()


def log_priors(labels: Int[np.ndarray, " frames"], classes: int) -> Float[Tensor, " classes"]:
    """Log share of the frames of each class, add-one smoothed; frames labelled -1 (unaligned) don't count.

    Raises:
        UserError: a label is not in -1..classes-1.
    """
    labels = np.asarray(labels)
    aligned = labels[labels != -1]
    check_classes(aligned, classes, "frame labels")
    counts = np.bincount(aligned, minlength=classes) + 1.0
    return torch.from_numpy(np.log(counts / counts.sum())).float()


def viterbi(
    log_posteriors: Sequence[LogPosteriors],
    log_priors: Float[Tensor, " classes"],
    bigram: Float[Tensor, "before classes"],
    scoring: Scoring,
    names: Sequence[str] | None = None,
) -> list[list[int]]:
    """The phones of the best path of each utterance through one state a phone.

    A frame scores log posterior - prior_scale * log prior, entering a phone bigram_scale * log bigram -
    insertion_penalty, staying in it nothing. Equal neighbours therefore come out as one phone.

    Args:
        log_posteriors: one (frames, classes) an utterance, of any lengths; decoded on the CPU in float32.
        log_priors: see `log_priors`.
        bigram: see `bigram`.
        scoring: scales and penalty.
        names: the utterances' names, for messages.

    Raises:
        UserError: posteriors that are not finite or whose classes are not the bigram's; priors or a bigram unfit.
    """
    classes = bigram.shape[1]
    if log_priors.shape != (classes,) or not torch.isfinite(log_priors).all():
        raise UserError(f"one finite log prior is needed for each of the {classes} phones of the bigram; train again")
    scores = _entering(bigram, scoring)
    search = Markov(torch.arange(classes), start=scores[-1], change=scores[:-1].clone().fill_diagonal_(0))
    offset = scoring.prior_scale * log_priors.detach().to("cpu", torch.float32)
    checked = check_posteriors(log_posteriors, classes, names)
    return [_collapse(path) for path in best_paths([frames - offset for frames in checked], search)]


def ctc_greedy(log_posteriors: Sequence[LogPosteriors], names: Sequence[str] | None = None) -> list[list[int]]:
    """The best class of every frame, runs made one, blanks (the last class) dropped (Graves 2006).

    Raises:
        UserError: posteriors that are not finite.
    """
    classes = log_posteriors[0].shape[-1] if len(log_posteriors) else 0
    checked = check_posteriors(log_posteriors, classes, names)
    return [_collapse(frames.numpy().argmax(axis=1), blank=classes - 1) for frames in checked]


def ctc_viterbi(
    log_posteriors: Sequence[LogPosteriors],
    bigram: Float[Tensor, "before classes"],
    options: Decoding,
    names: Sequence[str] | None = None,
) -> list[list[int]]:
    """The phones of the best CTC path with a phone bigram; the last class is the blank.

    As `viterbi`, without priors; each phone has a blank of its own that remembers it for the bigram, and a phone
    may follow itself only through that blank.

    Raises:
        UserError: posteriors not finite or of other classes than the bigram's and the blank; a bigram unfit.
    """
    classes = bigram.shape[1]
    checked = check_posteriors(log_posteriors, classes + 1, names)
    search = _ctc_states(_entering(bigram, options))
    paths = best_paths(checked, search)
    return [_collapse(search.emits.numpy()[path], blank=classes) for path in paths]


def check_classes(values: Transcript, classes: int, what: str) -> None:
    """Refuse class indices outside of 0..classes-1."""
    array = np.asarray(values)
    wrong = array[(array < 0) | (array >= classes)]
    if wrong.size:
        raise UserError(
            f"{what}: class {wrong[0]} is not one of the {classes} phones (0..{classes - 1}); run prepare again"
        )


def check_posteriors(
    log_posteriors: Sequence[LogPosteriors], classes: int, names: Sequence[str] | None = None
) -> list[Float[Tensor, "frames classes"]]:
    """The posteriors as float32 on the CPU, refused where their classes are wrong or a value is not finite."""
    checked = [torch.as_tensor(frames).detach().to("cpu", torch.float32) for frames in log_posteriors]
    for index, frames in enumerate(checked):
        name = names[index] if names is not None else str(index)
        if frames.ndim != 2 or frames.shape[1] != classes:
            raise UserError(
                f"utterance {name}: log posteriors of shape {tuple(frames.shape)} where (frames, {classes}) is needed; "
                "the model and the features must have the same phones and criterion"
            )
        if not torch.isfinite(frames).all():
            frame, wrong = torch.nonzero(~torch.isfinite(frames))[0].tolist()
            raise UserError(
                f"utterance {name}: log posteriors must be finite, got {frames[frame, wrong]:g} at frame {frame}, "
                f"class {wrong}; the network has diverged: lower learning_rate and train again"
            )
    return checked


def _entering(bigram: Float[Tensor, "before classes"], options: Scoring | Decoding) -> Float[Tensor, "before classes"]:
    """Score of entering each phone after each other one, or first."""
    if bigram.shape[0] != bigram.shape[1] + 1 or not torch.isfinite(bigram).all():
        raise UserError(
            f"a bigram of shape {tuple(bigram.shape)} is not a finite (phones + 1, phones) table; train again"
        )
    return options.bigram_scale * bigram.detach().to("cpu", torch.float32) - options.insertion_penalty


def _ctc_states(scores: Float[Tensor, "before classes"]) -> Markov:
    """States 0..P-1 emit a phone, P..2P-1 the blank after that phone, 2P the blank before any phone."""
    phones = scores.shape[1]
    last = torch.cat([torch.arange(phones), torch.arange(phones + 1)])  # the last phone, or none
    change = torch.full((len(last), len(last)), -torch.inf)
    change[:, :phones] = scores[last]
    change[:phones, :phones].fill_diagonal_(0)
    change[torch.arange(len(last)), phones + last] = 0
    emits = torch.cat([torch.arange(phones), torch.full((phones + 1,), phones)])
    return Markov(emits, start=change[-1], change=change)  # to start is to leave the first blank


def _collapse(path: Int[np.ndarray, " frames"], blank: int | None = None) -> list[int]:
    """A path with its runs made one and the blank dropped."""
    phones = path[np.flatnonzero(np.diff(path, prepend=-1))]
    return phones[phones != blank].tolist() if blank is not None else phones.tolist()
