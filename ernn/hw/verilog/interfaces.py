"""What an array must know of the layer around it."""

from dataclasses import dataclass

from ernn.hw.graph.ranges import Joined


@dataclass(frozen=True)
class Drain:
    """What finished groups of a thread go to."""

    name: str
    joined: Joined
    hold: int = 1  # cycles that a block stays at its head


@dataclass(frozen=True)
class Pages:
    """The places of a vector's last two values, of each stream or of all: how many pairs, and expressions of a page."""

    count: str
    bits: str
    read: str
    write: str


@dataclass(frozen=True)
class Condition:
    """Verilog expressions that a thread waits for: in every step, and where a frame opens or a group starts or ends."""

    always: str = "1'b1"
    opens: str = "1'b1"
    starts: str = "1'b1"
    finishes: str = "1'b1"
