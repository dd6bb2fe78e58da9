"""What each module of an accelerator's chain takes by itself, so that accelerators are sums of them."""

from collections.abc import Hashable
from dataclasses import dataclass, fields, is_dataclass, replace
from typing import Any

from ernn.dataflow.transforms import multiplications
from ernn.devices.catalogue import Resources
from ernn.estimate import cost, energy
from ernn.estimate.fabric import FABRICS, Style
from ernn.explore import pace
from ernn.explore.pace import Pace
from ernn.explore.space import Setting, matrices_of
from ernn.hw.design import Work
from ernn.hw.graph.ranges import Product
from ernn.hw.layout.array import Array
from ernn.hw.layout.words import Words
from ernn.hw.verilog.chain import Link
from ernn.hw.verilog.interfaces import Controlled
from ernn.hw.work import work
from ernn.program.initial import Initial
from ernn.program.matrices import Circulant, Numbers, Pruned, Sparse
from ernn.program.network import Dense, Output


@dataclass(frozen=True)
class Part:
    """A module of the chain with arrays of some sizes, and what hands words on to it and from it.

    Args:
        sink: words that it gives.
        work_uj: energy of its work in a frame, without that of registers.
        controlled: its modules, as control knows them.
    """

    arrays: tuple[Array, ...]
    sink: Words
    needed: Resources
    work_uj: float
    pace: Pace
    controlled: tuple[Controlled, ...]


class Parts:
    """Parts of all programs and settings of a search, each made once."""

    def __init__(self) -> None:
        self._found: dict[Any, Part] = {}
        self._links: list[
            Link
        ] = []  # whose pruned matrices are keys by their identity, and must not make way for others

    @property
    def made(self) -> int:
        """How many modules were made."""
        return len(self._found) // 3  # kinds of memories

    def part(self, link: Link, arrays: tuple[Array, ...], before: Words, setting: Setting) -> Part:
        """The part of a module behind words `before`."""
        key = alike(link), arrays, before, setting.key
        if (*key, setting.memory) not in self._found:
            self._links.append(link)
            for kind, part in _made(link, arrays, before, setting).items():
                self._found[*key, kind] = part
        return self._found[*key, setting.memory]


def _made(link: Link, arrays: tuple[Array, ...], before: Words, setting: Setting) -> dict[Style, Part]:
    """The part with each kind of memory for its weights."""
    device = setting.device
    made = link.module(arrays, before, replace(setting, memory="auto").architecture().context(link.program))
    layers = made.with_projection
    done = sum((work(layer) for layer in layers), Work({}))
    part = Part(
        arrays,
        made.sink,
        cost.link_cost(made, before, device.family),
        energy.estimate(done, 0, setting.clock_mhz, 0, 0, device).total.value,
        pace.of_link(made),
        tuple(layer.controlled for layer in layers),
    )
    found: dict[Style, Part] = {"auto": part}
    for kind in ("block", "distributed"):
        found[kind] = replace(part, needed=part.needed + cost.memory_cost(made, kind, device.family))
    return found


def least(link: Link, arrays: tuple[Array, ...], setting: Setting) -> Resources:
    """A lower bound of what a module takes, without building it: the multipliers of its arrays alone."""
    fabric, total = FABRICS[setting.device.family], Resources()
    for array, product in zip(arrays, _products(link), strict=True):
        a, b = (min(each.bits for each in ranges) for ranges in (product.weight_factors(), product.factors()))
        one = fabric.multiplier(a, b, 0)
        count = multiplications(product.matrix.block_size, product.matrix.transform)
        total += Resources(lut=one.lut if not one.dsp else 0.0, dsp=one.dsp) * (array.lanes * array.columns * count)
    return total


def least_steps(link: Link, arrays: tuple[Array, ...]) -> int:
    """Steps of a frame in the busiest array, without building it; pruned matrices may take fewer, and count as none.

    Neither the interval nor the latency of an accelerator is below it.
    """
    most = 0
    for array, required, matrices in zip(arrays, link.arrays, matrices_of(link), strict=True):
        steps = 0
        for matrix in matrices:
            rows, columns = (-(-size // matrix.block_size) for size in (matrix.rows, matrix.cols))
            together = matrix.gates == required.side_by_side
            groups = (
                -(-rows * matrix.gates // array.lanes) if not together else -(-rows // (array.lanes // matrix.gates))
            )
            stored = matrix.longest_row if isinstance(matrix, Sparse) else columns
            steps += 0 if isinstance(matrix, Pruned) else groups * -(-stored // array.columns)
        most = max(most, steps)
    return most


def _products(link: Link) -> list[Product]:
    """A product of each of its arrays."""
    layer = link.layer
    if isinstance(layer, Output):
        return [Product(layer.weight.filled(), link.program.stack[-1].output)]
    if isinstance(layer, Dense):
        return [Product(layer.weight.filled(), layer.input)]
    if link.x:
        return [Product(layer.weight_ih.filled(), layer.input)]
    found = [Product(layer.weight_hh.filled(), layer.output)]
    if len(link.arrays) > 1:
        found.append(Product(layer.matrices["weight_ym"].filled(), layer.output))
    return found


def alike(link: Link) -> Hashable:
    """Equal for modules that take the same, whatever their weights."""
    before = link.program.stack[-1].output if isinstance(link.layer, Output) else None
    return link.x, len(link.program.stack), link.program.activations, before, _shape(link.layer)


def _shape(value: Any) -> Any:
    if isinstance(value, Circulant):
        return value.kind, value.rows, value.cols, value.gates, value.block_size, value.transform, value.words.format
    if isinstance(value, Sparse):
        same = value.kind, value.rows, value.cols, value.gates, value.block_size, value.transform, value.words.format
        return *same, value.columns.tobytes(), value.starts.tobytes()
    if isinstance(value, Pruned):
        return value.kind, id(value)
    if isinstance(value, Initial):
        return None  # as without: no module depends on them
    if is_dataclass(value):
        if isinstance(value, Numbers):
            return value.format, value.integers.shape
        return type(value).__name__, tuple((each.name, _shape(getattr(value, each.name))) for each in fields(value))
    return value
