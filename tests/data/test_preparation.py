import re
from pathlib import Path

import numpy as np
import pytest
import soundfile

from ernn.data import features, preparation, synthetic
from ernn.data.dataset import Dataset
from ernn.data.phones import PHONES48
from ernn.errors import UserError
from ernn.params import Corpus, Features

SMALL = Corpus(train_speakers=3, dev_speakers=1, test_speakers=2, utterances_per_speaker=2, workers=1)


def contents(folder: Path) -> dict[str, bytes]:
    return {file.name: file.read_bytes() for file in folder.iterdir()}


@pytest.fixture(scope="module")
def prepared(tmp_path_factory):
    folder = tmp_path_factory.mktemp("prepared") / "features"
    preparation.prepare(SMALL, Features(), folder)
    return folder


@pytest.mark.parametrize("workers", [1, 2])
def test_a_second_run_gives_the_same_bytes_with_one_worker_and_with_two(prepared, tmp_path, workers):
    preparation.prepare(SMALL.model_copy(update={"workers": workers}), Features(), tmp_path / "again")
    assert contents(tmp_path / "again") == contents(prepared)


def test_another_seed_gives_other_bytes(prepared, tmp_path):
    preparation.prepare(SMALL.model_copy(update={"seed": 2}), Features(), tmp_path / "other")
    assert contents(tmp_path / "other").keys() == contents(prepared).keys()
    assert Dataset.open(tmp_path / "other").digest != Dataset.open(prepared).digest


def test_the_folder_holds_the_corpus(prepared):
    opened = Dataset.open(prepared)
    assert {name: entry["utterances"] for name, entry in opened.manifest["splits"].items()} == {
        "train": 6, "dev": 2, "test": 4,
    }  # fmt: skip
    train = opened.split("train")
    assert (opened.dimension, opened.manifest["frame_shift_ms"], train.features.shape[1]) == (80, 20.0, 80)
    assert (train.labels >= 0).all()
    assert opened.manifest["corpus"]["augmentation"]["snr_db_max"] == 30.0
    for index in range(len(train)):
        runs = train.label(index)[np.append(True, np.diff(train.label(index)) != 0)]
        assert [PHONES48[phone] for phone in train.transcript(index)[[0, -1]]] == ["sil", "sil"]
        assert is_subsequence(runs, train.transcript(index))  # short phones may fall between two frames


def is_subsequence(short, long) -> bool:
    remaining = iter(long)
    return all(any(phone == other for other in remaining) for phone in short)


def test_every_speaker_has_mean_0_and_deviation_1(tmp_path):
    settings = Features(stack=1, skip=1)
    for speaker in synthetic.speakers(SMALL)[:2]:
        vectors = np.concatenate([each.features for each in preparation.prepare_speaker(speaker, settings).examples])
        np.testing.assert_allclose(vectors.mean(axis=0), 0, atol=1e-4)
        np.testing.assert_allclose(vectors.std(axis=0), 1, atol=1e-3)


def test_global_normalisation_is_the_training_sets(tmp_path, prepared):
    preparation.prepare(SMALL, Features(stack=1, skip=1, normalise="global"), tmp_path / "features")
    opened = Dataset.open(tmp_path / "features")
    train, test = opened.split("train").features, opened.split("test").features
    np.testing.assert_allclose(train.mean(axis=0), 0, atol=1e-4)
    np.testing.assert_allclose(train.std(axis=0), 1, atol=1e-3)
    assert np.abs(test.mean(axis=0)).max() > 0.05
    people = synthetic.speakers(SMALL)[:3]
    raw = np.concatenate(
        [features.feature_vectors(each.samples, Features(), "") for one in people for each in one.utterances()]
    )
    for dimension in (0, 20, 39):  # one line for all speakers
        assert np.corrcoef(train[:, dimension], raw[:, dimension])[0, 1] > 0.99999


@pytest.mark.parametrize(("stack", "skip"), [(1, 1), (2, 2)])
def test_the_manifest_holds_the_moments_of_the_training_split(tmp_path, stack, skip):
    settings = Features(stack=stack, skip=skip, normalise="global")
    written = preparation.prepare(SMALL, settings, tmp_path / "features")
    opened = Dataset.open(tmp_path / "features")
    assert opened.manifest["moments"] == written["moments"]
    mean, deviation = (np.array(opened.manifest["moments"][name]) for name in ("mean", "deviation"))
    raw = {"train": [], "dev": [], "test": []}
    for speaker in synthetic.speakers(SMALL):
        frames = (features.feature_vectors(each.samples, settings, "") for each in speaker.utterances())
        raw[speaker.split] += [features.stack(vectors, settings).astype(np.float64) for vectors in frames]
    train = np.concatenate(raw["train"])
    np.testing.assert_allclose(mean, train.mean(axis=0), rtol=1e-6)
    np.testing.assert_allclose(deviation, train.std(axis=0), rtol=1e-6)
    for split, vectors in raw.items():  # of the training split for all: a chip has no others
        restored = opened.split(split).features * deviation + mean
        np.testing.assert_allclose(restored, np.concatenate(vectors), atol=0.02)  # features are kept in 16 bits


