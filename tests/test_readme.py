"""README's first screen, and its numbers and those of docs/findings.md by rows of docs/benchmarks."""

import json
import re
from pathlib import Path
from typing import Any

import pytest

ROOT = Path(__file__).parents[1]
README = (ROOT / "README.md").read_text()
FINDINGS = (ROOT / "docs" / "findings.md").read_text()
LINES = 40  # of the first screen
COLUMNS = 120


def words(text: str) -> str:
    """A text without its line breaks."""
    return " ".join(text.split())


def table(name: str) -> list[dict[str, Any]]:
    return json.loads((ROOT / "docs" / "benchmarks" / f"{name}.json").read_text())["rows"]


def row(name: str, **keys: object) -> dict[str, Any]:
    """The one row of a table with these values."""
    (found,) = [each for each in table(name) if keys.items() <= each.items()]
    return found


def cells(*values: object) -> str:
    """A row as the pages print it."""
    return "| " + " | ".join(f"{each:,}" if isinstance(each, int) else str(each) for each in values) + " |"


def accuracy(network: str, method: str, k: int = 1) -> dict[str, Any]:
    return row("accuracy", network=network, method=method, block_size=k)


def test_the_first_screen_has_the_clone_the_smoke_run_a_drawing_and_a_table_with_units():
    screen = README.splitlines()[:LINES]
    text = "\n".join(screen)
    assert "\ngit clone " in text
    assert re.search(r"^make run PRESET=smoke .* \d+ minutes", text, re.MULTILINE)
    assert len(re.findall(r"!\[[^]]+\]\([^)]+\.svg\)", text)) == 1
    (first, second, *rows) = [line for line in screen if line.startswith("|")]
    assert set(second) == {"|", "-"}
    assert len({line.count("|") for line in (first, second, *rows)}) == 1
    assert all(" us " in line and " MHz, " in line for line in rows)


def test_lines_are_no_longer_than_a_screen_is_wide():
    assert [line for line in README.splitlines() if len(line) > COLUMNS] == []


def test_minutes_are_those_of_the_recorded_runs():
    smoke = row("chain", command="smoke: workflow.local")["wall_s"] / 60
    whole = sum(each["tasks"] * each["wall_s"] for each in table("stages")) / 60
    assert re.findall(r"PRESET=smoke .* (\d+) minutes", README)[0] == f"{smoke:.0f}"
    assert re.findall(r"\[(\d+) minutes\]\(docs/benchmarks/chain.md\)", README) == [f"{smoke:.0f}"]
    assert re.findall(r"params.yaml: (\d+) minutes", README) == [f"{whole:.0f}"]
    assert re.findall(r"\[(\d+) minutes\]\(docs/benchmarks/stages.md\)", README) == [f"{whole:.0f}"]


def test_the_large_network_is_the_row_lstm_k8():
    """Of devices (xcku060), accelerator and against."""
    device = row("devices", design="lstm-k8", device="xcku060")
    cycles = row("accelerator", design="lstm-k8")
    ours = row("against", design="lstm-k8", device="XCKU060", ours=True)
    theirs = row("against", system=ours["system"], device="XCKU060", ours=False)
    clock = ours["clock_mhz"]
    line = ("LSTM 1,024/512", 8, f"{ours['weights_m']} M", "not trained", "XCKU060", device["lut"], device["dsp"])
    latency = f"{cycles['latency_cycles'] / clock:.2f} us"
    assert cells(*line, int(cycles["cycles_per_frame"]), latency, f"{clock:.0f} MHz, scheduled") in README
    assert (clock, cycles["multipliers"]) == (device["fmax_mhz"], device["dsp"])
    assert f"allow {device['levels_mhz']:.0f} MHz for the first row" in words(README)
    assert f"makes {ours['frames_per_s']:,} frames a second" in README
    assert f"paper has {theirs['frames_per_s']:,} at" in README
    assert theirs["confidence"] == "recalled"


@pytest.mark.parametrize("cell", ["lstm", "gru"])
def test_the_small_networks_are_the_rows_2x128_k4(cell):
    """Of devices (ecp5-85f) and accuracy (admm, 4)."""
    device = row("devices", design=f"{cell}-2x128-k4", device="ecp5-85f")
    errors = accuracy(f"{cell}-2x128", "admm", 4)
    mhz = device["fmax_mhz"]
    line = (f"{cell.upper()} 2x128", 4, errors["stored_weights"])
    lost = f"{errors['per_mean']:.1f} % (+{errors['degradation']:.1f})"
    latency = f"{device['latency_cycles'] / mhz:.1f} us"
    shown = (device["lut"], device["dsp"], int(device["cycles_per_frame"]), latency, f"{mhz:.1f} MHz, routed")
    assert cells(*line, lost, "ECP5-85F", *shown) in README
    assert (errors["seeds"], device["fmax_kind"]) == (3, "place_and_route")


def test_pruned_and_circulant_hardware_are_the_rows_ese_and_lstm_k8():
    """Of accelerator, devices (xcku060) and against."""
    designs = ("lstm-k8", "ese")
    cycles = [row("accelerator", design=name) for name in designs]
    devices = [row("devices", design=name, device="xcku060") for name in designs]
    energy = [row("against", design=name, device="XCKU060")["uj_per_frame_estimate"] for name in designs]
    assert [each["pruning_ratio"] for each in cycles] == [1, 8.9]
    for title, rows, key in (
        ("cycles a frame", cycles, "cycles_per_frame"),
        ("latency, cycles", cycles, "latency_cycles"),
        ("multipliers", cycles, "multipliers"),
        ("LUT", devices, "lut"),
    ):
        assert cells(title, *(int(each[key]) for each in rows)) in README
    assert cells("block RAM, of 1,080 RAMB36", *(f"{each['bram']:g}" for each in devices)) in README
    for name, times, device, uj in zip(designs, cycles, devices, energy, strict=True):
        line = (name, int(times["cycles_per_frame"]), int(times["latency_cycles"]), times["multipliers"])
        assert cells(*line, device["lut"], f"{device['bram']:g}", uj) in FINDINGS


