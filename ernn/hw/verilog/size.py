"""Numbers of bits and words that may have a name in Verilog."""

SCALAR = 0  # width of a signal without a range


class Size(int):
    """A number with a name: a parameter of a module, or a sum, product or shift of one.

    >>> bits = Size(3, "STREAM_BITS")
    >>> wide = 2 * (bits + 17)
    >>> str(wide), wide == 40
    ('2 * (STREAM_BITS + 17)', True)
    """

    text: str

    def __new__(cls, value: int, text: str) -> "Size":
        """A number, and how it is written."""
        made = super().__new__(cls, value)
        made.text = text
        return made

    def __str__(self) -> str:
        return self.text

    def __format__(self, spec: str) -> str:
        return self.text

    def __add__(self, other: int) -> "Size":
        return Size(int(self) + int(other), f"{self} + {other}")

    def __radd__(self, other: int) -> "Size":
        return Size(int(other) + int(self), f"{other} + {self}")

    def __mul__(self, other: int) -> "Size":
        return Size(int(self) * int(other), f"{factor(self)} * {factor(other)}")

    def __rmul__(self, other: int) -> "Size":
        return Size(int(other) * int(self), f"{factor(other)} * {factor(self)}")

    def __lshift__(self, other: int) -> "Size":
        return Size(int(self) << int(other), f"{factor(self)} << {factor(other)}")


def factor(number: int) -> str:
    """A number as a factor, or as what something is subtracted from."""
    return f"({number})" if " " in f"{number}" else f"{number}"


def bit_range(width: int, low: int = 0) -> str:
    """How a signal of so many bits is declared, with a space behind it."""
    if width == SCALAR:
        return ""
    return f"[{factor(width)}-1:0] " if isinstance(width, Size) else f"[{low + width - 1}:{low}] "
