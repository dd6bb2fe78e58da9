"""Modules of Verilog (IEEE 1364-2005) as values: ports, signals, instances, processes; text is rendered last.

Every name that an item reads is declared by an item before it, or by a port or a parameter. What is not is an error
where the module is made.
"""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from functools import cached_property

from ernn.hw.design import Parts
from ernn.hw.verilog import lines
from ernn.hw.verilog.lines import names

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
        return Size(int(self) * int(other), f"{_factor(self)} * {_factor(other)}")

    def __rmul__(self, other: int) -> "Size":
        return Size(int(other) * int(self), f"{_factor(other)} * {_factor(self)}")

    def __lshift__(self, other: int) -> "Size":
        return Size(int(self) << int(other), f"{_factor(self)} << {_factor(other)}")


def _factor(number: int) -> str:
    return f"({number})" if " " in f"{number}" else f"{number}"


def _range(width: int, low: int = 0) -> str:
    """How a signal of so many bits is declared, with a space behind it."""
    if width == SCALAR:
        return ""
    return f"[{_factor(width)}-1:0] " if isinstance(width, Size) else f"[{low + width - 1}:{low}] "


@dataclass(frozen=True)
class Item:
    """Part of a module's body."""

    @property
    def reads(self) -> frozenset[str]:
        """Names that must be declared before it."""
        return frozenset()

    def render(self) -> Iterator[str]:
        """Its lines."""
        raise NotImplementedError


@dataclass(frozen=True)
class Note(Item):
    """A comment on lines of its own."""

    text: str

    def render(self) -> Iterator[str]:
        """Its lines."""
        yield from (f"    // {line}" for line in self.text.splitlines())


@dataclass(frozen=True)
class Directive(Item):
    """A line for a tool: a condition of the preprocessor, or a comment that Verilator reads."""

    text: str

    def render(self) -> Iterator[str]:
        """Its line."""
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
        """Of a word of it."""
        return max(1, int(self.width))

    @property
    def reads(self) -> frozenset[str]:
        """Parameters in its width."""
        return names(f"{self.width}")

    @property
    def head(self) -> str:
        """What is in front of its name."""
        raise NotImplementedError

    @property
    def tail(self) -> str:
        """What is behind its name."""
        return ""

    @property
    def alone(self) -> bool:
        """Whether it has a line of its own."""
        return bool(self.comment or self.tail or self.unchecked)

    def _typed(self, kind: str) -> str:
        return f"{kind} {'signed ' * self.signed}{_range(self.width, self.low)}"

    def render(self) -> Iterator[str]:
        """Its lines."""
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
        """Of its value, too."""
        return super().reads | names(self.value)

    @property
    def head(self) -> str:
        """`wire` with its range."""
        return self._typed("wire")

    @property
    def tail(self) -> str:
        """Its value."""
        return f" = {self.value}" if self.value else ""


