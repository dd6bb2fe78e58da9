"""The integer model against a slow one, element by element; cut anywhere, padded, traced, at its extremes."""

import math
from fractions import Fraction

import numpy as np
import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from ernn.dataflow.formats import Format
from ernn.errors import UserError
from ernn.golden.integers import Integers, Log
from ernn.golden.model import Golden
from tests import programs
from tests.golden.programs import RandomPrograms
from tests.golden.slow import Slow

SEEDS = st.integers(0, 2**20)
HALVES = st.integers(-4000, 4000).map(lambda n: n / 2)


@given(
    seed=SEEDS,
    plain=st.sampled_from([False, False, False, True]),
    hidden=st.booleans(),
    head=st.booleans(),
    begun=st.booleans(),
)
@settings(max_examples=80)
def test_every_integer_is_that_of_the_slow_model(seed, plain, hidden, head, begun):
    random = RandomPrograms(seed)
    program = random.program(plain, head, hidden)
    if begun:
        program = programs.begun(program, seed)
    x = random.features(program, frames=3, utterances=1)
    golden, slow = Golden(program), Slow(program)
    logits, state = golden.run(x)
    assert logits[:, 0].tolist() == slow.run(x[:, 0])
    for number, layer in enumerate(state):
        assert {name: array[:, 0].tolist() for name, array in layer.items()} == slow.state(number)
    traced = Golden(program).trace(x[:, 0])
    for frame, values in enumerate(slow.seen):
        assert {name: traced[name][frame].tolist() for name in values} == values
    counted = {each.name: each.saturated for each in golden.overflows()}
    assert {name: counted.get(name, 0) for name in slow.saturated} == slow.saturated
    assert all(".sums" in name for name in {*counted, *traced} - {*slow.saturated, *slow.seen[0]})


@given(seed=SEEDS, cut=st.integers(0, 6), plain=st.booleans(), begun=st.booleans())
@settings(max_examples=40)
def test_cut_anywhere_the_integers_are_the_same(seed, cut, plain, begun):
    random = RandomPrograms(seed)
    program = random.program(plain)
    if begun:
        program = programs.begun(program, seed)
    x = random.features(program, frames=6, utterances=2)
    golden = Golden(program)
    whole, last = golden.run(x)
    first, state = golden.run(x[:cut])
    second, behind = golden.run(x[cut:], state)
    assert (np.concatenate([first, second]) == whole).all()
    for ours, theirs in zip(behind, last, strict=True):
        assert all((ours[name] == theirs[name]).all() for name in theirs)


@given(seed=SEEDS, lengths=st.lists(st.integers(1, 5), min_size=1, max_size=4))
@settings(max_examples=30)
def test_utterances_side_by_side_are_as_alone(seed, lengths):
    random = RandomPrograms(seed)
    program = random.program()
    x = random.features(program, frames=max(lengths), utterances=len(lengths))
    together = Golden(program)
    logits, state = together.run(x, lengths=np.array(lengths))
    alone = Golden(program)
    for column, length in enumerate(lengths):
        own, last = alone.run(x[:length, column : column + 1])
        assert (logits[:length, column] == own[:, 0]).all()
        for ours, theirs in zip(state, last, strict=True):
            assert all((ours[name][:, column] == theirs[name][:, 0]).all() for name in theirs)
    assert together.overflows() == alone.overflows()  # padding is not counted


@pytest.mark.parametrize("seed", range(12))
@pytest.mark.parametrize("kind", ["zero", "low", "high", "alternating"])
def test_extremes(seed, kind):
    program = RandomPrograms(seed).program()
    low, high = program.input.low, program.input.high
    frames = {"zero": [0, 0], "low": [low, low], "high": [high, high], "alternating": [low, high]}[kind]
    x = np.repeat(np.array(frames)[:, None], program.inputs, axis=1)
    logits, _ = Golden(program).run(x[:, None])
    assert logits[:, 0].tolist() == Slow(program).run(x)


