"""Where hardware and integer model first differ: frame, layer, value, element, expected and got."""

import re
from collections import defaultdict
from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
from jaxtyping import Int

from ernn.golden.model import Golden
from ernn.hw.design import Accelerator, UnitShape
from ernn.program.network import Program
from ernn.program.plan import JOINED, Plan
from ernn.program.plans import OUTPUT, plan_of

_TRACE = re.compile(r"^TRACE \S*?\b(\w+)_module\.(\w+)_kernel_(\d+) (\S+) (-?\d+)$", re.MULTILINE)

_NUMBERED = re.compile(r"(layer|head)(\d+)")
PLACES = {"layer": "layers", "head": "head"}  # of a program, by the names of modules


@dataclass(frozen=True)
class Difference:
    """One value; `name` is that of the equations with its layer: `layers.0.a_i`."""

    frame: int
    name: str
    element: int
    expected: int
    got: int

    def __str__(self) -> str:
        return f"frame {self.frame}, {self.name}[{self.element}]: expected {self.expected}, got {self.got}"


def first_difference(
    program: Program, accelerator: Accelerator, printed: str, x: Int[np.ndarray, "frames inputs"]
) -> Difference | None:
    """The first named value that differs in a traced run of one utterance; None where all are equal.

    Args:
        accelerator: of the project.
        printed: by a test bench that was compiled with ERNN_TRACE.
        x: features of the utterance.
    """
    wanted = Golden(program).trace(x)
    found = _values(program, accelerator, printed)
    for frame in range(len(x)):
        for name, rows in wanted.items():
            for element, got in sorted(found.get((frame, name), {}).items()):
                if element < rows.shape[1] and rows[frame, element] != got:
                    return Difference(frame, name, element, int(rows[frame, element]), got)
    return None


def _values(program: Program, accelerator: Accelerator, printed: str) -> dict[tuple[int, str], dict[int, int]]:
    """Elements of every traced value by frame and name."""
    units = {(layer.name, unit.name): unit for layer in accelerator.layers for unit in layer.units}
    seen: defaultdict[tuple[str, ...], int] = defaultdict(int)
    values: defaultdict[tuple[int, str], dict[int, int]] = defaultdict(dict)
    for layer, name, block, value, integer in _TRACE.findall(printed):
        unit = units[layer, name]
        count = seen[layer, name, block, value]
        seen[layer, name, block, value] += 1
        frame, rest = divmod(count, unit.steps * unit.turns)
        step, turn = divmod(rest, unit.turns)
        gate = f".{_plan(program, layer).gates[turn]}" if unit.turns > 1 else ""
        for full, element in _place(program, layer, value + gate, unit, step * unit.width + int(block)):
            values[frame, full][element] = int(integer)
    return values


def _place(program: Program, layer: str, value: str, unit: UnitShape, block: int) -> Iterator[tuple[str, int]]:
    """Full name and element of `a_i.3`, or of a word of a spectrum, `sums.2` or `sums.2.i` of a gate."""
    if block >= unit.blocks:
        return
    number = _NUMBERED.match(layer)
    prefix = f"{PLACES[number[1]]}.{number[2]}" if number else "output"
    base, place, *gate = value.split(".")
    if not base.startswith(JOINED):
        element = block * unit.block_size + int(place)
        if element < unit.elements:
            yield f"{prefix}.{base}", element
        return
    together = next((rows.gates for rows in _plan(program, layer).rows if base in rows.names), ())
    letter = gate[0] if gate else unit.name[0]
    before = together.index(letter) if letter in together else 0
    yield f"{prefix}.{base}.{place}", before * unit.blocks + block


def _plan(program: Program, layer: str) -> Plan:
    """Plan of the layer that a module belongs to."""
    if number := _NUMBERED.match(layer):
        found = getattr(program, PLACES[number[1]])[int(number[2])]
        return plan_of(found.kind, found)
    return OUTPUT
