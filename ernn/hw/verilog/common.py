"""What the layers of a network have in common: settings, sums, and the memories of their units."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

from ernn.dataflow.activation import Activations
from ernn.dataflow.formats import Format
from ernn.hw.graph import kernels
from ernn.hw.graph.kernel import Kernel
from ernn.hw.graph.ranges import Sums
from ernn.hw.graph.schedule import Clock
from ernn.hw.layout.array import Array, Thread
from ernn.hw.layout.steps import StepMemory
from ernn.hw.layout.weights import Layout
from ernn.hw.verilog.array import ArrayHardware
from ernn.hw.verilog.interfaces import Drain
from ernn.program.matrices import Numbers
from ernn.program.network import Layer
from ernn.program.plan import Update
from ernn.program.plans import plan_of


@dataclass(frozen=True)
class Context:
    """Settings that all layers of a network share."""

    activations: Activations
    clock: Clock
    streams: int
    frame_bits: int
    memory: str
    transformed: bool  # weights are stored as the factors of their blocks


def array_hardware(
    name: str, array: Array, threads: Sequence[Thread], drains: Sequence[Drain], context: Context
) -> ArrayHardware:
    """The array of some threads."""
    layout = Layout(array, tuple(threads), context.transformed)
    return ArrayHardware(name, layout, drains, context.frame_bits, context.streams, context.clock, context.memory)


def constants(name: str, buses: Sequence[str], numbers: Numbers) -> StepMemory:
    """Numbers for each cell: a bus for each row of them."""
    return StepMemory(name, tuple(buses), numbers.format.bits, numbers=numbers)


def states(cell: Format, writer: str) -> StepMemory:
    """Memory of c_{t-1} of every stream."""
    return StepMemory("c", ("c",), cell.bits, page="stream", writer=writer, data="c_new", zero_first=True)


def passed(writer: str, bits: int, bus: str = "") -> StepMemory:
    """Memory through which one unit hands its results to another; it holds two frames."""
    return StepMemory(writer, (bus or writer,), bits, page="frame", writer=writer, data="out")


def rows_in_front(
    name: str, sums: Sums, spectra: Mapping[str, str], array: Array, clock: Clock, sum_bits: int
) -> tuple[Kernel | None, Sums, int]:
    """The kernel in front of one that takes a block in several beats; what that one sums, and the bits of a sum.

    Where a block's beats leave time for it, the kernel is one for all gates.

    Args:
        spectra: what golden calls the spectra of each gate, by the ends of the buses `s`.
    """
    if array.beats == 1:
        return None, sums, sum_bits
    joined, names = sums.joined, set(spectra.values())
    if 1 < len(spectra) <= array.beats and len(names) == 1:
        spectra = {"": names.pop()}
    front = kernels.joined_rows(name, joined, spectra, clock, sum_bits)
    ready = replace(joined, ready=joined.block_size // array.beats)
    return front, replace(sums, joined=ready), joined.row_range().bits


def ready_rows(layer: Layer, sums: Sums, update: Update, elements: int) -> StepMemory:
    """Rows of x of the gates of an update, from words of all gates of some elements."""
    assert sums.apart is not None
    bits, names = sums.apart.row_range().bits, plan_of(layer.kind, layer).gates
    size = len(names) * bits
    parts = [
        f"x_data[{e * size + (names.index(gate) + 1) * bits - 1}:{e * size + names.index(gate) * bits}]"
        for e in range(elements)
        for gate in update.gates
    ]
    buses = tuple(bus.replace("s", "x") for bus in update.buses.values())
    data = "{" + ", ".join(reversed(parts)) + "}"
    return StepMemory("x", buses, bits, page="frame", data=data, element_major=True)
