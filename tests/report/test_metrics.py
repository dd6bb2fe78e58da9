"""The metric registry: nothing without a unit and a direction."""

import pytest

from ernn.report import metrics as reporting


def test_every_metric_says_what_it_is():
    assert all(metric.text for metric in reporting.METRICS.values())
    assert {metric.direction for metric in reporting.METRICS.values()} <= {"lower", "higher", "neither"}


@pytest.mark.parametrize(
    ("metrics", "message"), [({}, "returned none"), (None, "returned none"), ({"x": 1}, "metrics x")]
)
def test_metrics_that_nobody_explained_are_refused(metrics, message):
    with pytest.raises(ValueError, match=message):
        reporting.check(metrics)


@pytest.mark.parametrize(
    ("name", "value", "text"),
    [
        ("per", 18.404, "18.40 %"),
        ("stored_weights", 123456, "123,456 words"),
        ("compression", 7.9, "7.90 x"),
        ("train_utterances", 3696, "3,696"),
        ("degradation", None, "–"),
    ],
)
def test_numbers_are_shown_with_their_unit(name, value, text):
    assert reporting.show(name, value) == text
