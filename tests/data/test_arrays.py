"""Files of arrays: whatever is wrong with their bytes is one line."""

import io
import zipfile

import numpy as np
import pytest

from ernn.cli import data
from ernn.data import vectors
from ernn.errors import UserError

HEADER = "{'descr': '<f4', 'fortran_order': False, 'shape': (SHAPE,3), }"


def archive(**members: bytes) -> bytes:
    held = io.BytesIO()
    with zipfile.ZipFile(held, "w") as file:
        for name, content in members.items():
            file.writestr(f"{name}.npy", content)
    return held.getvalue()


def array(header: str = HEADER.replace("SHAPE", "2")) -> bytes:
    return b"\x93NUMPY\1\0v\0" + header.encode().ljust(117) + b"\n" + np.ones((2, 3), "f4").tobytes()


def whole() -> bytes:
    held = io.BytesIO()
    np.savez_compressed(held, x=np.random.default_rng(1).normal(size=(50, 3)))
    return held.getvalue()


def flipped(content: bytes, place: int) -> bytes:
    return content[:place] + bytes([content[place] ^ 255]) + content[place + 1 :]


DAMAGED = {
    "cut": whole()[:-30],
    "no zip file": b"PK\3\4 others",
    "another sum": flipped(archive(x=array()), 160),
    "another stream": flipped(whole(), 120),
    "no array": archive(x=b"words"),
    "more than there is memory": archive(x=array(HEADER.replace("SHAPE", "9" * 13))),
    "a header that does not end": archive(x=array("{'descr': ((('<f4'")),
}


def test_whole_files_are_read(tmp_path):
    (tmp_path / "x.npz").write_bytes(archive(x=array()))
    np.testing.assert_array_equal(data.read(tmp_path / "x.npz")["x"], np.ones((2, 3)))
    np.testing.assert_array_equal(vectors.read(vectors.Place(tmp_path / "x.npz", "x"), "x", 3), np.ones((2, 3)))


@pytest.mark.filterwarnings("ignore")  # of NumPy, on headers
@pytest.mark.parametrize("name", DAMAGED)
def test_damaged_files_are_one_line(tmp_path, name):
    file = tmp_path / "x.npz"
    file.write_bytes(DAMAGED[name])
    with pytest.raises(UserError, match=r"^[^\n]*x\.npz: not what NumPy writes \([^\n]*; name a .npy file[^\n]*$"):
        data.read(file)
    with pytest.raises(UserError, match=r"^[^\n]*x\.npz: [^\n]*write it again$"):
        vectors.read(vectors.Place(file, "x"), "x", 3)
