"""What is known of block sizes before any training: the best hardware of each, from the sizes of a network alone."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace

from ernn.devices.catalogue import Device
from ernn.devices.limits import BLOCK_SIZES
from ernn.estimate.shapes import Shape
from ernn.explore.hardware import Variant, search
from ernn.explore.memory import short_of_memory
from ernn.explore.parts import Parts
from ernn.explore.space import Space
from ernn.params import Network
from ernn.params.requirement import Requirement
from ernn.records.exploration import BoundRow

COARSE = Space(apart=1.5, memories=("auto",), alone=1)  # takes some seconds for a block size


@dataclass(frozen=True)
class Bound:
    """A block size before any training.

    Args:
        on_chip: whether an accelerator of the whole model has room on the device, however slow.
    """

    row: BoundRow
    on_chip: bool


def bounds(
    name: str,
    network: Network,
    requirement: Requirement,
    device: Device,
    inputs: int,
    classes: int,
    bits: int = 12,
    space: Space | None = None,
) -> Iterator[Bound]:
    """The best hardware for each block size that a layer has room for, the smallest block size first.

    Args:
        name: of the network.
        inputs: elements of a feature vector.
        space: of the search; none: `COARSE`, with the clock of the requirement.
    """
    space = space or replace(COARSE, clocks=(requirement.clock_mhz,))
    for k in BLOCK_SIZES:
        shape = shape_of(network, inputs, classes, bits, k)
        if k <= min(shape.cells, shape.outputs):
            yield _bound(name, shape, requirement, device, space)


def shape_of(network: Network, inputs: int, classes: int, bits: int, block_size: int) -> Shape:
    """The sizes of a network with one block size in all of its recurrent layers."""
    return Shape(
        cell=network.cell,
        layers=network.layers,
        cells=network.cells,
        projection=network.projection,
        peepholes=network.peepholes,
        inputs=inputs,
        classes=classes,
        block_size=block_size,
        bits=bits,
        reset=network.reset,
    )


def _bound(name: str, shape: Shape, requirement: Requirement, device: Device, space: Space) -> Bound:
    k, words = shape.block_size, shape.stored_words
    if short := short_of_memory(shape, device, requirement.share):
        return Bound(BoundRow(name, k, words, None, None, short), False)
    variants, parts = [Variant(f"{name} k={k}", shape.program())], Parts()
    found = search(variants, requirement, device, space, few=1, fronts=False, parts=parts)
    if found.best:
        best = found.best[0]
        return Bound(BoundRow(name, k, words, best.value(requirement.minimise), best.row()), True)
    slow = requirement.model_copy(
        update={"latency_us": None, "frames_per_s": None, "energy_uj": None, "minimise": "share"}
    )
    on_chip = bool(search(variants, slow, device, space, few=1, fronts=False, parts=parts).best)
    return Bound(BoundRow(name, k, words, None, None, "; ".join(found.binds)), on_chip)


def smallest_on_chip(found: Sequence[Bound]) -> int | None:
    """The smallest block size with which the whole model has room on the device; None: none has."""
    return next((each.row.block_size for each in found if each.on_chip), None)


def largest_that_pays(found: Sequence[Bound]) -> int | None:
    """The block size beyond which cost falls no more; None where no block size keeps the requirement."""
    costs = [(each.row.cost, each.row.block_size) for each in found if each.row.cost is not None]
    return min(costs)[1] if costs else None