def test_without_global_normalisation_the_manifest_holds_no_moments(prepared):
    assert "moments" not in Dataset.open(prepared).manifest


@pytest.mark.parametrize("shards", [1, 3, 9])
def test_shards_hold_whole_speakers_in_order(tmp_path, prepared, shards):
    preparation.prepare(SMALL, Features(shards=shards), tmp_path / "features")
    opened, reference = Dataset.open(tmp_path / "features"), Dataset.open(prepared)
    assert len(opened.manifest["splits"]["train"]["shards"]) == min(shards, 3)
    np.testing.assert_array_equal(opened.split("train").features, reference.split("train").features)
    assert opened.split("test").utterances == reference.split("test").utterances


def test_kept_audio_gives_the_same_features_as_streamed(tmp_path, prepared):
    preparation.prepare(SMALL.model_copy(update={"path": str(tmp_path / "audio")}), Features(), tmp_path / "one")
    assert contents(tmp_path / "one") == contents(prepared)
    timit = Corpus(kind="timit", path=str(tmp_path / "audio"), workers=1)
    preparation.prepare(timit, Features(), tmp_path / "two")
    streamed, read = Dataset.open(prepared), Dataset.open(tmp_path / "two")
    for split in ("train", "dev", "test"):
        one, two = streamed.split(split), read.split(split)
        where = {name: index for index, name in enumerate(two.utterances)}
        for index, name in enumerate(one.utterances):
            np.testing.assert_array_equal(one.feature(index), two.feature(where[name]))
            np.testing.assert_array_equal(one.label(index), two.label(where[name]))


def kaldi(path: Path) -> Corpus:
    return Corpus(kind="kaldi", path=str(path), workers=1)


def test_resampled_audio_is_counted_and_said(kaldi_folder, tmp_path, caplog):
    corpus = kaldi_folder()
    for name, rate in (("train/anna", 8_000), ("dev/cleo", 8_000), ("test/dan", 44_100)):
        soundfile.write(corpus / f"{name}.wav", np.full(rate, 0.1), rate)
    with caplog.at_level("INFO"):
        manifest = preparation.prepare(kaldi(corpus), Features(), tmp_path / "features")
    assert manifest["corpus"] == {"kind": "kaldi", "resampled_from_hz": {8_000: 2, 44_100: 1}}
    assert "resampled 2 utterances from 8000 Hz to 16000 Hz" in caplog.text
    assert "resampled 1 utterances from 44100 Hz to 16000 Hz" in caplog.text
    opened = Dataset.open(tmp_path / "features")
    assert len(opened.split("train").feature(0)) == 50
    assert not opened.manifest["splits"]["train"]["aligned"]


def test_speakers_in_two_splits_are_refused(kaldi_folder, tmp_path):
    corpus = kaldi_folder(train="anna ben", test="dan anna")
    message = (
        f"{corpus / 'test/utt2spk'}:2: speaker anna is in test and train ({corpus / 'train/utt2spk'}:1); "
        "splits must not share speakers: move or remove one of them"
    )
    with pytest.raises(UserError, match=re.escape(message)):
        preparation.prepare(kaldi(corpus), Features(), tmp_path / "features")
    assert not (tmp_path / "features").exists()


def test_an_utterance_shorter_than_a_frame_is_named_with_its_file(kaldi_folder, tmp_path):
    corpus = kaldi_folder()
    soundfile.write(corpus / "dev/cleo.wav", np.zeros(100), 16_000)
    message = f"{corpus / 'dev/cleo.wav'}: utterance cleo-1: 6.2 ms of audio are shorter than one frame"
    with pytest.raises(UserError, match=re.escape(message)):
        preparation.prepare(kaldi(corpus), Features(), tmp_path / "features")


@pytest.mark.parametrize("times", ["", "cleo-1 1 0 0.5 Q\n"])
def test_an_utterance_without_a_phone_is_refused(kaldi_folder, tmp_path, times):
    corpus = kaldi_folder()
    (corpus / "dev/text-phone").write_text("cleo-1 q q\n")
    if times:
        (corpus / "dev/phones.ctm").write_text(times)
    message = f"{corpus / 'dev/cleo.wav'}: utterance cleo-1: no phone is left without `q`; correct its labels or leave"
    with pytest.raises(UserError, match=re.escape(message)):
        preparation.prepare(kaldi(corpus), Features(), tmp_path / "features")


def test_impossible_features_are_refused_before_any_work(tmp_path):
    with pytest.raises(UserError, match=r"features.mels=400: some filters are narrower"):
        preparation.prepare(SMALL, Features(mels=400), tmp_path / "features")
    assert not (tmp_path / "features").exists()


@pytest.mark.parametrize("kind", ["timit", "kaldi"])
def test_a_missing_corpus_is_refused(tmp_path, kind):
    with pytest.raises(UserError, match=f"corpus.path='/no/such/place' is no folder; set it to your {kind} folder"):
        preparation.prepare(Corpus(kind=kind, path="/no/such/place"), Features(), tmp_path / "features")
