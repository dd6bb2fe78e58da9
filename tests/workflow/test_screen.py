"""What a person sees of a run, from what its processes say: stages, warnings, how far they are; all else is logged."""

import io
import json
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st
from rich.console import Console

from ernn.report.metrics import METRICS
from tests.workflow import toy
from workflow import declaration, outcome
from workflow.runlog import NAME, RunLog, shown
from workflow.screen import SILENCE_S, WIDTH, Screen

ROOT = Path(__file__).parents[2]
FOREIGN = (
    "> python -m components.compress --design k2 --dataset data --model models/lstm-k2\n",
    "12:00:00 wrote models/lstm-k2 (160 kB)\n",
    "2026/11/30 12:00:00 INFO mlflow.store.db.utils: Creating initial MLflow database tables...\n",
    "INFO  [alembic.runtime.migration] Running upgrade  -> 451aebb31d03, add metric step\n",
    "Use `dvc push` to send your updates to remote storage.\n",
    "To track the changes with git, run:\n",
    "\n",
    "\tgit add dvc.lock\n",
    "To enable auto staging, run:\n",
    "\tdvc config core.autostage true\n",
)


class Seen:
    """A screen of the toy declaration, what it has printed, and a clock that the test turns."""

    def __init__(self, folder, params=toy.PARAMS, terminal=False):
        self.folder, self.now, self.page = folder, 0.0, io.StringIO()
        self.declared = declaration.load(toy.write(folder, with_results(), params))
        console = Console(file=self.page, highlight=False, soft_wrap=True, force_terminal=terminal, width=WIDTH)
        self.screen = Screen(folder, self.declared.tasks, RunLog(folder), console=console, clock=lambda: self.now)

    @property
    def lines(self):
        return self.page.getvalue().splitlines()

    def begin(self, process, doing=""):
        self.screen.begin(process, lambda: doing)

    def say(self, process, *texts):
        for text in texts:
            self.screen.hear(process, process, text)
        self.screen.tick()

    def run(self, process, name, seconds, *texts):
        """A stage of a process that ends well."""
        self.say(process, f"Running stage '{name}':\n", *texts)
        self.now += seconds
        self.say(process, "Updating lock file 'dvc.lock'\n")


def with_results():
    stages = json.loads(json.dumps(toy.DVC))
    stages["stages"]["prepare"]["meta"]["result"] = "{train_hours} of speech to train on"
    stages["stages"]["compress"]["do"]["meta"] |= {
        "result": "PER {per}, {degradation:+}",
        "dense": "metrics/pretrain/${item.network}.json",
    }
    return stages


def metrics(folder, place, **values):
    file = folder / "metrics" / f"{place}.json"
    file.parent.mkdir(parents=True, exist_ok=True)
    file.write_text(json.dumps(values))


@pytest.fixture
def seen(tmp_path):
    made = Seen(tmp_path)
    metrics(tmp_path, "prepare", train_hours=1.519)
    metrics(tmp_path, "pretrain/lstm", per=16.82)
    metrics(tmp_path, "pretrain/gru", per=16.18)
    metrics(tmp_path, "compress/k2", per=21.477)
    metrics(tmp_path, "compress/k4", per=16.1)
    return made


def test_a_run_is_a_line_a_stage_with_number_name_seconds_and_result(seen):
    seen.begin("one")
    seen.run("one", "prepare", 9)
    seen.begin("two")
    seen.say("one", "Running stage 'compress@k2':\n")
    seen.run("two", "compress@k4", 31)
    seen.now += 17
    seen.screen.end("one", 0)
    seen.screen.end("two", 0)
    seen.begin("dvc")
    seen.say("dvc", "Stage 'prepare' didn't change, skipping\n")
    seen.run("dvc", "report", 3)
    seen.screen.end("dvc", 0)
    seen.screen.close(0)
    assert seen.lines == [
        "1 of 4  prepare         9 s  1.52 h of speech to train on",
        "2 of 4  compress k4    31 s  PER 16.10 %, -0.08 points",
        "3 of 4  compress k2    48 s  PER 21.48 %, +4.66 points",
        "4 of 4  report          3 s",
        "4 of 4 stages ran, 60 s; all that they said: build/run.log",
    ]


