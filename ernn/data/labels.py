"""The labels of a corpus: what they stand for, their times checked; label files of start, end and label."""

import re
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import NamedTuple

from ernn import artifacts
from ernn.data.corpus import SAMPLE_RATE, Segment
from ernn.data.phones import SILENCE, class_of
from ernn.errors import UserError
from ernn.params import Corpus

_GAP = SAMPLE_RATE // 100  # unlabelled stretches from 10 ms on are silence
_OVERSHOOT = SAMPLE_RATE // 20  # 50 ms, some frames: by which the last label may end behind the audio
_TIMES = re.compile(r"([0-9]{1,12})\s+([0-9]{1,12})\s+(\S+)")
_POSITION = re.compile(r"_[BIES]$")  # of a phone in its word, in Kaldi folders
CORRECT = "correct the times"
CUT = "labels cut where the next one begins"


@dataclass(frozen=True)
class LabelRules:
    """How the labels of a corpus are read.

    Args:
        renamed: label in lower case, without word position -> the phone, of the 61 or 48, that is read in its place.
        overlap: samples at 16 kHz by which a label may begin before the end of the one before it, which is then cut.
    """

    renamed: Mapping[str, str] = field(default_factory=dict)
    overlap: int = 0

    @classmethod
    def of(cls, corpus: Corpus) -> "LabelRules":
        """The rules that the parameters give.

        Raises:
            UserError: a label stands for something else than a phone.
        """
        kaldi = corpus.kind == "kaldi"
        compared = [plain(label) if kaldi else label.lower() for label in corpus.labels]
        for label, phone in corpus.labels.items():
            check_label(f"corpus.labels.{label}", phone)
        renamed = dict(zip(compared, corpus.labels.values(), strict=True))
        if len(renamed) < len(compared):
            twice = next(label for label, count in Counter(compared).items() if count > 1)
            how = "in lower case, without word positions" if kaldi else "in lower case"
            raise UserError(f"corpus.labels: {twice!r} is there twice; labels are compared {how}: leave one")
        return cls(renamed, round(corpus.overlap_ms * SAMPLE_RATE / 1000))

    def phone(self, where: str, label: str) -> str:
        """The phone that a label stands for, most often itself.

        Raises:
            UserError: it belongs neither to the 61 nor to the 48 phones, and no rule says what it stands for.
        """
        return check_label(where, self.renamed.get(label.lower(), label))

    def known(self, label: str) -> bool:
        """Whether `phone` has an answer."""
        return label.lower() in self.renamed or is_phone(label)

    def hold_words(self, labels: Iterable[str]) -> bool:
        """Whether most of the labels stand for no phone."""
        counted = Counter(map(self.known, labels))
        return counted[False] > counted[True]

    def renames(self, labels: Iterable[str]) -> Counter[str]:
        """How many of the labels are renamed, in words."""
        found = (label.lower() for label in labels)
        return Counter(f"labels {label} read as {self.renamed[label]}" for label in found if label in self.renamed)


def plain(written: str) -> str:
    """A label of a Kaldi folder without the position in the word, in lower case."""
    return _POSITION.sub("", written).lower()


class Timed(NamedTuple):
    """Phones with their times, and what was done to their labels, in words, and how often."""

    segments: tuple[Segment, ...]
    mended: Counter[str]


class Timeline:
    """Labels one after the other, each checked against the one before it and the length of the audio.

    Args:
        samples: of the audio, at 16 kHz.
        rules: what labels stand for.
        cure: of times that lie outside of it.
    """

    def __init__(self, samples: int, rules: LabelRules, cure: str = CORRECT) -> None:
        self._samples, self._rules, self._cure = samples, rules, cure
        self._segments: list[Segment] = []
        self._mended: Counter[str] = Counter()

    def add(self, where: str, start: int, end: int, label: str) -> None:
        """The next label, in samples at 16 kHz.

        Raises:
            UserError: it is unknown or empty, overlaps, or lies outside the audio.
        """
        phone = self._rules.phone(where, label)
        self._mended += self._rules.renames([label])
        if self._segments and self._segments[-1].start < start < self._segments[-1].end <= start + self._rules.overlap:
            self._segments[-1] = self._segments[-1]._replace(end=start)
            self._mended[CUT] += 1
        self._segments.append(Segment(start, end, phone))
        check_order(where, self._segments, self._samples, self._cure)

    def filled(self) -> Timed:
        """All of them with silence in the gaps; without any, nothing."""
        segments = fill_gaps(self._segments, self._samples) if self._segments else ()
        return Timed(segments, self._mended)


