"""Phones as Kaldi writes them, and their times in `phones.ctm`."""

from collections.abc import Sequence

from ernn.data.corpus import SAMPLE_RATE, Segment
from ernn.data.labels import CORRECT, LabelRules, Timed, Timeline, plain
from ernn.data.phones import SILENCE, class_of
from ernn.data.tables import Line, seconds
from ernn.errors import UserError


def segments(times: Sequence[Line], samples: int, rules: LabelRules, cure: str = CORRECT) -> Timed:
    """The phones of one utterance's lines with silence in the gaps between them; without lines, none.

    Args:
        samples: of the utterance, at 16 kHz.
        rules: what labels stand for.
        cure: of times that lie outside of it.

    Raises:
        UserError: with file and line: an unknown phone, overlaps, or times outside the audio.
    """
    timeline = Timeline(samples, rules, cure)
    for where, values in times:
        if len(values) not in (4, 5):  # the fifth is a confidence
            raise UserError(f"{where}: not `utterance channel start duration phone`; correct the line")
        start_s, duration_s = (seconds(where, value) for value in values[1:3])
        start, end = round(start_s * SAMPLE_RATE), round((start_s + duration_s) * SAMPLE_RATE)
        timeline.add(where, start, end, plain(values[3]))
    return timeline.filled()


def agree(where: str, timed: Sequence[Segment], transcript: Sequence[str]) -> None:
    """Refuse times of other phones than the transcript's; silences may stand in one of them only.

    Raises:
        UserError: the phones differ in kind, order or number.
    """
    ours, theirs = _spoken([segment.label for segment in timed]), _spoken(transcript)
    for number, (one, other) in enumerate(zip(ours, theirs, strict=False), start=1):
        if class_of(one) != class_of(other):
            raise UserError(f"{where}: phone {number} is {one} here and {other} in the transcript; correct one of them")
    if len(ours) != len(theirs):
        raise UserError(f"{where}: {len(ours)} phones here and {len(theirs)} in the transcript; correct one of them")


def _spoken(labels: Sequence[str]) -> list[str]:
    return [label for label in labels if class_of(label) not in (SILENCE, None)]
