"""What is in a module of Verilog: comments, declarations, assignments, processes, instances."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field

from ernn.hw.verilog import lines
from ernn.hw.verilog.lines import names
from ernn.hw.verilog.size import SCALAR, bit_range


@dataclass(frozen=True)
class Item:
    """Part of a module's body."""

    @property
    def reads(self) -> frozenset[str]:
        """Names that must be declared before it."""
        return frozenset()

    def render(self) -> Iterator[str]:
        """Its lines of Verilog."""
        raise NotImplementedError


@dataclass(frozen=True)
class Note(Item):
    """A comment on lines of its own."""

    text: str

    def render(self) -> Iterator[str]:
        """Comment lines."""
        yield from (f"    // {line}" for line in self.text.splitlines())


@dataclass(frozen=True)
class Directive(Item):
    """A line for a tool: a condition of the preprocessor, or a comment that Verilator reads."""

    text: str

    def render(self) -> Iterator[str]:
        """The directive on a line of its own."""
        yield self.text if self.text.startswith("`") or not self.text else f"    {self.text}"


BLANK = Directive("")


@dataclass(frozen=True)
class Declared(Item):
    """A signal: `width` bits, or a scalar.

    Args:
        low: number of its lowest bit.
        comment: behind the declaration.
        unchecked: a warning of Verilator's that it is not checked for.
    """

    name: str
    width: int = SCALAR
    signed: bool = field(default=False, kw_only=True)
    low: int = field(default=0, kw_only=True)
    comment: str = field(default="", kw_only=True)
    unchecked: str = field(default="", kw_only=True)

    @property
    def bits(self) -> int:
        """Width of the signal, or of one word of a memory."""
        return max(1, int(self.width))

    @property
    def reads(self) -> frozenset[str]:
        """Parameters that the declared width refers to."""
        return names(f"{self.width}")

    @property
    def head(self) -> str:
        """Keywords and range in front of the name."""
        raise NotImplementedError

    @property
    def tail(self) -> str:
        """Value or addresses behind the name."""
        return ""

    @property
    def alone(self) -> bool:
        """Whether the declaration needs a line of its own."""
        return bool(self.comment or self.tail or self.unchecked)

    def _typed(self, kind: str) -> str:
        return f"{kind} {'signed ' * self.signed}{bit_range(self.width, self.low)}"

    def render(self) -> Iterator[str]:
        """Lines of the declaration, with the waiver of a lint warning around it."""
        comment = f"  // {self.comment}" if self.comment else ""
        if self.unchecked:
            yield f"    /* verilator lint_off {self.unchecked} */"
        yield from lines.wrapped(f"    {self.head}{self.name}{self.tail};", comment)
        if self.unchecked:
            yield f"    /* verilator lint_on {self.unchecked} */"


@dataclass(frozen=True)
class Wire(Declared):
    """A signal that an instance drives, an assignment, or `value`."""

    value: str = ""

    @property
    def reads(self) -> frozenset[str]:
        """Names in the width and in the value."""
        return super().reads | names(self.value)

    @property
    def head(self) -> str:
        """`wire` with its range."""
        return self._typed("wire")

    @property
    def tail(self) -> str:
        """`= VALUE`, or nothing."""
        return f" = {self.value}" if self.value else ""


@dataclass(frozen=True)
class Register(Declared):
    """A variable that a process assigns at the clock's edge.

    Args:
        kept: synthesis does not merge it with an equal one.
        port: the register behind a memory's read port: it takes words of a memory as they are.
    """

    kept: bool = field(default=False, kw_only=True)
    port: bool = field(default=False, kw_only=True)

    @property
    def head(self) -> str:
        """`reg` with its range."""
        return f"{'(* keep *) ' * self.kept}{self._typed('reg')}"


@dataclass(frozen=True)
class Variable(Declared):
    """A variable that a combinational process assigns."""

    @property
    def head(self) -> str:
        """`reg` with its range."""
        return self._typed("reg")


@dataclass(frozen=True)
class Memory(Declared):
    """An array of words."""

    depth: int = 1

    @property
    def head(self) -> str:
        """`reg` with its range."""
        return self._typed("reg")

    @property
    def tail(self) -> str:
        """Range of the addresses."""
        return f"[0:{self.depth - 1}]"


@dataclass(frozen=True)
class Loop(Declared):
    """The integer that counts the turns of a `for` loop."""

    @property
    def head(self) -> str:
        """The keyword `integer`."""
        return "integer "


@dataclass(frozen=True)
class Assign(Item):
    """A continuous assignment."""

    target: str
    value: str

    @property
    def reads(self) -> frozenset[str]:
        """Names on both sides."""
        return names(self.target) | names(self.value)

    def render(self) -> Iterator[str]:
        """The `assign` statement, wrapped."""
        yield from lines.wrapped(f"    assign {self.target} = {self.value};")


@dataclass(frozen=True)
class Process(Item):
    """Processes as they are written: `initial` and `always` blocks, indented."""

    text: str

    @property
    def reads(self) -> frozenset[str]:
        """Names that the process reads or assigns."""
        return names(self.text)

    def render(self) -> Iterator[str]:
        """Lines of the process as they were written."""
        yield from self.text.rstrip("\n").split("\n")


@dataclass(frozen=True)
class Instance(Item):
    """A module in another: expressions by the names of its ports, values by those of its parameters.

    A string among the parameters is text of Verilog, with its quotes. A port without an expression is left open.
    """

    module: str
    name: str
    connections: Mapping[str, str]
    parameters: Mapping[str, int | str] = field(default_factory=dict)

    @property
    def reads(self) -> frozenset[str]:
        """Names in the connections and parameters."""
        given = [*self.connections.values(), *map(str, self.parameters.values())]
        return frozenset().union(*map(names, given))

    def render(self) -> Iterator[str]:
        """The instantiation, wrapped."""
        parameters = [f".{name}({value})" for name, value in self.parameters.items()]
        ports = [f".{name}({value})" for name, value in self.connections.items()]
        sized = f"{self.module} #({', '.join(parameters)})" if parameters else self.module
        yield from lines.wrapped(f"    {sized} {self.name} ({', '.join(ports)});")


def delay(name: str, width: int, cycles: int, d: str, q: str) -> Instance:
    """Shift register that gives a signal some cycles later."""
    return Instance("ernn_delay", name, {"clk": "clk", "d": d, "q": q}, {"WIDTH": width, "CYCLES": cycles})
