"""FPGAs that a design may be for: what they have, and which tools know them. A new one is one entry of `DEVICES`.

Numbers are those of the vendors' product tables (AMD DS890, DS180, DS190, DS891; Lattice FPGA-DS-02012; Gowin DS981;
Cologne Chip DS1001).
"""

from dataclasses import astuple, dataclass, fields
from typing import Literal

Flow = Literal["xc7", "xcu", "xcup", "ecp5", "gowin", "gatemate"]


@dataclass(frozen=True)
class Resources:
    """What a design takes, or a device has; block RAMs in halves where a device can split them.

    A device without multiplier blocks has no `dsp`: look-up tables multiply.
    """

    lut: float = 0
    ff: float = 0
    dsp: float = 0
    bram: float = 0

    def __add__(self, other: "Resources") -> "Resources":
        return Resources(*(a + b for a, b in zip(astuple(self), astuple(other), strict=True)))

    def __mul__(self, times: float) -> "Resources":
        return Resources(*(times * each for each in astuple(self)))


# Yosys' counts with the modules that a family has of its own (ernn/synthesize/primitives), and without them.
COUNTS = tuple(f"{each.name}_{how}" for how in ("yosys", "plain") for each in fields(Resources))


@dataclass(frozen=True)
class Device:
    """One FPGA.

    Args:
        flow: family by the name that yosys has for it.
        part: as the vendor's tools name it; ECP5: with the package that nextpnr has it in.
        clocks: operator delays that pipelines for it are scheduled with; see `ernn.devices.timing.FAMILIES`.
        lut_inputs: of a look-up table; designs on different ones are not comparable by `lut`.
        router: the open place-and-route tool that times it; empty: synthesis counts only.
    """

    name: str
    title: str
    part: str
    flow: Flow
    clocks: str
    resources: Resources
    lut_inputs: int
    speed: str
    router: Literal["", "nextpnr-ecp5", "nextpnr-gatemate"] = ""

    def binding(self, needed: Resources) -> tuple[str, ...]:
        """Resources of which a design needs more than there are, the scarcest first."""
        shares = self.shares(needed)
        return tuple(sorted((name for name, share in shares.items() if share > 1), key=lambda name: -shares[name]))

    def shares(self, needed: Resources) -> dict[str, float]:
        """What a design takes of each resource that there is, as a share of all of it."""
        there = {each.name: getattr(self.resources, each.name) for each in fields(Resources)}
        return {name: getattr(needed, name) / most for name, most in there.items() if most}


def _devices(*devices: Device) -> dict[str, Device]:
    return {device.name: device for device in devices}


DEVICES = _devices(
    Device(
        "xcku060",
        "Kintex UltraScale XCKU060",
        "xcku060-ffva1156-2-e",
        "xcu",
        "xcup",
        Resources(331_680, 663_360, 2_760, 1_080),
        6,
        "-2",
    ),
    Device(
        "xc7vx690t",
        "Virtex-7 690T",
        "xc7vx690tffg1157-2",
        "xc7",
        "xc7",
        Resources(433_200, 866_400, 3_600, 1_470),
        6,
        "-2",
    ),
    Device(
        "xc7z020",
        "Zynq-7020 (PYNQ-Z2)",
        "xc7z020clg400-1",
        "xc7",
        "xc7",
        Resources(53_200, 106_400, 220, 140),
        6,
        "-1",
    ),
    Device(
        "xc7z100",
        "Zynq-7100",
        "xc7z100ffg900-2",
        "xc7",
        "xc7",
        Resources(277_400, 554_800, 2_020, 755),
        6,
        "-2",
    ),
    Device(
        "xczu9eg",
        "Zynq UltraScale+ ZU9EG",
        "xczu9eg-ffvb1156-2-e",
        "xcup",
        "xcup",
        Resources(274_080, 548_160, 2_520, 912),
        6,
        "-2",
    ),
    Device(
        "ecp5-85f",
        "Lattice ECP5-85F",
        "LFE5U-85F-6BG381C",
        "ecp5",
        "ecp5",
        Resources(83_640, 83_640, 156, 208),
        4,
        "6",
        "nextpnr-ecp5",
    ),
    Device(
        "gw5ast-138c",
        "Gowin GW5AST-138C",
        "GW5AST-LV138PG484AC1/I0",
        "gowin",
        "ecp5",
        Resources(138_240, 138_240, 596, 340),
        4,
        "C1/I0",
    ),
    Device(
        "ccgm1a1",
        "Cologne Chip GateMate CCGM1A1",
        "CCGM1A1",
        "gatemate",
        "gatemate",
        Resources(lut=40_960, ff=40_960, bram=32),  # two tables with a register in each of 20,480 CPEs
        4,
        "worst",
        "nextpnr-gatemate",
    ),
)
