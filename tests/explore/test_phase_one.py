"""Phase I on made-up errors: the choice of brute force in at most five trainings, in the order of the paper."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ernn.explore.candidates import Cost
from ernn.explore.phase_one import carry_out, decide
from ernn.explore.problem import Problem, Train, Tried
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
    assert reasons[2] == "in the place of lstm-k4-admm: gru of the same size, compressed as much, 25 % cheaper"


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


@given(
    st.lists(st.floats(10, 30), min_size=4, max_size=4).map(sorted),
    st.lists(st.floats(10, 30), min_size=4, max_size=4).map(sorted),
    st.floats(9, 31),
    st.integers(2, 7),
)
def test_trainings_side_by_side_change_neither_choice_nor_trials(lstm, gru, limit, count):
    chains = chain("lstm", LSTM, COSTS), chain("gru", GRU, [0.75 * cost for cost in COSTS])
    of = errors_of({"lstm": lstm, "gru": gru})
    given = problem(*chains, limit=limit)
    rounds, trained = 0, set()

    def train(step):
        nonlocal rounds
        assert len(step.ahead) < count
        assert step.candidate not in step.ahead
        if step.candidate.name not in trained:
            rounds += 1
            trained.update(each.name for each in (step.candidate, *step.ahead))
        return Tried(step.candidate, of(step.candidate))

    choice, tried = carry_out(given, train, lambda each: {}, count)
    assert (choice, tried) == run(given, of)[:2]
    if count >= 3:  # a step and both that may follow
        assert rounds <= (len(tried) + 1) // 2
    if count >= 7:
        assert rounds <= (len(tried) + 2) // 3


def test_nothing_is_trained_ahead_of_the_last_training():
    lstm, ahead = chain("lstm", LSTM, COSTS), []

    def train(step):
        ahead.append([each.name for each in step.ahead])
        return Tried(step.candidate, errors_of({"lstm": [16, 17, 19, 22]})(step.candidate))

    carry_out(problem(lstm, budget=1), train, lambda each: {}, 3)
    assert ahead == [[]]


def test_a_search_resumes():
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
