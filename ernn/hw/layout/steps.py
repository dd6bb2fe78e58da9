"""Vectors that pass in steps, and the memories that hold a word for each step."""

from dataclasses import dataclass

from ernn.program.matrices import Numbers


@dataclass(frozen=True)
class StepMemory:
    """Words that a unit reads: for each block the elements of some buses of its kernel.

    Args:
        page: "stream" has a part for each stream, "frame" two that frames take in turns.
        numbers: what it holds from the start, (buses, elements); else it is written.
        writer: the unit that writes it with its `data`; none: it is written with words of x, `data` of each.
        element_major: order of a block: all buses of an element together, or all elements of a bus.
        zero_first: reads as zeros in the first frame of an utterance.
    """

    name: str
    buses: tuple[str, ...]
    bits: int  # of an element
    page: str = ""
    numbers: Numbers | None = None
    writer: str = ""
    data: str = ""
    element_major: bool = False
    zero_first: bool = False


@dataclass(frozen=True)
class Steps:
    """A vector in steps of `width` blocks.

    Args:
        elements: of the whole vector; what is behind them is zeros.
    """

    name: str
    width: int
    elements: int
    block_size: int
    streams: int

    @property
    def blocks(self) -> int:
        """Blocks of the vector, the last one padded."""
        return -(-self.elements // self.block_size)

    @property
    def real_steps(self) -> int:
        """Steps that hold blocks of the vector, not padding alone."""
        return -(-self.blocks // self.width)

    @property
    def step_bits(self) -> int:
        """Width of the number of a step."""
        return max(1, (self.real_steps - 1).bit_length())

    @property
    def stream_bits(self) -> int:
        """Width of a stream's number in addresses; 0 for one stream."""
        return (self.streams - 1).bit_length()

    def address(self, memory: StepMemory, step: str, stream: str, frame: str) -> str:
        """Verilog expression of the address of a step in a memory."""
        place = f"{step}[{self.step_bits - 1}:0]"
        if memory.page == "frame":
            return f"{{{frame}, {place}}}"
        return f"{{{stream}, {place}}}" if memory.page == "stream" and self.stream_bits else place
