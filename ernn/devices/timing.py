"""Delays of families of devices: all that generated sources depend on of a device.

They only decide where registers are; whether a clock is reached, place and route says.
"""

from dataclasses import dataclass
from typing import Literal

Family = Literal["xc7", "xcu", "xcup", "ecp5", "gowin", "gatemate"]  # by the names that Yosys has for them


@dataclass(frozen=True)
class Timing:
    """Estimated delays of a family of devices, routing included, in ns.

    Args:
        name: of the family that the delays were measured on.
        multiplier_cycles: of the registers at the inputs and at the output.
        shallow: words of a wide memory that look-up tables hold better than blocks.
        factor_bits: of the operands of a multiplier block, the wider one first.
    """

    lut_ns: float
    carry_ns_per_bit: float
    margin_ns: float  # clock skew, set-up, the first register
    multiplier_cycles: int = 2
    shallow: int = 64
    factor_bits: tuple[int, int] = (25, 18)
    name: str = ""


_XCUP = Timing(lut_ns=0.8, carry_ns_per_bit=0.025, margin_ns=0.7, factor_bits=(27, 18), name="xcup")
_ECP5 = Timing(lut_ns=2.3, carry_ns_per_bit=0.08, margin_ns=2.0, shallow=16, factor_bits=(18, 18), name="ecp5")
TIMINGS: dict[Family, Timing] = {
    "xc7": Timing(lut_ns=0.85, carry_ns_per_bit=0.03, margin_ns=0.6, name="xc7"),
    "xcu": _XCUP,
    "xcup": _XCUP,
    "ecp5": _ECP5,
    "gowin": _ECP5,
    "gatemate": Timing(
        lut_ns=4.5, carry_ns_per_bit=0.1, margin_ns=3.0, shallow=0, factor_bits=(0, 0), name="gatemate"
    ),  # look-up tables multiply, and hold none
}
