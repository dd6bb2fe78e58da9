"""Small files of a round, into MLflow and back."""

import pytest

from components import tracking
from components.deliver import deliver
from ernn.errors import UserError

FOLDERS = ("features", "curves", "scores", "metrics_folder", "sensitivities", "programs_folder", "benchmarks", "build")
FILES = {
    "features": ("manifest.json", "data/features/manifest.json"),
    "curves": ("pretrain/lstm.csv", "curves/pretrain/lstm.csv"),
    "metrics_folder": ("pretrain/lstm.json", "metrics/pretrain/lstm.json"),
    "programs_folder": ("lstm-k4", "programs/lstm-k4"),
    "build": ("published.json", "build/published.json"),
}


@pytest.fixture
def folders(tmp_path):
    found = {name: tmp_path / "in" / name for name in FOLDERS}
    for name, folder in found.items():
        folder.mkdir(parents=True)
        if name in FILES:
            file = folder / FILES[name][0]
            file.parent.mkdir(exist_ok=True)
            file.write_text(name)
    (found["features"] / "train-000.safetensors").write_bytes(bytes(1000))
    return found


def test_what_is_delivered_comes_back_as_it_lies_on_a_laptop(folders, tmp_path, monkeypatch):
    monkeypatch.setenv("MLFLOW_TRACKING_URI", f"sqlite:///{tmp_path}/mlflow.db")
    assert not tracking.fetch(tracking.ROUNDS, "one", tmp_path / "back")
    (tmp_path / "back").mkdir()
    deliver(round="one", **folders)
    assert tracking.fetch(tracking.ROUNDS, "one", tmp_path / "back")
    back = {str(path.relative_to(tmp_path / "back")): path.read_text() for path in (tmp_path / "back").rglob("*.*")}
    assert back.items() >= {place: name for name, (file, place) in FILES.items() if "." in place}.items()
    assert (tmp_path / "back" / "programs" / "lstm-k4").read_text() == "programs_folder"
    assert not [*(tmp_path / "back").rglob("train-*")]  # features are large, and nothing reads them
    assert not tracking.fetch(tracking.ROUNDS, "another", tmp_path / "back")


def test_a_store_that_takes_nothing_is_an_error_since_the_search_waits_for_it(folders, tmp_path, monkeypatch):
    monkeypatch.setenv("MLFLOW_TRACKING_URI", f"sqlite:///{tmp_path}")
    with pytest.raises(UserError, match="is a directory; MLFLOW_TRACKING_URI must name a database"):
        deliver(round="one", **folders)
