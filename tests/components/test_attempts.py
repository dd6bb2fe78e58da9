"""A task's command is tried again after what may pass, and never after a user's mistake."""

import os
import shutil
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest
import requests

from components import attempts, stage
from ernn.errors import UserError

COUNTED = """import pathlib, sys
p = pathlib.Path(sys.argv[1])
p.write_text((p.read_text() if p.exists() else '') + 'x')"""


def leave(code: str, path: Path, retries: int = 2) -> tuple[int, int]:
    """Exit code and attempts of a command that notes its attempts in `path` and then runs `code`."""
    words = ["--retries", str(retries), "--", sys.executable, "-c", f"{COUNTED}\n{code}", str(path)]
    with pytest.raises(SystemExit) as left:
        attempts.main(words, first_wait_s=0.01)
    return left.value.code, len(path.read_text())


@pytest.mark.parametrize("retries", [0, 1, 3])
def test_a_failure_is_tried_again_as_often_as_said(tmp_path, capfd, retries):
    assert leave("sys.exit(1)", tmp_path / "n", retries) == (1, retries + 1)
    lines = capfd.readouterr().err.splitlines()
    assert len(lines) == retries
    assert lines[:1] == ["attempts: attempt 1 of 2 ended with 1; the next in 0.01 s"] or retries != 1


def test_the_first_success_is_the_last_attempt(tmp_path):
    assert leave("sys.exit(len(p.read_text()) < 2)", tmp_path / "n") == (0, 2)


def test_a_process_that_memory_ran_out_for_is_tried_again(tmp_path, capfd):
    code = "import os, signal\nos.kill(os.getpid(), signal.SIGKILL)"
    assert leave(code, tmp_path / "n", 1) == (137, 2)
    assert "ended with 137" in capfd.readouterr().err


def test_a_mistake_of_the_user_is_not_tried_again(tmp_path, capfd):
    assert leave("sys.exit(2)", tmp_path / "n") == (2, 1)
    assert not capfd.readouterr().err


def test_torchrun_that_hides_the_exit_code_of_a_mistake_is_not_tried_again(monkeypatch, tmp_path):
    code = "from components.attempts import tell_mistake\ntell_mistake('a rate')\nsys.exit(1)"
    monkeypatch.setenv("PYTHONPATH", str(Path(attempts.__file__).parents[1]))
    assert leave(code, tmp_path / "n") == (2, 1)


@pytest.mark.parametrize("code", [0, 1, 143])
def test_a_command_that_is_asked_to_stop_stops_and_is_not_tried_again(code):
    ended = 0 if code == 0 else 143  # torchrun leaves with 1
    lines = ["import sys, time, signal", f"signal.signal(signal.SIGTERM, lambda *_: sys.exit({code}))"]
    lines += ["print(1, flush=True)", "time.sleep(60)"]
    words = [sys.executable, "-m", "components.attempts", "--", sys.executable, "-c", "\n".join(lines)]
    with subprocess.Popen(words, stdout=subprocess.PIPE, env=os.environ) as running:
        running.stdout.readline()
        begun = time.monotonic()
        running.send_signal(signal.SIGTERM)
        assert running.wait(30) == ended
    assert time.monotonic() - begun < 30


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
def test_a_wait_for_the_next_attempt_ends_at_once(number):
    words = [sys.executable, "-m", "components.attempts", "--", sys.executable, "-c", "import sys; sys.exit(1)"]
    with subprocess.Popen(words, stderr=subprocess.PIPE, text=True) as running:
        assert "the next in 30 s" in running.stderr.readline()
        running.send_signal(number)
        assert running.wait(20) == 128 + number
        assert not running.stderr.read()


@pytest.mark.parametrize("command", ["/no/such/command", "/"])
def test_a_command_that_cannot_be_run_is_one_line(capfd, command):
    with pytest.raises(SystemExit) as left:
        attempts.main(["--", command])
    assert left.value.code == 2
    (line,) = capfd.readouterr().err.splitlines()
    assert line.startswith(f"attempts: {command}: ")


@pytest.mark.parametrize(
    ("error", "code", "told"),
    [
        (UserError("training.rate: above 0"), 2, "failing: training.rate: above 0"),
        (FileNotFoundError(2, "No such file", "x"), 2, "failing: x: no such file"),
        (ConnectionRefusedError(111, "Connection refused"), 1, ""),
        (TimeoutError("timed out"), 1, ""),
        (OSError(12, "Cannot allocate memory"), 1, ""),
        (OSError(113, "No route to host"), 1, ""),
        (requests.ConnectionError("refused"), 1, ""),
        (requests.exceptions.InvalidURL("htp://"), 2, "failing: "),
        (shutil.Error([("a", "b", "denied")]), 2, "failing: "),
    ],
)
def test_a_stage_tells_mistakes_and_not_a_service_that_does_not_answer(
    monkeypatch, tmp_path, capsys, error, code, told
):
    def failing() -> None:
        """Fails."""
        raise error

    mark = tmp_path / "mistake"
    monkeypatch.setenv(attempts.MISTAKE, str(mark))
    with pytest.raises(SystemExit) as left:
        stage.main(failing, [])
    assert left.value.code == code
    assert (mark.read_text() if mark.exists() else "").startswith(told)
    assert mark.exists() == bool(told)
    assert len(capsys.readouterr().err.splitlines()) == 1
