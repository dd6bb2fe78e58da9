"""Phone error rates: substitutions, deletions and insertions, with bootstrap intervals over utterances."""

from collections.abc import Iterable, Sequence
from dataclasses import asdict, dataclass, fields
from typing import Any, Self

import numpy as np
from jaxtyping import Int
from rapidfuzz.distance import Levenshtein

from ernn.errors import UserError
from ernn.scoring.bootstrap import Counts, Interval, bootstrap, rate

Transcript = Sequence[int] | Int[np.ndarray, " phones"]
CONVENTIONS = ("with_silences", "without_silences")


@dataclass(frozen=True, eq=False)
class Errors:
    """Errors of every utterance under one convention, and the phones of its reference.

    Raises:
        UserError: the counts contradict each other, or there is no reference phone.
    """

    substitutions: Counts
    deletions: Counts
    insertions: Counts
    lengths: Counts

    def __post_init__(self) -> None:
        columns = (self.substitutions, self.deletions, self.insertions, self.lengths)
        if any(column.shape != (len(self.lengths),) or (column < 0).any() for column in columns):
            raise UserError("a score needs four lists of counts of one length, each count 0 or more; score again")
        if (self.substitutions + self.deletions > self.lengths).any():
            raise UserError("a score has more substitutions and deletions than reference phones; score again")
        if not self.lengths.sum():
            raise UserError(
                "no reference has a phone, so there is no phone error rate; check the transcripts of the split"
            )

    @property
    def counts(self) -> Counts:
        """All errors of each utterance."""
        return self.substitutions + self.deletions + self.insertions

    @property
    def per(self) -> float:
        """Phone error rate in percent: errors over reference phones of the whole set."""
        return rate(self.counts.sum(), self.lengths.sum())

    def interval(self, samples: int, seed: int) -> Interval:
        """Bootstrap 95 % interval of `per`, in percent; see `bootstrap`."""
        return bootstrap(self.counts, self.lengths, samples, seed)


@dataclass(frozen=True, eq=False)
class Score:
    """Errors in 39 phones, under both conventions of what a silence is."""

    with_silences: Errors  # a phone, of which neighbours are merged
    without_silences: Errors  # nothing: removed from reference and hypothesis

    @property
    def per(self) -> float:
        """Phone error rate in percent, silence counted as a phone."""
        return self.with_silences.per

    def interval(self, samples: int, seed: int) -> Interval:
        """Bootstrap 95 % interval of `per`, in percent."""
        return self.with_silences.interval(samples, seed)

    def part(self, indices: Int[np.ndarray, " chosen"]) -> "Score":
        """The score of some of the utterances."""
        kinds = [field.name for field in fields(Errors)]
        return Score(
            *(Errors(*(getattr(getattr(self, each), kind)[indices] for kind in kinds)) for each in CONVENTIONS)
        )

    def to_json(self) -> dict[str, dict[str, list[int]]]:
        """Counts of each utterance by convention and kind."""
        return {
            convention: {kind: counts.tolist() for kind, counts in errors.items()}
            for convention, errors in asdict(self).items()
        }

    @classmethod
    def from_json(cls, value: Any) -> Self:
        """The score that `to_json` wrote.

        Raises:
            UserError: `value` is not a score.
        """
        try:
            return cls(*(_from_json(value[convention]) for convention in CONVENTIONS))
        except (KeyError, TypeError, ValueError, OverflowError) as error:
            if isinstance(error, UserError):
                raise
            raise UserError(f"not a score ({type(error).__name__}: {error}); score again") from None


