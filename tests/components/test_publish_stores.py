"""Publishing never is in the way: stores and servers that fail, are slow, or are of another MLflow."""

import contextlib
import shutil
import socket
import sqlite3
import subprocess
import sys
from pathlib import Path

import pytest
import yaml

from components import tracking, ui
from components.publish import publish
from components.report import report
from components.stage import main
from ernn.params import ENTRIES
from tests.components.published import FLAGS, FOLDERS, receipt


def test_sections_may_be_empty(finished, monkeypatch, capsys):
    monkeypatch.setenv("MLFLOW_TRACKING_URI", f"sqlite:///{finished}/mlflow.db")
    empty = {section: {} for section in ENTRIES}
    Path("params.yaml").write_text(yaml.safe_dump(yaml.safe_load(Path("params.yaml").read_text()) | empty))
    main(report, FOLDERS)
    main(publish, FLAGS)
    assert receipt()["published"]
    assert [receipt()[runs] for runs in ("runs", "integer_runs", "accelerator_runs")] == [{}, {}, {}]
    monkeypatch.setattr(tracking, "serve", lambda port: None)
    ui.main(["--receipt", "build/published.json"])
    assert "compare" not in capsys.readouterr().out
    assert Path("build/links.txt").read_text().startswith("all runs: http://127.0.0.1:")


@pytest.fixture
def silent():
    """A server that takes connections and never answers."""
    with socket.create_server(("127.0.0.1", 0)) as server:
        yield server.getsockname()[1]


@pytest.mark.parametrize("server", ["down", "silent"])
def test_a_tracking_server_that_fails_costs_one_warning(finished, published, silent, server, monkeypatch, caplog):
    shutil.copytree(published / "report", "report")
    address = f"http://127.0.0.1:{silent if server == 'silent' else ui.free_port()}"
    monkeypatch.setenv("MLFLOW_TRACKING_URI", address)
    monkeypatch.setenv("MLFLOW_HTTP_REQUEST_TIMEOUT", "1")
    main(publish, FLAGS)
    warnings = [each.message for each in caplog.records if each.levelname == "WARNING" and "components" in each.name]
    assert len(warnings) == 1
    assert warnings[0].startswith(f"not published to {address} (")
    assert warnings[0].endswith("`make publish` tries again")
    assert receipt()["published"] is False
    assert receipt()["problem"]


def test_a_server_that_is_slow_is_waited_for_and_that_is_said(silent, monkeypatch, caplog):
    caplog.set_level("INFO", "components")
    monkeypatch.setattr(tracking, "SAY_AFTER_S", 0.3)
    monkeypatch.setenv("MLFLOW_HTTP_REQUEST_TIMEOUT", "1")
    monkeypatch.setenv("MLFLOW_TRACKING_URI", f"http://ernn:secret@127.0.0.1:{silent}")
    with pytest.raises(tracking.Unreachable) as refused:
        tracking.publish("ernn", iter([]))
    said = [each.message for each in caplog.records if each.name == tracking.__name__]
    assert said == [f"http://ernn:***@127.0.0.1:{silent} has not answered yet; still trying"]
    assert refused.value.cure == ""
    assert "secret" not in str(refused.value)


FILE = "MLFLOW_TRACKING_URI must name a database that can be written, as sqlite:///mlflow.db"
STORE = "MLFLOW_TRACKING_URI must be a server, as http://HOST:PORT, or a database, as sqlite:///mlflow.db"


@pytest.mark.parametrize(
    ("address", "problem", "cure"),
    [
        ("sqlite:///{folder}", "{folder}: is a directory", FILE),
        ("sqlite:///{folder}?timeout=5", "{folder}: is a directory", FILE),
        ("sqlite:///{folder}/text", "{folder}/text: no database of SQLite", FILE),
        ("sqlite:///{folder}/text/mlflow.db", "{folder}/text: file exists", FILE),
        ("sqlite:////proc/self/mlflow.db", "/proc/self/mlflow.db: no such file or directory", FILE),
        ("sqlite:///", "sqlite:/// names no file", FILE),
        ("sqlite://mlflow.db", "sqlite://mlflow.db names no file", FILE),
        ("{folder}", "MlflowException: The filesystem tracking backend ", STORE),
        ("file://{folder}", "MlflowException: The filesystem tracking backend ", STORE),
        ("nonsense://me:secret@there", "Unsupported", STORE),
        ("mssql+nonsense://there/db", "NoSuchModuleError: ", ""),
    ],
)
def test_a_store_that_can_take_nothing_is_refused_at_once(tmp_path, monkeypatch, address, problem, cure):
    from mlflow.store.db import utils

    (tmp_path / "text").write_text("no database\n")
    monkeypatch.setattr(utils.time, "sleep", lambda seconds: pytest.fail(f"it waits for {seconds} s"))
    monkeypatch.setenv("MLFLOW_TRACKING_URI", address.format(folder=tmp_path))
    with pytest.raises(tracking.Unreachable) as refused:
        tracking.publish("ernn", iter([]))
    assert str(refused.value).startswith(problem.format(folder=tmp_path))
    assert refused.value.cure == cure
    assert "\n" not in str(refused.value)
    assert "secret" not in str(refused.value)
    assert [path.name for path in tmp_path.iterdir()] == ["text"]
    assert (tmp_path / "text").read_text() == "no database\n"


def test_a_database_of_another_mlflow_costs_one_warning_that_says_what_to_do(
    finished, published, monkeypatch, caplog, capsys
):
    shutil.copytree(published / "report", "report")
    shutil.copy(published / "mlflow.db", "old.db")
    with contextlib.closing(sqlite3.connect("old.db")) as old:
        old.execute("UPDATE alembic_version SET version_num = '451aebb31d03'")
        old.commit()
    monkeypatch.setenv("MLFLOW_TRACKING_URI", "sqlite:///old.db")
    main(publish, FLAGS)
    cure = "back it up and run `mlflow db upgrade sqlite:///old.db`; one of a newer MLflow needs that MLflow"
    (warning,) = [each.message for each in caplog.records if each.levelname == "WARNING" and "components" in each.name]
    assert warning.startswith(
        "not published to sqlite:///old.db (MlflowException: Detected out-of-date database schema"
    )
    assert warning.endswith(f"); {cure}, then `make publish`")
    assert (receipt()["published"], receipt()["cure"]) == (False, cure)
    with pytest.raises(SystemExit, match="2"):
        ui.main(["--receipt", "build/published.json"])
    assert capsys.readouterr().err.endswith(f"; {cure}\n")


@pytest.mark.system
def test_two_first_publishers_at_once_share_one_new_database(tmp_path):
    code = "from components import tracking; print(tracking.publish('shared', iter([])).experiment_id)"
    both = [
        subprocess.Popen(
            [sys.executable, "-c", code], cwd=tmp_path, env={"PYTHONPATH": str(Path.cwd())}, stdout=subprocess.PIPE
        )
        for _ in range(2)
    ]
    assert [process.communicate()[0] for process in both] == [b"1\n", b"1\n"]
    assert [process.returncode for process in both] == [0, 0]
