import re
from pathlib import Path

import numpy as np
import pytest
import soundfile

from ernn.data import kaldi
from ernn.data.corpus import Segment, Utterance
from ernn.data.labels import CUT, LabelRules
from ernn.errors import UserError
from ernn.params import Corpus
from tests.data.conftest import noise

RULES = LabelRules.of(Corpus())
SPEECHOCEAN = Path(__file__).parents[3] / "shared/data/speechocean762-mini"


def refused(corpus: Path, message: str) -> None:
    with pytest.raises(UserError, match=re.escape(message)):
        read(corpus)


def read(corpus: Path, rules: LabelRules = RULES) -> list[Utterance]:
    return [utterance for speaker in kaldi.speakers(corpus, rules) for utterance in speaker.utterances()]


def names(found) -> list[tuple[str, str]]:
    return [(speaker.split, speaker.name) for speaker in found]


def test_a_folder_is_read(kaldi_folder):
    found = kaldi.speakers(kaldi_folder(), RULES)
    assert names(found) == [("train", "anna"), ("train", "ben"), ("dev", "cleo"), ("test", "dan")]
    (spoken,) = found[0].utterances()
    assert (spoken.name, spoken.phones, spoken.segments) == ("anna-1", ("aa1", "t"), ())
    np.testing.assert_array_equal(spoken.samples, noise())


def test_one_training_speaker_in_ten_is_held_out_without_a_dev_folder(kaldi_folder):
    people = " ".join(f"s{index:02d}" for index in range(13))
    found = kaldi.speakers(kaldi_folder(train=people, dev=""), RULES)
    assert [name for split, name in names(found) if split == "dev"] == ["s02", "s12"]
    assert len(found) == 14


def test_utterances_without_audio_are_counted(kaldi_folder, caplog):
    corpus = kaldi_folder(train="anna ben cleo")
    lines = (corpus / "train/wav.scp").read_text().splitlines(keepends=True)
    (corpus / "train/wav.scp").write_text(lines[0])
    assert len([each for split, each in names(kaldi.speakers(corpus, RULES)) if split == "train"]) == 1
    wanted = f"{corpus}/train: 2 utterances of utt2spk have no audio and are left out, the first is ben-1"
    assert caplog.messages == [wanted]


def test_paths_may_start_at_the_corpus_folder(kaldi_folder):
    corpus = kaldi_folder()
    (corpus / "dev/wav.scp").write_text("cleo-1 dev/cleo.wav\n")
    assert len(kaldi.speakers(corpus, RULES)[2].utterances()) == 1


def test_segments_cut_recordings(kaldi_folder):
    corpus = kaldi_folder()
    (corpus / "dev/wav.scp").write_text("tape cleo.wav\n")
    (corpus / "dev/segments").write_text("cleo-1 tape 0.1 0.35\n")
    (spoken,) = kaldi.speakers(corpus, RULES)[2].utterances()
    np.testing.assert_array_equal(spoken.samples, noise()[1600:5600])


def test_utterances_may_end_a_little_behind_their_recording(kaldi_folder):
    corpus = kaldi_folder()
    (corpus / "dev/segments").write_text("cleo-1 cleo-1 0.1 1.0\n")
    (spoken,) = kaldi.speakers(corpus, RULES)[2].utterances()
    np.testing.assert_array_equal(spoken.samples, noise()[1600:])
    (corpus / "dev/segments").write_text("cleo-1 cleo-1 0.1 1.1\n")
    message = f"{corpus / 'dev/cleo.wav'}: utterance cleo-1 ends at 1.1 s, but the recording ends at 0.5 s; correct"
    refused(corpus, message)


@pytest.mark.parametrize("end", ["-1", "-1.0", "-1.00"])
def test_an_end_of_minus_one_is_that_of_the_recording(kaldi_folder, end):
    corpus = kaldi_folder()
    (corpus / "dev/segments").write_text(f"cleo-1 cleo-1 0.1 {end}\n")
    (spoken,) = kaldi.speakers(corpus, RULES)[2].utterances()
    np.testing.assert_array_equal(spoken.samples, noise()[1600:])


