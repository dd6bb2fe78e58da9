"""The order of trainings: bisection on a chain, and no more trainings than it promises on any set."""

from hypothesis import given
from hypothesis import strategies as st

from ernn.explore import bisection
from ernn.params import Network
from tests.explore.problems import chain

LSTM = Network(cell="lstm", cells=128)


def test_a_chain_of_four_is_bisected():
    of_four = chain("a", LSTM, (8, 4, 2, 1))
    assert bisection.next_of(of_four).name == "a-k4-admm"
    assert bisection.trainings(of_four) == 3
    assert bisection.trainings(of_four[:1]) == 1
    assert bisection.trainings(()) == 0


def test_what_costs_more_is_ruled_out_by_one_that_keeps_the_bound_and_what_is_harder_by_one_that_does_not():
    k2, k4, k8, k16 = chain("a", LSTM, (8, 4, 2, 1))
    assert bisection.after_met((k2, k4, k8, k16), k4) == {k8, k16}
    assert bisection.after_missed((k2, k4, k8, k16), k4) == {k2}


def test_a_larger_network_is_not_harder_and_another_cell_says_nothing():
    small, large = chain("a", LSTM, (8, 4, 2, 1)), chain("b", Network(cell="lstm", cells=256), (80, 40, 20, 10))
    gru = chain("c", Network(cell="gru", cells=128), (7, 3, 1.5, 0.5))
    assert small[2].harder_than(large[2])
    assert small[2].harder_than(large[1])
    assert not small[1].harder_than(large[2])
    assert not large[2].harder_than(small[2])
    assert not any(a.harder_than(b) or b.harder_than(a) for a in small for b in gru)


@given(st.lists(st.lists(st.floats(0.1, 10), min_size=4, max_size=4), min_size=1, max_size=3), st.data())
def test_the_cheapest_is_found_in_no_more_trainings_than_promised(costs, data):
    """Of up to three networks of growing size, with errors that are monotone."""
    shapes = [Network(cell="lstm", cells=64 * 2**place) for place in range(len(costs))]
    open = [
        each
        for place, (shape, row) in enumerate(zip(shapes, costs, strict=True))
        for each in chain(f"n{place}", shape, sorted(row, reverse=True))
    ]
    edge = [data.draw(st.integers(0, 4)) for _ in costs]  # block sizes of each network that keep the bound
    good = {f"n{n}": max(edge[: n + 1]) for n in range(len(costs))}  # more for larger ones

    def met(candidate):
        return candidate.strength[0] < 2 ** (good[candidate.network] + 0.5)

    left, best, count = frozenset(open), None, 0
    promised = bisection.trainings(open)
    while left:
        tried = bisection.next_of(left)
        count += 1
        if met(tried):
            best, left = tried, bisection.after_met(left, tried)
        else:
            left = bisection.after_missed(left, tried)
    assert count <= promised
    cheapest = min((each.price for each in open if met(each)), default=None)
    assert (best.price if best else None) == cheapest


def test_many_candidates_take_no_longer_than_halving():
    many = [
        each
        for place in range(8)
        for each in chain(
            f"n{place}", Network(cell="lstm", cells=64 + place), [100 - place, 50 - place, 25, 12 + place]
        )
    ]
    assert bisection.trainings(many) <= 16
