import re
import shutil
from pathlib import Path

import numpy as np
import pytest

from ernn.data import timit
from ernn.data.corpus import Utterance
from ernn.data.labels import LabelRules
from ernn.errors import UserError
from tests.data.conftest import utterance

WITH_DEV = [("train", "FABC0"), ("dev", "MABC1"), ("test", "MABC2")]
TIMITS_OWN = [("train", "FCJF0"), ("test", "MDAB0"), ("test", "FAKS0"), ("test", "MXYZ0")]


def written(root: Path, people: list[tuple[str, str]]) -> Path:
    """A corpus in TIMIT's layout with NIST headers: SX1, SX2 and the dialect sentence SA1 of each speaker."""
    for seed, (split, name) in enumerate(people):
        for sentence in ("sx1", "sx2", "sa1"):
            timit.write(utterance(f"{name.lower()}_{sentence}", seed), timit.speaker_folder(root, split, 1, name))
    return root


def renamed(root: Path, change) -> Path:
    for path in sorted(root.rglob("*"), reverse=True):
        path.rename(path.with_name(change(path.name)))
    return root


def readable_twins(root: Path) -> Path:
    """`SX1.WAV.wav` beside each `SX1.WAV`, the latter unreadable."""
    for path in root.rglob("*.WAV"):
        shutil.copy(path, path.with_name(path.name + ".wav"))
        shorten = b"sample_coding -s26 pcm,embedded-shorten-v2.00"
        path.write_bytes(path.read_bytes().replace(b"sample_coding -s3 pcm", shorten))
    return root


LAYOUTS = {
    "upper": lambda root: root,
    "lower": lambda root: renamed(root, str.lower),
    "mixed": lambda root: renamed(root, str.title),
    "twins": readable_twins,
    "nested": lambda root: Path(shutil.copytree(root, root / "Data/TIMIT/Copy", ignore=lambda *_: ["Data"])),
}


@pytest.mark.parametrize("layout", LAYOUTS)
def test_what_is_written_is_read_back_in_every_layout(tmp_path, layout):
    root = LAYOUTS[layout](written(tmp_path / "corpus", WITH_DEV))
    found = timit.speakers(root, LabelRules())
    assert [(speaker.split, speaker.name) for speaker in found] == [
        ("train", "fabc0"), ("dev", "mabc1"), ("test", "mabc2"),
    ]  # fmt: skip
    for seed, speaker in enumerate(found):
        for sentence, spoken in zip(("sx1", "sx2"), speaker.utterances(), strict=True):
            expected = utterance(f"{speaker.name}_{sentence}", seed)
            np.testing.assert_array_equal(spoken.samples, expected.samples)
            assert (spoken.name, spoken.segments, spoken.phones) == (expected.name, expected.segments, expected.phones)


def test_files_are_timits(tmp_path):
    timit.write(utterance(), tmp_path / "FABC0")
    header = (tmp_path / "FABC0/SX1.WAV").read_bytes()[:1024]
    assert header.startswith(b"NIST_1A\n   1024\n")
    assert b"sample_byte_format -s2 01\n" in header
    assert (tmp_path / "FABC0/SX1.PHN").read_text().splitlines()[:2] == ["0 1600 h#", "1600 4000 aa"]
    assert (tmp_path / "FABC0/SX1.WRD").read_text() == "1600 6400 ought\n"
    assert (tmp_path / "FABC0/SX1.TXT").read_text() == "0 8000 Ought.\n"


def test_without_a_dev_folder_timits_own_dev_and_core_test_speakers_are_taken(tmp_path):
    found = timit.speakers(written(tmp_path, TIMITS_OWN), LabelRules())
    assert [(speaker.split, speaker.name) for speaker in found] == [
        ("train", "fcjf0"), ("dev", "faks0"), ("test", "mdab0"),
    ]  # fmt: skip


def test_the_lists_of_dev_and_core_test_are_whole_and_disjoint():
    assert (len(timit.DEV), len(timit.CORE_TEST), timit.DEV & timit.CORE_TEST) == (50, 24, set())


def refused(root: Path, message: str) -> None:
    with pytest.raises(UserError, match=re.escape(message)):
        read(root)


def read(root: Path) -> list[Utterance]:
    return [utterance for speaker in timit.speakers(root, LabelRules()) for utterance in speaker.utterances()]


def test_missing_splits_are_named(tmp_path):
    written(tmp_path, TIMITS_OWN[:1])
    refused(tmp_path, f"{tmp_path}: no speakers for dev and test; set corpus.path to the folder with TIMIT's TRAIN")


def test_audio_and_labels_come_in_pairs(tmp_path):
    folder = timit.speaker_folder(written(tmp_path, WITH_DEV), "train", 1, "FABC0")
    (folder / "SX1.PHN").rename(folder / "SX9.PHN")
    refused(tmp_path, f"{folder / 'SX1.WAV'}: audio without labels; add the .PHN or remove the audio")
    (folder / "SX1.WAV").unlink()
    refused(tmp_path, f"{folder / 'SX9.PHN'}: labels without audio; add the .WAV or remove the labels")


def test_bad_labels_name_file_and_line(tmp_path):
    folder = timit.speaker_folder(written(tmp_path, WITH_DEV), "train", 1, "FABC0")
    (folder / "SX1.PHN").write_text("0 1600 h#\n1600 4000 ouch\n")
    refused(tmp_path, f"{folder / 'SX1.PHN'}:2: unknown phone 'ouch'")


@pytest.mark.parametrize("other", ["TRAIN/DR2/FABC0", "train/DR1/FABC0", "TRAIN/DR1/fabc0", "copy/TRAIN/DR1/FABC0"])
def test_speakers_in_two_folders_are_refused(tmp_path, other):
    folder = timit.speaker_folder(written(tmp_path, WITH_DEV), "train", 1, "FABC0")
    timit.write(utterance("fabc0_sx3"), tmp_path / other)
    later, earlier = sorted([folder, tmp_path / other])[::-1]
    refused(tmp_path, f"{later}: speaker fabc0 of train is in {earlier} too; remove one of them")


def test_sentences_in_two_files_are_refused(tmp_path):
    folder = timit.speaker_folder(written(tmp_path, WITH_DEV), "train", 1, "FABC0")
    shutil.copy(folder / "SX1.WAV", folder / "sx1.wav")
    refused(tmp_path, f"{folder / 'sx1.wav'}: SX1.WAV is the same sentence; remove one of them")


def test_only_the_two_dialect_sentences_are_left_out(tmp_path):
    folder = timit.speaker_folder(written(tmp_path, WITH_DEV), "train", 1, "FABC0")
    for sentence in ("sa2", "sample7", "sa10"):
        timit.write(utterance(f"fabc0_{sentence}"), folder)
    names = [each.name for each in read(tmp_path) if each.name.startswith("fabc0")]
    assert names == ["fabc0_sa10", "fabc0_sample7", "fabc0_sx1", "fabc0_sx2"]


@pytest.mark.parametrize("parent", ["train", "test", "Dev"])
def test_folders_above_the_corpus_may_be_named_like_splits(tmp_path, parent):
    written(tmp_path / parent / "TIMIT", WITH_DEV)
    assert [(speaker.split, speaker.name) for speaker in timit.speakers(tmp_path, LabelRules())] == [
        ("train", "fabc0"), ("dev", "mabc1"), ("test", "mabc2"),
    ]  # fmt: skip
