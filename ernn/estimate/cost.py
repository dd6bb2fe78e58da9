"""What an accelerator takes of a device, estimated in a moment and without synthesis.

Kernels are read as graphs, modules of the library by their parameters, the logic between them by its registers. All
figures are estimates; `python -m bench.cost` has their errors against synthesis.
"""

import functools
from collections.abc import Iterator
from dataclasses import dataclass, replace

from ernn.devices.catalogue import Device, Family, Resources
from ernn.estimate.fabric import FABRICS, Fabric
from ernn.estimate.kernels import kernel_cost
from ernn.estimate.library import instance_cost
from ernn.hw.verilog.lane import lane_module
from ernn.hw.verilog.layer import LayerHardware
from ernn.hw.verilog.module import Module
from ernn.hw.verilog.network import NetworkHardware


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
    return ResourceEstimate((*parts, CostPart("control", 1, _glue(network.top(), fabric))))


def layer_parts(layer: LayerHardware, family: Family) -> Iterator[CostPart]:
    """Lanes, kernels and what is between them in one layer."""
    fabric, module = FABRICS[family], layer.module()
    yield CostPart(f"{layer.name}: lanes", layer.array.layout.array.lanes, _lane(layer, fabric))
    kernels = {kernel.name: kernel for kernel in layer.kernels if kernel is not layer.array.lane}
    for name, kernel in kernels.items():
        count = sum(instance.module == name for instance in module.instances)
        yield CostPart(f"{layer.name}: {name.removeprefix(layer.name + '_')}", count, kernel_cost(kernel, fabric))
    control = _choices(layer, fabric) + _glue(module, fabric)
    yield CostPart(f"{layer.name}: control", 1, replace(control, ff=fabric.constants.kept * control.ff))


def _lane(layer: LayerHardware, fabric: Fabric) -> Resources:
    """Weights, operands, kernel and accumulators of one lane."""
    array, module = layer.array, lane_module(layer.array)
    total = kernel_cost(array.lane, fabric) + _library(module, fabric)
    total += Resources(ff=sum(register.bits for register in module.registers))
    shifts = len(array.shifts)
    if shifts > 1:  # a choice among sums at several places
        total += Resources(lut=array.lanes_bits * -(-2 * shifts // fabric.lut_inputs))
    return total


def _choices(layer: LayerHardware, fabric: Fabric) -> Resources:
    """Multiplexers between a layer's vectors, and around its states."""
    vectors = {thread.vector for thread in layer.array.layout.threads}
    bits = layer.array.layout.array.columns * layer.array.factors.bits if len(vectors) > 1 else 0
    if layer.states:
        bits += layer.state_bits + layer.sink.width + 2 * layer.states["c"].bits
    return Resources(lut=fabric.constants.mux * bits)


def _glue(module: Module, fabric: Fabric) -> Resources:
    """What a module has itself, with the library's modules in it: logic goes with registers of control."""
    found = {register.name: register.bits for register in module.registers}
    wide = sum(bits for name, bits in found.items() if name.startswith("broadcast"))
    ring = sum(bits for name, bits in found.items() if name.startswith("ring_"))
    state = sum(found.values()) - wide - ring
    c = fabric.constants
    own = Resources(lut=c.state * state + c.ring * ring, ff=state + wide + ring)
    for memory in module.memories:
        own += fabric.memory(memory.bits, memory.depth)
    return _library(module, fabric) + own


def _library(module: Module, fabric: Fabric) -> Resources:
    return sum((instance_cost(instance, fabric) for instance in module.instances), Resources())