@pytest.mark.parametrize("channel", [0, 1])
def test_the_fifth_column_is_the_channel(kaldi_folder, channel):
    corpus, both = kaldi_folder(), np.column_stack([noise(), noise(seed=9)])
    soundfile.write(corpus / "dev/cleo.wav", both, 16_000, "PCM_16")
    (corpus / "dev/segments").write_text(f"cleo-1 cleo-1 0.1 0.35 {channel}\n")
    (spoken,) = kaldi.speakers(corpus, RULES)[2].utterances()
    np.testing.assert_array_equal(spoken.samples, both[1600:5600, channel])
    (corpus / "dev/segments").write_text("cleo-1 cleo-1 0.1 0.35 2\n")
    refused(corpus, f"{corpus / 'dev/cleo.wav'}: no channel 2, the file has 2, counted from 0; correct the number")


@pytest.mark.parametrize("command", ["cat cleo.wav |", "cat cleo.wav|", "cat 'cleo.wav'|", "cat dev/cleo.wav |"])
def test_a_command_that_only_reads_a_file_is_that_file(kaldi_folder, command):
    corpus = kaldi_folder()
    (corpus / "dev/wav.scp").write_text(f"cleo-1 {command}\n")
    assert len(kaldi.speakers(corpus, RULES)[2].utterances()) == 1


@pytest.mark.parametrize(
    "command",
    ["sph2pipe -f wav cleo.wav|", "cat cleo.wav ben.wav|", "cat cleo.wav | sox - |", "cat|", "|", "cat -|", "cat 'a |"],
)
def test_other_commands_are_not_run(kaldi_folder, command):
    corpus = kaldi_folder()
    (corpus / "dev/wav.scp").write_text(f"cleo-1 {command}\n")
    refused(corpus, f"{corpus / 'dev/wav.scp'}:1: commands are not run; write the audio to a file and give its path")


@pytest.mark.parametrize("timed", [False, True])
def test_labels_of_recipes_are_silence_or_left_out(kaldi_folder, timed):
    corpus = kaldi_folder()
    written = ["SIL", "NSN", "AA1_B", "<eps>", "T_E", "sp", "SPN_S"]
    (corpus / "dev/text-phone").write_text(f"cleo-1 {' '.join(written)}\n")
    if timed:
        lines = (f"cleo-1 1 {0.05 * at:.2f} 0.05 {label}\n" for at, label in enumerate(written))
        (corpus / "dev/phones.ctm").write_text("".join(lines))
    (spoken,) = kaldi.speakers(corpus, RULES)[2].utterances()
    ends = ["sil"] if timed else ["sil", "sil"]
    assert list(spoken.phones) == [*ends, "aa1", "q", "t", *ends]
    assert spoken.mended == {
        "labels nsn read as sil": 1,
        "labels <eps> read as q": 1,
        "labels sp read as sil": 1,
        "labels spn read as sil": 1,
    }


def test_labels_are_compared_without_word_positions_and_with_stress_digits(kaldi_folder):
    corpus = kaldi_folder()
    (corpus / "dev/text-phone").write_text("cleo-1 SPN_S AH0_B AH1_E\n")
    given = Corpus(kind="kaldi", path=str(corpus), labels={"SPN_S": "sil", "ah0": "ax", "ah": "t"})
    assert read(corpus, LabelRules.of(given))[2].phones == ("sil", "ax", "ah1")
    with pytest.raises(UserError, match="'spn' is there twice; labels are compared in lower case, without word posit"):
        LabelRules.of(Corpus(kind="kaldi", path=str(corpus), labels={"spn_B": "sil", "SPN": "q"}))


def test_a_mapping_says_what_other_labels_stand_for(kaldi_folder):
    corpus = kaldi_folder()
    (corpus / "dev/text-phone").write_text("cleo-1 noise A_B T_E\n")
    spoken = read(corpus, LabelRules.of(Corpus(labels={"NOISE": "sil", "a": "aa"})))[2]
    assert spoken.phones == ("sil", "aa", "t")
    assert spoken.mended == {"labels noise read as sil": 1, "labels a read as aa": 1}
    (corpus / "dev/text-phone").write_text("cleo-1 AA T spn\n")
    with pytest.raises(UserError, match=r"unknown phone 'spn'.*or say in corpus.labels which of them it stands for"):
        read(corpus, LabelRules.of(Corpus(labels={"NOISE": "sil"})))


