"""What an array must know of the layer around it, and a network's control of a layer."""

from collections.abc import Mapping
from dataclasses import dataclass

from ernn.hw.design import State
from ernn.hw.graph.ranges import Joined
from ernn.hw.verilog.size import Size


@dataclass(frozen=True)
class Drain:
    """What finished groups of a thread go to."""

    name: str
    joined: Joined
    hold: int = 1  # cycles that a block stays at its head


@dataclass(frozen=True)
class Pages:
    """Buffers of a vector, one for each stream or one for all.

    Args:
        count: of buffers.
        bits: of the number of a page; 0: there is one.
        read, write: Verilog expressions of the page that is read, and of the one that is written.
        turns: pages of a buffer; a double one is read while the next vector is written.
    """

    count: int
    bits: int
    read: str
    write: str
    turns: int = 2


def stream_bits(streams: int) -> Size:
    """Bits of the number of a stream, as a layer's module calls them."""
    return Size(max(1, (streams - 1).bit_length()), "STREAM_BITS")


@dataclass(frozen=True)
class Sizes:
    """Parameters of a layer's module."""

    streams: int
    frame_bits: int

    @property
    def parameters(self) -> dict[str, int]:
        """Values of the module's parameters by name."""
        return {"STREAMS": self.streams, "STREAM_BITS": int(self.stream), "FRAME_BITS": self.frame_bits}

    @property
    def count(self) -> Size:
        """Number of streams."""
        return Size(self.streams, "STREAMS")

    @property
    def stream(self) -> Size:
        """Bits of the number of a stream."""
        return stream_bits(self.streams)

    @property
    def frame(self) -> Size:
        """Bits of the number of a frame that is under way."""
        return Size(self.frame_bits, "FRAME_BITS")


@dataclass(frozen=True)
class Condition:
    """Verilog expressions that a thread waits for: in every step, and where a frame opens or a group starts or ends."""

    always: str = "1'b1"
    opens: str = "1'b1"
    starts: str = "1'b1"
    finishes: str = "1'b1"


@dataclass(frozen=True)
class Controlled:
    """A layer as a network's control knows it.

    Args:
        overflows: names of the values whose saturations it counts.
        memories: of weights, that are loaded.
        depth: words in each of them.
        weight_bits: of a word of them.
        states: words of each.
        state_bits: of the widest of them; 1 without states.
        load_bits: of the widest word that is loaded.
        flush_cycles: until its pipelines are empty.
        restore_cycles: until a word of y is in its banks.
    """

    name: str
    overflows: tuple[str, ...]
    memories: int
    depth: int
    weight_bits: int
    states: Mapping[str, State]
    state_bits: int
    load_bits: int
    flush_cycles: int
    restore_cycles: int

    @property
    def word_bits(self) -> int:
        """Bits of the number of words of a memory or of a state."""
        return max(self.depth, *(state.words for state in self.states.values()), 1).bit_length()
