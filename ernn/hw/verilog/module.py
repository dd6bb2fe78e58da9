"""Modules of Verilog (IEEE 1364-2005) as values: ports, signals, instances, processes; text is rendered last.

Every name that an item reads is declared by an item before it, or by a port or a parameter. What is not is an error
where the module is made.
"""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from functools import cached_property

from ernn.hw.design import ModuleContents
from ernn.hw.verilog import lines
from ernn.hw.verilog.items import BLANK, Assign, Declared, Instance, Item, Memory, Register, Wire
from ernn.hw.verilog.lines import names
from ernn.hw.verilog.size import SCALAR, bit_range


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
        return f"{self.direction} {kind} {'signed ' * self.signed}{bit_range(self.width)}{self.name}"


@dataclass(frozen=True)
class Module:
    """A Verilog module as a value: ports, items, parameters, comment.

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
        """Instances of other modules in this one."""
        return tuple(item for item in self.items if isinstance(item, Instance))

    @cached_property
    def registers(self) -> tuple[Register, ...]:
        """Registers of its own, without those of ports."""
        return tuple(item for item in self.items if isinstance(item, Register))

    @cached_property
    def memories(self) -> tuple[Memory, ...]:
        """Memories that the module declares itself."""
        return tuple(item for item in self.items if isinstance(item, Memory))

    @property
    def contents(self) -> ModuleContents:
        """Registers and instances, as `modules.json` lists them for synthesis and simulation."""
        own = {each.name for each in self.registers if not each.port}
        ports = {port.name for port in self.ports if port.register}
        return ModuleContents(
            tuple(sorted(own | ports)), {each.name: each.module for each in self.instances}, generated=True
        )

    def render(self) -> str:
        """Text of the module."""
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
        """The lines `module NAME #(PARAMETERS) (`."""
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
    """Text of a file that holds these modules."""
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
