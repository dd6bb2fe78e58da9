"""Finished results of a small sweep, written by the functions that the stages write them with."""

import contextlib
import shutil

import numpy as np
import pytest
import torch
import yaml

from components import tracking
from components.publish import publish
from components.report import report
from components.stage import main
from ernn import artifacts
from ernn.data.phones import PHONES48, SILENCE, to_39
from ernn.devices.catalogue import Resources
from ernn.devices.timing import TIMINGS
from ernn.estimate import performance
from ernn.hw import design, project
from ernn.hw.graph.schedule import Clock
from ernn.hw.layout import sizing
from ernn.hw.verilog.network import Architecture, NetworkHardware
from ernn.nn import model_file
from ernn.nn.acoustic import AcousticModel
from ernn.nn.recurrent import make_circulant
from ernn.params import AcceleratorSpec, Bits, Design, Features, Network, ProgramSpec, Quantization, Scoring
from ernn.program import files as program_file
from ernn.quantization import calibrate, chain, freeze, tables
from ernn.records.benchmark import BenchmarkRecord
from ernn.records.simulation import SimulationRecord
from ernn.records.synthesis import Counts, SynthesisRow
from ernn.records.times import Times, file_of
from ernn.scoring import phone_errors
from ernn.training import outcome
from tests.components.published import BEGUN, FLAGS, FOLDERS

PARAMS = {
    "version": 1,
    "corpus": {"kind": "synthetic"},
    "features": {"kind": "logmel"},
    "training": {"criterion": "frames", "epochs": 4},
    "scoring": {"bootstrap_samples": 50},
    "compression": {"dense_share": 0.25, "finetune_share": 0.5},
    "quantization": {"budget_points": 0.1},
    "networks": {"lstm": {"cells": 8}, "gru": {"cell": "gru", "cells": 8}},
    "designs": {
        "lstm-k2": {"network": "lstm", "block_size": 2},
        "lstm-k4": {"network": "lstm", "block_size": 4},
        "lstm-k4-direct": {"network": "lstm", "method": "direct", "block_size": 4},
        "gru-mixed": {"network": "gru", "block_size": {"input": 2, "recurrent": 4}},
        "lstm-pruned": {"network": "lstm", "method": "prune", "pruning_ratio": 4.0},
    },
    "programs": {
        "lstm-k4-12": {"design": "lstm-k4"},
        "lstm-k2-narrow": {"design": "lstm-k2", "transform": "fourier", "search": True},
    },
}
PARAMS |= {
    "sensitivities": [],
    "hardware": {"clock_mhz": 100, "device": "xcku060"},
    "simulation": {"utterances": 1},
    "synthesis": {},
    "accelerators": {"lstm-k4-small": {"program": "lstm-k4-12", "array": {"lanes": 4, "columns": 1}}},
}
UTTERANCES = 30
NAMES = [f"u{number}" for number in range(UTTERANCES)]
ERRORS = {"lstm": 6, "gru": 7, "lstm-k2": 7, "lstm-k4": 9, "lstm-k4-direct": 12, "gru-mixed": 10, "lstm-pruned": 8}


def scored(name: str) -> phone_errors.Score:
    """A score with `ERRORS[name]` wrong phones or so in every utterance of 40."""
    random = np.random.default_rng(0)
    references = [random.integers(48, size=40) for _ in range(UTTERANCES)]
    hypotheses = [reference.copy() for reference in references]
    for number, hypothesis in enumerate(hypotheses):
        hypothesis[: ERRORS[name] + number % 3] += 1
    return phone_errors.score(references, [each % 48 for each in hypotheses], to_39, SILENCE)


def curve(method: str) -> list[dict[str, float | str]]:
    """Four epochs as `Run` notes them."""
    phases = {"admm": ["admm", "finetune", "finetune"], "prune": ["prune", "finetune", "finetune"]}
    rows: list[dict[str, float | str]] = []
    for epoch, phase in enumerate(phases.get(method, [method] * 4), start=2 if method in phases else 1):
        row: dict[str, float | str] = {"epoch": epoch, "phase": phase, "train_loss": 3 / epoch, "dev_loss": 3.5 / epoch}
        row |= {"dev_per": 60 / epoch + len(phase), "learning_rate": 0.001}
        if phase == "admm":
            row |= {"rho": 0.3, "residual": 0.04, "residual/0.input": 0.01, "residual/0.recurrent": 0.04}
        rows.append(row)
    return rows


def write_result(folder, name: str, dense: bool, design: Design | None, network: Network) -> None:
    model = AcousticModel(network, 8, PHONES48)
    words = model.stored_words
    if design is not None:
        make_circulant(model, design.blocks(network.layers))
    score, options = scored(name), Scoring(bootstrap_samples=50)
    metrics = outcome.rates(score, options) | {"test_loss": 1.0, "stored_weights": model.stored_words}
    if not dense:
        metrics["compression"] = words / model.stored_words
    kind = "pretrain" if dense else "compress"
    scores = {"utterances": NAMES} | score.to_json()
    artifacts.write_json(folder / "scores" / ("dense" if dense else "") / f"{name}.json", scores)
    artifacts.write_json(folder / "metrics" / kind / f"{name}.json", metrics)
    (folder / "curves" / kind).mkdir(parents=True, exist_ok=True)
    file = folder / "curves" / kind / f"{name}.csv"
    outcome.write_curve(file, curve(design.method if design else "dense"))
    if name != "gru-mixed":  # as after a checkout: the times are lost
        ended = {str(epoch): BEGUN + epoch for epoch in range(9)}
        artifacts.write_record(file_of(file), Times(artifacts.sha256(file), BEGUN, ended))
    model_file.save(model, folder / "models" / ("dense" if dense else "") / name)


