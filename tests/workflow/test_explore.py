"""The search in a checkout before anything is trained: what is refused, one at a time, and how it ends."""

import argparse
import os
import re
import shutil
import signal
import subprocess
import sys
from pathlib import Path

import pytest
import yaml

from ernn import params
from ernn.errors import UserError
from workflow import clock, explore, presets
from workflow.alone import only
from workflow.trials import FAILED, DvcChain, Failed, StageTrials

ROOT = Path(__file__).parents[2]
GRU = {"cell": "gru", "layers": 1, "cells": 16}


@pytest.fixture
def checkout(tmp_path):
    """What is read before trials begin."""
    for name in ("params.yaml", "docs/benchmarks/stages.json"):
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        shutil.copy(ROOT / name, tmp_path / name)
    return tmp_path


class Unasked:
    """A chain that must not be asked for anything."""

    folder = Path("nowhere")

    def make(self, *_: object) -> bool:
        raise AssertionError("nothing is made")


@pytest.fixture
def signals():
    """Those that a search takes for itself, given back."""
    before = {number: signal.getsignal(number) for number in (signal.SIGTERM, signal.SIGHUP)}
    yield
    for number, handler in before.items():
        signal.signal(number, handler)


def options(*words: str) -> argparse.Namespace:
    return explore.parser().parse_args(["--per-loss", "1", "--name", "a", *words])


def checked(**changes: object) -> params.Parameters:
    values = yaml.safe_load((ROOT / "params.yaml").read_text())
    empty = {section: {} for section in ("designs", "programs", "accelerators")}
    return params.check(values | empty | {"requirement": {"per_loss": 1.0}} | changes, "here")


def test_one_search_of_a_name_at_a_time(checkout):
    folder = checkout / "explored" / "a"
    folder.mkdir(parents=True)
    with only(folder / ".search.lock", "search works there"), pytest.raises(UserError) as refused:
        explore.run(checkout, options(), lambda name: Unasked())
    assert str(refused.value).startswith(f"another search works in {folder} (process {os.getpid()}); wait until")
    with pytest.raises(AssertionError, match="nothing is made"):
        explore.run(checkout, options(), lambda name: Unasked())


@pytest.mark.parametrize("name", explore.PAGES)
def test_a_page_that_could_not_be_written_is_refused_before_the_work(checkout, name):
    (checkout / "explored" / "a" / name).mkdir(parents=True)
    with pytest.raises(UserError, match=rf"{name}: a folder, not a file that could be written"):
        explore.run(checkout, options(), lambda name: Unasked())


def test_a_network_with_the_name_of_a_design_is_refused():
    with pytest.raises(UserError, match=r"^networks\.gru-K2_admm: a design of gru has this name in a search; rename"):
        explore.settings(checked(networks={"gru": GRU, "gru-K2_admm": GRU}))


@pytest.mark.parametrize("order", [1, -1])
def test_minutes_count_every_network_whatever_their_order(order):
    networks = {"small": GRU, "large": {"cell": "lstm", "layers": 2, "cells": 1024}}
    both = checked(networks=dict([*networks.items()][::order]))
    alone = checked(networks={"large": networks["large"]})
    most, least = (explore.minutes(ROOT, each, explore.settings(each))["trainings"] for each in (both, alone))
    assert least < most < 1.1 * least


@pytest.mark.parametrize(
    ("changes", "grows"),
    [
        ({"requirement": {"per_loss": 1.0, "trials": 9}}, {"trainings"}),
        ({"requirement": {"per_loss": 1.0, "devices": ["xc7z020", "xcku060"]}}, {"bounds"}),
        ({"requirement": {"per_loss": 1.0, "methods": ["admm", "prune"]}}, {"bounds"}),
    ],
)
def test_minutes_have_bounds_trainings_and_hardware(changes, grows):
    networks = {"gru": {"cell": "gru", "layers": 1, "cells": 64}}
    few, many = (
        explore.minutes(ROOT, each, explore.settings(each))
        for each in (checked(networks=networks), checked(networks=networks, **changes))
    )
    assert set(few) == {"bounds", "trainings", "hardware"}
    assert all(value > 0 for value in few.values())
    assert {name for name in few if many[name] > few[name]} == grows


def test_before_it_starts_a_search_says_how_long_each_part_may_take(checkout, capsys):
    with pytest.raises(AssertionError, match="nothing is made"):
        explore.run(checkout, options(), lambda name: Unasked())
    said = capsys.readouterr().out
    number = r"(\d+)"
    parts = ", ".join(f"{number} for {name}" for name in ("bounds", "trainings", "hardware"))
    found = re.search(rf"about {number} minutes at most \({parts}\)", said)
    assert found is not None, said
    total, *each = map(int, found.groups())
    assert abs(total - sum(each)) <= 2  # each is rounded