def test_times_that_overlap_are_cut_on_request(kaldi_folder):
    corpus = kaldi_folder()
    (corpus / "dev/phones.ctm").write_text("cleo-1 1 0.0 0.21 AA\ncleo-1 1 0.2 0.3 T\n")
    refused(corpus, "overlaps aa, which ends at 3360; correct the times, or raise corpus.overlap_ms to cut the earlier")
    spoken = read(corpus, LabelRules.of(Corpus(overlap_ms=10)))[2]
    assert spoken.segments == (Segment(0, 3200, "aa"), Segment(3200, 8000, "t"))
    assert spoken.mended == {CUT: 1}


def test_times_become_segments_with_silence_between(kaldi_folder):
    corpus = kaldi_folder()
    (corpus / "dev/phones.ctm").write_text("cleo-1 1 0.1 0.1 AA1_B\ncleo-1 1 0.2 0.05 T_E\n")
    (spoken,) = kaldi.speakers(corpus, RULES)[2].utterances()
    assert spoken.segments == (
        Segment(0, 1600, "sil"), Segment(1600, 3200, "aa1"), Segment(3200, 4000, "t"), Segment(4000, 8000, "sil"),
    )  # fmt: skip
    assert spoken.phones == ("sil", "aa1", "t", "sil")


@pytest.mark.parametrize(
    ("table", "text", "message"),
    [
        ("wav.scp", "cleo-1 sph2pipe -f wav cleo.sph |", ":1: commands are not run; write the audio to a file"),
        ("wav.scp", "cleo-1", ":1: not `recording file`; correct the line"),
        ("wav.scp", "cleo-1 cleo.wav\ncleo-1 dan.wav", ":2: cleo-1 is here twice; remove one line"),
        ("wav.scp", "", ": empty; write one line an utterance"),
        ("utt2spk", "dan-1 dan", ": no line for utterance cleo-1; add it or remove the utterance"),
        ("utt2spk", "cleo-1 cleo senior", ":1: not `utterance speaker`; correct the line"),
        ("text-phone", "dan-1 AA", ": no line for utterance cleo-1; add it or remove the utterance"),
        ("text-phone", "cleo-1", ":1: utterance cleo-1 has no phones; add them or remove the utterance"),
        ("text-phone", "cleo-1 AA OUCH", ":1: unknown phone 'ouch'; rename it to one of TIMIT's 61 labels"),
        ("segments", "cleo-1 tape 0 0.1", "wav.scp: no line for recording tape; add it"),
        ("segments", "cleo-1 cleo-1 0.2 0.1", ":1: the utterance ends at 0.1 s, not after its start 0.2 s"),
        ("segments", "cleo-1 cleo-1 -0.2 0.1", ":1: '-0.2' is not a time in seconds; correct the line"),
        ("segments", "cleo-1 cleo-1 0.2 nan", ":1: 'nan' is not a time in seconds; correct the line"),
        ("segments", "cleo-1 cleo-1 0.2 1.1", "cleo.wav: utterance cleo-1 ends at 1.1 s, but the recording ends at"),
        ("segments", "cleo-1 cleo-1 0.5 0.6", "cleo.wav: utterance cleo-1 starts at 0.5 s, but the recording ends"),
        ("segments", "cleo-1 cleo-1 0.2 1e9", ":1: '1e9' is not a time in seconds; correct the line"),
        ("segments", "cleo-1 cleo-1 0.2", ":1: not `utterance recording start end [channel]`; correct the line"),
        ("segments", "cleo-1 cleo-1 0 1 0 1", ":1: not `utterance recording start end [channel]`; correct the line"),
        ("segments", "cleo-1 cleo-1 0 0.1 A", ":1: 'A' is not a channel (0, 1, ..); correct the line"),
        ("segments", "cleo-1 cleo-1 0 0.1 -1", ":1: '-1' is not a channel (0, 1, ..); correct the line"),
        ("segments", "cleo-1 cleo-1 -1 0.1", ":1: '-1' is not a time in seconds; correct the line"),
        ("segments", "cleo-1 cleo-1 0.5 -1", "cleo.wav: utterance cleo-1 starts at 0.5 s, but the recording ends"),
        ("segments", "cleo-1 cleo-1 0 -1.5", ":1: '-1.5' is not a time in seconds; correct the line"),
        ("phones.ctm", "dan-1 1 0 0.1 AA", ": no times of utterance cleo-1; add them or remove the file"),
        ("phones.ctm", "cleo-1 1 0 AA", ":1: not `utterance channel start duration phone`; correct the line"),
        ("phones.ctm", "cleo-1 1 0 1e400 AA", ":1: '1e400' is not a time in seconds; correct the line"),
        ("phones.ctm", "cleo-1 1 x 0.1 AA", ":1: 'x' is not a time in seconds; correct the line"),
        ("phones.ctm", "cleo-1 1 0 0.2 AA\ncleo-1 1 0.1 0.2 T", ":2: t starts at 1600 and overlaps aa, which ends at"),
        ("phones.ctm", "cleo-1 1 -0.1 0.2 AA", ":1: '-0.1' is not a time in seconds; correct the line"),
        ("phones.ctm", "cleo-1 1 0 9 AA", ":1: aa ends at 144000, but the audio has 8000 samples; correct the times"),
        ("phones.ctm", "cleo-1 1 0 0.1 AA\ncleo-1 1 0.1 0.1 D", ":1: utterance cleo-1: phone 2 is d here and t in the"),
        ("phones.ctm", "cleo-1 1 0 0.1 AA", ":1: utterance cleo-1: 1 phones here and 2 in the transcript; correct one"),
    ],
)  # fmt: skip
def test_bad_tables_are_refused_with_file_and_line(kaldi_folder, table, text, message):
    corpus = kaldi_folder()
    (corpus / "dev" / table).write_text(text + "\n")
    file = f"{corpus / 'dev' / table}" if message.startswith(":") else f"{corpus / 'dev'}/"
    refused(corpus, file + message)