def test_stages_that_need_not_run_are_counted_and_cached_ones_named(seen):
    seen.screen.unchanged(["prepare", "compress@k2"])
    seen.begin("one")
    seen.say("one", "Stage 'compress@k4' is cached - skipping run, checking out outputs\n", "Updating lock file\n")
    seen.screen.end("one", 0)
    seen.screen.close(0)
    assert seen.lines == [
        "2 of 4  need not run: nothing that they read has changed",
        "3 of 4  compress k4  cached  PER 16.10 %, -0.08 points",
        "1 of 4 stages ran, 0 s; all that they said: build/run.log",
    ]


def test_nothing_foreign_is_shown_and_everything_is_in_the_log(seen):
    seen.begin("one")
    seen.run("one", "compress@k2", 5, *FOREIGN)
    seen.screen.end("one", 0)
    seen.screen.close(0)
    assert len(seen.lines) == 2
    kept = (seen.folder / NAME).read_text()
    assert all(f"one: {text}" in kept for text in FOREIGN)


def test_a_run_that_is_silent_says_how_far_it_is(seen):
    seen.begin("one", "place and route")
    seen.begin("two")
    seen.say("one", "Running stage 'report':\n")
    seen.now += 2
    seen.say("two", "Running stage 'compress@k2':\n")
    seen.now += 20
    seen.say("two", "12:00:20 epoch 3/10 admm: train loss 1.2, dev loss 1.3, dev PER 30.0 %, rho 0.01, 5.0 s\n")
    seen.now += SILENCE_S - 22
    seen.say("two")
    assert seen.lines == ["    ..  report 30 s, place and route; compress k2 28 s, epoch 3 of 10, 27 s left"]
    seen.now += SILENCE_S - 1
    seen.say("two")
    assert len(seen.lines) == 1
    seen.now += 1
    seen.say("two", "12:01:00 epoch 10/10 finetune: dev PER 20.0 %, 5.0 s\n")
    assert seen.lines[-1] == "    ..  report 60 s, place and route; compress k2 58 s, scoring the test split"


def test_many_stages_that_run_are_a_line(tmp_path):
    seen = Seen(tmp_path, toy.PARAMS | {"designs": {f"d{n}": {"network": "n"} for n in range(20)}})
    for n in range(20):
        seen.begin(n)
        seen.screen.hear(n, "", f"Running stage 'compress@d{n}':\n")
    seen.screen.tick()
    seen.now += SILENCE_S
    seen.screen.tick()
    assert seen.lines == ["      ..  compress d0 30 s; compress d1 30 s; compress d2 30 s; 17 more"]


@given(st.lists(st.floats(0.5, 100), min_size=1, max_size=25), st.integers(1, 4))
def test_a_run_prints_no_more_than_its_stages_and_a_line_for_each_silence(tmp_path_factory, seconds, jobs):
    designs = {f"d{n}": {"network": "n"} for n in range(len(seconds))}
    seen = Seen(tmp_path_factory.mktemp("lines"), toy.PARAMS | {"designs": designs})
    waiting, running = [*zip(designs, seconds, strict=True)], []
    while waiting or running:
        while waiting and len(running) < jobs:
            name, left = waiting.pop()
            running.append((name, seen.now + left))
            seen.begin(name)
            seen.say(name, f"Running stage 'compress@{name}':\n", *FOREIGN)
        seen.now += 0.5
        seen.screen.tick()
        for name, end in [each for each in running if each[1] <= seen.now]:
            running.remove((name, end))
            seen.screen.end(name, 0)
    assert len(seen.lines) <= len(seconds) + seen.now / SILENCE_S
    assert sum(" of " in line for line in seen.lines) == len(seconds)


WARNING = "12:00:00 warning: ADMM ended above its tolerance: residual 0.{} > compression.admm.tolerance at layer {}\n"


