import re
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ernn.data.corpus import Segment
from ernn.data.labels import CUT, LabelRules, check_order, read_segments
from ernn.errors import UserError
from ernn.params import Corpus


def segments_of(file: Path, rate_hz: int, samples: int) -> tuple[Segment, ...]:
    return read_segments(file, rate_hz, samples, LabelRules()).segments


@pytest.fixture
def label_file(tmp_path):
    def write(text):
        (tmp_path / "SX1.PHN").write_text(text)
        return tmp_path / "SX1.PHN"

    return write


def test_times_are_in_samples_at_16_khz(label_file):
    file = label_file("0 800 h#\n800 2400 AA\n\n")
    assert segments_of(file, 16_000, 2400) == (Segment(0, 800, "h#"), Segment(800, 2400, "AA"))
    assert segments_of(file, 8_000, 4800)[1] == Segment(1600, 4800, "AA")


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("0 800 aa\n900 1600 t\n", "0-800 aa, 900-1600 t, 1600-8000 sil"),  # 100 samples are no pause
        ("160 800 aa\n960 7900 t\n", "0-160 sil, 160-800 aa, 800-960 sil, 960-7900 t"),
        ("0 800 h#\n1600 2400 aa\n2400 3200 h#\n", "0-1600 h#, 1600-2400 aa, 2400-8000 h#"),
        ("400 800 pau\n800 8000 aa\n", "0-800 sil, 800-8000 aa"),
    ],
)
def test_gaps_are_silence(label_file, text, expected):
    found = segments_of(label_file(text), 16_000, 8000)
    assert ", ".join(f"{start}-{end} {label}" for start, end, label in found) == expected


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
        ("0 ²000 aa\n", ":1: '0 ²000 aa' is not `start end phone`"),
        ("0 ٣٠٠ aa\n", ":1: '0 ٣٠٠ aa' is not `start end phone`"),
        (f"0 {'9' * 5000} aa\n", f":1: '0 {'9' * 58}' is not `start end phone`"),
        ("-10 800 aa\n", ":1: '-10 800 aa' is not `start end phone`"),
        ("0 99999999 aa\n", ":1: aa ends at 99999999, but the audio has 8000 samples; correct the times"),
        ("0 8801 aa\n", ":1: aa ends at 8801, but the audio has 8000 samples; correct the times"),
    ],
)
def test_bad_labels_are_refused_with_file_and_line(label_file, text, message):
    file = label_file(text)
    with pytest.raises(UserError, match=re.escape(f"{file}{message}")):
        segments_of(file, 16_000, 8000)


def test_binary_files_are_refused(label_file):
    file = label_file("")
    file.write_bytes(b"\xff\xfe\x00")
    with pytest.raises(UserError, match="not UTF-8 text; convert it with `iconv -t utf-8`"):
        segments_of(file, 16_000, 8000)


def test_a_label_before_the_audio_is_refused():
    with pytest.raises(UserError, match="a:1: aa starts at -16, before the audio; correct the times"):
        check_order("a:1", [Segment(-16, 800, "aa")], 8000)


def test_the_last_label_may_end_some_frames_behind_the_audio(label_file):
    assert segments_of(label_file("0 8800 aa\n"), 16_000, 8000) == (Segment(0, 8800, "aa"),)


def test_a_byte_order_mark_is_no_part_of_the_first_time(label_file):
    file = label_file("")
    file.write_bytes(b"\xef\xbb\xbf0 8000 aa\r\n")
    assert segments_of(file, 16_000, 8000) == (Segment(0, 8000, "aa"),)


@given(overlap=st.integers(0, 400), limit=st.integers(0, 400))
def test_overlaps_up_to_the_limit_are_cut_and_counted(tmp_path_factory, overlap, limit):
    file = tmp_path_factory.mktemp("labels") / "SX1.PHN"
    file.write_text(f"0 {2000 + overlap} aa\n2000 8000 t\n")
    if overlap > limit:
        with pytest.raises(UserError, match=r":2: t starts at 2000 and overlaps aa, which ends at .*corpus.overlap_ms"):
            read_segments(file, 16_000, 8000, LabelRules(overlap=limit))
    else:
        found = read_segments(file, 16_000, 8000, LabelRules(overlap=limit))
        assert found.segments == (Segment(0, 2000, "aa"), Segment(2000, 8000, "t"))
        assert found.mended == ({CUT: 1} if overlap else {})


@pytest.mark.parametrize("text", ["800 1600 aa\n800 2400 t\n", "800 1600 aa\n700 2400 t\n"])
def test_a_label_of_which_nothing_would_be_left_is_not_cut(label_file, text):
    with pytest.raises(UserError, match=r":2: t starts at [78]00 and overlaps aa"):
        read_segments(label_file(text), 16_000, 8000, LabelRules(overlap=10_000))


def test_a_mapping_is_read_in_any_case_before_the_phones(label_file):
    rules = LabelRules.of(Corpus(labels={"Breath": "pau", "aa": "ah"}, overlap_ms=0.0625))
    assert rules.overlap == 1
    found = read_segments(label_file("0 801 BREATH\n800 8000 AA\n"), 16_000, 8000, rules)
    assert found.segments == (Segment(0, 800, "pau"), Segment(800, 8000, "ah"))
    assert found.mended == {"labels breath read as pau": 1, "labels aa read as ah": 1, CUT: 1}


def test_a_mapping_to_no_phone_is_refused():
    with pytest.raises(UserError, match=r"^corpus.labels.spn: unknown phone 'noise'; rename it to one of TIMIT's 61"):
        LabelRules.of(Corpus(labels={"spn": "noise"}))


def test_a_label_that_is_renamed_twice_is_refused():
    with pytest.raises(UserError, match=r"^corpus.labels: 'sp' is there twice; labels are compared in lower case"):
        LabelRules.of(Corpus(labels={"SP": "sil", "sp": "aa"}))
