"""Names, block sizes as a person reads them, and which candidates are worth a training."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ernn.explore.candidates import mixed, name_of, strength, uniform, useful
from ernn.params import Design, Network
from ernn.params.names import check
from tests.explore.problems import SIZES, candidate, chain

LSTM = Network(cell="lstm", cells=128)
PROJECTED = Network(cell="lstm", cells=128, projection=64)
BLOCKS = st.sampled_from([1, 2, 4, 8, 16])


def sizes(shape: Network, values: list[int]) -> dict[tuple[int, str], int]:
    kinds = ("input", "recurrent", "projection") if shape.projection else ("input", "recurrent")
    places = [(layer, kind) for layer in range(shape.layers) for kind in kinds]
    return dict(zip(places, values, strict=True))


@pytest.mark.parametrize(
    ("design", "shape", "name", "blocks"),
    [
        (uniform("lstm", 8), LSTM, "lstm-k8-admm", "k = 8"),
        (mixed("lstm", LSTM, sizes(LSTM, [8, 4, 8, 4])), LSTM, "lstm-i8r4-admm", "k: input 8, recurrent 4"),
        (
            mixed("lstm", LSTM, sizes(LSTM, [8, 4, 4, 4])),
            LSTM,
            "lstm-i8r4-i4r4-admm",
            "k: layer 0: input 8, recurrent 4; layer 1: input 4, recurrent 4",
        ),
        (
            mixed("lstm", PROJECTED, sizes(PROJECTED, [8, 4, 2] * 2)),
            PROJECTED,
            "lstm-i8r4p2-admm",
            "k: input 8, recurrent 4, projection 2",
        ),
        (
            Design(network="lstm", block_size=4, density=0.5),
            LSTM,
            "lstm-k4d0p5-admm",
            "k = 4, 50 % of the blocks",
        ),
        (
            Design(network="lstm", block_size=4, density=0.5, pattern="cell"),
            LSTM,
            "lstm-k4d0p5cell-admm",
            "k = 4, 50 % of the blocks",
        ),
        (Design(network="lstm", density=0.125), LSTM, "lstm-k1d0p125-admm", "8 x fewer weights"),
        (Design(network="lstm", method="prune", pruning_ratio=8.9), LSTM, "lstm-x8p9-prune", "8.9 x fewer weights"),
    ],
)
def test_a_design_has_the_name_of_what_it_is(design, shape, name, blocks):
    assert name_of(design, shape) == name
    assert candidate(shape, design, 1.0).blocks == blocks


@given(st.lists(BLOCKS, min_size=4, max_size=4), st.lists(BLOCKS, min_size=4, max_size=4))
def test_equal_names_are_equal_designs_and_good_names(one, other):
    """Whatever way a design is written."""
    first, second = (mixed("lstm", LSTM, sizes(LSTM, values)) for values in (one, other))
    assert (name_of(first, LSTM) == name_of(second, LSTM)) == (strength(first, LSTM) == strength(second, LSTM))
    assert check(name_of(first, LSTM)) == name_of(first, LSTM)
    assert strength(first, LSTM) == tuple(map(float, one))


@given(st.lists(BLOCKS, min_size=4, max_size=4), st.lists(BLOCKS, min_size=4, max_size=4))
def test_harder_is_an_order(one, other):
    first, second = (candidate(LSTM, mixed("lstm", LSTM, sizes(LSTM, values)), 1.0) for values in (one, other))
    assert not (first.harder_than(second) and second.harder_than(first))
    if first.harder_than(second):
        assert all(a >= b for a, b in zip(one, other, strict=True))


def test_sparse_designs_are_compared_among_themselves_alone():
    few, most, whole = (Design(network="lstm", block_size=4, density=d) for d in (0.25, 0.5, 1.0))
    one, two, three = (candidate(LSTM, design, 1.0) for design in (few, most, whole))
    assert strength(few, LSTM) == (16.0,) * 4
    assert one.harder_than(two)
    assert not any(a.harder_than(b) for a, b in ((two, one), (two, three), (three, two), (one, three)))


def test_a_network_is_harder_only_if_no_layer_has_more_cells():
    shapes = [Network(cells=cells) for cells in (128, (128, 64), (64, 128))]
    whole, first, last = (candidate(shape, uniform(f"n{n}", 8), 1.0) for n, shape in enumerate(shapes))
    assert first.harder_than(whole)
    assert last.harder_than(whole)
    assert not first.harder_than(last)
    assert not whole.harder_than(first)


def test_candidates_that_cost_no_less_than_easier_ones_are_not_worth_a_training():
    found = useful(chain("lstm", LSTM, (8.0, 4.0, 4.0, None)))
    assert [each.strength[0] for each in found] == [SIZES[0], SIZES[1]]


@given(st.integers(1, 64), st.integers(1, 64), st.integers(0, 40), st.lists(BLOCKS, min_size=3, max_size=3))
def test_all_that_is_made_of_a_design_has_a_good_name_however_deep_it_is(layers, letters, odd, three):
    shape = Network(cell="lstm", layers=layers, cells=128, projection=64)
    values = [three[place % 3] for place in range(3 * layers)]
    values[odd % len(values)] = 16
    name = name_of(mixed("n" * letters, shape, sizes(shape, values)), shape)
    assert check(f"{name}-fourier3-1")
    values[odd % len(values)] = 32
    assert name_of(mixed("n" * letters, shape, sizes(shape, values)), shape) != name
