"""Numbers of docs/accelerator.md that depend on the generator."""

import re
from pathlib import Path

import pytest

from bench import accelerator, devices
from ernn.devices.timing import TIMINGS
from ernn.estimate.shapes import Shape
from ernn.hw.graph.schedule import Clock
from ernn.hw.layout import sizing
from ernn.hw.project import rtl_project
from ernn.hw.verilog.network import Architecture, NetworkHardware

PAGE = " ".join((Path(__file__).parents[2] / "docs" / "accelerator.md").read_text().split())


def waits(network: NetworkHardware) -> int:
    """Cycles that frames wait behind a written state."""
    found = re.findall(r"\.SETTLE\((\d+)\)", rtl_project(network)["rtl/ernn.v"])
    return int(found[0])


@pytest.mark.system
def test_a_frame_waits_behind_a_written_state_as_long_as_the_page_says():
    found = []
    for design, device in (("lstm-k8", "xcku060"), ("c-lstm-k16", "xc7vx690t")):
        case = devices.case_of(design)
        found.append(waits(accelerator.network(case, accelerator.program_of(case), device)))
    shape = Shape(cell="lstm", cells=128, inputs=128, block_size=64, transform="fourier").program()
    arrays = sizing.arrays(shape, (4, 1, 0), (1, 1, 0))
    found.append(waits(NetworkHardware(shape, Architecture(arrays, Clock(400, TIMINGS["ecp5"])))))
    said = re.search(
        r"That is (\d+) cycles \(`lstm-k8`.*? to (\d+) cycles \(`c-lstm-k16`.*? and (\d+) for Fourier", PAGE
    )
    assert [int(each) for each in said.groups()] == found
