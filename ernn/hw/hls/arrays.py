"""HLS C++ declarations of arrays: vectors that change, and constants."""

from ernn.hw.hls.kernel import array
from ernn.program.matrices import Numbers


def vector(name: str, bits: int, size: int, banks: int, static: bool = False, streams: int = 1) -> str:
    """The declaration of an array of which `banks` elements are read or written at a time, of each of some streams."""
    shape, dimension = (f"[{streams}][{size}]", " dim=2") if streams > 1 else (f"[{size}]", "")
    declared = f"    {'static ' * static}ap_int<{bits}> {name}{shape};\n"
    partition = f"#pragma HLS ARRAY_PARTITION variable={name} cyclic factor={banks}{dimension}\n"
    return declared + (partition if banks > 1 else "")


def table(name: str, numbers: Numbers) -> str:
    """A constant array of numbers of any shape."""
    shape = "".join(f"[{size}]" for size in numbers.integers.shape)
    return array(f"static const {stored_as(numbers)} {name}{shape}", numbers.integers.ravel().tolist()) + "\n"


def stored_as(numbers: Numbers) -> str:
    """The type of numbers in memories."""
    return f"blocks::stored<{numbers.format.bits}>::type"
