"""Checkpoints that belong to one configuration, data set and code, and to no other.

They lie outside what DVC declares, in `.cache/checkpoints` or the folder that ERNN_CHECKPOINTS names, keyed by a hash
of everything that decides the weights; each is replaced whole, and removed when its run has ended well.
"""

import hashlib
import json
import os
import shutil
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any

import torch
from safetensors import SafetensorError, safe_open
from safetensors.torch import save_file
from torch import Tensor

from ernn import artifacts

CODE = ("compression", "data/dataset.py", "nn", "quantization", "scoring", "training")


@cache
def code_digest() -> str:
    """sha256 over the sources that decide the weights."""
    root = Path(artifacts.__file__).parents[1]
    files = sorted(
        path for name in CODE for path in ((root / name).rglob("*.py") if "." not in name else [root / name])
    )
    return hashlib.sha256(b"\0".join(path.read_bytes() for path in files)).hexdigest()


@dataclass(frozen=True)
class Checkpoints:
    """The checkpoints of one run, a file a phase."""

    folder: Path

    @classmethod
    def of(cls, **identity: Any) -> "Checkpoints":
        """The checkpoints of the run that `identity` (JSON values), the code, torch and its thread count decide."""
        everything = identity | {
            "code": code_digest(),
            "torch": torch.__version__,
            "threads": torch.get_num_threads(),
        }
        key = hashlib.sha256(json.dumps(everything, sort_keys=True).encode()).hexdigest()[:32]
        return cls(Path(os.environ.get("ERNN_CHECKPOINTS", ".cache/checkpoints")) / key)

    def write(self, phase: str, state: dict[str, Tensor], about: dict[str, Any]) -> Path:
        """Replace the checkpoint of `phase`; a process killed here leaves the previous one."""
        path = self._path(phase)
        with artifacts.atomic(path) as temporary:
            save_file(
                {name: tensor.detach().cpu().contiguous() for name, tensor in state.items()},
                temporary,
                metadata={"about": json.dumps(about)},
            )
        return path

    def read(self, phase: str) -> tuple[dict[str, Tensor], dict[str, Any]] | None:
        """Tensors and notes of `phase`; None where there is none or it cannot be read."""
        path = self._path(phase)
        if not path.is_file():
            return None
        try:
            with safe_open(path, framework="pt") as file:
                about = json.loads(file.metadata()["about"])
                return {name: file.get_tensor(name) for name in file.keys()}, about  # noqa: SIM118 (no iterator)
        except (SafetensorError, OSError):
            return None

    def remove(self) -> None:
        """Forget the run."""
        shutil.rmtree(self.folder, ignore_errors=True)

    def _path(self, phase: str) -> Path:
        return self.folder / f"{phase}.safetensors"
