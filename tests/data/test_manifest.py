import json
import re

import pytest

from ernn.data import manifest
from ernn.errors import UserError


def shard(file: str, speakers: list[str], frames: int, aligned: bool = True) -> dict:
    counts = {"utterances": 2, "frames": frames, "seconds": frames / 50, "speakers": speakers, "aligned": aligned}
    return {"file": file, "sha256": "0123456789abcdef" * 4} | counts


def whole() -> dict:
    train = [shard("train-000.safetensors", ["a", "b"], 5), shard("train-001.safetensors", ["b"], 3, aligned=False)]
    splits = {"train": manifest.split_entry(train), "test": manifest.split_entry([shard("t.safetensors", ["c"], 2)])}
    return {"version": 1, "dimension": 3, "frame_shift_ms": 20.0, "phones": ["aa", "t"], "splits": splits}


def test_a_split_sums_its_shards():
    found = whole()["splits"]["train"]
    assert [entry["frames"] for entry in found.pop("shards")] == [5, 3]
    assert found == {"utterances": 4, "frames": 8, "seconds": 0.16, "speakers": 2, "aligned": False}


def test_a_whole_manifest_is_read_as_it_stands(tmp_path):
    (tmp_path / "manifest.json").write_text(json.dumps(whole() | {"kind": "logmel"}))
    assert manifest.read(tmp_path) == whole() | {"kind": "logmel"}


@pytest.mark.parametrize(
    ("damage", "complaint"),
    [
        (lambda found: found.pop("dimension"), "dimension is missing or wrong (Field required)"),
        (lambda found: found.update(dimension=0), "dimension is missing or wrong (Input should be greater than 0)"),
        (lambda found: found.pop("frame_shift_ms"), "frame_shift_ms is missing or wrong (Field required)"),
        (lambda found: found.pop("phones"), "phones is missing or wrong (Field required)"),
        (lambda found: found.update(phones=[]), "phones is missing or wrong (List should have at least 1 item"),
        (lambda found: found.pop("splits"), "splits is missing or wrong (Field required)"),
        (lambda found: found.update(splits={}), "splits is missing or wrong (Dictionary should have at least 1 item"),
        (
            lambda found: found["splits"]["train"].update(shards=[]),
            "splits.train.shards is missing or wrong (List should have at least 1 item",
        ),
        (
            lambda found: found["splits"]["train"]["shards"][1].pop("sha256"),
            "splits.train.shards.1.sha256 is missing or wrong (Field required)",
        ),
        (
            lambda found: found["splits"]["test"]["shards"][0].update(file="../other.safetensors"),
            "splits.test.shards.0.file is missing or wrong (String should match pattern",
        ),
    ],
)
def test_a_damaged_manifest_is_refused_with_its_key(tmp_path, damage, complaint):
    file, found = tmp_path / "manifest.json", whole()
    damage(found)
    file.write_text(json.dumps(found))
    with pytest.raises(UserError, match=f"^{re.escape(f'{file}: {complaint}')}.*; delete .* and run `dvc repro"):
        manifest.read(tmp_path)
