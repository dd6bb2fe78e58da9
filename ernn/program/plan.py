"""What a layer computes in a frame: which products are summed, and what the cells make of the sums.

One list for each kind of layer, in `ernn.program.plans`. The integer model, the rounding model of training, Verilog and
HLS C++ interpret it. The names of all sums come from here.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Any, TypeVar

from ernn.dataflow.formats import Format

V = TypeVar("V")
JOINED = "sums"  # of products that go into the same sums
GATE = "gate"  # the format of sigma
# Vectors, states and results of updates, by the field of the layer that holds their format.
VALUES = {
    "x": "input",
    "y": "output",
    "c": "cell",
    "m": "hidden",
    "rc": "output",
    "z": GATE,
    "r": GATE,
    "logits": "logits",
}

# A kernel of `ernn.dataflow.cells`: values by name, sigma and tanh, and formats by field, to the results by name.
Kernel = Callable[[Mapping[str, Any], Any, Mapping[str, Format]], dict[str, Any]]


@dataclass(frozen=True)
class Term:
    """A product: a matrix, a field of the layer, times x, y of the frame before, or a result of an earlier update."""

    matrix: str
    vector: str

    @property
    def sums(self) -> str:
        """Name of its sums, where no other products go into them: `sums_ih` of `weight_ih`."""
        return sums_of(self.matrix)


@dataclass(frozen=True)
class Rows:
    """Rows of some gates: products that are added.

    Args:
        gates: whose rows of the matrices; none for a matrix without gates.
        suffix: what the names of their sums end in.
    """

    gates: tuple[str, ...]
    terms: tuple[Term, ...]
    suffix: str = ""

    @property
    def joined(self) -> str:
        """Name of sums that hold all products."""
        return (JOINED if len(self.terms) > 1 else self.terms[0].sums) + self.suffix

    def alone(self, term: Term) -> str:
        """Name of sums that hold one of the products."""
        return term.sums + self.suffix

    @property
    def names(self) -> set[str]:
        """Names of all sums that these rows may be made of."""
        return {self.joined, *map(self.alone, self.terms)}


@dataclass(frozen=True)
class Constants:
    """Numbers of the program for every cell: rows of a field of the layer, which are read together.

    Args:
        name: under which a kernel takes them; with `gates`, each row has its own, `b_i`, `b_f`, ..
        first: row of the field.
    """

    field: str
    name: str
    gates: tuple[str, ...] = ()
    first: int = 0

    @property
    def names(self) -> tuple[str, ...]:
        """Names of the rows, one for each gate."""
        return tuple(f"{self.name}_{gate}" for gate in self.gates) or (self.name,)


@dataclass(frozen=True)
class Update:
    """What all cells make of the rows of some gates.

    Args:
        name: of the hardware's unit.
        module: name of its kernel.
        kernel: takes the rows as `s`, or as `s_i`, `s_f`, .. of several gates, and `inputs` by their names.
        gates: whose rows it takes.
        rows: of these gates, and perhaps of others.
        inputs: numbers of the program, states, and results of earlier updates.
        result: the vector that it makes, one of `VALUES`.
        doc: what it computes.
        ready: rows that the kernel takes by themselves, as `x`: products that it does not simply add.
        keeps: a state that it makes, too.
    """

    name: str
    module: str
    kernel: Kernel
    gates: tuple[str, ...]
    rows: Rows
    inputs: tuple[Constants | str, ...]
    result: str
    doc: str
    ready: Rows | None = None
    keeps: str = ""

    @property
    def buses(self) -> dict[str, str]:
        """Name of the bus with the rows of each gate."""
        return {gate: f"s_{gate}" if self.together else "s" for gate in self.gates or ("",)}

    @property
    def together(self) -> bool:
        """Whether it takes the rows of several gates at a time."""
        return len(self.gates) > 1

    @property
    def constants(self) -> tuple[Constants, ...]:
        """Numbers of the program among its inputs."""
        return tuple(each for each in self.inputs if isinstance(each, Constants))

    @property
    def reads(self) -> tuple[str, ...]:
        """States and results of earlier updates among its inputs."""
        return tuple(each for each in self.inputs if isinstance(each, str))


@dataclass(frozen=True)
class Plan:
    """The updates of a layer in order.

    Args:
        title: kind of layer, for a reader.
        gates: in the order of their rows in the matrices.
        updates: in an order in which every result is made before it is read; the last one makes the layer's result. The
            hardware prefers the first that can go.
        states: kept from frame to frame, with the field of the layer that has their elements.
    """

    title: str
    gates: tuple[str, ...]
    updates: tuple[Update, ...]
    states: Mapping[str, str]

    @property
    def recurrent(self) -> tuple[Update, ...]:
        """Updates that take rows of gates."""
        return tuple(each for each in self.updates if each.gates)

    @property
    def projection(self) -> Update | None:
        """The update that projects the cells' output."""
        return next((each for each in self.updates if not each.gates), None)

    @property
    def together(self) -> bool:
        """Whether one update takes the rows of all gates; else gates take turns."""
        return any(each.together for each in self.updates)

    def of_gate(self, gate: str) -> Update:
        """The update that takes a gate's rows."""
        return next(each for each in self.updates if gate in each.gates)

    @property
    def rows(self) -> tuple[Rows, ...]:
        """All rows that the layer makes, each once."""
        made = (rows for each in self.updates for rows in (each.rows, each.ready) if rows is not None)
        return tuple(dict.fromkeys(made))

    @cached_property
    def stages(self) -> list[tuple[Rows, list[Update]]]:
        """Rows that are made at a time, with the updates that take them, in the order of the matrices' rows."""
        found: dict[Rows, list[Update]] = {}
        for update in self.updates:
            found.setdefault(update.rows, []).append(update)
        return [(rows, sorted(updates, key=lambda each: self._place(each.gates))) for rows, updates in found.items()]

    def frame(
        self,
        seen: Mapping[str, V],
        rows: Callable[[Rows, Mapping[str, V]], Mapping[str, V]],
        constants: Mapping[str, Mapping[str, V]],
        functions: Any,
        formats: Mapping[str, Format],
    ) -> dict[str, V]:
        """Results of all updates in a frame, states among them.

        Args:
            seen: x, and the states before the frame.
            rows: makes rows of the values that are known by then, by gate.
            constants: of each update by name, the program's numbers by theirs.
            functions: sigma and tanh.
            formats: by field, as `formats` gives them.
        """
        known, made = dict(seen), dict[str, V]()
        for each, updates in self.stages:
            by_gate = rows(each, known)
            for update in updates:
                given = {bus: by_gate[gate] for gate, bus in update.buses.items()}
                if update.ready is not None:
                    given["x"] = rows(update.ready, known)[update.gates[0]]
                given |= {**constants[update.name], **{name: known[name] for name in update.reads}}
                made |= update.kernel(given, functions, formats)
            known |= {name: made[name] for name in made if name not in self.states}  # states change with the frame
        return made

    def part(self, rows: Rows) -> slice:
        """The gates of some rows among all of a matrix."""
        if rows.gates in ((), self.gates):
            return slice(None)
        first = self._place(rows.gates)
        return slice(first, first + len(rows.gates))

    def _place(self, gates: Sequence[str]) -> int:
        return self.gates.index(gates[0]) if gates else 0

    @property
    def result(self) -> str:
        """The vector that goes to the next layer."""
        return self.updates[-1].result


def formats(layer: Any) -> dict[str, Format]:
    """Formats that the kernels of a program's layer round to, by field."""
    found = {field: getattr(layer, field, None) for field in set(VALUES.values())}
    return {field: format for field, format in found.items() if format is not None}


def sums_of(matrix: str) -> str:
    """Name of the sums of a matrix alone."""
    return JOINED + matrix.removeprefix("weight")


SUMS = (JOINED, *map(sums_of, ("weight_ih", "weight_hh", "weight_ym")))  # names of all sums, without suffixes
