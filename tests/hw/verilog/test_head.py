"""Linear layers with functions behind the recurrent ones: their hardware, bit for bit and cycle by cycle."""

from pathlib import Path
from tempfile import TemporaryDirectory

import pytest
from hypothesis import Phase, given, settings
from hypothesis import strategies as st

from ernn.hw.hls import network as hls
from ernn.simulate import bench as simulation
from ernn.simulate.vectors import rtl_vectors
from tests import programs
from tests.golden.programs import RandomPrograms
from tests.hw import designs, equality
from tests.hw.equality import Built, Equality

ARRAYS = [(4, 2, 0), (2, 2, 0), (4, 2, 2), (1, 3, 0)]


@pytest.fixture(scope="module", params=[1, 2])
def built(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Built:
    head = (("tanh", 4), ("relu", 1), ("hard", 2))
    program = programs.build(cell="rnn", block_sizes=(4, 4), head=head, output=request.param == 1)
    each = [*ARRAYS, *([(1, 1, 0)] * (request.param == 1))]
    return equality.build(tmp_path_factory.mktemp("head"), program, each=each, streams=request.param)


class TestHead(Equality):
    """All laws."""


@pytest.mark.system
@settings(max_examples=3, phases=[Phase.generate], deadline=None)  # an example takes seconds: none is shrunk
@given(
    seed=st.integers(0, 9999),
    plain=st.booleans(),
    output=st.booleans(),
    size=st.sampled_from([(1, 1, 0), (2, 2, 0), (8, 3, 0)]),
    streams=st.integers(1, 2),
)
def test_random_heads_are_those_of_the_integer_model_in_verilog_and_in_cplusplus(seed, plain, output, size, streams):
    program = RandomPrograms(seed).program(plain, output, hidden=True)
    x = designs.utterances(program, [4, 1, 3], seed)
    with TemporaryDirectory() as name:
        folder = Path(name)
        design = designs.network(program, output=size, streams=streams)
        outcome = designs.bench(design, folder).run(rtl_vectors(program, x, streams), 60, 60)
        simulation.check_overflows(program, x, outcome)
        hls.project(program, designs.HLS).write(folder / "project" / "hls")
        simulation.check_hls(program, folder / "project", x)
