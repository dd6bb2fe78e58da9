"""A plain recurrent network: a plan, a kernel and the names of its weights make its hardware, bit for bit."""

from pathlib import Path
from tempfile import TemporaryDirectory

import pytest
from hypothesis import Phase, given, settings
from hypothesis import strategies as st

from ernn.hw.hls import network as hls
from ernn.simulate import bench as simulation
from ernn.simulate.vectors import rtl_vectors
from tests import programs
from tests.hw import designs, equality
from tests.hw.equality import Built, Equality


@pytest.fixture(scope="module", params=[1, 2])
def built(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Built:
    program = programs.build(cell="rnn", block_sizes=(4, 4), layers=2)
    return equality.build(tmp_path_factory.mktemp("rnn"), program, layers=(4, 2, 0), streams=request.param)


class TestRnn(Equality):
    """All laws."""


@pytest.mark.system
@settings(max_examples=3, phases=[Phase.generate])  # an example takes seconds: none is shrunk
@given(
    k=st.sampled_from([1, 4, 8]),
    k_of_x=st.sampled_from([1, 4, 8]),
    inputs=st.integers(1, 9),
    lanes=st.sampled_from([1, 2, 8]),
    columns=st.integers(1, 3),
    pointwise=st.sampled_from([0, 1]),
    streams=st.integers(1, 2),
    seed=st.integers(0, 99),
)
def test_all_readers_of_its_plan_agree(k, k_of_x, inputs, lanes, columns, pointwise, streams, seed):
    program = programs.build(cell="rnn", block_sizes=(k_of_x, k), inputs=inputs, seed=seed)
    design = designs.network(program, (lanes, columns, 0, pointwise), streams=streams)
    x = designs.utterances(program, [4, 1, 3], seed)
    with TemporaryDirectory() as name:
        folder = Path(name)
        outcome = designs.bench(design, folder).run(rtl_vectors(program, x, streams), 60, 60)
        simulation.check_overflows(program, x, outcome)
        hls.project(program, designs.HLS).write(folder / "project" / "hls")
        simulation.check_hls(program, folder / "project", x)
