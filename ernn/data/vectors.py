"""Feature vectors that a user brings: matrices of Kaldi archives by `feats.scp`, or arrays of `feats.npz`."""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from jaxtyping import Float

from ernn.data import arrays, tables
from ernn.data.tables import Line
from ernn.errors import UserError

SCP, NPZ = "feats.scp", "feats.npz"
_PLACE = re.compile(r"(.+):([0-9]{1,18})")
_MATRICES = (b"FM ", b"DM ", b"CM ", b"CM2 ", b"CM3 ")  # of float, of double, compressed; an archive may hold pickles


@dataclass(frozen=True)
class Given:
    """What `features` says of vectors that a user brings.

    Args:
        dimension: numbers of a vector.
        shift: from one vector to the next, in samples at 16 kHz.
    """

    dimension: int
    shift: int


@dataclass(frozen=True)
class Place:
    """Where the vectors of an utterance are.

    Args:
        file: an archive of Kaldi, or an .npz file.
        key: offset in bytes in the one, name of the array in the other.
    """

    file: Path
    key: int | str


def places(corpus: Path, folder: Path) -> dict[str, Place]:
    """Utterance -> place of its vectors, of `feats.scp` or `feats.npz` in a folder.

    Raises:
        UserError: neither file, or lines that are not `utterance archive:offset`.
    """
    if (folder / NPZ).exists() and not (folder / SCP).exists():
        return {name: Place(folder / NPZ, name) for name in _opened(folder / NPZ)}
    if not (folder / SCP).exists():
        raise UserError(f"{folder}: neither {SCP} nor {NPZ}; add one of them, or set features.kind for audio")
    return {name: _place(corpus, folder, line) for name, line in tables.table(folder / SCP).items()}


def read(place: Place, utterance: str, dimension: int) -> Float[np.ndarray, "frames dimension"]:
    """The vectors of an utterance, float32.

    Raises:
        UserError: no such file, another form, vectors of another size, or numbers that are not finite.
    """
    where = f"{place.file}: utterance {utterance}"
    found = _array(place, where) if isinstance(place.key, str) else _matrix(place.file, place.key, where)
    if found.ndim != 2 or found.dtype.kind not in "fiu" or not len(found):
        raise UserError(f"{where}: vectors are (frames, dimension), got shape {found.shape} of {found.dtype}")
    if found.shape[1] != dimension:
        raise UserError(f"{where}: vectors of {found.shape[1]} numbers, features.dimension={dimension}; set that")
    with np.errstate(over="ignore"):  # what is too large is not finite then
        vectors = found.astype(np.float32)
    if not np.isfinite(vectors).all():
        frame = int(np.argmin(np.isfinite(vectors).all(axis=1)))
        raise UserError(f"{where}: vector {frame} is not finite; correct it or leave the utterance out")
    return vectors


def _place(corpus: Path, folder: Path, line: Line) -> Place:
    text = " ".join(line.values)
    if text.endswith("|"):
        raise UserError(f"{line.where}: commands are not run; write the vectors to an archive and give its place")
    found = _PLACE.fullmatch(text)
    if found is None:
        raise UserError(f"{line.where}: not `utterance archive:offset`, as copy-feats writes it; correct the line")
    file = Path(found[1])
    return Place(next((at / file for at in (folder, corpus) if (at / file).exists()), folder / file), int(found[2]))


def _matrix(file: Path, offset: int, where: str) -> np.ndarray:
    from kaldiio.matio import read_matrix_or_vector

    try:
        stream = file.open("rb")
    except FileNotFoundError:
        raise UserError(f"{where}: no such file; correct {SCP}") from None
    except (OSError, ValueError) as error:  # a folder, or no name of a file
        raise UserError(f"{where}: cannot be read ({error}); correct {SCP}") from None
    with stream, arrays.refused(f"{where}: not a whole matrix", "write it again"):
        stream.seek(offset)
        if stream.read(2) != b"\0B" or not stream.read(4).startswith(_MATRICES):
            raise UserError(f"{where}: no binary matrix of Kaldi at byte {offset}; write the archive again")
        stream.seek(offset)
        return np.asarray(read_matrix_or_vector(stream))


def _array(place: Place, where: str) -> np.ndarray:
    with arrays.refused(f"{where}: not what NumPy writes", "write it again"):
        return arrays.member(_opened(place.file), str(place.key))


def _opened(file: Path) -> Mapping[str, np.ndarray]:
    """The arrays of a file, read one by one as they are asked for."""
    with arrays.refused(f"{file}: not what numpy.savez writes", "write it again"):
        found = arrays.opened(file)
    if isinstance(found, np.ndarray):
        raise UserError(f"{file}: one array; numpy.savez writes one for each utterance")
    return found
