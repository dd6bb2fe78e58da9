"""The container contract of Kubeflow Pipelines."""

import json

import pytest

from components import executor
from ernn import artifacts
from ernn.errors import UserError
from ernn.records import times


def executor_input(folder):
    artifact = {"name": "metrics", "uri": f"{folder}/metrics", "metadata": {"display_name": "metrics"}}
    model = {"name": "model", "uri": f"{folder}/model"}
    outputs = {"metrics": {"artifacts": [artifact]}, "model": {"artifacts": [model]}}
    return {"inputs": {}, "outputs": {"artifacts": outputs, "outputFile": f"{folder}/deep/executor_output.json"}}


def test_numbers_stand_at_the_metrics_and_other_artifacts_are_named(tmp_path):
    (tmp_path / "model").mkdir()
    (tmp_path / "model" / "a").write_text("12345")
    places = {"model": tmp_path / "model", "metrics": tmp_path / "metrics"}
    executor.write_output(executor.parse(json.dumps(executor_input(tmp_path))), {"per": 18.5}, places, "k2")
    written = json.loads((tmp_path / "deep" / "executor_output.json").read_text())["artifacts"]
    assert written["metrics"]["artifacts"][0]["metadata"] == {"display_name": "metrics", "per": 18.5}
    about = {"display_name": "k2 model", "entry": "k2", "files": 1, "size_bytes": 5, "per": 18.5}
    assert written["model"]["artifacts"] == [{"name": "model", "uri": f"{tmp_path}/model", "metadata": about}]


@pytest.mark.parametrize("text", ["", "{}", "[]", '{"outputs": {}}'])
def test_what_is_no_executor_input_is_refused(text):
    with pytest.raises(UserError, match="--executor-input: JSON of an ExecutorInput"):
        executor.parse(text)


def test_gathered_files_lie_as_on_a_laptop_until_they_are_discarded(tmp_path):
    (tmp_path / "a").write_text("1")
    (tmp_path / "b").mkdir()
    (tmp_path / "b" / "c").write_text("2")
    folders = executor.gather([f"metrics/compress/k2.json={tmp_path}/a", f"models/k4={tmp_path}/b"])
    assert (folders["metrics"] / "compress" / "k2.json").read_text() == "1"
    assert (folders["models"] / "k4" / "c").read_text() == "2"
    executor.discard(folders)
    assert not folders["metrics"].exists()
    assert (tmp_path / "b" / "c").exists()


def times_of(curve):
    curve.parent.mkdir(parents=True, exist_ok=True)
    curve.write_text("epoch,phase\n1,dense\n")
    found = times.Times(artifacts.sha256(curve), 5, {"1": 7})
    artifacts.write_record(times.file_of(curve), found)
    return found


@pytest.mark.parametrize("scheme", ["s3", "minio", "gs", ""])
def test_the_times_of_a_training_go_to_other_machines_with_its_curve(tmp_path, monkeypatch, scheme):
    curve = tmp_path / "pod" / "curve"
    written = times_of(curve)
    output = {"name": "curve", "uri": f"{curve}"}
    given = {"outputs": {"artifacts": {"curve": {"artifacts": [output]}}, "outputFile": f"{tmp_path}/output.json"}}
    executor.write_output(given, None, {"curve": curve}, "k4")
    (kept,) = artifacts.read_json(tmp_path / "output.json")["artifacts"]["curve"]["artifacts"]

    place = tmp_path / "other" / "curve"  # where Kubeflow copies the file alone
    place.parent.mkdir()
    place.write_bytes(curve.read_bytes())
    address = f"{place}" if not scheme else f"{scheme}://bucket/curve"
    link = f"{place}" if not scheme else f"/{'gcs' if scheme == 'gs' else scheme}/bucket/curve"
    read = {"inputs": {"artifacts": {"in": {"artifacts": [kept | {"uri": address}]}}}}
    assert executor._times(read) == {link: written.text()}
    if not scheme:
        folders = executor.gather([f"curves/compress/k4.csv={place}"], read)
        assert times.read(folders["curves"] / "compress" / "k4.csv") == written
        executor.discard(folders)
        assert sorted(each.name for each in place.parent.iterdir()) == ["curve"]


def test_the_times_of_another_curve_are_none(tmp_path):
    curve = tmp_path / "k4.csv"
    assert times.read(curve) is None
    written = times_of(curve)
    assert times.read(curve) == written
    curve.write_text("epoch,phase\n1,admm\n")
    assert times.read(curve) is None
    times_of(curve)
    for text in ("{", "[" * 100_000, "9" * 5000, "null", ""):
        times.file_of(curve).write_text(text)
        assert times.read(curve) is None
    for changes in (
        {"begun": -1},
        {"begun": 8},
        {"ended": {"1": 10**30}},
        {"ended": {"one": 7}},
        {"ended": {"1": -10}},
    ):
        times.file_of(curve).write_text(json.dumps(vars(written) | {"curve": artifacts.sha256(curve)} | changes))
        assert times.read(curve) is None
    times.file_of(curve).unlink()
    times.file_of(curve).mkdir()
    assert times.read(curve) is None


@pytest.mark.parametrize("kept", [{"metadata": None, "uri": None}, {"metadata": {"times": 5}, "uri": "/a"}, {}])
def test_artifacts_that_say_nothing_of_times_are_passed_over(kept):
    assert executor._times({"inputs": {"artifacts": {"in": {"artifacts": [kept]}}}}) == {}


def test_a_folder_without_files_is_there(tmp_path):
    (tmp_path / "a").write_text("1")
    folders = executor.gather(["benchmarks/", f"metrics/a={tmp_path}/a"])
    assert list(folders["benchmarks"].iterdir()) == []
    executor.discard(folders)
    assert not folders["benchmarks"].exists()


@pytest.mark.parametrize("link", ["metrics=a", "metrics/x=nowhere", "metrics/x", "metrics", "/", "metrics/="])
def test_links_of_another_form_are_refused(link):
    with pytest.raises(UserError, match="--gather FLAG/RELATIVE/PATH=FILE"):
        executor.gather([link])


def test_a_page_is_a_file_of_its_own(tmp_path):
    report = tmp_path / "report"
    report.mkdir()
    (report / "report.html").write_text("<h1>PER</h1>")
    executor.write_page(f"report/report.html={tmp_path}/out/page", {"report": report})
    assert (tmp_path / "out" / "page").read_text() == "<h1>PER</h1>"
    with pytest.raises(UserError, match=r"other\.html is missing"):
        executor.write_page(f"report/other.html={tmp_path}/out/page", {"report": report})
