"""Published systems beside ours: like stands beside like, and estimates never in the column of measurements."""

import dataclasses

import pytest

from bench import accelerator, against
from bench.record import FOLDER
from ernn import artifacts
from ernn.devices.catalogue import DEVICES
from ernn.hw.design import Work
from ernn.report.published import published

WORK = Work({"12x12": 7e5}, 1e6, table_bits=1e4, register_file_bits=1e5, read_bits=1e6, write_bits=1e5)
ROW = {"design": "c-lstm-k8", "bits": 16, "multipliers": 1000, "streams": 1}
RUN = against.Ours(
    ROW | {"cycles_per_frame": 400.0, "latency_cycles": 1200, "register_toggles_per_frame": 4e6},
    409_600,
    WORK,
)


@pytest.mark.parametrize("system", published(), ids=lambda each: f"{each.name} {each.platform}")
def test_a_design_of_ours_has_the_network_blocks_and_device_of_the_published_one(system):
    case = accelerator.CASES[against.OURS[system.name]]
    network = case.network
    parts = [network.cell, str(network.cells), *(["proj", str(network.projection)] if network.projection else [])]
    assert "-".join(parts) == system.cell
    assert system.block_size in (None, case.block_size)
    assert (system.system == "ESE") == (case.pruning_ratio > 1)
    assert against.DEVICE_OF[system.platform] in DEVICES
    if system.system in ("ESE", "C-LSTM", "E-RNN"):
        assert case.spec.bits.weights == system.weight_bits


def test_rows_come_in_pairs_with_the_confidence_of_the_published_figures():
    found = list(against.rows({"c-lstm-k8": RUN}, against.Registers({})))
    assert [(row["system"], row["ours"]) for row in found] == [("C-LSTM FFT8", False), ("C-LSTM FFT8", True)] * 2
    theirs, ours = found[:2]
    assert theirs["confidence"] == ours["confidence"] == "recalled"
    assert (ours["frames_per_s"], ours["latency_us"], ours["dsp"], ours["clock_kind"]) == (500_000, 6, 1000, "assumed")
    assert ours["frames_ratio"] == round(500_000 / theirs["frames_per_s"], 2)


def test_an_estimate_needs_counted_registers_and_toggles_and_has_its_own_column():
    counted = against.Registers({("c-lstm-k8", "xcku060"): 200_000})
    idle = dataclasses.replace(RUN, row=RUN.row | {"register_toggles_per_frame": None})
    theirs, ours = list(against.rows({"c-lstm-k8": RUN}, counted))[2:]
    for run, registers in ((RUN, against.Registers({})), (idle, counted)):
        without = list(against.rows({"c-lstm-k8": run}, registers))[3]
        assert (without["energy_kind"], without["uj_per_frame_estimate"]) == (None, None)
    assert (theirs["energy_kind"], theirs["uj_per_frame_estimate"]) == ("board", None)
    assert (ours["energy_kind"], ours["uj_per_frame_measured"]) == ("estimate", None)
    assert ours["uj_per_frame_estimate"] > 0


def test_recorded_designs_of_ours_have_at_most_the_multipliers_of_the_published_ones():
    recorded = artifacts.read_json(FOLDER / "against.json")["rows"]
    pairs = list(zip(recorded[::2], recorded[1::2], strict=True))
    assert len(pairs) == len(published())
    for theirs, ours in pairs:
        assert (theirs["system"], theirs["ours"], ours["ours"]) == (ours["system"], False, True)
        assert theirs["dsp"] is None or ours["dsp"] <= theirs["dsp"]


def test_simulated_designs_have_at_most_the_multipliers_of_the_published_ones_before_they_are_joined():
    simulated = {row["design"]: row for row in accelerator.recorded()}
    limits = [(against.OURS[system.name], system.dsp) for system in published()]
    limits += [(name, case.paper[1]) for name, case in accelerator.CASES.items() if case.paper]
    for name, limit in limits:
        assert limit is None or simulated[name]["multipliers"] <= limit, name
