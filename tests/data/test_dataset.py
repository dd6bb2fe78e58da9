import re
from collections import Counter

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from ernn.data import dataset
from ernn.data.dataset import Dataset, Example
from ernn.data.phones import PHONES48
from ernn.errors import UserError

HEADER = {"kind": "logmel", "dimension": 3, "frame_shift_ms": 20.0}


def example(name: str, frames: int, phones: int, aligned: bool = True) -> Example:
    rng = np.random.default_rng(len(name) + frames)
    labels = rng.integers(0, 48, frames) if aligned else np.full(frames, -1)
    return Example(
        name, name[:2], rng.random((frames, 3), np.float32), labels, rng.integers(0, 48, phones), frames / 50
    )


EXAMPLES = {
    "train": [[example("aa-1", 5, 3), example("aa-2", 7, 1)], [example("bb-1", 2, 2)]],
    "test": [[example("cc-1", 4, 4, aligned=False)]],
}


@pytest.fixture
def folder(tmp_path):
    shards = ((split, shard) for split, shards in EXAMPLES.items() for shard in shards)
    dataset.write(tmp_path / "features", HEADER, shards)
    return tmp_path / "features"


def test_what_is_written_is_read(folder):
    opened = Dataset.open(folder)
    assert (opened.dimension, opened.phones, opened.manifest["frame_shift_ms"]) == (3, PHONES48, 20.0)
    for name, shards in EXAMPLES.items():
        split = opened.split(name)
        written = [each for shard in shards for each in shard]
        assert split.utterances == tuple(each.utterance for each in written)
        assert split.speakers == tuple(each.speaker for each in written)
        assert len(split) == len(written)
        for index, each in enumerate(written):
            np.testing.assert_array_equal(split.feature(index), each.features)
            np.testing.assert_array_equal(split.label(index), each.labels)
            np.testing.assert_array_equal(split.transcript(index), each.phones)
        assert split.features.dtype == np.float32
        assert {split.labels.dtype, split.offsets.dtype, split.phones.dtype} == {np.dtype(np.int64)}


def test_the_manifest_counts(folder):
    found = Dataset.open(folder).manifest["splits"]
    assert {key: value for key, value in found["train"].items() if key != "shards"} == {
        "utterances": 3, "frames": 14, "seconds": 0.28, "speakers": 2, "aligned": True,
    }  # fmt: skip
    assert [shard["file"] for shard in found["train"]["shards"]] == ["train-000.safetensors", "train-001.safetensors"]
    assert found["test"]["aligned"] is False


def test_the_same_content_gives_the_same_bytes(folder, tmp_path):
    for attempt in range(4):
        shards = ((split, shard) for split, shards in EXAMPLES.items() for shard in shards)
        dataset.write(tmp_path / f"again{attempt}", HEADER, shards)
        for file in folder.iterdir():
            assert (tmp_path / f"again{attempt}" / file.name).read_bytes() == file.read_bytes()
        assert Dataset.open(tmp_path / f"again{attempt}").digest == Dataset.open(folder).digest


def test_a_damaged_shard_is_named(folder):
    file = folder / "train-001.safetensors"
    content = bytearray(file.read_bytes())
    content[-1] ^= 1
    file.write_bytes(content)
    message = f"{file}: sha256 is not the manifest's; delete {folder} and run `dvc repro prepare`"
    with pytest.raises(UserError, match=re.escape(message)):
        Dataset.open(folder).split("train")
    assert len(Dataset.open(folder).split("test")) == 1


def test_a_missing_shard_is_named(folder):
    (folder / "test-000.safetensors").unlink()
    with pytest.raises(UserError, match=re.escape(f"{folder / 'test-000.safetensors'}: no such file; delete {folder}")):
        Dataset.open(folder).split("test")


@pytest.mark.parametrize(
    ("damage", "message"),
    [
        (
            lambda text: text.replace('"version": 1', '"version": 2'),
            "feature folder of version 2, this ernn reads vers",
        ),
        (lambda text: text.replace('"version": 1', '"version": 0'), "; run `dvc repro prepare`"),
        (lambda text: text.replace('"version"', '"edition"'), "feature folder without a version"),
        (lambda text: "[]", "no mapping, so not the manifest of a feature folder; run `dvc repro prepare`"),
    ],
)
def test_other_folders_and_splits_are_refused(folder, tmp_path, damage, message):
    with pytest.raises(UserError, match=r"no split 'dev'; it has test, train"):
        Dataset.open(folder).split("dev")
    with pytest.raises(
        UserError, match=re.escape(f"{tmp_path / 'manifest.json'}: no such file; name another, or make it")
    ):
        Dataset.open(tmp_path)
    manifest = (folder / "manifest.json").read_text()
    (tmp_path / "manifest.json").write_text(damage(manifest))
    with pytest.raises(UserError, match=re.escape(message)):
        Dataset.open(tmp_path)


@pytest.mark.parametrize("value", [np.nan, np.inf])
def test_features_that_are_not_finite_are_not_written(tmp_path, value):
    bad = example("dd-1", 3, 1)
    bad.features[1, 2] = value
    message = "utterance dd-1: features that are not finite; leave it out of the corpus"
    with pytest.raises(UserError, match=message):
        dataset.write(tmp_path / "features", HEADER, [("train", [example("dd-0", 3, 1), bad])])
    assert list(tmp_path.iterdir()) == []


def broken(shards):
    yield from shards
    raise OSError("interrupted")


def test_a_failure_keeps_the_old_folder_and_leaves_nothing_else(folder, tmp_path):
    before = Dataset.open(folder).digest
    with pytest.raises(OSError, match="interrupted"):
        dataset.write(folder, HEADER, broken([("train", [example("dd-1", 3, 1)])]))
    assert Dataset.open(folder).digest == before
    assert [path.name for path in tmp_path.iterdir()] == ["features"]


def test_a_new_folder_takes_the_place_of_the_old_one(folder, tmp_path):
    (tmp_path / ".features.tmp").mkdir()  # left by a process that was killed
    (tmp_path / ".features.tmp/junk").touch()
    dataset.write(folder, HEADER, [("train", [example("dd-1", 3, 1)])])
    assert Dataset.open(folder).split("train").utterances == ("dd-1",)
    assert sorted(path.name for path in folder.iterdir()) == ["manifest.json", "train-000.safetensors"]
    assert [path.name for path in tmp_path.iterdir()] == ["features"]


def split_of(counts: dict[str, int]) -> dataset.Split:
    """Utterances of one frame by the speaker, in the order of their names."""
    names = [f"{speaker}-{number}" for speaker, count in counts.items() for number in range(count)]
    offsets, speakers = np.arange(len(names) + 1), tuple(name.split("-")[0] for name in names)
    labels = np.zeros(len(names), np.int64)
    return dataset.Split(
        tuple(names), speakers, np.zeros((len(names), 1), np.float32), labels, offsets, labels, offsets
    )


@given(counts=st.dictionaries(st.sampled_from("abcdef"), st.integers(1, 9), min_size=1), count=st.integers(0, 60))
def test_a_sample_has_equally_many_utterances_of_every_speaker(counts, count):
    split = split_of(counts)
    chosen = split.spread(count)
    assert len(chosen) == min(count, len(split))
    assert (np.diff(chosen) > 0).all()
    found = Counter(split.speakers[index] for index in chosen)
    most = max(found.values(), default=0)
    assert all(found[speaker] >= min(most - 1, size) for speaker, size in counts.items())
    np.testing.assert_array_equal(chosen, split.spread(count))


def test_a_sample_is_no_prefix():
    split = split_of({"a": 40})
    assert max(split.spread(10)) > 15