def test_a_search_that_is_started_again_counts_its_starts(checkout, capsys):
    for words in ((), (), ("--latency-us", "9")):
        with pytest.raises(AssertionError, match="nothing is made"):
            explore.run(checkout, options(*words), lambda name: Unasked())
    said = [re.sub(r"\d+ s ", "0 s ", line) for line in capsys.readouterr().out.splitlines() if "start " in line]
    # the third one asks for something else
    assert said == ["explore: start 2 of this search; the earlier ones took 0 s together"]


class Slow:
    """A chain whose tasks take their time, or fail."""

    def __init__(self, folder: Path, now: list[float], lasts: float, fails: bool) -> None:
        self.folder, self.now, self.lasts, self.fails = folder, now, lasts, fails

    def make(self, values: object, targets: list[str], hopeless: object = None) -> bool:
        self.now[0] += self.lasts
        if self.fails:
            raise Failed(FAILED)
        return True


def test_trials_keep_their_seconds_whether_they_end_well_or_not(tmp_path, monkeypatch):
    now = [0.0]
    monkeypatch.setattr(clock.time, "monotonic", lambda: now[0])
    file, design = tmp_path / "times.json", params.Design(network="gru", block_size=2)
    curve = tmp_path / "curves" / "compress" / "gru-k2.csv"
    curve.parent.mkdir(parents=True)
    curve.write_text("epoch,dev_per\n1,20.0\n")

    def start(lasts: float, fails: bool) -> StageTrials:
        return StageTrials(Slow(tmp_path, now, lasts, fails), {"networks": {}}, clock.Clock(file, "a", now[0]))

    assert start(40.0, False).train("gru-k2", design, lambda rows: None).seconds == 40.0
    now[0] += 100.0  # killed
    with pytest.raises(Failed):
        start(7.0, True).quantize({})
    last = start(1.0, False)
    assert last.train("gru-k2", design, lambda rows: None).seconds == 40.0
    assert (last.clock.seconds, last.clock.starts) == (48.0, 3)


def test_fewest_errors_on_the_command_line_take_the_place_of_a_limit():
    given = explore.parser().parse_args(["--minimise", "per"])
    section = explore.requirement({"requirement": {"per_loss": 1.0, "trials": 3}}, given)
    assert section == {"trials": 3, "minimise": "per"}


@pytest.mark.parametrize(
    ("error", "code", "said"),
    [
        (Failed(FAILED), 3, "explore: a stage failed, see above; what is finished is kept, the same command goes on\n"),
        (UserError("change it"), 2, "explore: change it\n"),
        (FileNotFoundError(2, "No such file", "a/b"), 2, "explore: a/b: no such file\n"),
        (KeyboardInterrupt(), 130, "explore: interrupted; what is finished is kept, the same command goes on\n"),
    ],
)
def test_how_a_search_ends_is_a_line_and_an_exit_code(signals, error, code, said, capsys):
    def search() -> int:
        raise error

    assert explore.guarded(search) == code
    assert capsys.readouterr().err == said


READER = """\
import sys
from ernn.errors import UserError
from workflow import explore
def search():
    while True:
        explore.say("on and on")
sys.exit(explore.guarded(search))
"""


def test_a_search_that_nobody_reads_ends_quietly():
    reading, writing = os.pipe()
    os.close(reading)
    environment = {**os.environ, "PYTHONPATH": str(ROOT)}
    words = [sys.executable, "-c", READER]
    ended = subprocess.run(words, stdout=writing, stderr=subprocess.PIPE, env=environment, text=True, check=False)
    os.close(writing)
    assert (ended.returncode, ended.stderr) == (128 + signal.SIGPIPE, "")


def test_checkpoints_of_a_training_with_other_parameters_are_not_its_own(tmp_path):
    values = yaml.safe_load((ROOT / "params.yaml").read_text())
    shutil.copytree(ROOT / "components", tmp_path / "components")
    shutil.copytree(ROOT / "ernn" / "training", tmp_path / "ernn" / "training")
    for name in presets.FILES:
        shutil.copy(ROOT / name, tmp_path / name)
    folders = []
    for name in presets.CODE + presets.FOLDERS:
        (tmp_path / name).mkdir(parents=True, exist_ok=True)
    chain = DvcChain(tmp_path, "a", 1)
    target = ["compress@lstm-k8-admm"]
    changes = [
        {},
        {"requirement": {"per": 3.0}},
        {"designs": values["designs"] | {"other": values["designs"]["lstm-k2-admm"]}},
        {"training": values["training"] | {"learning_rate": 0.5}},
        {"corpus": values["corpus"] | {"train_speakers": 3}},
    ]
    for change in changes:
        presets.working_copy(tmp_path, "a", values | change)
        folders.append(chain.checkpoints(values | change, target))
    presets.working_copy(tmp_path, "a", values)
    (tmp_path / "runs" / "a" / "ernn" / "training" / "loop.py").write_text("pass\n")
    folders.append(chain.checkpoints(values, target))
    assert [folders.index(each) for each in folders] == [0, 0, 0, 3, 4, 5]
