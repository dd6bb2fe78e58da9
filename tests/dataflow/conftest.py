"""Counting the calls of a method."""

import pytest


@pytest.fixture
def count(monkeypatch):
    """`count(Value, "times")` is a list that grows by one with each call."""

    def start(owner: type, name: str) -> list[str]:
        calls, method = [], getattr(owner, name)

        def counted(*arguments: object) -> object:
            calls.append(name)
            return method(*arguments)

        monkeypatch.setattr(owner, name, counted)
        return calls

    return start
