"""Features between stages: a folder with a manifest and a few safetensors shards a split.

`manifest.json` names every shard with its sha256. A shard holds features (frames, dimension) float32, labels (frames,)
int16 with -1 where there is no alignment, offsets (n + 1,) int64 of the utterances' frames, phones (total,) int16 with
the reference transcripts, phone_offsets (n + 1,) int64. Its metadata has one key, `names`, the JSON of {"utterances",
"speakers"}: safetensors writes several keys in random order, and the bytes must follow from the content.
"""

import hashlib
import json
from collections.abc import Iterable
from dataclasses import dataclass
from itertools import zip_longest
from pathlib import Path
from typing import Any

import numpy as np
from jaxtyping import Float, Int
from safetensors import SafetensorError, safe_open
from safetensors.numpy import save

from ernn import artifacts
from ernn.data import manifest
from ernn.data.phones import PHONES48
from ernn.data.sentences import SPLITS
from ernn.errors import UserError
from ernn.records.speech import Speech


@dataclass(frozen=True)
class Example:
    """One utterance on its way into a shard."""

    utterance: str
    speaker: str
    features: Float[np.ndarray, "frames dimension"]
    labels: Int[np.ndarray, " frames"]
    phones: Int[np.ndarray, " phones"]
    seconds: float


@dataclass(frozen=True)
class Split:
    """All utterances of one split, end to end."""

    utterances: tuple[str, ...]
    speakers: tuple[str, ...]
    features: Float[np.ndarray, "frames dimension"]  # float32
    labels: Int[np.ndarray, " frames"]  # class of 48, -1 = not aligned
    offsets: Int[np.ndarray, " utterances_and_one"]
    phones: Int[np.ndarray, " total"]
    phone_offsets: Int[np.ndarray, " utterances_and_one"]

    def __len__(self) -> int:
        return len(self.utterances)

    def feature(self, index: int) -> Float[np.ndarray, "frames dimension"]:
        """Vectors of one utterance."""
        return self.features[self.offsets[index] : self.offsets[index + 1]]

    def label(self, index: int) -> Int[np.ndarray, " frames"]:
        """Class of every frame of one utterance."""
        return self.labels[self.offsets[index] : self.offsets[index + 1]]

    def transcript(self, index: int) -> Int[np.ndarray, " phones"]:
        """Reference phones of one utterance."""
        return self.phones[self.phone_offsets[index] : self.phone_offsets[index + 1]]

    def spread(self, count: int) -> Int[np.ndarray, " chosen"]:
        """Indices of `count` utterances, or of all, in order: equally many of each speaker, as far as they have them.

        They are drawn at random, always the same ones.
        """
        rng = np.random.default_rng(0)
        speakers: dict[str, list[int]] = {
            speaker: [] for speaker in rng.permutation(sorted(set(self.speakers))).tolist()
        }
        for index in rng.permutation(len(self)).tolist():
            speakers[self.speakers[index]].append(index)
        turns = zip_longest(*speakers.values())
        drawn = [index for turn in turns for index in turn if index is not None]
        return np.sort(np.array(drawn[:count], np.int64))


@dataclass(frozen=True)
class Dataset:
    """A feature folder that was opened."""

    path: Path
    manifest: dict[str, Any]
    digest: str  # sha256 of the manifest, so of everything under it

    @classmethod
    def open(cls, path: Path) -> "Dataset":
        """Read the manifest.

        Raises:
            UserError: no manifest, or one that does not describe a feature folder.
        """
        return cls(path, manifest.read(path), artifacts.sha256(path / manifest.FILE))

    @property
    def dimension(self) -> int:
        """Width of a vector."""
        return int(self.manifest["dimension"])

    @property
    def phones(self) -> tuple[str, ...]:
        """Label of every class."""
        return tuple(self.manifest["phones"])

    @property
    def speech(self) -> Speech:
        """What a model or a program of it must agree with."""
        return Speech(self.path, self.dimension, self.phones)

    def split(self, name: str) -> Split:
        """One split, every shard checked against its sha256.

        Raises:
            UserError: no such split, or a shard is missing or damaged.
        """
        shards = [self._shard(entry) for entry in self._entry(name)["shards"]]
        tensors = [tensors for tensors, _ in shards]
        names = [names for _, names in shards]
        return Split(
            utterances=tuple(name for shard in names for name in shard["utterances"]),
            speakers=tuple(name for shard in names for name in shard["speakers"]),
            features=np.concatenate([shard["features"] for shard in tensors]),
            labels=np.concatenate([shard["labels"] for shard in tensors]).astype(np.int64),
            offsets=_joined([shard["offsets"] for shard in tensors]),
            phones=np.concatenate([shard["phones"] for shard in tensors]).astype(np.int64),
            phone_offsets=_joined([shard["phone_offsets"] for shard in tensors]),
        )

    def _entry(self, name: str) -> dict[str, Any]:
        if name not in self.manifest["splits"]:
            raise UserError(f"{self.path}: no split {name!r}; it has {', '.join(self.manifest['splits'])}")
        return self.manifest["splits"][name]

    def _shard(self, entry: dict[str, Any]) -> tuple[dict[str, np.ndarray], dict[str, list[str]]]:
        file = self.path / entry["file"]
        try:
            if artifacts.sha256(file) != entry["sha256"]:
                raise UserError(f"{file}: sha256 is not the manifest's; delete {self.path} and run `dvc repro prepare`")
            with safe_open(file, framework="numpy") as shard:
                tensors = {name: shard.get_tensor(name) for name in shard.keys()}  # noqa: SIM118
                return tensors, json.loads(shard.metadata()["names"])
        except FileNotFoundError:
            raise UserError(f"{file}: no such file; delete {self.path} and run `dvc repro prepare`") from None
        except SafetensorError as error:
            raise UserError(f"{file}: {error}; delete {self.path} and run `dvc repro prepare`") from None


