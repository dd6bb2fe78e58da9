"""Program files that are taken apart, changed and refused."""

from pathlib import Path

import numpy as np
import pytest
from safetensors import safe_open
from safetensors.numpy import save

from ernn.errors import UserError
from ernn.program import files


def refused(path: Path) -> str:
    """The one line that refuses it."""
    with pytest.raises(UserError) as error:
        files.load(path)
    assert len(str(error.value).splitlines()) == 1
    assert str(error.value).startswith(f"{path}: ")
    return str(error.value)


def parts(path: Path) -> tuple[str, dict[str, np.ndarray]]:
    """Structure as it is written, and arrays."""
    with safe_open(path, framework="np") as file:
        return file.metadata()["ernn"], {name: file.get_tensor(name) for name in file.keys()}  # noqa: SIM118


def put(path: Path, text: str | None, arrays: dict[str, np.ndarray]) -> Path:
    """A safetensors file of a structure and arrays."""
    path.write_bytes(save(arrays, None if text is None else {"ernn": text}))
    return path
