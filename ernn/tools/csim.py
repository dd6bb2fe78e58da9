"""C simulation of HLS projects by g++ with the open ap_int headers."""

import importlib.util
import os
from collections.abc import Mapping, Sequence
from pathlib import Path

from ernn.artifacts import Texts
from ernn.errors import UserError
from ernn.tools.process import Optimize, Tool, run

GXX = Tool("g++", "ERNN_GXX", "install a C++ compiler (Debian: apt-get install g++)")
HEADERS = "ERNN_AP_TYPES"
_PACKAGE, _INSIDE = "da4ml", Path("codegen", "hls", "source", "ap_types", "include")  # pyproject.toml pins the version
VECTORS = ("tb/features.txt", "tb/logits.txt")


def headers() -> Path:
    """The folder of ap_int.h.

    Raises:
        UserError: no package that has it is installed, and none is pointed at.
    """
    given = os.environ.get(HEADERS)
    found = importlib.util.find_spec(_PACKAGE) if given is None else None
    places = [Path(place) / _INSIDE for place in (found.submodule_search_locations or ())] if found else []
    for folder in [Path(given).absolute()] if given else places:
        if (folder / "ap_int.h").is_file():
            return folder
    where = f"{HEADERS}={given} has no ap_int.h" if given else "ap_int.h was not found"
    cure = f"install {_PACKAGE} in the version of the extra hardware"
    raise UserError(f"{where}: {cure}, or set {HEADERS} to the folder of the header")


def compiled(folder: Path, sources: Sequence[str], optimize: Optimize = "-O1") -> Path:
    """The program that g++ makes of sources in a folder, with the headers in its `src` and `sim`.

    Raises:
        UserError: a tool is missing, or the sources do not compile.
    """
    search: list[str | Path] = ["-Isrc", "-Isim", "-isystem", headers()]
    program = folder.absolute() / "csim"
    run([GXX.path(), "-std=c++17", optimize, *search, *sources, "-o", program], folder, folder / "compile.log")
    return program


def build(files: Mapping[str, str], folder: Path, optimize: Optimize = "-O1") -> Path:
    """The simulation of a project, whose files are written to `folder`.

    Args:
        files: text by path.
        optimize: -O0 compiles in half the time of -O1, and runs ten times as long.

    Raises:
        UserError: a tool is missing, or the sources do not compile.
    """
    Texts(files).write(folder)
    return compiled(folder, ["src/ernn.cpp", "tb/ernn_tb.cpp"], optimize)


def compare(program: Path, vectors: Mapping[str, str]) -> str:
    """What a simulation prints when every logit equals; vectors and the log stay in its folder.

    Raises:
        UserError: a logit differs (the message names its utterance, frame and index), or vectors of another network.
    """
    folder = program.parent
    Texts(vectors).write(folder)
    return run([program, *VECTORS], folder, folder / "csim.log").strip()
