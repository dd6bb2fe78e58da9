"""Whether weights have room on a device at all, before any accelerator is built."""

from ernn.devices.catalogue import Device
from ernn.estimate.fabric import FABRICS
from ernn.estimate.shapes import Shape


def weight_bits(shape: Shape) -> int:
    """Bits of all stored words of a network's matrices, padding included."""
    return shape.bits * shape.matrix_words


def most_bits(device: Device) -> float:
    """Bits that a device can hold at most: in all of its block RAMs, look-up tables and flip-flops."""
    fabric, there = FABRICS[device.family], device.resources
    block = max(shape.width * shape.depth / shape.each.bram for shape in fabric.block)
    tables = [shape.width * shape.depth / shape.each.lut for shape in (*fabric.dual, *fabric.single)]
    return block * there.bram + max(tables, default=0.0) * there.lut + there.ff


def short_of_memory(shape: Shape, device: Device, share: float) -> str:
    """What is said where weights alone exceed a share of all that a device can hold; empty: they may have room."""
    needed, most = weight_bits(shape), share * most_bits(device)
    if needed <= most:
        return ""
    there = f"{most / 1e6:.1f} ({share:.0%} of all that {device.name} can hold)"
    return f"memory: {needed / 1e6:.1f} Mbit of weights, of {there}"
