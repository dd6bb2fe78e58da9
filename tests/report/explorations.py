"""Records of searches that nobody ran: whole ones, with every kind of trial; and what is read of their pages."""

from dataclasses import replace

import pytest

from ernn.devices.catalogue import Resources
from ernn.records.exploration import (
    BoundRow,
    DenseNetwork,
    ExplorationRecord,
    HardwareRow,
    HeldOutScore,
    Limit,
    TrialRow,
)


def hardware(design: str, used: Resources, cycles: float, **others) -> HardwareRow:
    """An estimate on xcku060, unless told otherwise."""
    values = {
        "device": "xcku060",
        "sizes": "2 lanes of 4 columns",
        "share": used.dsp / 2760,
        "latency_cycles": 2.3 * cycles + 210,
        "clock_mhz": 200.0,
        "clock_kind": "assumed",
        "energy_uj": 0.3 + cycles / 220,
        "verified": False,
    }
    return HardwareRow(design, used=used, cycles=cycles, **(values | others))


K4 = hardware("lstm-k4", Resources(17_400, 27_000, 400, 84.5), 257)
K8 = hardware("lstm-k8", Resources(33_900, 48_100, 544, 125.5), 129)
K16 = hardware("lstm-k16", Resources(41_000, 60_300, 610, 140), 70)
GRU = hardware("gru-k8", Resources(24_800, 33_100, 212, 90.5), 193)
DIRECT = hardware("lstm-k4-direct", Resources(17_994, 27_285, 400, 84.5), 257)
PRUNED = hardware("lstm-pruned", Resources(80_238, 34_781, 336, 2.5), 173.8)
BUILT = replace(GRU, used=Resources(22_633, 32_469, 212, 88), cycles=193.0, clock_kind="levels", verified=True)
BUILT_K4 = replace(K4, used=Resources(17_992, 27_285, 400, 84.5), clock_kind="levels", verified=True)


def trial(design: str, verdict: str, dev_per: float, row: HardwareRow | None, **others) -> TrialRow:
    values = {
        "network": design.split("-")[0],
        "method": "admm",
        "blocks": "k = 4",
        "stored_weights": 66_608,
        "reason": "the largest block size that fits",
        "result": "the requirement is kept; a smaller one may cost less",
        "dev_loss": dev_per - 16.2,
        "cost": None if row is None else row.share,
        "hardware": row,
        "seconds": 1260.0,
        "bits": "12",
    }
    return TrialRow(design, verdict=verdict, dev_per=dev_per, **(values | others))


FOUND = ExplorationRecord(
    name="small-and-fast",
    limits=(
        Limit("per", "phone error rate on the dev split at most 18.20 %: 2 points above the dense network", 18.2),
        Limit("latency_us", "at most 5 us from the first feature of a frame to its last logit", 5.0),
        Limit("frames_per_s", "at least 500,000 frames/s, all streams together", 500_000),
        Limit("share", "at most 90 % of each resource of the device", 0.9),
    ),
    minimised="share",
    corpus="speech made by eSpeak NG (231 speakers)",
    dense=(
        DenseNetwork("lstm", "2 LSTM layers of 128 cells", 16.2, 244_784),
        DenseNetwork("gru", "2 GRU layers of 128 cells", 15.9, 185_136),
    ),
    bounds=(
        BoundRow("lstm", "k = 1", 244_784, None, None, "latency: 31 us of at most 5 us"),
        BoundRow("lstm", "k = 4", 66_608, K4.share, K4),
        BoundRow("lstm", "k = 8", 36_912, K8.share, K8),
        BoundRow("gru", "k = 8", 28_100, GRU.share, GRU),
    ),
    trials=(
        trial("lstm-k4", "missed", 18.6, K4),
        trial("lstm-k8", "stopped", 19.9, K8, blocks="k = 8", stored_weights=36_912, seconds=420.0),
        trial("lstm-k16", "stopped", 22.4, K16, blocks="input 16 recurrent 8", stored_weights=22_064),
        trial("lstm-k4-direct", "missed", 20.1, DIRECT, method="direct"),
        trial("lstm-pruned", "missed", 20.4, PRUNED, method="prune", blocks="", stored_weights=33_328),
        trial("gru-k8", "met", 17.7, GRU, blocks="k = 8", stored_weights=28_100, reason="the other network loses less"),
        trial("gru-k2", "met", 16.4, None, blocks="k = 2", stored_weights=95_000),
    ),
    front=(BUILT, BUILT_K4, K8, K16),
    verified=(BUILT, BUILT_K4),
    chosen="gru-k8",
    met=True,
    certain=True,
    binds=(),
    test=HeldOutScore(17.88, 16.43, 19.32, 1.71, 1.05, 1.96),
    measured={
        "phone error rates": "measured with the float network on the dev split; the integer network on the test split",
        "cycles": "simulated for verified accelerators, else computed by the cost model",
        "resources": "synthesized by Yosys for verified accelerators, else estimated by the cost model",
        "energy": "estimated: never measured",
    },
    seconds=14_400.0,
    commit="1cef532",
    date="2026-11-30",
    devices=("xcku060",),
    clock_mhz=200.0,
    allowed_trials=8,
)

NEAREST = replace(
    FOUND,
    name="too-much",
    chosen="lstm-k4",
    met=False,
    certain=False,
    binds=("per: 18.60 % of at most 18.20 %",),
    verified=(BUILT_K4,),
    front=(BUILT_K4, K8),
    trials=FOUND.trials[:2],
    test=None,
)

NOTHING = replace(
    FOUND,
    name="nothing",
    bounds=FOUND.bounds[:1],
    trials=(trial("lstm-k4", "missed", 18.6, None),),
    front=(),
    verified=(),
    chosen=None,
    met=False,
    certain=False,
    binds=("latency",),
    test=None,
    limits=(),
    measured={},
)

ALL = pytest.mark.parametrize("record", [FOUND, NEAREST, NOTHING], ids=lambda each: each.name)


def rows(text: str, head: str) -> list[list[str]]:
    """Cells of the Markdown table whose head begins with `head`."""
    (table,) = [each for each in text.split("\n\n") if each.startswith(f"| {head} |")]
    return [[cell.strip(" *") for cell in line[2:-2].split(" | ")] for line in table.splitlines()[2:]]


def one_network(count: int) -> ExplorationRecord:
    """The front of one integer network: each accelerator is faster and larger than the one before."""
    rows = [
        hardware("gru-k8", replace(GRU.used, lut=25_000 + 100.0 * n), 190 - n, sizes=f"{n} lanes", dev_per=17.5)
        for n in range(count)
    ]
    built = replace(rows[0], verified=True, clock_kind="levels")
    return replace(FOUND, front=tuple(rows), verified=(built,))