def test_a_warning_is_shown_once_for_all_stages(seen):
    seen.begin("one")
    seen.run("one", "compress@k2", 5, *(WARNING.format(n, n) for n in range(6)))
    seen.run("one", "compress@k4", 5, WARNING.format(7, 7), "12:00:01 warning: another\n")
    assert [line for line in seen.lines if "warning" in line] == [
        "compress k2: warning: ADMM ended above its tolerance: residual 0.0 >",
        "compress k4: warning: another",
    ]
    assert all(len(line) <= WIDTH for line in seen.lines)


def test_a_mistake_is_the_line_that_the_stage_has_said(seen, capsys):
    seen.begin("one")
    seen.say("one", "Running stage 'compress@k2':\n", *FOREIGN, "compress: a rule, a value, a cure\n")
    seen.now += 3
    seen.say("one", "ERROR: failed to reproduce 'compress@k2': failed to run: python .., exited with 2\n")
    seen.screen.end("one", 2)
    assert seen.lines == ["        compress k2     3 s  failed"]
    assert capsys.readouterr().err == "compress: a rule, a value, a cure\n"


def test_an_error_of_dvc_itself_is_shown(seen, capsys):
    seen.begin("one")
    seen.say("one", "ERROR: failed to reproduce 'prepare': output 'data' is already tracked by SCM\n")
    seen.screen.end("one", 255)
    assert "already tracked" in capsys.readouterr().err


def test_of_a_traceback_the_end_is_shown(seen, capsys):
    seen.begin("one")
    seen.say("one", "Running stage 'report':\n", *(f"  line {n}\n" for n in range(99)), "KeyError: 'x'\n")
    seen.screen.end("one", 1)
    said = capsys.readouterr().err.splitlines()
    assert said[-1] == "KeyError: 'x'"
    assert len(said) == 20


@given(st.dictionaries(st.text("abk-123", min_size=1, max_size=64), st.just({"network": "n"}), min_size=1, max_size=30))
def test_no_line_is_wider_than_a_terminal(tmp_path_factory, designs):
    folder = tmp_path_factory.mktemp("wide")
    seen = Seen(folder, toy.PARAMS | {"designs": designs})
    metrics(folder, "pretrain/n", per=-1e9)
    for name in designs:
        metrics(folder, f"compress/{name}", per=1e9)
        seen.begin(name)
        seen.say(name, f"Running stage 'compress@{name}':\n", WARNING.format(0, 1))
        seen.now += SILENCE_S
        seen.say(name, "12:00:00 epoch 3/10 admm: , 50000000.0 s\n")
        seen.now += SILENCE_S
        seen.screen.tick()
        seen.screen.end(name, 0)
    assert max(map(len, seen.lines)) <= WIDTH


def test_a_log_has_plain_lines_and_a_terminal_colours_that_go_with_the_stage(tmp_path):
    for terminal in (False, True):
        seen = Seen(tmp_path, terminal=terminal)
        seen.begin("one")
        seen.say("one", "Running stage 'report':\n")
        seen.now += 2
        seen.screen.tick()
        assert ("report" in seen.page.getvalue()) == terminal
        seen.screen.end("one", 1)
        seen.screen.close(1)
        assert ("\x1b" in seen.page.getvalue()) == terminal


def test_a_log_that_cannot_be_written_ends_no_run(tmp_path):
    (tmp_path / "build").write_text("a file")
    log = RunLog(tmp_path)
    log.write("a line")


def test_the_log_is_named_from_the_checkout(tmp_path):
    assert str(shown(tmp_path / "runs" / "smoke")) == "runs/smoke/build/run.log"
    assert shown(tmp_path) == NAME


def test_a_result_whose_metrics_are_missing_is_empty(tmp_path, seen):
    (task,) = [each for each in seen.declared.tasks if each.name == "compress@k2"]
    assert outcome.result(tmp_path, task) == "PER 21.48 %, +4.66 points"
    metrics(tmp_path, "compress/k2", other=1)
    assert outcome.result(tmp_path, task) == ""
    (tmp_path / "metrics" / "compress" / "k2.json").write_text("[")
    assert outcome.result(tmp_path, task) == ""


def test_every_result_of_dvc_yaml_is_made_of_metrics_that_are_known():
    for task in declaration.load(ROOT).tasks:
        assert {found[1] for found in outcome.METRIC.finditer(task.meta.result)} <= METRICS.keys()
