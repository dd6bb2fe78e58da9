"""Simulations: what goes in, what a difference says, and what is measured."""

import dataclasses
import re
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from ernn.golden.model import Golden
from ernn.hw import design
from ernn.simulate import bench
from ernn.simulate.bench import Bench, Mismatch, Outcome, Recorder
from ernn.simulate.vectors import Vectors, rtl_vectors
from tests import programs
from tests.hw import designs, equality
from tests.hw.equality import Built

LENGTHS = (4, 2, 5, 1)


@pytest.fixture(scope="module")
def built(tmp_path_factory: pytest.TempPathFactory) -> Built:
    program = programs.build(cell="gru", block_sizes=(4, 4))
    return equality.build(tmp_path_factory.mktemp("simulation"), program, layers=(2, 1, 0), streams=2)


@pytest.fixture(scope="module")
def vectors(built: Built) -> Vectors:
    return rtl_vectors(built.program, designs.utterances(built.program, LENGTHS), 2)


@given(lengths=st.lists(st.integers(1, 6), min_size=1, max_size=7), streams=st.integers(1, 4))
def test_utterances_side_by_side_take_turns_and_keep_their_order(lengths, streams):
    program = programs.build()
    x = designs.utterances(program, lengths, seed=len(lengths))
    found, golden = rtl_vectors(program, x, streams), Golden(program)
    assert len(found.x) == len(found.logits) == sum(lengths)
    assert (found.x[found.first] == np.stack([each[0] for each in x])).all()  # they open in the order given
    left = list(zip(found.stream[found.first], x, strict=True))
    for stream in range(streams):
        mine = [each for owner, each in left if owner == stream]
        rows = found.stream == stream
        assert (found.x[rows] == np.concatenate([*mine, np.zeros((0, program.inputs))])).all()
        logits = [golden.run(each[:, None])[0][:, 0] for each in mine]
        assert (found.logits[rows] == np.concatenate([*logits, np.zeros((0, found.logits.shape[1]))])).all()
    changes = np.flatnonzero(np.diff(found.stream) == 0)  # one stream twice in a row: it is the only one left
    assert all((found.stream[place:] == found.stream[place]).all() for place in changes)


def test_files_hold_a_line_for_every_frame_and_integer():
    given = Vectors(np.array([[-1, 2]]), np.array([[-3]]), np.array([True]), np.array([1]))
    assert given.files([(2, 255), (0, 1)]) == {
        "frames.txt": "1 1\n",
        "x.hex": "ffffffff\n2\n",
        "want.hex": "fffffffd\n",
        "writes.txt": "2 ff\n0 1\n",
    }


def test_a_test_bench_of_relative_folders_runs_from_any_folder(built, vectors, tmp_path, monkeypatch):
    (tmp_path / "work").mkdir()
    (tmp_path / "project").symlink_to(built.project)
    monkeypatch.chdir(tmp_path)
    relative = Bench(Path("project"), Path("work"), designs.registers(built.design), optimize="-O0")
    assert relative.run(vectors).registers["frames_out"] == sum(LENGTHS)
    monkeypatch.chdir("/")
    assert relative.run(vectors).registers["frames_out"] == sum(LENGTHS)


@pytest.mark.parametrize(("frame", "logit"), [(0, 0), (7, 2), (11, 1)])
def test_a_logit_that_differs_is_named(built, vectors, frame, logit):
    logits = vectors.logits.copy()
    got = logits[frame, logit]
    logits[frame, logit] += 5
    with pytest.raises(Mismatch) as error:
        built.bench.run(dataclasses.replace(vectors, logits=logits))
    assert str(error.value) == f"frame {frame}, logit {logit}: expected {got + 5}, got {got}"


def test_a_feature_that_differs_is_found(built, vectors):
    x = vectors.x.copy()
    x[3] = -x[3]
    with pytest.raises(Mismatch, match=r"^frame 3, logit "):
        built.bench.run(dataclasses.replace(vectors, x=x))


def test_a_state_that_is_not_reset_is_found(built, vectors):
    first, place = vectors.first.copy(), np.flatnonzero(vectors.first)[2]  # the second utterance of its stream
    first[place] = False
    with pytest.raises(Mismatch, match=rf"^frame {place}, logit "):
        built.bench.run(dataclasses.replace(vectors, first=first))


def test_streams_that_are_mistaken_for_each_other_are_found(built, vectors):
    with pytest.raises(Mismatch, match=r"^frame [1-9]"):
        built.bench.run(dataclasses.replace(vectors, stream=np.zeros_like(vectors.stream)))


def test_logits_that_never_come_are_found(built, vectors):
    more = dataclasses.replace(vectors, logits=np.concatenate([vectors.logits, vectors.logits[:1]]))
    with pytest.raises(Mismatch, match=r"^the simulation ended without all frames: .*END frames 12 errors 1"):
        built.bench.run(more)


def test_more_logits_than_expected_are_found(built, vectors):
    with pytest.raises(Mismatch, match=r"^frame 11, logit 0: "):
        built.bench.run(dataclasses.replace(vectors, logits=vectors.logits[:-1]))


