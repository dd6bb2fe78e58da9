"""Publishing to a real MLflow store: once, whole, and never in the way; and the page that compares the designs."""

from pathlib import Path

import pytest

from bench import screenshot
from components import runs as publishing
from components import tracking, ui
from components.publish import publish
from components.stage import main
from ernn import artifacts
from ernn.report.metrics import METRICS
from tests.components.published import ACCELERATORS, ALL, BEGUN, FLAGS, INTEGERS, NAMES, receipt


def runs(client):
    return client.search_runs([receipt()["experiment_id"]])


def test_one_flat_finished_run_for_each_network(client):
    found = runs(client)
    assert sorted(each.info.run_name for each in found) == sorted(ALL)
    assert {each.info.status for each in found} == {"FINISHED"}
    assert {each.info.run_name: each.data.tags["kind"] for each in found} == {
        **dict.fromkeys(NAMES, "network"),
        **dict.fromkeys(INTEGERS, "integer"),
        **dict.fromkeys(ACCELERATORS, "accelerator"),
        "report": "report",
    }
    assert {each.data.tags["sweep"] for each in found} == {receipt()["sweep"]}
    assert not any("mlflow.parentRunId" in each.data.tags for each in found)


HEADER = ("mlflow.user", "mlflow.source.name", "mlflow.source.git.commit", "mlflow.note.content", "sweep")


def test_the_experiment_and_every_run_are_described_and_say_where_they_come_from(client):
    experiment = client.get_experiment(receipt()["experiment_id"])
    assert "FPGA accelerators" in experiment.tags["mlflow.note.content"]
    assert experiment.tags["mlflow.experimentKind"] == "custom_model_development"
    for run in runs(client):
        assert all(run.data.tags.get(key) for key in HEADER if ".git." not in key), run.info.run_name
    about = client.get_run(receipt()["runs"]["lstm-k4"]).data.tags["mlflow.note.content"]
    assert "compressed into circulant blocks of 4 by ADMM (E-RNN). PER " in about
    (accelerator,) = receipt()["accelerator_runs"].values()
    about = client.get_run(accelerator).data.tags["mlflow.note.content"]
    assert "on ecp5-85f. 250.0 cycles a frame (simulated, " in about


def test_runs_of_networks_are_of_the_time_of_their_training(client):
    found = {run.info.run_name: run for run in runs(client)}
    for name in ("lstm", "lstm-k4"):
        run = found[name]
        assert (run.info.start_time, run.info.end_time) == (BEGUN, BEGUN + 8)
        losses = client.get_metric_history(run.info.run_id, "train_loss_nats")
        assert [each.timestamp - BEGUN for each in losses] == [each.step for each in losses]
    lost = found["gru-mixed"].info
    assert BEGUN + 9 < lost.start_time <= lost.end_time


def test_runs_name_the_speech_that_they_have_used(client):
    inputs = client.get_run(receipt()["runs"]["lstm-k4"]).inputs.dataset_inputs
    used = {each.dataset.name: each.tags[0].value for each in inputs}
    assert used == {
        "synthetic speech, train": "training",
        "synthetic speech, dev": "validation",
        "synthetic speech, test": "testing",
    }
    assert len({each.dataset.digest for each in inputs}) == 3


def test_metrics_have_units_in_their_names_and_none_is_there_twice(client):
    words = {"%": "percent", "points": "points", "nats": "nats", "us": "us", "MHz": "mhz", "uJ": "uj"}
    words |= {"cycles": "cycles", "bits": "bits", "frames": "frames", "words": "weights"}
    for name, metric in METRICS.items():
        (shown,) = publishing.named({name: 1.0})
        assert words.get(metric.unit, "") in shown
    for run in runs(client):
        final = {name: value for name, value in run.data.metrics.items() if name.startswith("per")}
        assert len(set(final.values())) == len(final) or run.info.run_name == "report", final


def test_a_run_has_few_parameters_and_the_rest_in_a_file(client, tmp_path):
    for run in runs(client):
        assert len(run.data.params) <= 20
    run = client.get_run(receipt()["runs"]["lstm-k4"])
    settings = Path(client.download_artifacts(run.info.run_id, "settings.json", str(tmp_path)))
    assert artifacts.read_json(settings)["training"]["batch_utterances"]


