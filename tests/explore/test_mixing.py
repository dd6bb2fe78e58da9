"""Block sizes of their own: the least sensitive matrices get larger ones, or the most sensitive smaller ones."""

from hypothesis import given
from hypothesis import strategies as st

from ernn.explore.phase_one import decide
from ernn.explore.problem import Choice, Measure, Problem, Tried
from ernn.params import Network
from tests.explore.problems import candidate, chain, none, run

LSTM = Network(cell="lstm", cells=128)
COSTS = (8.0, 4.0, 2.0, 1.0)


def mixable(cost):
    """Candidates of any design; `cost` of its strength."""
    return lambda design: candidate(LSTM, design, cost(strength_of(design)))


def strength_of(design):
    return [getattr(blocks, kind) for blocks in design.blocks(2) for kind in ("input", "recurrent")]


def words(sizes):
    return sum(64 / size for size in sizes)


def per(sizes, weights=(0.1, 0.4, 0.2, 0.3)):
    """Points: every doubling costs two, shared by the matrices as `weights` say."""
    return 14 + sum(2 * weight * size.bit_length() for weight, size in zip(weights, sizes, strict=True)) - 2


def sensitivities(_):
    places = ((0, "input"), (0, "recurrent"), (1, "input"), (1, "recurrent"))
    return dict(zip(places, (0.5, 2.0, 1.0, 1.5), strict=True))


def searched(limit, layers="layers", budget=5):
    make = mixable(words)
    lstm = tuple(
        candidate(LSTM, each.design, words([int(x) for x in each.strength])) for each in chain("lstm", LSTM, COSTS)
    )
    found = Problem(limit, "lstm", lstm, budget, make, layers)
    return run(found, lambda each: per([int(x) for x in each.strength]), sensitivities)


def test_the_least_sensitive_matrices_get_larger_blocks():
    """k = 4 has 18 %, k = 8 20 %: with 19 % allowed, inputs go to 8 (18.6 %)."""
    choice, tried, reasons = searched(19.0)
    assert choice.best.name == "lstm-i8r4-admm"
    assert [each.candidate.name for each in tried] == [
        "lstm-k4-admm",
        "lstm-k8-admm",
        "lstm-i8r4-admm",
        "lstm-i8r4-i8r8-admm",
    ]
    assert "layer 0 input +0.50, layer 1 input +1.00, layer 1 recurrent +1.50, layer 0 recurrent +2.00" in reasons[2]


def test_where_no_block_size_keeps_the_limit_sensitive_matrices_get_smaller_ones():
    """k = 2 has 16 %: with 15.3 % allowed, k = 2 is made finer where it matters, down to dense matrices."""
    choice, _, reasons = searched(15.3)
    assert choice.best is not None
    assert per([int(x) for x in choice.best.strength]) <= 15.3
    assert "finer where errors are most sensitive" in reasons[-1]


@given(st.floats(14.5, 23), st.sampled_from(["kinds", "layers"]))
def test_mixing_never_takes_more_than_the_budget_and_never_a_design_that_misses(limit, layers):
    choice, tried, _ = searched(limit, layers)
    assert len(tried) <= 5
    if choice.best is not None:
        assert per([int(x) for x in choice.best.strength]) <= limit


def problem(mixing):
    make = none if mixing == "none" else mixable(lambda sizes: words(sizes) / 16)
    return Problem(18.0, "lstm", chain("lstm", LSTM, COSTS), 5, make, mixing)


def test_sensitivities_are_asked_for_once_and_only_if_something_can_be_mixed():
    lstm = chain("lstm", LSTM, COSTS)
    done = [Tried(lstm[1], 17.0), Tried(lstm[2], 19.0)]
    assert isinstance(decide(problem("none"), done, {}), Choice)
    asked = decide(problem("layers"), done, {})
    assert asked == Measure(lstm[1])
