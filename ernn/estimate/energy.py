"""Energy of a frame, estimated: work of an accelerator times published energies, fit for comparing our own ones only.

An uncalibrated estimate: nothing here was fitted to a measurement on any FPGA, so it is a value with a range, and a
vendor's report or a board's measurement takes its place where there is one. Every constant is in `CONSTANTS`,
as a value with its own range, its source, and how that was obtained: `quoted` was read in another publication's or the
source's own text, `recalled` was not checked, `assumed` is an order of magnitude without a source.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Literal

from ernn.devices.catalogue import Device
from ernn.hw.design import Work


@dataclass(frozen=True)
class Span:
    """A value between bounds; bounds of sums and products assume that all err in one direction."""

    value: float
    low: float
    high: float

    def __add__(self, other: "Span") -> "Span":
        return Span(self.value + other.value, self.low + other.low, self.high + other.high)

    def __mul__(self, other: "Span | float") -> "Span":
        by = other if isinstance(other, Span) else exactly(other)
        return Span(self.value * by.value, self.low * by.low, self.high * by.high)


def exactly(value: float) -> Span:
    """Span of a number that is known exactly."""
    return Span(value, value, value)


@dataclass(frozen=True)
class EnergyConstant:
    """A published energy per operation, and how it was obtained."""

    span: Span
    unit: str
    source: str
    how: Literal["quoted", "recalled", "assumed"]


_HOROWITZ = "Horowitz, ISSCC 2014, 45 nm, 0.9 V"
_KUON = "Kuon and Rose, TCAD 26(2), 2007, 90 nm"
CONSTANTS = {
    "product": EnergyConstant(
        Span(3.1 / 32**2, 3.1 / 32**2, 0.2 / 8**2),
        "pJ for each pair of bits",
        f"{_HOROWITZ}: 3.1 pJ for 32 x 32 bits; 0.2 pJ for 8 x 8 bits",
        "quoted",
    ),
    "logic": EnergyConstant(
        Span(0.1 / 32, 0.1 / 32, 0.03 / 8),
        "pJ a bit",
        f"{_HOROWITZ}: addition, 0.1 pJ for 32 bits, 0.03 for 8",
        "quoted",
    ),
    "memory": EnergyConstant(
        Span(10 / 64, 5 / 64, 10 / 64),
        "pJ a bit",
        f"{_HOROWITZ}: 10 pJ for 64 bits of a cache of 8 kB; half of it where tags are the other half (assumed)",
        "quoted",
    ),
    "register": EnergyConstant(
        Span(0.005, 0.003, 0.01),
        "pJ a bit and cycle",
        "clock of a standard-cell flip-flop of 45 nm that keeps its value: clock pin and share of the clock tree",
        "assumed",
    ),
    "toggle": EnergyConstant(
        Span(0.008, 0.004, 0.016),
        "pJ a toggle",
        "data of a standard-cell flip-flop of 45 nm, 0.9 V: half of C V^2 with 20 fF in its nodes, its output wire and "
        "the inputs behind that; 10 and 40 fF",
        "assumed",
    ),
    "fabric": EnergyConstant(
        Span(14, 7, 28), "times", f"{_KUON}: 14 for logic on average; half and twice that (assumed)", "quoted"
    ),
    "hard_block": EnergyConstant(
        Span(3, 1, 7.1),
        "times",
        f"{_KUON}: 7.1 for designs with multipliers and memories in hard blocks; 1 for the block alone, 3 between them "
        "(assumed)",
        "recalled",
    ),
    "leakage": EnergyConstant(
        Span(1.2, 0.5, 2.4),
        "uW for each LUT of the device",
        "Tuan and Lai, CICC 2003, 90 nm: 4.2 uW at 25 C and 18.9 uW at 85 C for 8 LUTs with their routing",
        "recalled",
    ),
}
PROCESSES = {  # length (nm) and core supply (V), of the vendors' data sheets
    "xc7": (28, 1.0),
    "xcu": (20, 0.95),
    "xcup": (16, 0.85),
    "ecp5": (40, 1.1),
    "gowin": (22, 0.9),
    "gatemate": (28, 1.0),
}
REFERENCE = (45, 0.9)
PROCESS_ERROR = Span(1, 0.75, 1.5)  # of scaling by length and supply alone (assumed)
# Share of an accelerator's flip-flops that change in a cycle: the median of those that the default preset simulates,
# which lie between 0.42 (pruned) and 0.74; one with a single multiplier waits more, and has 0.11.
TOGGLING = 0.63


@dataclass(frozen=True)
class Energy:
    """Energy of a frame in microjoules, and its parts."""

    total: Span
    parts: Mapping[str, Span]


def estimate(
    work: Work,
    cycles_per_frame: float,
    clock_mhz: float,
    registers: float,
    toggles_per_frame: float,
    device: Device,
) -> Energy:
    """Energy of a frame when frames follow each other without a pause.

    Args:
        work: of all layers together.
        cycles_per_frame: initiation interval.
        registers: flip-flops of the accelerator; each is clocked in every cycle.
        toggles_per_frame: bits of registers that change in a frame, counted by `ernn.simulate.toggles`.

    Returns:
        Microjoules: operators and memories in the accelerator, clock and toggles of registers, and leakage of the whole
        device.
    """
    scale = _process(device)
    product, logic, memory = (CONSTANTS[name].span for name in ("product", "logic", "memory"))
    fabric, hard = (CONSTANTS[name].span * scale for name in ("fabric", "hard_block"))
    pairs = sum(count * _pairs(widths) for widths, count in work.multiplications.items())
    picojoules = {
        "multiplications": product * pairs * hard,
        "logic": logic * work.logic_bits * fabric,
        "tables": logic * (work.table_bits + work.register_file_bits) * fabric,
        "memories": memory * (work.read_bits + work.write_bits) * hard,
        "registers": CONSTANTS["register"].span * (registers * cycles_per_frame) * fabric,
        "toggles": CONSTANTS["toggle"].span * toggles_per_frame * fabric,
        # microwatts times microseconds
        "static": CONSTANTS["leakage"].span * (device.resources.lut * cycles_per_frame / clock_mhz),
    }
    parts = {name: each * 1e-6 for name, each in picojoules.items()}
    return Energy(sum(parts.values(), exactly(0)), parts)


def toggles_estimate(registers: float, cycles_per_frame: float) -> float:
    """Bits of registers that change in a frame, without a simulation: `TOGGLING` of all in each cycle.

    A simulation counts them exactly (`ernn.simulate.toggles`); its number takes the place of this one.
    """
    return TOGGLING * registers * cycles_per_frame


def _pairs(widths: str) -> int:
    a, b = widths.split("x")
    return int(a) * int(b)


def _process(device: Device) -> Span:
    """From the process of the published energies to the device's: capacitance times the square of the supply."""
    (length, supply), (from_length, from_supply) = PROCESSES[device.family], REFERENCE
    return PROCESS_ERROR * (length / from_length * (supply / from_supply) ** 2)