def test_a_design_is_a_registered_model_that_computes_its_logits(client, here):
    import mlflow.pyfunc
    import numpy as np
    import torch

    from ernn.nn import model_file

    (version,) = client.search_model_versions("name = 'gru-mixed'")
    assert version.run_id == receipt()["runs"]["gru-mixed"]
    assert "gru-mixed" in version.description
    loaded = mlflow.pyfunc.load_model(version.source)
    network = model_file.load(Path("models/gru-mixed")).eval()
    features = np.random.default_rng(0).normal(size=(7, network.dimension)).astype(np.float32)
    with torch.no_grad():
        logits = network(torch.from_numpy(features)[:, None])[:, 0].numpy()
    assert np.array_equal(loaded.predict(features), logits)
    kept = Path(version.source.removeprefix("file://"))
    assert not [*kept.rglob("*.pkl")]
    assert [each.name for each in (kept / "artifacts").iterdir()] == ["model.safetensors"]


def test_the_report_is_a_run_with_its_pictures(client):
    (run,) = (each for each in runs(client) if each.info.run_name == "report")
    files = {each.path for each in client.list_artifacts(run.info.run_id)}
    assert files == {each.name for each in Path("report").iterdir()}


def test_a_run_has_parameters_metrics_curves_tables_and_files(client):
    run = client.get_run(receipt()["runs"]["lstm-k4"])
    assert run.data.params["block_size"] == "4"
    assert run.data.params["settings.training.epochs"] == "4"
    assert run.data.params["settings.network.cells"] == "8"
    assert run.data.metrics["compression"] == pytest.approx(1520 / 752)
    assert run.data.metrics["degradation_low_points"] <= run.data.metrics["degradation_points"]
    curve = client.get_metric_history(run.info.run_id, "dev_per_percent")
    assert [(point.step, point.value) for point in curve] == [(2, 34.0), (3, 28.0), (4, 23.0)]
    assert [point.step for point in client.get_metric_history(run.info.run_id, "residual/0.recurrent")] == [2]
    files = {each.path for each in client.list_artifacts(run.info.run_id)}
    assert files >= {"model", "settings.json", "metrics.json", "results.json", "training.png", "per.png"}


def test_an_integer_run_has_its_program_and_the_error_rate_over_the_bits(client, tmp_path):
    from ernn.program import files as program_file

    assert sorted(receipt()["integer_runs"]) == sorted(INTEGERS)
    run = client.get_run(receipt()["integer_runs"]["lstm-k2-narrow (integer)"])
    assert {name: run.data.params[name] for name in ("bits", "block_size", "method")} == {
        "bits": "8",
        "block_size": "2",
        "method": "admm",
    }
    assert run.data.params["settings.program.transform"] == "fourier"
    curve = {point.step: point.value for point in client.get_metric_history(run.info.run_id, "dev_per_percent")}
    assert curve == {48: 30.0, 32: 30.05}
    copy = client.download_artifacts(run.info.run_id, "program.safetensors", str(tmp_path))
    assert program_file.load(Path(copy)).name == "lstm-k2-narrow"


def test_an_accelerator_run_has_the_numbers_of_all_hardware_stages(client):
    assert list(receipt()["accelerator_runs"]) == ACCELERATORS
    run = client.get_run(receipt()["accelerator_runs"][ACCELERATORS[0]])
    shown = {name: run.data.params[name] for name in ("block_size", "array", "device", "clock_kind", "energy_kind")}
    assert shown == {
        "block_size": "4",
        "array": "4x1",
        "device": "ecp5-85f",
        "clock_kind": "place_and_route",
        "energy_kind": "estimate",
    }
    metrics = run.data.metrics
    assert (metrics["multipliers"], metrics["cycles_per_frame"], metrics["latency_us"]) == (70, 250, 6)
    integer = client.get_run(receipt()["integer_runs"][INTEGERS[0]]).data.metrics
    assert metrics["per_percent"] == integer["per_percent"]
    assert metrics["energy_uj_per_frame_estimate"] > 0
    files = {each.path for each in client.list_artifacts(run.info.run_id)}
    assert files >= {"accelerator.json", "registers.md", "benchmark.json", "results.json", "front.png"}


