"""The integer model against a slow one, element by element; cut anywhere, padded, traced, at its extremes."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from ernn.errors import UserError
from ernn.golden.model import Golden
from tests.golden.programs import Maker
from tests.golden.slow import Slow

SEEDS = st.integers(0, 2**20)


@given(seed=SEEDS)
@settings(max_examples=60)
def test_every_integer_is_that_of_the_slow_model(seed):
    maker = Maker(seed)
    program = maker.program()
    x = maker.features(program, frames=3, utterances=1)
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
    assert all(".sums" in name for name in set(counted) - set(slow.saturated))


@given(seed=SEEDS, cut=st.integers(0, 6))
@settings(max_examples=30)
def test_cut_anywhere_the_integers_are_the_same(seed, cut):
    maker = Maker(seed)
    program = maker.program()
    x = maker.features(program, frames=6, utterances=2)
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
    maker = Maker(seed)
    program = maker.program()
    x = maker.features(program, frames=max(lengths), utterances=len(lengths))
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
    program = Maker(seed).program()
    low, high = program.input.low, program.input.high
    frames = {"zero": [0, 0], "low": [low, low], "high": [high, high], "alternating": [low, high]}[kind]
    x = np.repeat(np.array(frames)[:, None], program.inputs, axis=1)
    logits, _ = Golden(program).run(x[:, None])
    assert logits[:, 0].tolist() == Slow(program).run(x)


def test_a_trace_has_each_value_of_each_frame():
    program = next(p for p in (Maker(seed).program() for seed in range(99)) if p.layers[0].kind == "lstm")
    traced = Golden(program).trace(np.zeros((4, program.inputs), np.int64))
    names = {f"layers.0.{name}" for name in ("a_i", "i", "a_f", "f", "a_g", "g", "c", "a_o", "o", "tanh_c", "m", "y")}
    assert names <= set(traced)
    assert traced["output.logits"].shape == (4, program.decoder.classes)
    assert all(len(values) == 4 for values in traced.values())


@given(seed=SEEDS)
@settings(max_examples=20)
def test_features_become_the_nearest_integers_or_the_ends(seed):
    program = Maker(seed).program()
    random = np.random.default_rng(seed)
    x = random.uniform(-2, 2, (5, program.inputs)) * program.input.limit
    integers = Golden(program).quantize(x)
    inside = (integers > program.input.low) & (integers < program.input.high)
    assert (np.abs(integers - x / program.input.resolution)[inside] <= 0.5).all()
    assert integers.min() >= program.input.low
    assert integers.max() <= program.input.high
    huge = Golden(program).quantize(np.full((1, program.inputs), 1e30))
    assert (huge == program.input.high).all()


@pytest.mark.parametrize("value", [np.nan, np.inf, -np.inf])
def test_features_that_are_not_finite_are_refused(value):
    program = Maker(1).program()
    x = np.zeros((3, program.inputs))
    x[2, 0] = value
    with pytest.raises(
        UserError, match=r"utt: features must be finite, got .*(nan|inf) at \(2, 0\); correct the audio"
    ):
        Golden(program).quantize(x, "utt")


def test_vectors_of_another_size_are_refused():
    program = Maker(1).program()
    wrong = program.inputs + 1
    with pytest.raises(UserError, match=f"utt: vectors of {wrong} elements, the program takes {program.inputs}"):
        Golden(program).quantize(np.zeros((3, wrong)), "utt")
