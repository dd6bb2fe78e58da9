"""How vectors and states pass between modules: words of equal numbers, the first in the lowest bits."""

from dataclasses import dataclass


@dataclass(frozen=True)
class Words:
    """How a vector passes between modules: `elements` of `bits` bits at a time, `words` a frame."""

    elements: int
    bits: int
    words: int

    @property
    def width(self) -> int:
        """Of a word."""
        return self.elements * self.bits


@dataclass(frozen=True)
class State:
    """Words of a state: `words` of `bits` bits, each of `elements` numbers of `element_bits`, the first lowest."""

    words: int
    bits: int
    elements: int
    element_bits: int


def padded(word: str, bits: int, width: int) -> str:
    """A word with zeros above it."""
    return f"{{{width - bits}'d0, {word}}}" if width > bits else word
