"""The largest network that fits a device, the smallest device for a network, and what would fit where nothing does.

All figures come from the cost model (`ernn.estimate.cost`), without training or synthesis.
"""

from collections.abc import Callable
from dataclasses import dataclass, replace
from functools import cache

from ernn.dataflow.transforms import Fourier
from ernn.devices import limits
from ernn.devices.catalogue import DEVICES, Device, Resources
from ernn.devices.timing import TIMINGS
from ernn.errors import UserError
from ernn.estimate import cost, weights
from ernn.estimate.fabric import FABRICS
from ernn.estimate.shapes import Shape
from ernn.hw.graph.schedule import Clock
from ernn.hw.layout import sizing
from ernn.hw.verilog.network import Architecture, NetworkHardware
from ernn.program.matrices import Circulant
from ernn.program.network import Lstm, Program, Rnn

ARRAYS = (
    *((4, 1), (4, 2), (8, 2), (8, 3), (8, 4), (16, 3), (16, 4), (16, 6), (32, 4), (32, 5), (32, 6), (32, 8)),
    *((64, 6), (64, 8), (128, 6), (128, 8)),
)  # lanes and columns, each with more multipliers than the one before
_OUTPUTS = ((4, 1), (8, 1), (8, 2), (16, 2), (16, 4), (32, 4), (48, 4), (48, 8))
_STEP, _MOST = 32, 8192  # cells between candidates, and of the largest
_SMALL = 4  # arrays of which any may be the one that fits
_LARGEST_BLOCKS = 32  # that are proposed


@dataclass(frozen=True)
class Limits:
    """What an accelerator may take, and how it is to run.

    Args:
        share: of each resource; placement and routing rarely succeed with all of it.

    Raises:
        UserError: a number out of its range.
    """

    share: float = 0.9
    clock_mhz: float = 200.0
    streams: int = 1

    def __post_init__(self) -> None:
        if not 0 < self.share <= 1:
            raise UserError(f"share={self.share} must lie above 0, up to 1")
        limits.check("clock_mhz", self.clock_mhz, limits.CLOCK_MHZ)
        limits.check("streams", self.streams, limits.STREAMS)

    def binding(self, device: Device, needed: Resources) -> tuple[str, ...]:
        """Resources of which an accelerator needs more than it may, the scarcest first."""
        return device.binding(needed * (1 / self.share))


STANDARD = Limits()


@dataclass(frozen=True)
class Candidate:
    """An accelerator of some size on a device, by estimates.

    Args:
        array: lanes and columns of each recurrent layer's array.
        weights: `words` or `transformed`, by the rule of `ernn.estimate.weights`.
        cycles_estimate: steps of the busiest array for a frame; waiting is not counted.
    """

    device: Device
    array: tuple[int, int]
    output: tuple[int, int]
    weights: str
    resources_estimate: Resources
    cycles_estimate: int

    def __str__(self) -> str:
        lanes, columns = self.array
        return f"array {lanes}x{columns}, output {self.output[0]}x{self.output[1]}, weights={self.weights}"


