"""A full disk: whichever library meets it, one line, nothing half-written, and the same call succeeds afterwards."""

import errno
import multiprocessing
import sqlite3
from concurrent.futures import ProcessPoolExecutor
from pathlib import Path

import numpy as np
import pytest
from safetensors import SafetensorError

from ernn import artifacts
from ernn.artifacts import disk
from ernn.data import timit
from ernn.data.corpus import Utterance
from ernn.errors import UserError
from ernn.nn import model_file
from ernn.nn.acoustic import AcousticModel
from ernn.program import files as program_files
from ernn.tools import process
from ernn.training.checkpoint import Checkpoints
from tests import full, programs, toy

LINE = r"^{}: no space left on device to write it \(.* of .* are free\); " + disk.CURE + "$"


def _model(path: Path) -> None:
    model_file.save(AcousticModel(toy.network(cells=64), toy.DIMENSION, ("a", "b"), "frames"), path)


def _checkpoint(path: Path) -> None:
    import torch

    assert Checkpoints(path.parent).write(path.stem, {"a": torch.zeros(100_000)}, {"epoch": 1}) == path


def _utterance(path: Path) -> None:
    samples = np.zeros(100_000, np.float32)
    timit.write(Utterance("fabc0_sx1", samples, ("sil",), text="some words"), path.parent)


WRITERS = {
    "model.safetensors": _model,
    "phase.safetensors": _checkpoint,
    "program": lambda path: program_files.save(programs.build(inputs=256), path),
    "SX1.WAV": _utterance,
    "features": toy.make,
    "record.json": lambda path: artifacts.write_json(path, list(range(50_000))),
    "deep/record.json": lambda path: artifacts.write_json(path, list(range(50_000))),
}


@pytest.mark.parametrize("name", WRITERS)
@pytest.mark.parametrize("left", [0, 4096])
def test_what_finds_no_space_is_one_line_and_leaves_nothing(tmp_path, name, left):
    with full.small_disk(tmp_path / "disk", 4 << 20) as folder:
        path, ballast = folder / name, full.fill(folder, left)
        with pytest.raises(disk.DiskFull, match=LINE.format(path)):
            WRITERS[name](path)
        assert not [each for each in folder.rglob("*") if each.is_file() and each != ballast]
        ballast.unlink()
        WRITERS[name](path)
        whole = path.read_bytes() if path.is_file() else None
        ballast = full.fill(folder, left)
        with pytest.raises(disk.DiskFull):
            WRITERS[name](path)
        assert path.is_dir() or path.read_bytes() == whole


@pytest.mark.parametrize("code", [0, 1])
def test_a_tool_without_space_is_no_failure_of_its_own(tmp_path, code):
    """Nor a success: many tools do not look whether what they write arrives."""
    with full.small_disk(tmp_path / "disk", 4 << 20) as folder:
        script = f"head -c 8000000 /dev/zero > result 2>/dev/null; exit {code}"
        with pytest.raises(disk.DiskFull, match=LINE.format(folder / "sh")):
            process.run(["sh", "-c", script], folder, tmp_path / "log")
        (folder / "result").unlink()
        assert process.run(["sh", "-c", "echo done > result"], folder, tmp_path / "log") == ""


def test_a_tool_that_says_so_is_believed(tmp_path):
    with pytest.raises(disk.DiskFull, match=LINE.format(tmp_path / "sh")):
        process.run(["sh", "-c", "cat /proc/version > /dev/full"], tmp_path, tmp_path / "log")
    with pytest.raises(UserError, match="exit code 3"):
        process.run(["sh", "-c", "exit 3"], tmp_path, tmp_path / "log")


def test_the_logs_of_a_tool_without_space_do_not_stay():
    with pytest.raises(disk.DiskFull), process.work_folder() as folder:
        raise disk.DiskFull.at(folder / "netlist")
    assert not folder.exists()


@pytest.mark.parametrize(
    ("error", "full_disk"),
    [
        (OSError(errno.ENOSPC, "No space left on device"), True),
        (OSError(errno.EDQUOT, "Disk quota exceeded"), True),
        (OSError(errno.EACCES, "Permission denied"), False),
        (SafetensorError("I/O error: No space left on device (os error 28)"), True),
        (sqlite3.OperationalError("database or disk is full"), True),
        (ValueError("space"), False),
    ],
)
def test_every_library_has_its_own_words(error, full_disk):
    assert disk.is_full(error) == full_disk
    outer = RuntimeError("not written")
    outer.__cause__ = error
    assert disk.is_full(outer) == full_disk
    with pytest.raises(disk.DiskFull if full_disk else type(error)), disk.written(Path("a")):
        raise error


def test_the_outermost_name_is_said_with_what_was_free_inside():
    inner = disk.DiskFull(Path("a/b"), 1000, 2_000_000)
    with pytest.raises(disk.DiskFull, match=r"^a: .*\(1 kB of 2 MB are free\)"), disk.written(Path("a")):
        raise inner


def refuse(path: Path) -> None:
    raise disk.DiskFull(path, 1000, 2_000_000)


def test_a_full_disk_of_a_worker_process_is_said_as_there():
    with ProcessPoolExecutor(1, mp_context=multiprocessing.get_context("spawn")) as pool:
        error = pool.submit(refuse, Path("a/b")).exception(timeout=60)
    assert isinstance(error, disk.DiskFull)
    assert str(error) == str(disk.DiskFull(Path("a/b"), 1000, 2_000_000))
