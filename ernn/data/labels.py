"""Label files: lines of start, end and label, checked."""

import re
from collections.abc import Sequence
from pathlib import Path

from ernn import artifacts
from ernn.data.corpus import SAMPLE_RATE, Segment
from ernn.data.phones import SILENCE, class_of
from ernn.errors import UserError

_GAP = SAMPLE_RATE // 100  # unlabelled stretches from 10 ms on are silence
_OVERSHOOT = SAMPLE_RATE // 20  # 50 ms, some frames: by which the last label may end behind the audio
_TIMES = re.compile(r"([0-9]{1,12})\s+([0-9]{1,12})\s+(\S+)")


def read_segments(file: Path, rate_hz: int, samples: int) -> tuple[Segment, ...]:
    """Phones of one utterance with times in samples at 16 kHz, silence in the gaps between them.

    Args:
        rate_hz: of the audio that the file's times count samples of.
        samples: length of that audio at 16 kHz.

    Raises:
        UserError: with file and line: no labels, unknown ones, overlaps, or times outside the audio.
    """
    segments: list[Segment] = []
    for number, line in enumerate(read_text(file).splitlines(), start=1):
        if line.strip():
            segments.append(_segment(f"{file}:{number}", line, rate_hz))
            check_order(f"{file}:{number}", segments, samples)
    if not segments:
        raise UserError(f"{file}: no labels; write `start end phone` lines or leave the utterance out")
    return fill_gaps(segments, samples)


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
            f"{where}: unknown phone {label!r}; rename it to one of TIMIT's 61 labels (CMU's phones are among them)"
        )
    return label


def is_phone(label: str) -> bool:
    """Whether a label is one of the 61 or 48 phones."""
    try:
        class_of(label)
    except KeyError:
        return False
    return True


def check_order(where: str, segments: list[Segment], samples: int) -> None:
    """The last segment against the one before it and the length of the audio.

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
            "correct the times"
        )
    if start >= samples:
        raise UserError(f"{where}: {label} starts at {start}, but the audio has {samples} samples; correct the times")
    if end > samples + _OVERSHOOT:
        raise UserError(f"{where}: {label} ends at {end}, but the audio has {samples} samples; correct the times")


def _segment(where: str, line: str, rate_hz: int) -> Segment:
    match = _TIMES.fullmatch(line.strip())
    if match is None:
        shown = line.strip()[:60]
        raise UserError(f"{where}: {shown!r} is not `start end phone`, times in whole samples; correct the line")
    start, end = (round(int(time) * SAMPLE_RATE / rate_hz) for time in match.group(1, 2))
    return Segment(start, end, check_label(where, match[3]))
