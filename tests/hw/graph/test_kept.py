"""Results that are kept: once for each key, and not for ever."""

from ernn.hw.graph import kept as module
from ernn.hw.graph.kept import kept


def test_a_result_is_made_once_for_each_key():
    made = []

    @kept(lambda numbers, scale=1: (tuple(numbers), scale))
    def total(numbers, scale=1):
        made.append(numbers)
        return scale * sum(numbers)

    assert [total([1, 2]), total([1, 2]), total([1, 2], scale=2), total([3])] == [3, 3, 6, 3]
    assert made == [[1, 2], [1, 2], [3]]


def test_what_was_not_asked_for_long_goes(monkeypatch):
    made = []

    @kept(lambda number: number)
    def same(number):
        made.append(number)
        return number

    monkeypatch.setattr(module, "_MOST", 2)
    for number in (1, 2, 1, 3, 1, 2):
        same(number)
    assert made == [1, 2, 3, 2]