def candidate(program: Program, device: Device, array: tuple[int, int], limits: Limits) -> Candidate:
    """A network on arrays of this size; the output layer's is the smallest that keeps up."""
    smallest = NetworkHardware(program, _architecture(program, device, array, _OUTPUTS[0], limits))
    cycles, last, output = max(_steps(smallest)[:-1]), program.output.weight, _OUTPUTS[0]
    for lanes, columns in _OUTPUTS:
        output = lanes, columns
        if -(-last.rows // lanes) * -(-last.cols // columns) <= cycles:
            break
    architecture = _architecture(program, device, array, output, limits)
    network = weights.network(program, architecture, "auto", device, min(limits.share, weights.FREE))
    needed = cost.estimate(network, device).total
    return Candidate(device, array, output, network.architecture.weights, needed, max(_steps(network)))


def _architecture(
    program: Program, device: Device, array: tuple[int, int], output: tuple[int, int], limits: Limits
) -> Architecture:
    arrays = sizing.arrays(program, (*array, 0), (*output, 0))
    return Architecture(arrays, Clock(limits.clock_mhz, TIMINGS[device.family]), limits.streams)


def _steps(network: NetworkHardware) -> list[int]:
    """Steps of a frame in each array; the largest is a lower bound of the cycles of a frame."""
    return [sum(thread.length for thread in layer.array.layout.threads) for layer in network.layers]


def fastest(program: Program, device: Device, limits: Limits) -> Candidate | None:
    """The accelerator with the largest arrays that fit; None if the smallest don't."""
    made = cache(lambda number: candidate(program, device, ARRAYS[number], limits))

    def fits(number: int) -> bool:
        return not limits.binding(device, made(number).resources_estimate)

    # Narrow memories waste blocks, so that the smallest arrays may take more of them than the next ones.
    first = next((number for number in range(_SMALL) if fits(number)), None)
    return None if first is None else made(first + _last(len(ARRAYS) - first, lambda more: fits(first + more)))


def largest(shape: Shape, device: Device, limits: Limits) -> tuple[Shape, Candidate] | None:
    """The network with most cells that fits on the smallest arrays, and its fastest accelerator; None if 32 don't fit.

    A projection keeps its ratio to the cells.
    """

    def shape_of(number: int) -> Shape:
        cells = _STEP * (number + 1)
        projection = max(1, cells * shape.projection // shape.cells) if shape.projection else 0
        return replace(shape, cells=cells, projection=projection)

    def fits(number: int) -> bool:
        program = shape_of(number).program()
        small = (candidate(program, device, array, limits) for array in ARRAYS[:_SMALL])
        return any(not limits.binding(device, each.resources_estimate) for each in small)

    found = _last(_MOST // _STEP, fits)
    if found < 0:
        return None
    best = fastest(shape_of(found).program(), device, limits)
    assert best is not None
    return shape_of(found), best


def smallest(program: Program, limits: Limits) -> Candidate | None:
    """The fastest accelerator on the smallest device that has room for the network; None if none has."""
    for device in by_size():
        if (found := fastest(program, device, limits)) is not None:
            return found
    return None


def by_size() -> list[Device]:
    """All devices, that with the fewest look-up tables first; ones with 4 inputs count for two thirds."""
    return sorted(DEVICES.values(), key=lambda device: device.resources.lut * FABRICS[device.family].lut_inputs / 6)


def what_fits(program: Program, device: Device, limits: Limits = STANDARD) -> list[str]:
    """What would fit in place of an accelerator of this network that doesn't fit on this device: a line a proposal.

    Smaller arrays, or else larger blocks on the same device, and another device.
    """
    if (found := fastest(program, device, limits)) is not None:
        return [f"{found} on {device.name}, {found.cycles_estimate} cycles a frame (estimate)"]
    lines, shape = [], shape_of(program)
    if shape is not None:
        for block_size in (2 * shape.block_size, 4 * shape.block_size):
            other = replace(shape, block_size=block_size) if block_size <= _LARGEST_BLOCKS else None
            if other is not None and (found := fastest(other.program(), device, limits)) is not None:
                lines.append(f"block_size={block_size} with {found} on {device.name} (estimate)")
                break
    if (found := smallest(program, limits)) is not None:
        lines.append(f"{found} on {found.device.name}, {found.cycles_estimate} cycles a frame (estimate)")
    return lines


def shape_of(program: Program) -> Shape | None:
    """The sizes of a program, if all of its layers are alike and block-circulant."""
    first = program.layers[0]
    weight = first.weight_hh
    if (
        isinstance(first, Rnn)
        or not isinstance(weight, Circulant)
        or len({layer.cells for layer in program.layers}) > 1
    ):
        return None
    transform, lstm = weight.transform, first if isinstance(first, Lstm) else None
    return Shape(
        cell=first.kind,
        layers=len(program.layers),
        cells=first.cells,
        projection=lstm.outputs if lstm and lstm.weight_ym is not None else 0,
        peepholes=lstm is not None and lstm.peephole is not None,
        inputs=program.inputs,
        classes=program.decoder.classes,
        block_size=weight.block_size,
        bits=weight.words.format.bits,
        transform=transform.kind,
        complex_products=transform.products if isinstance(transform, Fourier) else 4,
    )


def _last(count: int, good: Callable[[int], bool]) -> int:
    """The last of 0 .. count - 1 for which `good` holds, if it holds up to some number; -1 if it never does."""
    low, high = -1, count
    while high - low > 1:
        middle = (low + high) // 2
        low, high = (middle, high) if good(middle) else (low, middle)
    return low