def test_the_model_in_the_store_is_the_model(client, tmp_path):
    path = "model/artifacts/model.safetensors"
    copy = client.download_artifacts(receipt()["runs"]["gru-mixed"], path, str(tmp_path))
    assert Path(copy).read_bytes() == Path("models/gru-mixed").read_bytes()


def test_again_writes_nothing_and_a_changed_result_writes_one(client):
    before = receipt()["runs"]
    main(publish, FLAGS)
    assert receipt()["runs"] == before
    metrics = Path("metrics/compress/lstm-k2.json")
    old = metrics.read_text()
    metrics.write_text(old.replace('"test_loss": 1.0', '"test_loss": 0.9'))
    main(publish, FLAGS)
    after = receipt()["runs"]
    assert [name for name in NAMES if before[name] != after[name]] == ["lstm-k2"]
    assert len(runs(client)) == len(ALL) + 1
    metrics.write_text(old)
    client.delete_run(after["lstm-k2"])
    main(publish, FLAGS)
    assert receipt()["runs"] == before


def test_what_a_killed_publisher_left_is_replaced(client):
    killed = receipt()["runs"]["lstm-pruned"]
    client.update_run(killed, status="RUNNING")
    main(publish, FLAGS)
    assert receipt()["runs"]["lstm-pruned"] != killed
    assert client.get_run(killed).info.lifecycle_stage == "deleted"
    assert len(runs(client)) == len(ALL)


def test_link_of_an_unpublished_receipt_is_one_line(tmp_path, capsys):
    refused = tracking.Receipt("ernn", "sweep", published=False, problem="ConnectionError: refused")
    artifacts.write_record(tmp_path / "published.json", refused)
    with pytest.raises(SystemExit, match="2"):
        ui.main(["--receipt", str(tmp_path / "published.json")])
    assert capsys.readouterr().err == (
        "ui: nothing to show: ConnectionError: refused; start that server, or unset MLFLOW_TRACKING_URI\n"
    )


def test_a_server_of_ones_own_is_linked_and_not_started(here, monkeypatch, capsys):
    monkeypatch.setenv("MLFLOW_TRACKING_URI", "https://mlflow.example/")
    ui.main(["--receipt", "build/published.json"])
    page = f"https://mlflow.example/#/experiments/{receipt()['experiment_id']}/runs?workflowType=machine_learning"
    assert capsys.readouterr().out.splitlines() == [
        f"MLflow: {page}",
        "Links that compare block sizes and accelerators: build/links.txt",
    ]
    links = dict(line.split(": ", 1) for line in Path("build/links.txt").read_text().splitlines())
    assert [*links] == ["all runs", "block sizes", "accelerators"]
    assert all("workflowType=machine_learning" in link for link in links.values())
    assert receipt()["accelerator_runs"][ACCELERATORS[0]] in links["accelerators"]
    assert receipt()["runs"]["lstm-pruned"] not in links["block sizes"]
    assert set(receipt()["block_runs"]) == {*NAMES} - {"lstm-pruned"}


@pytest.mark.system
@pytest.mark.browser
@pytest.mark.timeout(600)
@pytest.mark.skipif(screenshot.browser() is None, reason="no chromium; apt-get install chromium")
def test_the_page_shows_error_rate_over_block_size(here, client):
    with (
        screenshot.served(Path("build/published.json")) as links,
        screenshot.opened(links["block sizes"]) as page,
    ):
        text = page.inner_text("body")
        axes = page.locator(".parcoords .axis-title").all_text_contents()
        picture = page.screenshot()
        page.set_viewport_size({"width": 2600, "height": 1400})  # all columns of the table side by side
        table = page.inner_text("body").split()
    assert "Comparing 6 Runs from 1 Experiment" in text
    assert all(name in text for name in receipt()["block_runs"])
    assert axes == ["block_size", "method", "network", "per_percent"]
    rows = {row.split("\t")[0].strip(): row for row in text.splitlines()}
    assert sorted(rows["block_size"].split()[1:]) == ["1", "1", "1.625", "2", "4", "4"]
    rates = [each.data.metrics["per_percent"] for each in runs(client) if each.info.run_name in receipt()["block_runs"]]
    assert {f"{min(rates):.5f}", f"{max(rates):.5f}"} <= set(text.split())  # the ends of the axis
    assert sum(f"{rate:.4g}" in table for rate in rates) >= 5
    assert len(picture) > 20_000
