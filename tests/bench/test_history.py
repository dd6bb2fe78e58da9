"""The history of the reference designs: what is new is added, what is known stays."""

from bench import history

ROW = dict.fromkeys(history.FIGURES, 1) | {"design": "lstm-k8", "device": "xcku060", "commit": "a"}


def test_figures_that_changed_are_a_new_row_behind_the_old_one():
    found = history.merged([ROW], [ROW | {"lut": 2, "commit": "b"}])
    assert [(row["lut"], row["commit"]) for row in found] == [(1, "a"), (2, "b")]


def test_figures_that_did_not_change_keep_the_row_of_their_first_commit():
    assert history.merged([ROW], [ROW | {"commit": "b"}]) == [ROW]


def test_every_design_and_device_has_a_history_of_its_own():
    others = [ROW | {"device": "xc7vx690t"}, ROW | {"design": "gru-2x128-k4", "device": "ecp5-85f"}]
    found = history.merged([ROW], others)
    assert [(row["design"], row["device"]) for row in found] == [
        ("lstm-k8", "xc7vx690t"),
        ("lstm-k8", "xcku060"),
        ("gru-2x128-k4", "ecp5-85f"),
    ]


def test_the_recorded_history_ends_with_todays_records():
    """Renewed with every change of a reference design (`python -m bench.history`)."""
    known = history.artifacts.read_json(history.FOLDER / "hardware-history.json")["rows"]
    assert history.merged(known, history.rows_at(None)) == known