@pytest.mark.parametrize("table", ["text", "text-phone", "phones.ctm"])
def test_words_in_place_of_phones_are_told_from_a_wrong_phone(kaldi_folder, table):
    corpus = kaldi_folder()
    file, cure = corpus / "dev" / table, f"write `utterance phones` lines to {corpus / 'dev/text-phone'}"
    words, phones = "cleo-1 we are here again\n", "cleo-1 W IY AA R HERE\n"
    if table == "phones.ctm":
        cure = "write times of phones, or remove the file"
        words, phones = ("".join(f"cleo-1 1 0 1 {label}\n" for label in text.split()[1:]) for text in (words, phones))
    else:
        (corpus / "dev/text-phone").unlink()
    file.write_text(words)
    refused(corpus, f"{file}:1: 'we' is no phone, nor are most labels here: these are words; {cure}")
    file.write_text(phones)
    refused(corpus, f"{file}:{5 if table == 'phones.ctm' else 1}: unknown phone 'here'; rename it to one of TIMIT's 61")


def test_tables_with_a_byte_order_mark_are_read(kaldi_folder):
    corpus = kaldi_folder()
    for table in ("wav.scp", "utt2spk", "text-phone"):
        file = corpus / "dev" / table
        file.write_bytes(b"\xef\xbb\xbf" + file.read_bytes().replace(b"\n", b"\r\n"))
    assert names(kaldi.speakers(corpus, RULES))[2] == ("dev", "cleo")


def test_missing_parts_are_refused(kaldi_folder):
    corpus = kaldi_folder(train="anna", dev="")
    refused(corpus, f"{corpus / 'train'}: one speaker cannot be train and dev; add a dev folder")
    (corpus / "train/anna.wav").unlink()
    (corpus / "dev").mkdir()
    refused(corpus, f"{corpus / 'dev/wav.scp'}: no such file; add it; docs/data.md has what a folder holds")
    (corpus / "test").rename(corpus / "tests")
    refused(corpus, f"{corpus / 'test'}: no such folder; set corpus.path to the folder that holds train and test")


@pytest.mark.skipif(not SPEECHOCEAN.exists(), reason="shared/data has no sample of speechocean762")
def test_real_speech_is_read():
    found = kaldi.speakers(SPEECHOCEAN, RULES)
    spoken = [utterance for speaker in found for utterance in speaker.utterances()]
    assert (len(found), len(spoken)) == (30, 150)
    assert all(len(utterance.samples) > 8000 and utterance.phones for utterance in spoken)
    assert {speaker.split for speaker in found} == {"train", "dev", "test"}
