"""From a corpus to a feature folder: one speaker at a time, over worker processes."""

import functools
import logging
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, Literal

import numpy as np
from tqdm import tqdm

from ernn.data import dataset, features, kaldi, synthetic, timit
from ernn.data.corpus import SAMPLE_RATE, Speaker, Utterance
from ernn.data.dataset import Example
from ernn.data.labels import LabelRules
from ernn.data.parallel import ordered_map
from ernn.data.phones import SILENCE, class_of
from ernn.data.sentences import SPLITS
from ernn.data.vectors import Given
from ernn.errors import UserError
from ernn.params import Corpus, Features

log = logging.getLogger(__name__)
_SMALLEST_DEVIATION = 1e-5
_REACHED = 0.75  # of the time of given vectors; where no phone of a corpus comes so far, the shift is another one
Criterion = Literal["frames", "ctc"]
Relabel = Callable[[list[Example]], list[Example]]


@dataclass(frozen=True)
class Prepared:
    """One speaker's examples, and what was done to its audio and its labels, and how often."""

    split: str
    examples: list[Example]
    resampled_from_hz: Counter[int]
    mended: Counter[str]
    reach: float = 0.0  # share of its vectors' time within which all phones end; 0: of audio, or without times


def speakers(corpus: Corpus, given: Given | None = None) -> Sequence[Speaker]:
    """The speakers of the corpus that the parameters name.

    Args:
        given: vectors that the user brings, in place of audio; in Kaldi folders alone.

    Raises:
        UserError: the corpus breaks a rule.
    """
    found: Sequence[Speaker]
    if corpus.kind == "synthetic":
        found = synthetic.speakers(corpus)
    else:
        folder = Path(corpus.path)
        if not folder.is_dir():
            raise UserError(f"corpus.path={corpus.path!r} is no folder; set it to your {corpus.kind} folder")
        rules = LabelRules.of(corpus)
        found = timit.speakers(folder, rules) if corpus.kind == "timit" else kaldi.speakers(folder, rules, given)
    _disjoint(found)
    return found


def prepare(
    corpus: Corpus,
    settings: Features,
    path: Path,
    relabel: Relabel = list,
    criterion: Criterion | None = None,
    **about: str,
) -> dict[str, Any]:
    """Write the feature folder `path` and return its manifest.

    Args:
        relabel: makes examples of examples, a shard at a time: where forced alignment comes in.
        criterion: what will be trained with them; None means that nobody knows yet.
        about: more that the manifest's corpus entry should say.

    Raises:
        UserError: the corpus breaks a rule, or cannot serve the criterion.
    """
    features.check(settings)
    found = speakers(corpus, features.given(settings))
    if criterion is not None:
        labelled = bool(corpus.alignment_model) or any(each.timed for each in found if each.split == "train")
        dataset.check_criterion(criterion, labelled)
    resampled, mended = Counter[int](), Counter[str]()
    header: dict[str, Any] = {
        "kind": settings.kind,
        "dimension": features.dimension(settings),
        "frame_shift_ms": settings.shift_ms * settings.skip,
        "features": settings.model_dump(),
        "corpus": _description(corpus) | about | {"resampled_from_hz": resampled},
    }
    task = functools.partial(prepare_speaker, settings=settings, criterion=criterion)
    prepared = iter(tqdm(ordered_map(task, found, corpus.workers), "speakers", len(found), disable=None))
    if settings.normalise == "global":
        everyone = list(prepared)
        mean, deviation = _train_moments(everyone)
        header["moments"] = {"mean": mean.tolist(), "deviation": deviation.tolist()}
        prepared = iter(_normalised(everyone, mean, deviation))
    shards = ((split, relabel(examples)) for split, examples in _shards(prepared, found, settings, resampled, mended))
    manifest = dataset.write(path, header, shards)
    for what, count in sorted(mended.items()):
        log.info("%d %s", count, what)
    for rate, count in sorted(resampled.items()):
        log.info("resampled %d utterances from %d Hz to %d Hz", count, rate, SAMPLE_RATE)
    return manifest


def _description(corpus: Corpus) -> dict[str, Any]:
    """What decides about the bytes: neither where things lie nor who does the work."""
    if corpus.kind == "synthetic":
        return corpus.model_dump(exclude={"path", "workers", "alignment_model", "labels", "overlap_ms"})
    return {"kind": corpus.kind}


def prepare_speaker(speaker: Speaker, settings: Features, criterion: Criterion | None = None) -> Prepared:
    """Features of all utterances of one speaker, normalised over them unless the settings say otherwise.

    Raises:
        UserError: an utterance breaks a rule, or is too short for CTC, where that is the criterion.
    """
    utterances = speaker.utterances()
    frames = [_vectors(utterance, settings) for utterance in utterances]
    if settings.normalise == "speaker":
        mean, deviation = _moments(frames)
        frames = [(vectors - mean) / deviation for vectors in frames]
    examples = [
        _example(utterance, speaker.name, features.stack(vectors, settings), settings)
        for utterance, vectors in zip(utterances, frames, strict=True)
    ]
    if criterion == "ctc":
        for utterance, example in zip(utterances, examples, strict=True):
            _check_ctc(utterance, example)
    rates = Counter(utterance.resampled_from_hz for utterance in utterances if utterance.resampled_from_hz)
    mended = sum((utterance.mended for utterance in utterances), Counter[str]())
    reach = max((_reach(utterance, settings) for utterance in utterances), default=0.0)
    return Prepared(speaker.split, examples, rates, mended, reach)


