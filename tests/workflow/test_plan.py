"""Plans: what a run takes, from measured times."""

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ernn.errors import UserError
from tests.workflow import toy
from workflow import declaration, plan
from workflow.plan import Measured

TIMES = {
    stage: Measured(stage=stage, wall_s=wall, cpu_s=2 * wall, output_mb=mb)
    for stage, wall, mb in (("prepare", 60, 10), ("compress", 600, 1), ("report", 30, 2))
}


@pytest.fixture(scope="module")
def small(tmp_path_factory):
    return declaration.load(toy.write(tmp_path_factory.mktemp("toy")))


def test_a_plan_counts_pods_time_storage_and_cost(small):
    found = plan.plan(small, TIMES)
    assert (found.pods, found.peak, found.longest_s, found.storage_mb) == (4, 2, 690, 14)
    assert found.cpu_hours == pytest.approx(2 * (60 + 2 * 600 + 30) / 3600)
    assert found.entries == {"k2": pytest.approx(1 / 3), "k4": pytest.approx(1 / 3)}
    assert found.common == pytest.approx(2 * 90 / 3600)


def test_a_task_of_several_nodes_has_a_pod_for_each_and_one_that_waits(tmp_path):
    found = plan.plan(declaration.load(toy.write(tmp_path, toy.with_nodes(3))), TIMES)
    assert (found.pods, found.peak) == (1 + 2 * 4 + 1, 2 * 4)


@given(st.floats(0, 1e4), st.floats(0, 1e4), st.floats(0, 1e4))
def test_a_run_is_never_shorter_than_its_longest_chain_nor_cheaper_than_its_parts(small, a, b, c):
    walls = {"prepare": a, "compress": b, "report": c}
    times = {name: Measured(stage=name, wall_s=wall, cpu_s=wall, output_mb=0) for name, wall in walls.items()}
    found = plan.plan(small, times)
    assert found.longest_s == pytest.approx(a + b + c)
    assert found.cpu_hours * 3600 == pytest.approx(a + 2 * b + c)


def test_stages_that_were_not_measured_are_named(small):
    found = plan.plan(small, {"prepare": TIMES["prepare"]})
    assert found.unmeasured == ("compress", "report")
    assert "not measured, counted as nothing: compress, report" in plan.text(found, None)


def test_a_plan_says_what_is_an_estimate_and_what_it_costs(small):
    said = plan.text(plan.plan(small, TIMES), 2.0)
    assert "pods: 4, at most 2 at a time" in said
    assert "processor time: 0.72 h in all, 0.05 h of it in stages that all entries share (estimate)" in said
    assert "price: 1.43 at 2 for an hour of processor time (estimate)" in said
    assert "processor time of the stages of each network, design, program or accelerator alone, and its price:" in said
    assert "k2    0.333 h     0.667" in said


@pytest.mark.parametrize("text", ["", "[]", "{}", json.dumps({"rows": [{"stage": "prepare"}]})])
def test_a_file_of_something_else_is_refused(tmp_path, text):
    (tmp_path / "times.json").write_text(text)
    with pytest.raises(UserError, match=r"not what `python -m bench\.stages` writes"):
        plan.measured(tmp_path / "times.json")
