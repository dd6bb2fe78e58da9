"""The search for widths: within the budget, no wider than its start, each step measured once."""

from hypothesis import given
from hypothesis import strategies as st

from ernn.params import Bits
from ernn.quantization.search import GROUPS, NARROWEST, Search

NEEDS = st.fixed_dictionaries({group: st.integers(4, 12) for group in GROUPS})


def loss(needs: dict[str, int]):
    """0.04 points for each bit below what a group needs."""
    return lambda bits: 20 + 0.04 * sum(max(0, needs[group] - getattr(bits, group)) for group in GROUPS)


@given(needs=NEEDS)
def test_the_result_fits_the_budget_and_every_step_is_new(needs):
    search = Search(loss(needs), reference=20.0, budget=0.1)
    found = search.run(Bits())
    assert loss(needs)(found) <= 20.1
    assert all(NARROWEST <= getattr(found, group) <= 12 for group in GROUPS)
    assert len({tuple(bits.model_dump().items()) for bits, _ in search.steps}) == len(search.steps) <= 17


@given(needs=NEEDS)
def test_every_bit_that_costs_nothing_is_saved(needs):
    found = Search(loss(needs), reference=20.0, budget=0.1).run(Bits())
    assert all(getattr(found, group) <= needs[group] for group in GROUPS)


def test_a_start_beyond_the_budget_stays():
    search = Search(lambda bits: 30.0, reference=20.0, budget=0.1)
    assert search.run(Bits()) == Bits()
    assert len(search.steps) == 1
