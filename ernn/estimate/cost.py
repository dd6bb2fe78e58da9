"""What an accelerator takes of a device, estimated in a moment and without synthesis.

Kernels are read as graphs, modules of the library by their parameters, the logic between them by its registers. All
figures are estimates; `python -m bench.cost` has their errors against synthesis.
"""

import functools
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, replace

from ernn.devices.catalogue import Device, Family, Resources
from ernn.estimate.fabric import FABRICS, Fabric, Style
from ernn.estimate.kernels import kernel_cost
from ernn.estimate.library import instance_cost
from ernn.hw.layout.words import Words
from ernn.hw.verilog import chain
from ernn.hw.verilog.chain import Handshake
from ernn.hw.verilog.interfaces import Controlled
from ernn.hw.verilog.items import Instance, Item, Memory, Register
from ernn.hw.verilog.lane import lane_items
from ernn.hw.verilog.layer import LayerHardware
from ernn.hw.verilog.network import Architecture, NetworkHardware, around
from ernn.program.network import Program


@dataclass(frozen=True)
class CostPart:
    """Equal pieces of an accelerator: how many, and the estimate of one."""

    name: str
    count: int
    each: Resources

    @property
    def total(self) -> Resources:
        """Resources of all instances of the part."""
        return self.each * self.count


@dataclass(frozen=True)
class ResourceEstimate:
    """Estimated resources of an accelerator, by its parts."""

    parts: tuple[CostPart, ...]

    @property
    def total(self) -> Resources:
        """Resources of the whole accelerator."""
        return functools.reduce(lambda total, part: total + part.total, self.parts, Resources())


def estimate(network: NetworkHardware, device: Device) -> ResourceEstimate:
    """Estimate of a whole network on a device's family."""
    fabric = FABRICS[device.family]
    parts = [part for layer in network.layers for part in layer_parts(layer, device.family)]
    return ResourceEstimate((*parts, CostPart("control", 1, _glue(network.top().items, fabric))))


def link_cost(link: LayerHardware, before: Words, family: Family) -> Resources:
    """A module of a network's chain, its projection included, with what hands words `before` to it, and its own on.

    The sum over all links and `around_cost` is the estimate of the whole network, but for the rounding of floats.
    """
    parts = [part.total for layer in link.with_projection for part in layer_parts(layer, family)]
    nowhere = Handshake("", "", "")  # what is connected costs nothing
    return sum(parts, _glue(chain.connected(link, 0, nowhere, before), FABRICS[family]))


def memory_cost(link: LayerHardware, kind: Style, family: Family) -> Resources:
    """What its memories of weights take if they are of a kind, and not of the kind that it was made with."""
    total = Resources()
    for layer in link.with_projection:
        layout, shared = layer.array.layout, layer.array.shared
        lanes = [(item, layout.array.lanes) for item in lane_items(layer.array)]
        for item, count in [*lanes, *((item, layout.fetches) for item in (shared.items if shared else ()))]:
            if isinstance(item, Instance) and "KIND" in item.parameters:
                other = replace(item, parameters={**item.parameters, "KIND": f'"{kind}"'})
                more = instance_cost(other, FABRICS[family]) + instance_cost(item, FABRICS[family]) * -1
                total += more * count
    return total


def around_cost(
    program: Program, architecture: Architecture, layers: Sequence[Controlled], sink: Words, family: Family
) -> Resources:
    """What is around the chain: control and streams.

    Args:
        layers: all of its modules.
        sink: words that the last one gives.
    """
    return _glue(around(program, architecture, layers, sink), FABRICS[family])


def layer_parts(layer: LayerHardware, family: Family) -> Iterator[CostPart]:
    """Lanes, kernels and what is between them in one layer."""
    fabric, items = FABRICS[family], list(layer.items())
    yield CostPart(f"{layer.name}: lanes", layer.array.layout.array.lanes, _lane(layer, fabric))
    if layer.array.shared is not None:
        yield CostPart(f"{layer.name}: fetch", layer.array.layout.fetches, _fetch(layer, fabric))
    kernels = {kernel.name: kernel for kernel in layer.kernels if kernel is not layer.array.lane}
    for name, kernel in kernels.items():
        count = sum(isinstance(item, Instance) and item.module == name for item in items)
        yield CostPart(f"{layer.name}: {name.removeprefix(layer.name + '_')}", count, kernel_cost(kernel, fabric))
    control = _choices(layer, fabric) + _glue(items, fabric)
    yield CostPart(f"{layer.name}: control", 1, replace(control, ff=fabric.constants.kept * control.ff))


def _lane(layer: LayerHardware, fabric: Fabric) -> Resources:
    """Weights, operands, kernel and accumulators of one lane."""
    array, items = layer.array, list(lane_items(layer.array))
    total = kernel_cost(array.lane, fabric) + _library(items, fabric) + _words(items, fabric)
    shifts = len(array.shifts)
    if shifts > 1:  # a choice among sums at several places
        total += Resources(lut=array.lanes_bits * -(-2 * shifts // fabric.lut_inputs))
    return total


def _fetch(layer: LayerHardware, fabric: Fabric) -> Resources:
    """Indices, and copies of the vectors for the lanes of one place."""
    assert layer.array.shared is not None
    items = layer.array.shared.items
    return _library(items, fabric) + _words(items, fabric)


def _choices(layer: LayerHardware, fabric: Fabric) -> Resources:
    """Multiplexers between a layer's vectors, and around its states."""
    vectors, places = {thread.vector for thread in layer.array.layout.threads}, 1
    if layer.array.layout.store.fixed:
        places = layer.array.operands.reads // len(vectors)
    bits = places * layer.array.layout.array.columns * layer.array.factors.bits if len(vectors) > 1 else 0
    if layer.states:
        cells = layer.states["c"].bits if "c" in layer.states else 0  # a plain recurrent layer keeps its output alone
        bits += layer.state_bits + layer.sink.width + 2 * cells
    return Resources(lut=fabric.constants.mux * bits)


def _words(items: Iterable[Item], fabric: Fabric) -> Resources:
    """Registers, and memories with those behind their ports, which block RAMs have inside."""
    total = Resources()
    for item in items:
        if isinstance(item, Memory):
            memory = fabric.memory(item.bits, item.depth)
            total += memory + Resources(ff=0 if memory.bram else item.bits)
        elif isinstance(item, Register) and not item.port:
            total += Resources(ff=item.bits)
    return total


def _glue(items: Iterable[Item], fabric: Fabric) -> Resources:
    """What a module has itself, with the library's modules in it: logic goes with registers of control."""
    items = list(items)
    found = {item.name: item.bits for item in items if isinstance(item, Register)}
    wide = sum(bits for name, bits in found.items() if name.startswith("broadcast"))
    ring = sum(bits for name, bits in found.items() if name.startswith("ring_"))
    state = sum(found.values()) - wide - ring
    c = fabric.constants
    own = Resources(lut=c.state * state + c.ring * ring, ff=state + wide + ring)
    for memory in (item for item in items if isinstance(item, Memory)):
        own += fabric.memory(memory.bits, memory.depth)
    return _library(items, fabric) + own


def _library(items: Iterable[Item], fabric: Fabric) -> Resources:
    return sum((instance_cost(item, fabric) for item in items if isinstance(item, Instance)), Resources())