def write_program(folder, name: str, spec: ProgramSpec) -> None:
    """An integer network of its design's model, measured on noise, as it would be with made-up error rates."""
    model = model_file.load(folder / "models" / spec.design)
    settings = Quantization()
    ranges = calibrate.measure_batch(model, torch.randn(6, 2, 8, generator=torch.Generator().manual_seed(1)))
    formats = calibrate.choose(model, ranges, spec, settings)
    functions = tables.activations(formats.preactivation, formats.gate, settings.segments, settings.shared_table)
    frontend = freeze.frontend_of({"features": Features().model_dump()})
    program = freeze.freeze(name, model, formats, spec, functions, frontend)
    program_file.save(program, folder / "programs" / name)
    score, theirs = scored("lstm-k4"), scored(spec.design)
    metrics = chain.metrics(chain.Quantized(program, [], False), score, [], theirs, Scoring(bootstrap_samples=50))
    artifacts.write_json(folder / "metrics" / "quantize" / f"{name}.json", metrics | {"constant_per": 95.0})
    steps = [(12, 30.0), (8, 30.05)] if spec.search else []
    widths = [("search", *step) for step in steps] + [("trained", steps[-1][0] if steps else 12, 30.05)]
    rows = [
        {"epoch": number + 1, "phase": phase, "dev_per": per, **dict.fromkeys(Bits.model_fields, bits)}
        for number, (phase, bits, per) in enumerate(widths)
    ]
    (folder / "curves" / "quantize").mkdir(parents=True, exist_ok=True)
    outcome.write_curve(folder / "curves" / "quantize" / f"{name}.csv", rows)


USED = Resources(20_000.0, 30_000.0, 70.0, 4.5)
BOTH = Counts(Resources(21_000.0, 31_000.0, 70.0, 4.5), Resources(22_000.0, 32_500.0, 70.0, 5.0))
ROWS = (
    SynthesisRow("lstm-k4-small", "xcku060", "yosys", USED, 100.0, "assumed", True, ()),
    SynthesisRow("lstm-k4-small", "ecp5-85f", "yosys, nextpnr", USED, 50.0, "place_and_route", True, (), counts=BOTH),
    SynthesisRow("lstm-k4-small", "xc7z020", "yosys", USED, 100.0, "assumed", False, ("dsp",)),
)
SIMULATED = SimulationRecord(250.0, 300.0, 0.4, 9.0, 1e6, 5.0, {})


def write_accelerator(folder, name: str, accelerator: AcceleratorSpec) -> None:
    """Sources of a program, with made-up cycles and resources, and what follows from them."""
    program = program_file.load(folder / "programs" / accelerator.program)
    sizes = [(each.lanes, each.columns, each.heads, each.pointwise) for each in (accelerator.array, accelerator.output)]
    architecture = Architecture(sizing.arrays(program, *sizes), Clock(100, TIMINGS["xc7"]))
    files = project.rtl_project(NetworkHardware(program, architecture))
    target = folder / "hardware" / name
    target.mkdir(parents=True)
    for file in (design.ACCELERATOR, "registers.md"):
        (target / file).write_text(files[file])
    (target / "digest.txt").write_text(files.digest() + "\n")
    quality = artifacts.read_json(folder / "metrics" / "quantize" / f"{accelerator.program}.json")
    rate = performance.speech_rate(program.frontend)
    rows = performance.benchmark_rows(
        performance.Measured(design.of(files), SIMULATED, rate, quality["per_integer"]), ROWS
    )
    artifacts.write_record(folder / "benchmarks" / f"{name}.json", BenchmarkRecord(rows))
    stages = {
        "generate": {"multiplications_per_frame": 900, "multipliers": 70, "weight_memory_bits": 4096},
        "simulate": SIMULATED.metrics,
    }
    for stage, metrics in (stages | {"benchmark": rows[0].metrics}).items():
        artifacts.write_json(folder / "metrics" / stage / f"{name}.json", metrics)


@pytest.fixture(scope="session")
def results(tmp_path_factory):
    """A folder with params.yaml and what the stages before the report have left; to be read only."""
    folder = tmp_path_factory.mktemp("results")
    (folder / "params.yaml").write_text(yaml.safe_dump(PARAMS, sort_keys=False))
    networks = {name: Network(**value) for name, value in PARAMS["networks"].items()}
    for name, network in networks.items():
        write_result(folder, name, True, None, network)
    for name, value in PARAMS["designs"].items():
        design = Design(**value)
        write_result(folder, name, False, design, networks[design.network])
    for name, value in PARAMS["programs"].items():
        write_program(folder, name, ProgramSpec(**value))
    for name, value in PARAMS["accelerators"].items():
        write_accelerator(folder, name, AcceleratorSpec(**value))
    return folder


@pytest.fixture
def finished(results, tmp_path, monkeypatch):
    """A copy of `results`, entered."""
    folder = shutil.copytree(results, tmp_path / "finished")
    monkeypatch.chdir(folder)
    return folder


@pytest.fixture(scope="module")
def published(results, tmp_path_factory):
    """A folder with its results in an mlflow.db of its own."""
    folder = shutil.copytree(results, tmp_path_factory.mktemp("publish") / "here")
    with contextlib.chdir(folder), pytest.MonkeyPatch.context() as patch:
        patch.delenv("MLFLOW_TRACKING_URI", raising=False)
        main(report, FOLDERS)
        main(publish, FLAGS)
    return folder


@pytest.fixture
def here(published, monkeypatch):
    monkeypatch.delenv("MLFLOW_TRACKING_URI", raising=False)
    monkeypatch.chdir(published)
    return published


@pytest.fixture
def client(here):
    from mlflow import MlflowClient

    return MlflowClient(tracking_uri=tracking.DEFAULT_URI)