@dataclass(frozen=True)
class Register(Declared):
    """What a process on the clock's edge assigns.

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
    """What a process without a clock assigns."""

    @property
    def head(self) -> str:
        """`reg` with its range."""
        return self._typed("reg")


@dataclass(frozen=True)
class Memory(Declared):
    """Words that are addressed."""

    depth: int = 1

    @property
    def head(self) -> str:
        """`reg` with its range."""
        return self._typed("reg")

    @property
    def tail(self) -> str:
        """Its addresses."""
        return f"[0:{self.depth - 1}]"


@dataclass(frozen=True)
class Loop(Declared):
    """The variable of a loop."""

    @property
    def head(self) -> str:
        """`integer`."""
        return "integer "


@dataclass(frozen=True)
class Assign(Item):
    """A continuous assignment."""

    target: str
    value: str

    @property
    def reads(self) -> frozenset[str]:
        """Of both sides."""
        return names(self.target) | names(self.value)

    def render(self) -> Iterator[str]:
        """Its lines."""
        yield from lines.wrapped(f"    assign {self.target} = {self.value};")


@dataclass(frozen=True)
class Process(Item):
    """Processes as they are written: `initial` and `always` blocks, indented."""

    text: str

    @property
    def reads(self) -> frozenset[str]:
        """What it reads and assigns."""
        return names(self.text)

    def render(self) -> Iterator[str]:
        """Its lines."""
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
        """Of all expressions."""
        given = [*self.connections.values(), *map(str, self.parameters.values())]
        return frozenset().union(*map(names, given))

    def render(self) -> Iterator[str]:
        """Its lines."""
        parameters = [f".{name}({value})" for name, value in self.parameters.items()]
        ports = [f".{name}({value})" for name, value in self.connections.items()]
        sized = f"{self.module} #({', '.join(parameters)})" if parameters else self.module
        yield from lines.wrapped(f"    {sized} {self.name} ({', '.join(ports)});")


def delay(name: str, width: int, cycles: int, d: str, q: str) -> Instance:
    """A signal some cycles later."""
    return Instance("ernn_delay", name, {"clk": "clk", "d": d, "q": q}, {"WIDTH": width, "CYCLES": cycles})


@dataclass(frozen=True)
class Port:
    """A port; an output that a process drives is a register."""

    direction: str
    name: str
    width: int = SCALAR
    signed: bool = False
    register: bool = False
    comment: str = ""
    attribute: str = ""  # on a line before it

    def text(self) -> str:
        """How the head of the module declares it."""
        kind = "reg" if self.register else "wire"
        return f"{self.direction} {kind} {'signed ' * self.signed}{_range(self.width)}{self.name}"


@dataclass(frozen=True)
class Module:
    """A module.

    Args:
        doc: lines of comment in front of it.
        checks: names of Verilator's warnings that it is not checked for.

    Raises:
        ValueError: a name is declared twice, or not before it is read.
    """

    name: str
    ports: tuple[Port, ...]
    items: tuple[Item, ...]
    parameters: Mapping[str, int | str] = field(default_factory=dict)
    doc: str = ""
    unchecked: Mapping[str, str] = field(default_factory=dict)

    def __post_init__(self) -> None:
        """Every name is declared once, before it is read."""
        known: set[str] = set()
        for name in (*self.parameters, *(port.name for port in self.ports)):
            self._declare(name, known)
        for port in self.ports:
            self._require(names(f"{port.width}"), known, port)
        for item in self.items:
            self._require(item.reads, known, item)
            if isinstance(item, Declared | Instance):
                self._declare(item.name, known)

    def _declare(self, name: str, known: set[str]) -> None:
        if name in known:
            raise ValueError(f"module {self.name} declares {name} twice; give one of them another name")
        known.add(name)

    def _require(self, wanted: frozenset[str], known: set[str], where: Item | Port) -> None:
        if not wanted <= known:
            later = {item.name for item in self.items if isinstance(item, Declared)}
            missing = min(wanted - known)
            how = "before it is declared: declare it earlier" if missing in later else "but never declared: declare it"
            line = where.text() if isinstance(where, Port) else next(where.render()).strip()
            raise ValueError(f"module {self.name}: {missing} is used {how} (in {line[:100]})")

    @cached_property
    def instances(self) -> tuple[Instance, ...]:
        """Modules in this one."""
        return tuple(item for item in self.items if isinstance(item, Instance))

    @cached_property
    def registers(self) -> tuple[Register, ...]:
        """Registers of its own, without those of ports."""
        return tuple(item for item in self.items if isinstance(item, Register))

    @cached_property
    def memories(self) -> tuple[Memory, ...]:
        """Memories of its own."""
        return tuple(item for item in self.items if isinstance(item, Memory))

    @property
    def parts(self) -> Parts:
        """What it consists of, for those who read its project."""
        own = {each.name for each in self.registers if not each.port}
        ports = {port.name for port in self.ports if port.register}
        return Parts(frozenset(own | ports), {each.name: each.module for each in self.instances}, generated=True)

    def render(self) -> str:
        """Its text."""
        return "\n".join([*(line for line, _ in self.lines()), ""])

    def lines(self) -> Iterator[tuple[str, bool]]:
        """Lines of its text, and whether one declares something but no register."""
        yield from ((f"// {line}", False) for line in self.doc.splitlines())
        for each, why in self.unchecked.items():
            yield f"/* verilator lint_off {each} */  // {why}", False
        yield from ((line, False) for line in self._head())
        for port in self.ports:
            if port.attribute:
                yield f"    (* {port.attribute} *)", False
            comma, comment = "," * (port is not self.ports[-1]), f"  // {port.comment}" if port.comment else ""
            yield f"    {port.text()}{comma}{comment}", not port.register
        if self.ports:
            yield ");", False
        for group in _grouped(self.items):
            quiet = isinstance(group[0], Declared) and not isinstance(group[0], Register)
            yield from ((line, quiet) for line in _rendered(group))
        yield "endmodule", False
        yield from ((f"/* verilator lint_on {each} */", False) for each in reversed([*self.unchecked]))

    def _head(self) -> Iterator[str]:
        """Its name and its parameters."""
        if not self.parameters:
            yield f"module {self.name}{' (' if self.ports else ';'}"
            return
        yield f"module {self.name} #("
        *others, last = [f"    parameter {name} = {value}" for name, value in self.parameters.items()]
        yield from (f"{each}," for each in others)
        yield from (last, ") (")


def _grouped(items: Sequence[Item]) -> Iterator[list[Item]]:
    """Declarations that are alike, side by side, and every other item alone."""
    group: list[Item] = []
    for item in items:
        if group and not _alike(group[-1], item):
            yield group
            group = []
        group.append(item)
    if group:
        yield group


def _alike(first: Item, second: Item) -> bool:
    if not (isinstance(first, Declared) and isinstance(second, Declared)):
        return False
    return type(first) is type(second) and first.head == second.head and not (first.alone or second.alone)


def _rendered(group: Sequence[Item]) -> Iterator[str]:
    first = group[0]
    if isinstance(first, Declared) and len(group) > 1:
        together = ", ".join(item.name for item in group if isinstance(item, Declared))
        yield from lines.wrapped(f"    {first.head}{together};")
    else:
        yield from first.render()


def rendered(modules: Iterable[Module]) -> str:
    """The text of a file of modules."""
    return "".join(module.render() for module in modules)


def declared_first(items: Iterable[Item]) -> tuple[Item, ...]:
    """Items of parts that read each other's signals: declarations in front, what drives a wire where it was.

    Both keep their order, so that synthesis makes the same of them as of items that are not moved.
    """
    given = list(items)
    front = (_without_value(item) for item in given if isinstance(item, Declared))
    return *front, BLANK, *(each for item in given for each in _undeclared(item))


def _without_value(item: Declared) -> Declared:
    return replace(item, value="") if isinstance(item, Wire) else item


def _undeclared(item: Item) -> Iterator[Item]:
    """What is left of an item without its declaration."""
    if not isinstance(item, Declared):
        yield item
    elif isinstance(item, Wire) and item.value:
        yield Assign(item.name, item.value)
