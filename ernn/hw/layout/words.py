"""How vectors and states pass between modules: words of equal numbers, the first in the lowest bits."""

from dataclasses import dataclass

from ernn.hw.design import State as State  # a state's words, as the description has them


@dataclass(frozen=True)
class Words:
    """How a vector passes between modules: `elements` of `bits` bits at a time, `words` a frame."""

    elements: int
    bits: int
    words: int

    @property
    def width(self) -> int:
        """Bits of one word."""
        return self.elements * self.bits


def padded(word: str, bits: int, width: int) -> str:
    """Verilog expression of a word, extended with zeros from `bits` to `width` bits."""
    return f"{{{width - bits}'d0, {word}}}" if width > bits else word