NAMES = {
    ("lstm", None): {"a_i", "i", "a_f", "f", "a_g", "g", "c", "a_o", "o", "tanh_c", "m", "y"},
    ("gru", "before"): {"a_z", "z", "a_r", "r", "rc", "a_n", "n", "c", "y"},
    ("gru", "after"): {"a_z", "z", "a_r", "r", "a_hn", "a_n", "n", "c", "y"},
}


@pytest.mark.parametrize("structure", NAMES)
def test_a_trace_has_each_value_of_each_frame(structure):
    programs = (RandomPrograms(seed).program() for seed in range(99))
    program = next(p for p in programs if (p.layers[0].kind, getattr(p.layers[0], "reset", None)) == structure)
    traced = Golden(program).trace(np.zeros((4, program.inputs), np.int64))
    found = {name.removeprefix("layers.0.") for name in traced if name.startswith("layers.0.")}
    assert {name for name in found if not name.startswith("sums")} == NAMES[structure]
    assert traced["output.logits"].shape == (4, program.decoder.classes)
    assert all(len(values) == 4 for values in traced.values())


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
@given(seed=SEEDS, steps=HALVES | HALVES.map(lambda n: math.nextafter(n, -math.inf)) | st.floats(-1e30, 1e30))
@example(seed=0, steps=math.nextafter(0.5, 0))
@example(seed=0, steps=1e30)
@example(seed=0, steps=-1e30)
def test_features_become_the_nearest_integers_or_the_ends(dtype, seed, steps):
    program = RandomPrograms(seed).program()
    format, x = program.input, np.full((2, program.inputs), steps * program.input.resolution, dtype)
    nearest = math.floor(Fraction(float(x[0, 0])) / Fraction(format.resolution) + Fraction(1, 2))
    assert (Golden(program).quantize(x) == min(max(nearest, format.low), format.high)).all()


@pytest.mark.parametrize("value", [np.nan, np.inf, -np.inf])
def test_features_that_are_not_finite_are_refused(value):
    program = RandomPrograms(1).program()
    x = np.zeros((3, program.inputs))
    x[2, 0] = value
    with pytest.raises(
        UserError, match=r"utt: features must be finite, got .*(nan|inf) at \(2, 0\); correct the audio"
    ):
        Golden(program).quantize(x, "utt")


def test_vectors_of_another_size_are_refused():
    program = RandomPrograms(1).program()
    wrong = program.inputs + 1
    with pytest.raises(UserError, match=f"utt: vectors of {wrong} elements, the program takes {program.inputs}"):
        Golden(program).quantize(np.zeros((3, wrong)), "utt")


@given(seed=SEEDS, change=st.sampled_from([-1, 1, 7]))
def test_integers_of_another_size_are_refused(seed, change):
    program = RandomPrograms(seed).program()
    x = np.zeros((2, 3, max(program.inputs + change, 0)), np.int64)
    message = rf"x has shape .*, the program takes vectors of {program.inputs} elements"
    with pytest.raises(ValueError, match=message):
        Golden(program).run(x)
    with pytest.raises(ValueError, match=message):
        Golden(program).trace(x[:, 0])


@given(seed=SEEDS, utterances=st.sampled_from([1, 2, 4]))
def test_a_state_of_other_utterances_is_refused(seed, utterances):
    program = RandomPrograms(seed).program()
    golden = Golden(program)
    with pytest.raises(ValueError, match=r"the state has shapes .*, the program and x call for"):
        golden.run(np.zeros((2, 3, program.inputs), np.int64), golden.initial(utterances))


def test_a_value_that_is_always_zero_has_a_format_when_it_is_traced():
    log = Log(trace={})
    Integers(np.zeros(3, np.int64), 0, 0, 5, log).named("y")
    assert log.formats == {"y": Format(2, 5)}