def _reach(utterance: Utterance, settings: Features) -> float:
    """Where the last phone ends, over the time of the vectors that the user brings."""
    if utterance.vectors is None:
        return 0.0
    ends = [each.end for each in utterance.segments if class_of(each.label) not in (None, SILENCE)]
    return max(ends, default=0) / SAMPLE_RATE / (len(utterance.vectors) * settings.shift_ms / 1000)


def _vectors(utterance: Utterance, settings: Features) -> np.ndarray:
    if utterance.vectors is not None:
        return utterance.vectors
    return features.feature_vectors(utterance.samples, settings, _where(utterance))


def _where(utterance: Utterance) -> str:
    return f"{utterance.source}: utterance {utterance.name}" if utterance.source.name else utterance.name


def _check_ctc(utterance: Utterance, example: Example) -> None:
    vectors, needed = len(example.features), dataset.ctc_vectors(example.phones)
    if vectors < needed:
        raise UserError(
            f"{_where(utterance)}: {vectors} vectors, training.criterion=ctc needs {needed} for its transcript; "
            "lower features.skip, or leave it out of the corpus"
        )


def _example(utterance: Utterance, speaker: str, vectors: np.ndarray, settings: Features) -> Example:
    phones = [phone for label in utterance.phones if (phone := class_of(label)) is not None]
    if not phones:
        raise UserError(f"{_where(utterance)}: no phone is left without `q`; correct its labels or leave it out")
    labels = features.labels(utterance.segments, len(vectors), settings)
    brought = utterance.vectors
    seconds = len(utterance.samples) / SAMPLE_RATE if brought is None else len(brought) * settings.shift_ms / 1000
    return Example(utterance.name, speaker, vectors, labels, np.array(phones, np.int16), seconds)


def _shards(
    prepared: Iterator[Prepared],
    found: Sequence[Speaker],
    settings: Features,
    resampled: Counter[int],
    mended: Counter[str],
) -> Iterator[tuple[str, list[Example]]]:
    """Examples in the order of the splits, cut after equal numbers of speakers."""
    counts, farthest = Counter(speaker.split for speaker in found), 0.0
    for split in SPLITS:
        cuts = np.linspace(0, counts[split], min(settings.shards, counts[split]) + 1).astype(int)
        for size in np.diff(cuts):
            examples = []
            for _ in range(size):
                speaker = next(prepared)
                resampled.update(speaker.resampled_from_hz)
                mended.update(speaker.mended)
                farthest = max(farthest, speaker.reach)
                examples += speaker.examples
            yield split, examples
    if 0 < farthest < _REACHED:
        raise UserError(
            f"features.shift_ms={settings.shift_ms:g}: in all utterances phones end within the first {farthest:.0%} of "
            "the vectors' time; set it to the time from one vector to the next, or correct the times of phones"
        )


def _train_moments(prepared: list[Prepared]) -> tuple[np.ndarray, np.ndarray]:
    """Mean and deviation of every dimension over the training split."""
    return _moments(
        [example.features for speaker in prepared if speaker.split == "train" for example in speaker.examples]
    )


def _normalised(prepared: list[Prepared], mean: np.ndarray, deviation: np.ndarray) -> list[Prepared]:
    """Every dimension shifted and scaled by these moments."""
    return [
        replace(
            speaker,
            examples=[replace(example, features=(example.features - mean) / deviation) for example in speaker.examples],
        )
        for speaker in prepared
    ]


def _moments(frames: list[np.ndarray]) -> tuple[np.ndarray, np.ndarray]:
    """Mean and standard deviation of every dimension, summed in float64."""
    count = sum(len(vectors) for vectors in frames)
    mean = sum(vectors.sum(axis=0, dtype=np.float64) for vectors in frames) / count
    variance = sum(((vectors - mean) ** 2).sum(axis=0, dtype=np.float64) for vectors in frames) / count
    return mean.astype(np.float32), np.maximum(np.sqrt(variance), _SMALLEST_DEVIATION).astype(np.float32)


def _disjoint(found: Sequence[Speaker]) -> None:
    first: dict[str, Speaker] = {}
    for speaker in found:
        other = first.setdefault(speaker.name, speaker)
        if other.split != speaker.split:
            raise UserError(
                f"{speaker.source}: speaker {speaker.name} is in {speaker.split} and {other.split} ({other.source}); "
                "splits must not share speakers: move or remove one of them"
            )
