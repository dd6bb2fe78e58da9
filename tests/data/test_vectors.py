"""Vectors that a user brings: archives of Kaldi and .npz files, equal to what was written, or refused in a line."""

import pickle
import re
import shutil

import kaldiio
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from ernn.data import features, kaldi, preparation, vectors
from ernn.data.dataset import Dataset
from ernn.data.labels import LabelRules
from ernn.errors import UserError
from ernn.params import Corpus, Features
from ernn.quantization.freeze import frontend_of

RULES = LabelRules.of(Corpus())
OURS = Features(kind="given", dimension=5, stack=1, skip=1, normalise="global")
SPLITS = {"train": ("anna", "ben"), "dev": ("cleo",), "test": ("dan",)}


def drawn(seed: int, frames: int = 50, dimension: int = 5) -> np.ndarray:
    return np.random.default_rng(seed).normal(size=(frames, dimension)).astype(np.float32)


@pytest.fixture
def corpus(kaldi_folder, monkeypatch):
    """A corpus without audio, its vectors in archives; each speaker has one utterance."""
    folder = kaldi_folder()
    monkeypatch.chdir(folder)
    for split, names in SPLITS.items():
        for name in names:
            (folder / split / f"{name}.wav").unlink()
        matrices = {f"{name}-1": drawn(len(name)) for name in names}
        kaldiio.save_ark(f"{split}/feats.ark", matrices, scp=f"{split}/feats.scp")
        (folder / split / "wav.scp").unlink()
    return folder


def read(corpus, settings=OURS):
    speakers = kaldi.speakers(corpus, RULES, features.given(settings))
    return {each.name: each for speaker in speakers for each in speaker.utterances()}


def as_npz(corpus):
    for split, names in SPLITS.items():
        np.savez(corpus / split / "feats.npz", **{f"{name}-1": drawn(len(name)) for name in names})
        (corpus / split / "feats.scp").unlink()
        (corpus / split / "feats.ark").unlink()


@pytest.mark.parametrize("form", ["scp", "npz"])
def test_vectors_are_read_as_they_were_written(corpus, form):
    if form == "npz":
        as_npz(corpus)
    found = read(corpus)
    assert sorted(found) == ["anna-1", "ben-1", "cleo-1", "dan-1"]
    for name, utterance in found.items():
        np.testing.assert_array_equal(utterance.vectors, drawn(len(name) - 2))
        assert utterance.samples.size == 0
        assert utterance.phones == ("aa1", "t")


@given(seed=st.integers(0, 99), frames=st.integers(1, 9), dimension=st.integers(1, 9), double=st.booleans())
def test_every_archive_gives_what_went_in(tmp_path_factory, seed, frames, dimension, double):
    folder = tmp_path_factory.mktemp("archive")
    matrices = {str(n): drawn(seed + n, frames + n, dimension).astype(float if double else "f4") for n in range(3)}
    kaldiio.save_ark(str(folder / "a.ark"), matrices, scp=str(folder / "feats.scp"))
    for name, place in vectors.places(folder, folder).items():
        np.testing.assert_array_equal(vectors.read(place, name, dimension), matrices[name].astype(np.float32))


def test_compressed_archives_are_near(corpus):
    kaldiio.save_ark("dev/feats.ark", {"cleo-1": drawn(4)}, scp="dev/feats.scp", compression_method=2)
    np.testing.assert_allclose(read(corpus)["cleo-1"].vectors, drawn(4), atol=0.1)


def test_paths_start_at_the_folder_or_at_the_corpus(corpus, monkeypatch, tmp_path):
    (corpus / "dev/feats.scp").write_text((corpus / "dev/feats.scp").read_text().replace("dev/feats", "feats"))
    monkeypatch.chdir(tmp_path)
    assert len(read(corpus)) == 4


def test_a_feature_folder_is_made_of_them(corpus, tmp_path):
    times = "anna-1 1 0.0 0.3 aa\nanna-1 1 0.3 0.2 t\n"
    (corpus / "train/phones.ctm").write_text(times + times.replace("anna", "ben"))
    settings = Corpus(kind="kaldi", path=str(corpus), workers=1)
    manifest = preparation.prepare(settings, OURS, tmp_path / "made", criterion="frames")
    train = Dataset.open(tmp_path / "made").split("train")
    assert manifest["dimension"] == 5
    assert manifest["splits"]["train"]["seconds"] == 1.0  # two of 50 vectors, 10 ms apart
    whole = np.concatenate([drawn(4), drawn(3)])
    np.testing.assert_allclose(train.features, (whole - whole.mean(0)) / whole.std(0), atol=1e-5)
    first = train.labels[:50]
    assert (first[:30] == first[0]).all()
    assert (first[30:] == first[-1]).all()
    assert first[0] != first[-1]
    frontend = frontend_of(manifest)
    assert (frontend.kind, frontend.mels) == ("given", 5)
    assert frontend.mean is not None


