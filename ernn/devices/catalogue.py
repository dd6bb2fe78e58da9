"""FPGAs that an accelerator may be for: what they have, and their families. A new one is one entry of `DEVICES`.

What is known of a family is in `ernn.devices.timing` (delays), `ernn.devices.flow` (synthesis and routing) and
`ernn.estimate.fabric` (the cost model).

Numbers are those of the vendors' product tables (AMD DS890, DS180, DS190, DS891; Lattice FPGA-DS-02012; Gowin DS981;
Cologne Chip DS1001).
"""

from dataclasses import dataclass, fields

from ernn.devices.timing import Family


@dataclass(frozen=True)
class Resources:
    """What an accelerator takes, or a device has; block RAMs in halves where a device can split them.

    A device without multiplier blocks has no `dsp`: look-up tables multiply.
    """

    lut: float = 0
    ff: float = 0
    dsp: float = 0
    bram: float = 0

    def __add__(self, other: "Resources") -> "Resources":
        return Resources(self.lut + other.lut, self.ff + other.ff, self.dsp + other.dsp, self.bram + other.bram)

    def __mul__(self, times: float) -> "Resources":
        return Resources(times * self.lut, times * self.ff, times * self.dsp, times * self.bram)


@dataclass(frozen=True)
class Device:
    """One FPGA.

    Args:
        part: as the vendor's tools name it; ECP5: with the package that nextpnr has it in.
        speed: grade, as the vendor names it.
    """

    name: str
    title: str
    part: str
    family: Family
    resources: Resources
    speed: str

    def binding(self, needed: Resources) -> tuple[str, ...]:
        """Resources of which an accelerator needs more than there are, the scarcest first."""
        shares = self.shares(needed)
        return tuple(sorted((name for name, share in shares.items() if share > 1), key=lambda name: -shares[name]))

    def shares(self, needed: Resources) -> dict[str, float]:
        """What an accelerator takes of each resource that there is, as a share of all of it."""
        there = {each.name: getattr(self.resources, each.name) for each in fields(Resources)}
        return {name: getattr(needed, name) / most for name, most in there.items() if most}


def _devices(*devices: Device) -> dict[str, Device]:
    return {device.name: device for device in devices}


DEFAULT = "xc7z020"  # of whoever names no device: small, and on cheap boards
DEVICES = _devices(
    Device(
        "xcku060",
        "Kintex UltraScale XCKU060",
        "xcku060-ffva1156-2-e",
        "xcu",
        Resources(331_680, 663_360, 2_760, 1_080),
        "-2",
    ),
    Device(
        "xc7vx690t",
        "Virtex-7 690T",
        "xc7vx690tffg1157-2",
        "xc7",
        Resources(433_200, 866_400, 3_600, 1_470),
        "-2",
    ),
    Device(
        "xc7z020",
        "Zynq-7020 (PYNQ-Z2)",
        "xc7z020clg400-1",
        "xc7",
        Resources(53_200, 106_400, 220, 140),
        "-1",
    ),
    Device(
        "xc7z100",
        "Zynq-7100",
        "xc7z100ffg900-2",
        "xc7",
        Resources(277_400, 554_800, 2_020, 755),
        "-2",
    ),
    Device(
        "xczu9eg",
        "Zynq UltraScale+ ZU9EG",
        "xczu9eg-ffvb1156-2-e",
        "xcup",
        Resources(274_080, 548_160, 2_520, 912),
        "-2",
    ),
    Device(
        "ecp5-85f",
        "Lattice ECP5-85F",
        "LFE5U-85F-6BG381C",
        "ecp5",
        Resources(83_640, 83_640, 156, 208),
        "6",
    ),
    Device(
        "gw5ast-138c",
        "Gowin GW5AST-138C",
        "GW5AST-LV138PG484AC1/I0",
        "gowin",
        Resources(138_240, 138_240, 596, 340),
        "C1/I0",
    ),
    Device(
        "ccgm1a1",
        "Cologne Chip GateMate CCGM1A1",
        "CCGM1A1",
        "gatemate",
        Resources(lut=40_960, ff=40_960, bram=32),  # two tables with a register in each of 20,480 CPEs
        "worst",
    ),
)