@pytest.mark.parametrize("design", ["lstm-k8", "lstm-sparse-8x", "lstm-k16", "lstm-sparse-16x"])
def test_sparse_and_whole_blocks_are_rows_of_accelerator_and_devices(design):
    cycles, device = row("accelerator", design=design), row("devices", design=design, device="xcku060")
    counted = [int(cycles[key]) for key in ("cycles_per_frame", "latency_cycles", "multipliers")]
    assert cells(design, *counted, device["lut"], f"{device['bram']:g}") in FINDINGS


def test_pruned_networks_lose_less_by_the_rows_prune_and_admm_8():
    """Of accuracy."""
    ahead = []
    for network in ("lstm-2x128", "gru-2x128", "lstm-2x256", "lstm-2x512"):
        pruned, admm = accuracy(network, "prune"), accuracy(network, "admm", 8)
        ahead.append(admm["per_mean"] - pruned["per_mean"])
        line = (network, pruned["stored_weights"], f"{pruned['per_mean']:.2f}", admm["stored_weights"])
        assert cells(*line, f"{admm['per_mean']:.2f}", f"{ahead[-1]:.2f}") in FINDINGS
    for page in (README, FINDINGS):
        assert f"{min(ahead):.1f} to {max(ahead):.1f} points fewer" in words(page)


@pytest.mark.parametrize("design", ["lstm-2x128-k2", "lstm-2x128-k4", "lstm-2x128-k8", "lstm-2x128-pruned"])
def test_small_designs_are_rows_of_devices(design):
    found = row("devices", design=design)
    keys = ("cycles_per_frame", "latency_cycles", "dsp", "lut", "bram")
    assert cells(design, *(int(found[key]) for key in keys)) in FINDINGS


@pytest.mark.parametrize("network", ["lstm-2x128", "gru-2x128", "lstm-2x256", "lstm-2x512"])
def test_losses_are_rows_of_accuracy(network):
    losses, leads = [], []
    for k in (2, 4, 8, 16):
        admm, smaller = accuracy(network, "admm", k), accuracy(network, "smaller", k)
        losses.append(f"{admm['degradation']:.2f} ({smaller['degradation']:.2f})")
    for k in (8, 16):
        direct = accuracy(network, "direct", k)
        low, high = direct["behind_admm_low"], direct["behind_admm_high"]
        level = ", level" * (low <= 0 <= high)
        leads.append(f"{direct['behind_admm']:.2f} ({low:.2f} to {high:.2f}){level}")
    assert cells(network, *losses) in FINDINGS
    assert cells(network, *leads) in FINDINGS


def test_dropout_is_the_table_overfitting():
    methods = ("dense", "admm", "direct", "smaller")
    shown = 0
    for each in table("overfitting"):
        line = (each["network"], each["block_size"], each["train_speakers"], f"{each['dropout']:g}")
        shown += cells(*line, *(f"{each[f'{method}_per']:.2f}" for method in methods)) in FINDINGS
    assert shown == 4
    best = row("overfitting", network="lstm-2x512", dropout=0.2)
    interval = f"({best['direct_behind_low']:.2f} to {best['direct_behind_high']:.2f})"
    assert f"{best['direct_behind']:.1f} points ahead of direct training {interval}" in words(FINDINGS)
    assert best["smaller_behind_low"] <= 0 <= best["smaller_behind_high"]


def test_integers_are_the_table_integer():
    """Rows that are not fine-tuned, of 12 and 8 bits."""
    rows = [each for each in table("integer") if not each["finetuned"]]
    text = words(FINDINGS)
    assert f"no design loses more than {max(each['loss'] for each in rows if each['bits'] == 12):.2f} points" in text
    for transform, said in (("exact", "points if transforms are exact"), ("fourier", "points if they are Fourier")):
        losses = [each["loss"] for each in rows if (each["bits"], each["transform"]) == (8, transform)]
        assert f"{min(losses):.2f} to {max(losses):.2f} {said}" in text
    products = {each["transform"]: each["multiplications"] for each in table("transforms") if each["bits"] == 12}
    assert set(products) == {"exact", "fourier, 4 products", "fourier, 3 products"}
    eight = {each["transform"]: each["multiplications"] for each in table("transforms") if each["block_size"] == 8}
    assert (eight["exact"], eight["fourier, 3 products"]) == (14, 11)
    assert "64 multiplications, a circulant one 14" in text
    assert "exact) or 11 (Fourier, three products)" in text


def test_the_spread_of_seeds_is_that_of_accuracy():
    """Largest per_std, of direct training and of the others; rows that train nothing are left out."""
    spread = dict.fromkeys((True, False), 0.0)
    for each in table("accuracy"):
        if each["seeds"] > 1 and each["method"] != "project":
            direct = each["method"] == "direct"
            spread[direct] = max(spread[direct], each["per_std"])
    said = f"a standard deviation of up to {spread[False]:.2f} points (direct training: {spread[True]:.2f})"
    assert said in words(FINDINGS)
