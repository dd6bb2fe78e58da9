"""Tools: where they are found, what is said where they are missing or fail, and what is kept."""

import contextlib
import stat
import sys
import tempfile
from pathlib import Path

import pytest

from ernn.errors import UserError
from ernn.tools.process import OutOfTime, Tool, run, work_folder

TOOL = Tool("no-such-tool", "ERNN_NO_SUCH_TOOL", "install the package of it")


def executable(path: Path, text: str = "echo fake 1.2\n") -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(f"#!/bin/sh\n{text}")
    path.chmod(path.stat().st_mode | stat.S_IXUSR)
    return path


def refused(command: list[str | Path], folder: Path) -> str:
    with pytest.raises(UserError) as error:
        run(command, folder, folder / "logs" / "tool.log")
    return str(error.value)


def test_a_missing_tool_names_the_cure_and_the_variable():
    with pytest.raises(UserError) as error:
        TOOL.path()
    message = "no-such-tool was not found: install the package of it, or set ERNN_NO_SUCH_TOOL to its path"
    assert str(error.value) == message


def test_a_variable_that_points_nowhere_is_named(monkeypatch):
    monkeypatch.setenv(TOOL.variable, "/nowhere/tool")
    with pytest.raises(UserError, match=r"^ERNN_NO_SUCH_TOOL=/nowhere/tool is no executable: install the package "):
        TOOL.path()


def test_a_tool_is_found_by_its_variable_before_path_before_the_environment(monkeypatch, tmp_path):
    beside = executable(tmp_path / "venv" / TOOL.name)
    monkeypatch.setattr(sys, "executable", str(beside.with_name("python")))
    assert TOOL.path() == beside
    on_path = executable(tmp_path / "path" / TOOL.name)
    monkeypatch.setenv("PATH", str(on_path.parent), prepend=":")
    assert TOOL.path() == on_path
    given = executable(tmp_path / "given" / "other")
    monkeypatch.setenv(TOOL.variable, str(given))
    assert TOOL.path() == given


def test_a_file_that_cannot_be_run_is_no_tool(monkeypatch, tmp_path):
    (tmp_path / "tool").write_text("#!/bin/sh\n")
    monkeypatch.setenv(TOOL.variable, str(tmp_path / "tool"))
    assert TOOL.found() is None
    with pytest.raises(UserError, match="is no executable"):
        TOOL.path()


def test_a_tool_and_a_program_with_relative_paths_run_in_another_folder(monkeypatch, tmp_path):
    executable(tmp_path / "tools" / TOOL.name, "pwd\n")
    work = tmp_path / "work"
    work.mkdir()
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv(TOOL.variable, f"tools/{TOOL.name}")
    by_variable = TOOL.path()
    monkeypatch.delenv(TOOL.variable)
    monkeypatch.setenv("PATH", "tools", prepend=":")
    for program in (by_variable, TOOL.path(), Path("tools", TOOL.name), f"./tools/{TOOL.name}"):
        assert run([program], Path("work"), Path("tool.log")) == f"{work}\n"
    assert by_variable == TOOL.path() == tmp_path / "tools" / TOOL.name  # for those who hand it on


@pytest.mark.parametrize(
    ("text", "version"),
    [("echo fake 1.2\necho more\n", "fake 1.2"), ("echo old >&2\n", "old"), ("exit 1\n", "unknown")],
)
def test_the_version_is_the_first_line(monkeypatch, tmp_path, text, version):
    monkeypatch.setenv(TOOL.variable, str(executable(tmp_path / "tool", text)))
    assert TOOL.version() == version


def test_command_output_and_exit_code_are_kept(tmp_path):
    log = tmp_path / "logs" / "tool.log"
    assert run(["sh", "-c", "echo out; echo err >&2; pwd"], tmp_path, log) == f"out\nerr\n{tmp_path}\n"
    assert log.read_text() == f"$ sh -c echo out; echo err >&2; pwd\nout\nerr\n{tmp_path}\n\nexit code 0\n"


def test_a_command_that_fails_is_one_line_and_keeps_all(tmp_path):
    message = refused(["/bin/sh", "-c", "for n in 1 2 3 4 5; do echo line $n; done; exit 3"], tmp_path)
    log = tmp_path / "logs" / "tool.log"
    assert message == f"sh ended with exit code 3: line 3 | line 4 | line 5; all of it is in {log}"
    assert "line 1\nline 2\nline 3\nline 4\nline 5\n\nexit code 3\n" in log.read_text()


def test_a_command_is_stopped_at_its_limit_and_what_it_printed_is_kept(tmp_path):
    log = tmp_path / "tool.log"
    with pytest.raises(OutOfTime) as error:
        run(["/bin/sh", "-c", "echo begun; exec sleep 60"], tmp_path, log, limit_s=0.5)
    assert str(error.value) == f"sh was stopped after 0.5 s: begun; all of it is in {log}"
    assert log.read_text().endswith("\nbegun\n\nstopped\n")


def test_what_a_command_prints_can_be_read_while_it_runs(tmp_path):
    log = tmp_path / "tool.log"
    command = ["/bin/sh", "-c", f"echo begun; tail -n 1 '{log}'"]
    assert run(command, tmp_path, log) == "begun\nbegun\n"


def test_output_that_is_no_text_is_kept(tmp_path):
    assert run(["printf", r"\377ok"], tmp_path, tmp_path / "log") == "\ufffdok"


def test_a_command_has_the_environment_and_what_is_added(monkeypatch, tmp_path):
    monkeypatch.setenv("ERNN_HERE", "here")
    given = {"ERNN_ADDED": "added"}
    assert run(["sh", "-c", "echo $ERNN_HERE $ERNN_ADDED"], tmp_path, tmp_path / "log", given) == "here added\n"


def test_a_work_folder_stays_when_a_message_names_its_log(tmp_path, monkeypatch):
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path))
    with pytest.raises(UserError, match="all of it is in") as error, work_folder() as folder:
        run(["/bin/sh", "-c", "echo broken; exit 3"], folder, folder / "tool.log")
    named = Path(str(error.value).rpartition(" is in ")[2])
    assert named == folder / "tool.log"
    assert "broken" in named.read_text()


@pytest.mark.parametrize("raised", [None, UserError("no folder is named"), KeyboardInterrupt(), OSError("disk full")])
def test_else_a_work_folder_goes(tmp_path, monkeypatch, raised):
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path))
    with contextlib.suppress(UserError, KeyboardInterrupt, OSError), work_folder() as folder:
        (folder / "file").touch()
        if raised:
            raise raised
    assert not list(tmp_path.iterdir())
