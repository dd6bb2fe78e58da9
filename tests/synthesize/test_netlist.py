"""What synthesis made, simulated: netlists of the families' cells give every logit of the integer model."""

from pathlib import Path

import pyosys
import pytest

from ernn.devices.catalogue import Family
from ernn.hw.project import rtl_project
from ernn.simulate import bench as simulation
from ernn.simulate.vectors import rtl_vectors
from ernn.synthesize import count, sources
from ernn.tools import yosys
from tests import programs
from tests.hw import designs
from tests.synthesize.models import without_delays

SHARE = Path(pyosys.__file__).parent / "share"
MODELS: dict[Family, tuple[Path, ...]] = {
    "xc7": (SHARE / "xilinx/cells_sim.v",),
    "ecp5": (SHARE / "lattice/cells_sim_ecp5.v", Path(__file__).parent / "mult18x18d.v"),
}


@pytest.mark.slow
@pytest.mark.timeout(1800)
@pytest.mark.parametrize("family", MODELS)
def test_netlists_equal_the_integer_model(tmp_path, family):
    program = programs.build(cell="gru", block_sizes=(2, 2))
    design = designs.network(program, layers=(2, 1, 0), output=(1, 1, 0))
    project = rtl_project(design).write(tmp_path / "project")
    written = sources.read(project, images=True)
    written.of_family(family).write(tmp_path / "work")
    commands = [
        count.read(list(written.verilog)),
        count.synthesis(family, sources.TOP).replace("synth_ecp5", "synth_ecp5 -nobram"),  # no model
        "write_verilog -noattr netlist.v",
    ]
    yosys.synthesize(tmp_path / "work", "netlist", commands)
    netlist = (tmp_path / "work" / "netlist.v").read_text()
    assert "ernn_multiply" not in netlist  # cells alone
    for file in (project / "rtl").iterdir():
        file.unlink()
    (project / "rtl" / "netlist.v").write_text(netlist)
    for model in MODELS[family]:
        (project / "rtl" / model.name).write_text(without_delays(model))
    vectors = rtl_vectors(program, designs.utterances(program, [4, 3]), streams=1)
    (tmp_path / "simulated").mkdir()
    bench = simulation.Bench(project, tmp_path / "simulated", designs.registers(design), optimize="-O0")
    assert bench.run(vectors).registers["frames_out"] == 7
    assert bench.run(vectors, gaps=90, stalls=90).registers["frames_out"] == 7
