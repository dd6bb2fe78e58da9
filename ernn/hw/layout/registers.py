"""The register protocol of an accelerator: the numbers that control, driver, test bench and registers.md agree on.

A host writes where words go to (`load_place`), and then the words in parts of 32 bits (`load_part`). Registers are at
four times their number.
"""

from collections.abc import Iterable
from dataclasses import asdict, dataclass

PART_BITS = 32  # of a register, and of a part of a word
STATES = ("c", "y")  # of a layer, by their numbers


@dataclass(frozen=True)
class Protocol:
    """What `design.json` says of the protocol, for drivers.

    Args:
        identity: value of the register `identity`: "ERNN".
        version: value of the register `interface_version`; it changes with the protocol.
        reset, clear: what is written to `control`: forget all frames, states and counters; forget the counters.
        layer_shift: place of a layer's number in `load_place`; a memory's, or a state, is below it.
        state_bit: bit of `load_place` that says that words are of a state.
        state_shift: place of a state's number in `load_place`; a stream's is below it.
    """

    identity: int = 0x45524E4E
    version: int = 1
    reset: int = 1
    clear: int = 2
    layer_shift: int = 16
    state_bit: int = 15
    state_shift: int = 14

    def description(self) -> dict[str, int]:
        """As JSON."""
        return asdict(self)

    def memory(self, layer: int, memory: int) -> int:
        """`load_place` of a memory of weights."""
        return layer << self.layer_shift | memory

    def state(self, layer: int, stream: int, kind: str) -> int:
        """`load_place` of a state, "c" or "y"."""
        return layer << self.layer_shift | 1 << self.state_bit | STATES.index(kind) << self.state_shift | stream


PROTOCOL = Protocol()
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