def test_saturations_are_compared_by_name(built, vectors):
    x = designs.utterances(built.program, LENGTHS)
    outcome = built.bench.run(vectors)
    bench.check_overflows(built.program, x, outcome)
    counts = bench.overflows(built.program, x)
    assert counts["layers.0.a_z"] > 0
    for register in ("layer0_overflow_a_z", "output_layer_overflow_logits"):
        name = register.replace("layer0", "layers.0").replace("output_layer", "output").replace("_overflow_", ".")
        value = outcome.registers[register]
        assert value == counts.get(name, 0)
        wrong = dataclasses.replace(outcome, registers=outcome.registers | {register: value + 3})
        with pytest.raises(Mismatch) as error:
            bench.check_overflows(built.program, x, wrong)
        assert str(error.value) == (f"saturated values of {name}: expected {value}, the hardware counted {value + 3}")


def test_a_counter_that_is_missing_counts_nothing(built, vectors):
    outcome = built.bench.run(vectors)
    kept = {name: value for name, value in outcome.registers.items() if name != "layer0_overflow_a_r"}
    with pytest.raises(Mismatch, match=r"saturated values of layers\.0\.a_r: expected \d+, the hardware counted 0"):
        bench.check_overflows(
            built.program, designs.utterances(built.program, LENGTHS), dataclasses.replace(outcome, registers=kept)
        )


def test_registers_tell_the_cycles(built, vectors):
    alone = dataclasses.replace(
        vectors, x=vectors.x[:1], logits=vectors.logits[:1], first=vectors.first[:1], stream=vectors.stream[:1]
    )
    one, all_of_them = built.bench.run(alone), built.bench.run(vectors)
    assert one.registers["latency"] == one.ended[0] - one.begun[0] + 1
    assert one.registers["cycles_low"] == one.registers["latency"]
    assert all_of_them.registers["cycles_low"] >= all_of_them.ended[-1] - all_of_them.begun[0]
    for layer in design.read(built.project).layers:
        steps = sum(layer.steps.values())
        assert one.registers[f"{layer.name}_busy"] == steps
        assert all_of_them.registers[f"{layer.name}_busy"] == steps * sum(LENGTHS)


def toggles(saif: str, signal: str, bit: int) -> int:
    """Of a bit of a register at the top of the network."""
    top = saif.partition("(INSTANCE dut")[2].partition("(INSTANCE ")[0]
    return int(re.search(rf"\({signal}\\\[{bit}\\\] .*\(TC (\d+)\)\)", top)[1])


@pytest.fixture(scope="module")
def recorder(built: Built, tmp_path_factory: pytest.TempPathFactory) -> Recorder:
    return Recorder(built.project, tmp_path_factory.mktemp("recorder"), designs.registers(built.design))


@pytest.mark.slow
def test_a_recording_counts_the_toggles_of_a_run(built, vectors, recorder, tmp_path):
    target = tmp_path / "power" / "run.saif"
    recorder.record(vectors, target)
    saif, frames = target.read_text(), len(vectors.x)
    for register in ("frames_in", "frames_out"):  # they count upwards
        assert [toggles(saif, register, bit) for bit in range(5)] == [frames >> bit for bit in range(5)]
    duration = int(re.search(r"\(DURATION (\d+)\)", saif)[1])
    clock, cycles = re.search(r"\(INSTANCE ernn_tb\s+\(NET\s+\(clk .*\(TC (\d+)\)\)", saif), duration // 10_000
    assert abs(int(clock[1]) - 2 * cycles) <= 2
    assert cycles > built.bench.run(vectors).ended[-1]
    assert all(int(t0) + int(t1) == duration for t0, t1 in re.findall(r"\(T0 (\d+)\) \(T1 (\d+)\)", saif))


@pytest.mark.slow
def test_a_recording_is_of_a_run_that_is_right(vectors, recorder, tmp_path):
    wrong = dataclasses.replace(vectors, logits=vectors.logits + 1)
    with pytest.raises(Mismatch, match=r"^frame 0, logit 0: "):
        recorder.record(wrong, tmp_path / "run.saif")
    assert not (tmp_path / "run.saif").exists()


@pytest.mark.parametrize(("ended", "cycles"), [([7], 0.0), ([10, 30], 20.0), ([10, 20, 50], 20.0)])
def test_cycles_of_a_frame_are_those_between_frames(ended, cycles):
    assert Outcome(np.zeros(len(ended)), np.array(ended), {}).cycles_per_frame == cycles


@pytest.mark.parametrize(
    ("waits", "cycles"),
    [([1, 0, 0, 0], 80 / 3), ([0, 0, 1, 0], 15.0), ([1, 0, 1, 1], 10.0), ([1, 1, 1, 1], 80 / 3), ([1, 1, 0, 1], 50.0)],
)
def test_waits_for_writes_of_a_host_are_no_cycles_of_a_frame(waits, cycles):
    ended = np.array([10, 20, 70, 90])
    outcome = Outcome(np.zeros(4), ended, {}, np.array(waits, bool))
    assert outcome.cycles_per_frame == cycles


def test_utilization_is_the_share_of_multipliers_that_do_necessary_products(built):
    described = design.read(built.project)
    first, last = described.layers
    first = dataclasses.replace(first, products={"hh": 60, "ih": 40}, multipliers=design.Multipliers(8, 99))
    last = dataclasses.replace(last, products={"ih": 20}, multipliers=design.Multipliers(2, 99))
    assert bench.utilization(dataclasses.replace(described, layers=(first, last)), 24.0) == 120 / (10 * 24)


def test_an_array_does_not_do_more_than_it_has_multipliers(built, vectors):
    outcome = built.bench.run(vectors)
    assert 0 < bench.utilization(design.read(built.project), outcome.cycles_per_frame) <= 1
