"""speechocean762 as it is distributed, on tables of its form."""

import re

import pytest

from bench import speechocean
from ernn.data import kaldi
from ernn.data.labels import LabelRules
from ernn.errors import UserError
from ernn.params import Corpus

WORDS = ["10.0\tDH_B AH0_E", "10.1\tK_B AE1_I T_E", "20.0\tAH0_S", "20.10\tS_B OW0_E", "20.2\tM_B IY0_E"]


@pytest.fixture
def distributed(tmp_path):
    """Two speakers of an utterance each."""
    folder = tmp_path / "speechocean762"
    for split, name in (("train", "10"), ("test", "20")):
        (folder / split).mkdir(parents=True)
        (folder / split / "wav.scp").write_text(f"{name}\tWAVE/SPEAKER{name}/{name}.WAV\n")
        (folder / split / "utt2spk").write_text(f"{name}\t{name}\n")
        (folder / split / "text").write_text(f"{name}\tTHE CAT\n")
    (folder / "resource").mkdir()
    (folder / "resource/text-phone").write_text("\n".join(WORDS) + "\n")
    return folder


def test_the_phones_of_words_are_joined_in_their_order_and_audio_stays_where_it_is(distributed, tmp_path):
    before = {path: path.read_bytes() for path in distributed.rglob("*") if path.is_file()}
    made = speechocean.kaldi_folder(distributed, tmp_path / "made")
    assert made == tmp_path / "made"
    assert (made / "train/text-phone").read_text() == "10 DH_B AH0_E K_B AE1_I T_E\n"
    assert (made / "test/text-phone").read_text() == "20 AH0_S M_B IY0_E S_B OW0_E\n"
    assert (made / "train/wav.scp").read_text() == f"10 {distributed}/WAVE/SPEAKER10/10.WAV\n"
    assert {path: path.read_bytes() for path in distributed.rglob("*") if path.is_file()} == before


def test_the_tables_are_read_as_a_kaldi_folder(distributed, tmp_path):
    (distributed / "dev").mkdir()  # else one of the training speakers would be
    made = speechocean.kaldi_folder(distributed, tmp_path / "made")
    folder = kaldi._Folder.read(made, made / "train", LabelRules.of(Corpus(kind="kaldi", path=str(made))), None)
    found = folder.utterance("10")
    assert (found.phones, found.file) == (("dh", "ah0", "k", "ae1", "t"), distributed / "WAVE/SPEAKER10/10.WAV")


def test_a_folder_with_phones_stays_as_it_is(distributed, tmp_path):
    (distributed / "train/text-phone").write_text("10 DH AH\n")
    assert speechocean.kaldi_folder(distributed, tmp_path / "made") == distributed
    (distributed / "train/text-phone").unlink()
    (distributed / "resource/text-phone").unlink()
    assert speechocean.kaldi_folder(distributed, tmp_path / "made") == distributed
    assert not (tmp_path / "made").exists()


@pytest.mark.parametrize(
    ("lines", "message"),
    [
        (WORDS[:2], "text-phone: no phones of utterance 20; download the corpus again"),
        (["10 DH_B AH0_E"], "text-phone:1: not `UTTERANCE.NUMBER phones`; download the corpus again"),
        (["10.a DH_B AH0_E"], "text-phone:1: not `UTTERANCE.NUMBER phones`; download the corpus again"),
    ],
)
def test_tables_that_do_not_agree_are_refused(distributed, tmp_path, lines, message):
    (distributed / "resource/text-phone").write_text("\n".join(lines) + "\n")
    with pytest.raises(UserError, match=re.escape(message)):
        speechocean.kaldi_folder(distributed, tmp_path / "made")
    assert not (tmp_path / "made").exists()