def read_segments(file: Path, rate_hz: int, samples: int, rules: LabelRules) -> Timed:
    """Phones of one utterance with times in samples at 16 kHz, silence in the gaps between them.

    Args:
        rate_hz: of the audio that the file's times count samples of.
        samples: length of that audio at 16 kHz.
        rules: what labels stand for.

    Raises:
        UserError: with file and line: no labels, unknown ones, overlaps, or times outside the audio.
    """
    timeline = Timeline(samples, rules)
    for number, line in enumerate(read_text(file).splitlines(), start=1):
        if line.strip():
            timeline.add(f"{file}:{number}", *_parts(f"{file}:{number}", line, rate_hz))
    found = timeline.filled()
    if not found.segments:
        raise UserError(f"{file}: no labels; write `start end phone` lines or leave the utterance out")
    return found


def fill_gaps(segments: Sequence[Segment], samples: int) -> tuple[Segment, ...]:
    """The segments with silence where 10 ms or more have no label; silences that meet become one."""
    filled: list[Segment] = []
    for segment in (*segments, Segment(samples, samples, "")):
        before = filled[-1].end if filled else 0
        if segment.start - before >= _GAP:
            _extend(filled, Segment(before, segment.start, "sil"))
        if segment.label:
            _extend(filled, segment)
    return tuple(filled)


def _extend(filled: list[Segment], segment: Segment) -> None:
    if filled and class_of(filled[-1].label) == class_of(segment.label) == SILENCE:
        filled[-1] = filled[-1]._replace(end=segment.end)
    else:
        filled.append(segment)


def read_text(file: Path) -> str:
    """The text of a file of the corpus.

    Raises:
        UserError: no such file, or not text.
    """
    return artifacts.read_text(file, "add it or leave the utterance out")


def check_label(where: str, label: str) -> str:
    """`label` itself.

    Raises:
        UserError: it belongs neither to the 61 nor to the 48 phones.
    """
    if not is_phone(label):
        raise UserError(
            f"{where}: unknown phone {label!r}; rename it to one of TIMIT's 61 labels (CMU's phones are among them), "
            "or say in corpus.labels which of them it stands for"
        )
    return label


def is_phone(label: str) -> bool:
    """Whether a label is one of the 61 or 48 phones."""
    try:
        class_of(label)
    except KeyError:
        return False
    return True


def check_order(where: str, segments: list[Segment], samples: int, cure: str = CORRECT) -> None:
    """The last segment against the one before it and the length of the audio.

    Args:
        cure: of times that lie behind the end of the audio.

    Raises:
        UserError: it is empty, overlaps, or lies outside the audio.
    """
    start, end, label = segments[-1]
    if start < 0:
        raise UserError(f"{where}: {label} starts at {start}, before the audio; correct the times")
    if end <= start:
        raise UserError(f"{where}: {label} ends at {end}, not after its start {start}; correct the times")
    if len(segments) > 1 and start < segments[-2].end:
        raise UserError(
            f"{where}: {label} starts at {start} and overlaps {segments[-2].label}, which ends at {segments[-2].end}; "
            "correct the times, or raise corpus.overlap_ms to cut the earlier label"
        )
    if start >= samples:
        raise UserError(f"{where}: {label} starts at {start}, but the audio has {samples} samples; {cure}")
    if end > samples + _OVERSHOOT:
        raise UserError(f"{where}: {label} ends at {end}, but the audio has {samples} samples; {cure}")


def _parts(where: str, line: str, rate_hz: int) -> tuple[int, int, str]:
    match = _TIMES.fullmatch(line.strip())
    if match is None:
        shown = line.strip()[:60]
        raise UserError(f"{where}: {shown!r} is not `start end phone`, times in whole samples; correct the line")
    start, end = (round(int(time) * SAMPLE_RATE / rate_hz) for time in match.group(1, 2))
    return start, end, match[3]