def check_criterion(criterion: str, labelled: bool) -> None:
    """Refuse to train on frames that have no labels.

    Args:
        criterion: training.criterion.
        labelled: whether any training frame has, or will have, the label of a phone.

    Raises:
        UserError: frames, of a corpus without.
    """
    if criterion == "frames" and not labelled:
        raise UserError(
            "training.criterion=frames needs a phone label for each frame and this corpus has none; "
            "set training.criterion: ctc, or corpus.alignment_model to a model of the same corpus"
        )


def ctc_vectors(phones: Int[np.ndarray, " phones"]) -> int:
    """Vectors that CTC needs: one for every phone and one more, a blank, between equal neighbours."""
    return len(phones) + int(np.count_nonzero(phones[1:] == phones[:-1]))


def write(path: Path, header: dict[str, Any], shards: Iterable[tuple[str, list[Example]]]) -> dict[str, Any]:
    """Write a feature folder, whole or not at all, and return its manifest.

    Args:
        header: the manifest's entries other than version, phones and splits; read after the last shard.
        shards: split and examples of each shard, in order; a shard is in memory only while it is written.

    Raises:
        UserError: features that are not finite.
    """
    with artifacts.atomic_folder(path) as temporary:
        splits: dict[str, list[dict[str, Any]]] = {split: [] for split in SPLITS}
        for split, examples in shards:
            splits[split].append(_write_shard(temporary, f"{split}-{len(splits[split]):03d}.safetensors", examples))
        entries = {split: manifest.split_entry(found) for split, found in splits.items() if found}
        described = {"version": manifest.VERSION, "phones": list(PHONES48), "splits": entries, **header}
        artifacts.write_json(temporary / manifest.FILE, described)
    return described


def _write_shard(folder: Path, name: str, examples: list[Example]) -> dict[str, Any]:
    for example in examples:
        if not np.isfinite(example.features).all():
            raise UserError(f"utterance {example.utterance}: features that are not finite; leave it out of the corpus")
    tensors = {
        "features": np.concatenate([example.features for example in examples]),
        "labels": np.concatenate([example.labels for example in examples]).astype(np.int16),
        "offsets": _offsets([len(example.features) for example in examples]),
        "phones": np.concatenate([example.phones for example in examples]).astype(np.int16),
        "phone_offsets": _offsets([len(example.phones) for example in examples]),
    }
    names = {
        "utterances": [example.utterance for example in examples],
        "speakers": [example.speaker for example in examples],
    }
    content = save(tensors, {"names": json.dumps(names)})
    (folder / name).write_bytes(content)
    return {
        "file": name,
        "sha256": hashlib.sha256(content).hexdigest(),
        "utterances": len(examples),
        "frames": len(tensors["features"]),
        "seconds": sum(example.seconds for example in examples),
        "speakers": sorted({example.speaker for example in examples}),
        "aligned": bool((tensors["labels"] >= 0).all()),
    }


def _offsets(lengths: list[int]) -> Int[np.ndarray, " n"]:
    return np.concatenate([[0], np.cumsum(lengths)]).astype(np.int64)


def _joined(offsets: list[np.ndarray]) -> Int[np.ndarray, " n"]:
    return _offsets([int(length) for shard in offsets for length in np.diff(shard)])
