"""Phase I on made-up errors: the choice of brute force in at most five trainings, in the order of the paper."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ernn.explore.candidates import Cost
from ernn.explore.phase_one import Choice, Measure, Problem, Train, Tried, decide
from ernn.params import Network
from tests.explore.problems import SIZES, brute_force, candidate, chain, none, run

LSTM, GRU = Network(cell="lstm", cells=128), Network(cell="gru", cells=128)
COSTS = (8.0, 4.0, 2.0, 1.0)


def errors_of(table):
    """Errors of uniform block sizes by network, from lists in the order of SIZES."""
    return lambda each: table[each.network][SIZES.index(int(each.strength[0]))]


def problem(*chains, limit=18.0, budget=5, mixing="none", make=none):
    return Problem(limit, chains[0][0].network, tuple(each for one in chains for each in one), budget, make, mixing)


@given(
    st.lists(st.floats(10, 30), min_size=4, max_size=4).map(sorted),
    st.lists(st.floats(0.1, 9), min_size=4, max_size=4, unique=True).map(lambda x: sorted(x, reverse=True)),
    st.floats(9, 31),
)
def test_one_network_takes_three_trainings_and_gives_the_choice_of_brute_force(errors, costs, limit):
    lstm = chain("lstm", LSTM, costs)
    of = errors_of({"lstm": errors})
    choice, tried, _ = run(problem(lstm, limit=limit), of)
    assert len(tried) <= 3
    assert (choice.best.price if choice.best else None) == brute_force(lstm, limit, of)
    assert choice.complete
    if choice.best is None:
        assert choice.nearest is not None
        assert "points too many" in choice.reason


def test_a_gru_takes_the_place_of_an_lstm_if_it_keeps_the_limit():
    lstm, gru = chain("lstm", LSTM, COSTS), chain("gru", GRU, [0.75 * cost for cost in COSTS])
    table = {"lstm": [16, 17, 19, 22], "gru": [16.5, 17.5, 20, 23]}
    choice, tried, reasons = run(problem(lstm, gru), errors_of(table))
    assert [each.candidate.name for each in tried][:3] == ["lstm-k4-admm", "lstm-k8-admm", "gru-k4-admm"]
    assert choice.best.name == "gru-k4-admm"
    assert reasons[2] == "in the place of lstm-k4-admm: gru of the same size and strength, 25 % cheaper"


def test_a_gru_that_misses_leaves_the_lstm():
    lstm, gru = chain("lstm", LSTM, COSTS), chain("gru", GRU, [0.75 * cost for cost in COSTS])
    table = {"lstm": [16, 17, 19, 22], "gru": [17, 18.5, 20, 23]}
    choice, tried, _ = run(problem(lstm, gru), errors_of(table))
    assert choice.best.name == "lstm-k4-admm"
    assert len(tried) <= 5


@given(
    st.lists(st.floats(10, 30), min_size=4, max_size=4).map(sorted),
    st.lists(st.floats(10, 30), min_size=4, max_size=4).map(sorted),
    st.floats(9, 31),
)
def test_whatever_two_networks_do_the_choice_is_the_cheapest_trial_that_keeps_the_limit(lstm, gru, limit):
    chains = chain("lstm", LSTM, COSTS), chain("gru", GRU, [0.75 * cost for cost in COSTS])
    of = errors_of({"lstm": lstm, "gru": gru})
    choice, tried, _ = run(problem(*chains, limit=limit), of)
    assert len(tried) <= 5
    met = [each.candidate.price for each in tried if each.per <= limit]
    assert (choice.best.price if choice.best else None) == min(met, default=None)
    if choice.complete:
        assert min(met, default=None) == brute_force([*chains[0], *chains[1]], limit, of)


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


def mixing(limit, layers="layers", budget=5):
    make = mixable(words)
    lstm = tuple(
        candidate(LSTM, each.design, words([int(x) for x in each.strength])) for each in chain("lstm", LSTM, COSTS)
    )
    found = Problem(limit, "lstm", lstm, budget, make, layers)
    return run(found, lambda each: per([int(x) for x in each.strength]), sensitivities)


def test_the_least_sensitive_matrices_get_larger_blocks():
    """k = 4 has 18 %, k = 8 20 %: with 19 % allowed, inputs go to 8 (18.6 %)."""
    choice, tried, reasons = mixing(19.0)
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
    choice, _, reasons = mixing(15.3)
    assert choice.best is not None
    assert per([int(x) for x in choice.best.strength]) <= 15.3
    assert "finer where errors are most sensitive" in reasons[-1]


@given(st.floats(14.5, 23), st.sampled_from(["kinds", "layers"]))
def test_mixing_never_takes_more_than_the_budget_and_never_a_design_that_misses(limit, layers):
    choice, tried, _ = mixing(limit, layers)
    assert len(tried) <= 5
    if choice.best is not None:
        assert per([int(x) for x in choice.best.strength]) <= limit


def test_a_search_goes_on_where_it_was():
    """Every prefix of the trials leads to the same next step, whatever was asked before."""
    lstm, gru = chain("lstm", LSTM, COSTS), chain("gru", GRU, [0.75 * cost for cost in COSTS])
    whole = problem(lstm, gru)
    of = errors_of({"lstm": [16, 17, 19, 22], "gru": [16.5, 17.5, 20, 23]})
    _, tried, _ = run(whole, of)
    for count, each in enumerate(tried):
        step = decide(whole, tried[:count], {})
        assert isinstance(step, Train)
        assert step.candidate == each.candidate


def test_a_trial_that_was_stopped_has_missed():
    lstm = chain("lstm", LSTM, COSTS)
    step = decide(problem(lstm), [Tried(lstm[1], 17.0, stopped=True)], {})
    assert isinstance(step, Train)
    assert step.candidate == lstm[0]


def test_what_has_no_hardware_is_named_where_nothing_is_met():
    lstm = chain("lstm", LSTM, (None, None, 2.0, 1.0))
    choice, tried, _ = run(problem(lstm, limit=18.0), errors_of({"lstm": [16, 17, 19, 22]}))
    assert choice.best is None
    assert choice.nearest.name == "lstm-k8-admm"
    assert len(tried) == 1
    assert choice.reason == (
        "PER: k = 8 of lstm has 19.00 % of the allowed 18.00 %, 1.00 points too many; k = 4 does not fit (bram)"
    )


def test_without_any_hardware_nothing_is_trained():
    choice, tried, _ = run(problem(chain("lstm", LSTM, (None,) * 4)), errors_of({}))
    assert not tried
    assert choice.best is choice.nearest is None
    assert choice.reason.startswith("no hardware keeps the requirement: lstm k = 2: bram")


def test_a_smaller_device_is_worth_more_than_any_cost_on_a_larger_one():
    small = candidate(LSTM, chain("lstm", LSTM, COSTS)[2].design, 100.0, device=0)
    large = candidate(LSTM, chain("lstm", LSTM, COSTS)[1].design, 0.1, device=1)
    assert small.price == Cost(0, 100.0) < large.price


def test_with_no_limit_the_weakest_compression_of_each_network_is_compared():
    lstm, gru = chain("lstm", LSTM, (None, 4.0, 2.0, 1.0)), chain("gru", GRU, (6.0, 3.0, 1.5, 0.7))
    whole = problem(lstm, gru, limit=None)
    choice, tried, _ = run(whole, errors_of({"lstm": [16, 17, 19, 22], "gru": [16.5, 17.5, 20, 23]}))
    assert {each.candidate.name for each in tried} == {"lstm-k4-admm", "gru-k2-admm"}
    assert choice.best.name == "gru-k2-admm"


@pytest.mark.parametrize("budget", [1, 2])
def test_a_search_whose_trainings_are_used_up_says_so(budget):
    lstm = chain("lstm", LSTM, COSTS)
    choice, tried, _ = run(problem(lstm, budget=budget, limit=23.0), errors_of({"lstm": [16, 17, 19, 22]}))
    assert len(tried) == budget
    assert not choice.complete
    assert f"all {budget} trainings are used" in choice.reason


def test_sensitivities_are_asked_for_once_and_only_if_something_can_be_mixed():
    lstm = chain("lstm", LSTM, COSTS)
    done = [Tried(lstm[1], 17.0), Tried(lstm[2], 19.0)]
    assert isinstance(decide(problem(lstm), done, {}), Choice)
    asked = decide(problem(lstm, mixing="layers", make=mixable(lambda sizes: words(sizes) / 16)), done, {})
    assert asked == Measure(lstm[1])