def score(
    references: Sequence[Transcript], hypotheses: Sequence[Transcript], to_39: Int[np.ndarray, " classes"], silence: int
) -> Score:
    """Errors of every utterance, in 39 phones, under both conventions.

    Args:
        references: class indices of each utterance.
        hypotheses: likewise, in the same order.
        to_39: class index -> index among the 39 phones (Lee & Hon 1989).
        silence: class index of silence.

    Raises:
        UserError: lists of different lengths, classes out of range, or references without a phone.
    """
    if len(references) != len(hypotheses):
        raise UserError(
            f"{len(references)} references for {len(hypotheses)} hypotheses: score the split that was decoded"
        )
    silence = int(to_39[silence])
    pairs = [
        (_fold(reference, to_39, f"reference {index}"), _fold(hypothesis, to_39, f"hypothesis {index}"))
        for index, (reference, hypothesis) in enumerate(zip(references, hypotheses, strict=True))
    ]
    return Score(
        with_silences=_errors(
            (_merge(reference, silence), _merge(hypothesis, silence)) for reference, hypothesis in pairs
        ),
        without_silences=_errors(
            (_drop(reference, silence), _drop(hypothesis, silence)) for reference, hypothesis in pairs
        ),
    )


def paired_interval(ours: Errors, theirs: Errors, samples: int, seed: int) -> Interval:
    """Bootstrap 95 % interval of `ours.per - theirs.per`, in points; every draw takes the same utterances of both.

    Raises:
        UserError: the two were not scored against the same references.
    """
    if not np.array_equal(ours.lengths, theirs.lengths):
        raise UserError(
            "a paired interval needs two scores of the same utterances, got "
            f"{len(ours.lengths)} utterances of {ours.lengths.sum()} phones and "
            f"{len(theirs.lengths)} of {theirs.lengths.sum()}; score both on the same features"
        )
    return bootstrap(ours.counts - theirs.counts, ours.lengths, samples, seed)


def pooled(runs: Sequence[Errors]) -> Errors:
    """Runs over the same utterances (seeds of one network) as one, whose `per` is the mean of theirs.

    Raises:
        UserError: the runs were not scored against the same references.
    """
    if any(not np.array_equal(run.lengths, runs[0].lengths) for run in runs):
        raise UserError("only runs over the same utterances can be pooled; score them on the same features")
    return Errors(*(np.sum([getattr(run, field.name) for run in runs], axis=0) for field in fields(Errors)))


def _from_json(value: dict[str, list[int]]) -> Errors:
    columns = [np.array(value[field.name]) for field in fields(Errors)]
    if any(column.size and column.dtype != np.int64 for column in columns):
        raise ValueError("counts must be whole numbers")
    return Errors(*(column.astype(np.int64) for column in columns))


def _fold(transcript: Transcript, to_39: Int[np.ndarray, " classes"], what: str) -> Int[np.ndarray, " phones"]:
    classes = np.asarray(transcript, dtype=np.int64)
    wrong = classes[(classes < 0) | (classes >= len(to_39))]
    if wrong.size:
        raise UserError(f"{what}: class {wrong[0]} is not one of the {len(to_39)} phones (0..{len(to_39) - 1})")
    return np.asarray(to_39)[classes]


def _merge(phones: Int[np.ndarray, " phones"], silence: int) -> list[int]:
    """Phones with neighbouring silences made one; other neighbours stay as they are."""
    silent = phones == silence
    again = np.zeros_like(silent)
    again[1:] = silent[1:] & silent[:-1]
    return phones[~again].tolist()


def _drop(phones: Int[np.ndarray, " phones"], silence: int) -> list[int]:
    return phones[phones != silence].tolist()


def _errors(pairs: Iterable[tuple[list[int], list[int]]]) -> Errors:
    rows = [(*_edits(reference, hypothesis), len(reference)) for reference, hypothesis in pairs]
    return Errors(*np.array(rows, dtype=np.int64).reshape(-1, 4).T)


def _edits(reference: list[int], hypothesis: list[int]) -> tuple[int, int, int]:
    """Substitutions, deletions, insertions of the optimal alignment with the fewest gaps, which makes them unique.

    A gap costs a little more than a substitution, so little that all gaps together stay below one edit.
    """
    edit = len(reference) + len(hypothesis) + 1
    edits, gaps = divmod(Levenshtein.distance(reference, hypothesis, weights=(edit + 1, edit + 1, edit)), edit)
    deletions = (gaps + len(reference) - len(hypothesis)) // 2
    return edits - gaps, deletions, gaps - deletions
