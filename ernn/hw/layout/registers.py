"""The register protocol of an accelerator: the numbers that control, driver, test bench and registers.md agree on.

A host writes where words go to (`load_place`), and then the words in parts of 32 bits (`load_part`). Registers are at
four times their number.
"""

from collections.abc import Iterable

from ernn.hw.design import Protocol

PART_BITS = 32  # of a register, and of a part of a word
PROTOCOL = Protocol(
    identity=0x45524E4E,  # "ERNN"
    version=2,
    reset=1,
    clear=2,
    layer_shift=16,
    state_bit=15,
    state_shift=14,
)
WRITTEN = CONTROL, LOAD_PLACE, LOAD_PART, STATE_STEP = "control", "load_place", "load_part", "state_step"


def register_number(register: str) -> int:
    """Number of a register that can be written."""
    return WRITTEN.index(register)


def parts(words: Iterable[int], bits: int) -> list[int]:
    """Words of some bits as parts, the lowest bits of a word first.

    >>> parts([0x1_0000_0002], 33)
    [2, 1]
    """
    mask, count = (1 << PART_BITS) - 1, part_count(bits)
    return [word >> PART_BITS * part & mask for word in words for part in range(count)]


def part_count(bits: int) -> int:
    """Parts of a word."""
    return -(-bits // PART_BITS)


def whole_bytes(bits: int) -> int:
    """Bits that a number takes on a stream.

    >>> whole_bytes(12), whole_bytes(16)
    (16, 16)
    """
    return 8 * -(-bits // 8)
