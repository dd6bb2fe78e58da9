import re

import pytest

from ernn.data import ctm
from ernn.data.corpus import Segment
from ernn.data.labels import LabelRules, plain
from ernn.data.tables import Line
from ernn.errors import UserError


def timed(*labels: str) -> list[Segment]:
    return [Segment(1600 * index, 1600 * (index + 1), label) for index, label in enumerate(labels)]


def test_labels_lose_position_and_case():
    written = ("AH0_B", "sil", "ZH_E", "tcl", "SPN_S")
    assert [plain(label) for label in written] == ["ah0", "sil", "zh", "tcl", "spn"]


def test_lines_become_segments():
    lines = [Line("a:1", ("1", "0.1", "0.1", "AA1_B")), Line("a:2", ("1", "0.2", "0.3", "T_E"))]
    timed = (Segment(0, 1600, "sil"), Segment(1600, 3200, "aa1"), Segment(3200, 8000, "t"))
    assert ctm.segments(lines, 8000, LabelRules()) == (timed, {})
    assert ctm.segments([], 8000, LabelRules()) == ((), {})


@pytest.mark.parametrize("transcript", ["AA T", "sil aa1 t SIL", "aa q t", "aa0 sil t"])
def test_silences_and_stress_may_differ(transcript):
    ctm.agree("a", timed("h#", "aa1", "t", "pau"), transcript.split())


@pytest.mark.parametrize(
    ("transcript", "message"),
    [
        ("aa d", "a: utterance b: phone 2 is t here and d in the transcript; correct one of them"),
        ("t aa", "a: utterance b: phone 1 is aa here and t in the transcript; correct one of them"),
        ("aa", "a: utterance b: 2 phones here and 1 in the transcript; correct one of them"),
        ("aa t t", "a: utterance b: 2 phones here and 3 in the transcript; correct one of them"),
    ],
)
def test_other_phones_are_refused(transcript, message):
    with pytest.raises(UserError, match=f"^{re.escape(message)}$"):
        ctm.agree("a: utterance b", timed("sil", "aa", "t"), transcript.split())


def test_a_confidence_is_no_label():
    line = Line("phones.ctm:1", ("1", "0.0", "0.1", "aa", "0.91"))
    assert ctm.segments([line], 1600, LabelRules()) == ctm.segments(
        [line._replace(values=line.values[:4])], 1600, LabelRules()
    )
