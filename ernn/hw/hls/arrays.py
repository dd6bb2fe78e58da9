"""HLS C++ declarations of arrays: vectors that change, and constants."""

from ernn.hw.hls.kernel import array
from ernn.program.matrices import Numbers


def vector(name: str, bits: int, size: int, banks: int, static: bool = False) -> str:
    """The declaration of an array of which `banks` elements are read or written at a time."""
    declared = f"    {'static ' * static}ap_int<{bits}> {name}[{size}];\n"
    return declared + (f"#pragma HLS ARRAY_PARTITION variable={name} cyclic factor={banks}\n" if banks > 1 else "")


def table(name: str, numbers: Numbers) -> str:
    """A constant array of numbers of any shape."""
    shape = "".join(f"[{size}]" for size in numbers.integers.shape)
    return array(f"static const {stored_as(numbers)} {name}{shape}", numbers.integers.ravel().tolist()) + "\n"


def stored_as(numbers: Numbers) -> str:
    """The type of numbers in memories."""
    return f"blocks::stored<{numbers.format.bits}>::type"
