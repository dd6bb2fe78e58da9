"""Results of params.yaml as the repository keeps them in `metrics/` and `curves/`: figures at their real size."""

from dataclasses import fields
from pathlib import Path

import yaml

from ernn import artifacts
from ernn.devices.catalogue import Resources
from ernn.params import Parameters
from ernn.params.methods import DENSE
from ernn.records.benchmark import BenchmarkRow, EnergyEstimate, FrameEnergy, Speed
from ernn.report import results
from ernn.report.results import AcceleratorResult, IntegerResult, Result, Results

ROOT = Path(__file__).parents[2]
METRICS, CURVES = ROOT / "metrics", ROOT / "curves"


def load() -> Results:
    """All of them; intervals of losses and energies, which `metrics/` has not, are made up around their values."""
    params = Parameters.model_validate(yaml.safe_load((ROOT / "params.yaml").read_text()))
    settings = results.Settings(**{each.name: getattr(params, each.name) for each in fields(results.Settings)})
    networks = [_network(name, name, DENSE, "1", "pretrain") for name in params.networks]
    dense = {each.name: each.metrics["per"] for each in networks}
    for name, design in params.designs.items():
        label = results.block_label(design, params.networks[design.network].layers)
        networks.append(_network(name, design.network, design.family, label, "compress"))
        loss = networks[-1].metrics["per"] - dense[design.network]
        networks[-1].metrics.update(degradation=loss, degradation_low=loss - 0.4, degradation_high=loss + 0.4)
    integers = {}
    for name, spec in params.programs.items():
        design = params.designs[spec.design]
        label = results.block_label(design, params.networks[design.network].layers)
        found = _read("quantize", name)
        integers[name] = IntegerResult(name, spec, design.family, design.network, label, *found)
    accelerators = [
        AcceleratorResult(
            *(name, each, integers[each.program]),
            artifacts.read_json(METRICS / "generate" / f"{name}.json"),
            (_row(name, integers[each.program]),),
        )
        for name, each in params.accelerators.items()
    ]
    return Results(settings, tuple(networks), tuple(integers.values()), tuple(accelerators))


def _read(stage: str, name: str) -> tuple[dict[str, float], tuple[results.Row, ...]]:
    return artifacts.read_json(METRICS / stage / f"{name}.json"), results.read_curve(CURVES / stage / f"{name}.csv")


def _network(name: str, network: str, method: str, label: str, stage: str) -> Result:
    metrics, curve = _read(stage, name)
    return Result(name, network, method, label, {"compression": 1.0} | metrics, curve)


def _row(name: str, integer: IntegerResult) -> BenchmarkRow:
    found = artifacts.read_json(METRICS / "benchmark" / f"{name}.json")
    cycles = artifacts.read_json(METRICS / "simulate" / f"{name}.json")
    uj = found["energy_uj_per_frame_estimate"]
    return BenchmarkRow(
        name,
        "xcku060",
        "yosys",
        "words",
        1,
        1,
        cycles["cycles_per_frame"],
        cycles["latency_cycles"],
        Speed(*(found[each.name] for each in fields(Speed))),
        "levels",
        None,
        Resources(*(found[each.name] for each in fields(Resources))),
        Resources(*(found[f"{each.name}_percent"] for each in fields(Resources))),
        None,
        True,
        (),
        FrameEnergy(uj, 1e6 / uj, "estimate", EnergyEstimate(uj / 2, 2 * uj, {})),
        integer.metrics["per_integer"],
    )