@pytest.mark.parametrize(
    ("shift_ms", "message"),
    [
        (20.0, "features.shift_ms=20: in all utterances phones end within the first 50% of the vectors' time; set it "),
        (
            8.0,
            "train/phones.ctm:2: t ends at 8000, but the audio has 6400 samples; correct the times, or features.s",
        ),
        (
            5.0,
            "train/phones.ctm:2: t starts at 4800, but the audio has 4000 samples; correct the times, or features.s",
        ),
    ],
)
def test_a_shift_that_the_times_of_phones_belie(corpus, tmp_path, shift_ms, message):
    times = "anna-1 1 0.0 0.3 aa\nanna-1 1 0.3 0.2 t\n"
    (corpus / "train/phones.ctm").write_text(times + times.replace("anna", "ben"))
    settings = Corpus(kind="kaldi", path=str(corpus), workers=1)
    with pytest.raises(UserError, match=re.escape(message)):
        preparation.prepare(settings, OURS.model_copy(update={"shift_ms": shift_ms}), tmp_path / "made")
    assert not (tmp_path / "made").exists()


@pytest.mark.parametrize(
    ("line", "message"),
    [
        ("cleo-1 copy-feats ark:a ark:- |", "commands are not run; write the vectors to an archive and give its place"),
        ("cleo-1 feats.ark", "not `utterance archive:offset`, as copy-feats writes it; correct the line"),
        ("cleo-1", "not `utterance archive:offset`"),
    ],
)
def test_lines_that_name_no_place(corpus, line, message):
    (corpus / "dev/feats.scp").write_text(line + "\n")
    with pytest.raises(UserError, match=f"^{re.escape(f'{corpus}/dev/feats.scp:1: {message}')}"):
        read(corpus)


@pytest.mark.parametrize(
    ("content", "message"),
    [
        (None, "no such file; correct feats.scp"),
        (b"", "no binary matrix of Kaldi at byte 0; write the archive again"),
        (b"\0BFM \4\2\0\0\0\4\5\0\0\0\0\0", "not a whole matrix ("),
        (b"\0BFM \4\xff\xff\xff\x7f\4\xff\xff\xff\x7f", "not a whole matrix ("),
        (b"\0BCM2 " + bytes(8) + b"\xff\xff\xff\x7f" * 2, "not a whole matrix ("),
        (b"PKL" + pickle.dumps(drawn(1)), "no binary matrix of Kaldi at byte 0"),
    ],
)
def test_damaged_archives(corpus, content, message):
    (corpus / "dev/feats.scp").write_text("cleo-1 other.ark:0\n")
    if content is not None:
        (corpus / "dev/other.ark").write_bytes(content)
    said = f"{corpus}/dev/other.ark: utterance cleo-1: {message}"
    with pytest.raises(UserError, match=f"^{re.escape(said)}[^\n]*$"):
        read(corpus)


@pytest.mark.parametrize("name", [".", "feats.ark/other"])
def test_places_that_are_no_files(corpus, name):
    (corpus / "dev/feats.scp").write_text(f"cleo-1 {name}:0\n")
    with pytest.raises(UserError, match=r"^[^\n]*: utterance cleo-1: cannot be read \([^\n]*correct feats.scp$"):
        read(corpus)


def test_an_offset_that_no_file_has(corpus):
    (corpus / "dev/feats.scp").write_text(f"cleo-1 dev/feats.ark:{10**18 - 1}\n")
    with pytest.raises(UserError, match=r"utterance cleo-1: (not a whole matrix|no binary matrix)[^\n]*$"):
        read(corpus)


@pytest.mark.parametrize(
    ("array", "message"),
    [
        (np.full((3, 5), 1e300), "vector 0 is not finite; correct it or leave the utterance out"),
        (drawn(1, dimension=4), "vectors of 4 numbers, features.dimension=5; set that"),
        (np.full((3, 5), [[0], [np.nan], [0]]), "vector 1 is not finite; correct it or leave the utterance out"),
        (np.zeros((0, 5)), "vectors are (frames, dimension), got shape (0, 5) of float64"),
        (np.zeros(5), "vectors are (frames, dimension), got shape (5,) of float64"),
        (np.array([["a"]]), "vectors are (frames, dimension), got shape (1, 1) of <U1"),
        (np.array([[None]]), "not what NumPy writes ("),
    ],
)
def test_arrays_that_are_no_vectors(corpus, array, message):
    as_npz(corpus)
    np.savez(corpus / "dev/feats.npz", **{"cleo-1": array})
    said = f"{corpus}/dev/feats.npz: utterance cleo-1: {message}"
    with pytest.raises(UserError, match=f"^{re.escape(said)}[^\n]*$"):
        read(corpus)


def test_a_folder_without_vectors(corpus):
    (corpus / "dev/feats.scp").unlink()
    with pytest.raises(UserError, match=r"dev: neither feats\.scp nor feats\.npz; add one of them, or"):
        read(corpus)
    shutil.copy(corpus / "dev/feats.ark", corpus / "dev/feats.npz")
    with pytest.raises(UserError, match=r"dev/feats\.npz: not what numpy\.savez writes"):
        read(corpus)
    np.save(corpus / "dev/feats.npy", drawn(1))
    (corpus / "dev/feats.npy").rename(corpus / "dev/feats.npz")
    with pytest.raises(UserError, match=r"dev/feats\.npz: one array; numpy\.savez writes one for each utterance"):
        read(corpus)
