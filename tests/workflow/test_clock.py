"""How long a search has worked: the sum over its starts, of the same question, whatever the file is like."""

import json

import pytest

from workflow import clock
from workflow.clock import Clock


@pytest.fixture
def now(monkeypatch):
    """Seconds that a test sets."""
    times = [0.0]
    monkeypatch.setattr(clock.time, "monotonic", lambda: times[0])
    return times


def started(file, now, of="a"):
    """A start; its clock begins when it is made."""
    return Clock(file, of, begun=now[0])


def test_seconds_are_those_of_all_starts_up_to_what_was_finished(tmp_path, now):
    file = tmp_path / "times.json"
    first = started(file, now)
    assert (first.seconds, first.starts) == (0.0, 1)
    now[0] = 30.0
    first.keep()
    now[0] = 55.0  # a trial that is killed
    second = started(file, now)
    assert (second.seconds, second.starts) == (30.0, 2)
    now[0] = 65.0
    second.keep()
    assert second.seconds == 40.0
    assert (started(file, now).seconds, started(file, now).starts) == (40.0, 3)


def test_a_trial_has_the_seconds_of_the_start_that_trained_it(tmp_path, now):
    file = tmp_path / "times.json"
    first = started(file, now)
    assert first.trial("gru-k2", 20.0) == 20.0
    first.keep()
    second = started(file, now)
    assert second.trial("gru-k2", 0.5) == 20.0  # it was found finished
    assert second.trial("gru-k4", 7.0) == 7.0


def test_another_question_begins_at_nothing(tmp_path, now):
    file = tmp_path / "times.json"
    first = started(file, now)
    now[0] = 30.0
    first.trial("gru-k2", 20.0)
    first.keep()
    other = started(file, now, "b")
    assert (other.seconds, other.starts, other.trial("gru-k2", 1.0)) == (0.0, 1, 1.0)


@pytest.mark.parametrize("text", ["", "{}", "[1]", json.dumps({"version": 99})])
def test_a_damaged_file_stops_no_search(tmp_path, now, text):
    file = tmp_path / "times.json"
    file.write_text(text)
    found = started(file, now)
    assert (found.seconds, found.starts) == (0.0, 1)
    found.keep()
    assert started(file, now).starts == 2


def test_without_a_file_nothing_is_written(tmp_path, now, monkeypatch):
    monkeypatch.chdir(tmp_path)
    Clock().keep()
    assert not list(tmp_path.iterdir())
