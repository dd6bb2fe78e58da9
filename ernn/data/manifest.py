"""What `manifest.json` says about a feature folder."""

from pathlib import Path
from typing import Annotated, Any

from pydantic import BaseModel, Field, PositiveFloat, PositiveInt, ValidationError

from ernn import artifacts
from ernn.errors import UserError

VERSION = 1
FILE = "manifest.json"


class Shard(BaseModel):
    """One file of a split."""

    file: Annotated[str, Field(pattern=r"^[\w-]+\.safetensors$")]
    sha256: Annotated[str, Field(pattern="^[0-9a-f]{64}$")]


class SplitEntry(BaseModel):
    """One split; its counts are for people."""

    shards: Annotated[list[Shard], Field(min_length=1)]


class Manifest(BaseModel):
    """What a reader needs; other entries are for people."""

    dimension: PositiveInt
    frame_shift_ms: PositiveFloat
    phones: Annotated[list[str], Field(min_length=1)]
    splits: Annotated[dict[str, SplitEntry], Field(min_length=1)]


def read(folder: Path) -> dict[str, Any]:
    """The manifest of a feature folder, checked.

    Raises:
        UserError: no manifest, one of another version, or one that lacks something.
    """
    file = folder / FILE
    found = artifacts.read_json(file)
    if not isinstance(found, dict):
        raise UserError(f"{file}: no mapping, so not the manifest of a feature folder; run `dvc repro prepare`")
    artifacts.check_version(file, "feature folder", found.get("version"), VERSION, "run `dvc repro prepare`")
    try:
        Manifest.model_validate(found)
    except ValidationError as error:
        first = error.errors()[0]
        key = ".".join(str(part) for part in first["loc"])
        message = f"{file}: {key} is missing or wrong ({first['msg']}); delete {folder} and run `dvc repro prepare`"
        raise UserError(message) from None
    return found


def split_entry(shards: list[dict[str, Any]]) -> dict[str, Any]:
    """A split's entry from those of its shards, whose `speakers` are lists and whose `seconds` are not rounded."""
    return {
        "utterances": sum(shard["utterances"] for shard in shards),
        "frames": sum(shard["frames"] for shard in shards),
        "seconds": round(sum(shard["seconds"] for shard in shards), 3),
        "speakers": len({speaker for shard in shards for speaker in shard["speakers"]}),
        "aligned": all(shard["aligned"] for shard in shards),
        "shards": [{key: shard[key] for key in ("file", "sha256", "utterances", "frames")} for shard in shards],
    }
