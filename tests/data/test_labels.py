import re

import pytest

from ernn.data.corpus import Segment
from ernn.data.labels import read_segments
from ernn.errors import UserError


@pytest.fixture
def label_file(tmp_path):
    def write(text):
        (tmp_path / "SX1.PHN").write_text(text)
        return tmp_path / "SX1.PHN"

    return write


def test_times_are_in_samples_at_16_khz(label_file):
    file = label_file("0 800 h#\n800 2400 AA\n\n")
    assert read_segments(file, 16_000, 8000) == (Segment(0, 800, "h#"), Segment(800, 2400, "AA"))
    assert read_segments(file, 8_000, 8000)[1] == Segment(1600, 4800, "AA")


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("", ": no labels; write `start end phone` lines or leave the utterance out"),
        ("\n \n", ": no labels; "),
        ("0 800 h#\n800 900 xyz\n", ":2: unknown phone 'xyz'; rename it to one of TIMIT's 61 labels"),
        ("0 800 h#\n700 900 aa\n", ":2: aa starts at 700 and overlaps h#, which ends at 800; correct the times"),
        ("0 800 h#\n900 900 aa\n", ":2: aa ends at 900, not after its start 900; correct the times"),
        ("9000 9900 aa\n", ":1: aa starts at 9000, but the audio has 8000 samples; correct the times"),
        ("0.0 0.5 aa\n", ":1: '0.0 0.5 aa' is not `start end phone`, times in whole samples; correct the line"),
        ("aa\n", ":1: 'aa' is not `start end phone`"),
    ],
)
def test_bad_labels_are_refused_with_file_and_line(label_file, text, message):
    file = label_file(text)
    with pytest.raises(UserError, match=re.escape(f"{file}{message}")):
        read_segments(file, 16_000, 8000)


def test_binary_files_are_refused(label_file):
    file = label_file("")
    file.write_bytes(b"\xff\xfe\x00")
    with pytest.raises(UserError, match="not UTF-8 text; convert it with `iconv -t utf-8`"):
        read_segments(file, 16_000, 8000)
