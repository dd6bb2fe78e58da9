"""`python -m bench.against`: published systems beside designs of ours at the same network, device and clock.

Cycles of ours are those of `bench.accelerator`, read from its record. ESE and C-LSTM also stand as designs of ours,
made by the same tools: pruned as ESE's network, and block-circulant with 16 bits and Fourier transforms as C-LSTM's.
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from bench import accelerator
from bench.record import FOLDER, record
from ernn import artifacts
from ernn.devices.catalogue import DEVICES
from ernn.estimate import energy
from ernn.hw import design
from ernn.hw.design import Work
from ernn.report import published
from ernn.report.published import Published

CLOCK_MHZ = 200.0  # of every published system that says one
DEVICE_OF = {
    "XCKU060": "xcku060",
    "Virtex-7 690T": "xc7vx690t",
    "XCZU9EG": "xczu9eg",
    "XC7Z100": "xc7z100",
}
MEASURES = ("ernn/estimate/energy.py", "ernn/report/published.csv", "ernn/report/published.py")
NOTE = """\
Rows come in pairs: a published system, then a design of ours for the same network, device and clock (`ours`). Ours is
one stream: `latency_us` is that of a frame alone, from its first feature to its last logit, and includes the output
layer, of which it is not known whether the published figures have one; `frames_per_s` is that of one stream whose
frames follow each other. Published `frames_per_s` need `streams` utterances that take turns, and `latency_us` is what
the paper calls so. Cycles of ours are counted in a simulation of all of the Verilog; the clock is theirs, *assumed* for
ours. `dsp` of ours are products of two values in a cycle, one multiplier block each where widths allow.
`frames_ratio` is ours over theirs.

`confidence` is that of the published figures: read, cross-checked with another paper, or recalled and not checked.
`uj_per_frame_measured` is a published power of a board over frames a second. `uj_per_frame_estimate` of ours is
uncalibrated and of the FPGA alone (`ernn/estimate/energy.py`), with the registers that synthesis counted and the
toggles that the simulation counted: it compares rows of ours with each other, and must not be divided by a measured
one. It is missing where no synthesis is recorded in devices.json or no toggles in accelerator.json.

ESE's 57 us is its theoretical latency (82.7 us measured, as CSB-RNN's paper quotes). ESE as ours is pruned 8.9 times,
as its paper says: 0.37 M weights stay, with their places 0.73 M words. Our engine for pruned matrices finishes at most
one cell and then one output a cycle, so more multipliers than a quarter of ESE's would make it no faster."""


OURS = {  # of a system's variant
    "ESE pruned 10x": "ese",
    "C-LSTM FFT8": "c-lstm-k8",
    "C-LSTM FFT16": "c-lstm-k16",
    "E-RNN FFT8 LSTM": "lstm-k8",
    "E-RNN FFT16 LSTM": "lstm-k16",
    "E-RNN FFT8 GRU": "gru-k8",
    "E-RNN FFT16 GRU": "gru-k16",
    "CSB-RNN LSTMP 13x": "lstm-k16-512",
    "CSB-RNN GRU 20x": "gru-k16-512",
    "Spartus DeltaLSTM": "lstm-1024-k16",
}


@dataclass(frozen=True)
class Ours:
    """A design of ours: its row in accelerator.json, its weights, its work in a frame."""

    row: Mapping[str, Any]
    stored_words: int  # of the matrices of the recurrent layer
    work: Work


@dataclass(frozen=True)
class Registers:
    """Flip-flops of designs by device, as synthesis counted them: rows of devices.json."""

    counted: dict[tuple[str, str], float]

    @classmethod
    def recorded(cls) -> "Registers":
        """Those of the committed benchmark; none without one."""
        path = FOLDER / "devices.json"
        rows = artifacts.read_json(path)["rows"] if path.exists() else []
        return cls({(row["design"], row["device"]): row["ff"] for row in rows})

    def of(self, design: str, device: str) -> float | None:
        """Of a design on a device, or on any where it was not synthesized for this one: their registers are alike."""
        others = [count for (name, _), count in self.counted.items() if name == design]
        return self.counted.get((design, device), others[0] if others else None)


def described(row: Mapping[str, Any]) -> Ours:
    """A recorded design, built again for its weights and its work."""
    program, files = accelerator.built(accelerator.CASES[row["design"]])
    words = sum(matrix.stored_words for matrix in program.layers[0].matrices.values())
    return Ours(row, words, design.of(files).work)


def rows(designs: Mapping[str, Ours], registers: Registers) -> Iterator[dict[str, Any]]:
    """Pairs of rows, theirs and ours, for all systems whose design was simulated."""
    for system in published.published():
        if (name := OURS[system.name]) in designs:
            yield _theirs(system)
            yield _ours(system, designs[name], registers)


def _theirs(system: Published) -> dict[str, Any]:
    measured = system.energy_uj_per_frame
    return {
        "system": system.name,
        "ours": False,
        "device": system.platform,
        "network": system.cell,
        "weights_m": system.weights_m,
        "weight_bits": system.weight_bits,
        "clock_mhz": system.clock_mhz,
        "dsp": system.dsp,
        "streams": system.streams,
        "latency_us": system.latency_us,
        "frames_per_s": None if system.frames_per_s is None else round(system.frames_per_s),
        "frames_ratio": None,
        "uj_per_frame_measured": None if measured is None else round(measured, 1),
        "uj_per_frame_estimate": None,
        "estimate_range": None,
        "energy_kind": None if measured is None else "board",
        "confidence": system.confidence,
    }


def _ours(system: Published, design: Ours, registers: Registers) -> dict[str, Any]:
    row, clock, device = design.row, system.clock_mhz or CLOCK_MHZ, DEVICE_OF[system.platform]
    frames_per_s = 1e6 * clock / row["cycles_per_frame"]
    return _theirs(system) | {
        "ours": True,
        "design": row["design"],
        "weights_m": round(design.stored_words / 1e6, 2),
        "weight_bits": row["bits"],
        "clock_mhz": clock,
        "clock_kind": "assumed",
        "dsp": row["multipliers"],
        "streams": row["streams"],
        "cycles_per_frame": row["cycles_per_frame"],
        "latency_us": round(row["latency_cycles"] / clock, 2),
        "frames_per_s": round(frames_per_s),
        "frames_ratio": None if system.frames_per_s is None else round(frames_per_s / system.frames_per_s, 2),
        "uj_per_frame_measured": None,
        **_estimate(design, clock, device, registers.of(row["design"], device)),
    }


def _estimate(design: Ours, clock: float, device: str, registers: float | None) -> dict[str, Any]:
    cycles, toggles = design.row["cycles_per_frame"], design.row.get("register_toggles_per_frame")
    if registers is None or toggles is None:
        return {"energy_kind": None}
    total = energy.estimate(design.work, cycles, clock, registers, toggles, DEVICES[device]).total
    return {
        "uj_per_frame_estimate": round(total.value, 2),
        "estimate_range": f"{total.low:.2g} to {total.high:.2g}",
        "energy_kind": "estimate",
    }


def main() -> None:
    """Join what is recorded, and record it."""
    wanted = set(OURS.values())
    designs = {row["design"]: described(row) for row in accelerator.recorded() if row["design"] in wanted}
    record("against", list(rows(designs, Registers.recorded())), note=NOTE)


if __name__ == "__main__":
    main()
