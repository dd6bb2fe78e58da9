"""Cycles before a simulation: those of accelerators that were simulated."""

import pytest

from ernn.devices.timing import TIMINGS
from ernn.estimate.shapes import Shape
from ernn.explore import pace
from ernn.hw.graph.schedule import Clock
from ernn.hw.layout import sizing
from ernn.hw.verilog.network import Architecture, NetworkHardware

SIZES = {"layers": 2, "cells": 128, "inputs": 80, "classes": 48}
SIMULATED = [  # of docs/benchmarks/accelerator.md: cycles between frames, and of one alone
    (Shape(block_size=8, **SIZES), (8, 2, 0), 129, 501),
    (Shape(block_size=4, **SIZES), (8, 4, 0), 257, 730),
    (Shape("gru", block_size=4, **SIZES), (8, 4, 0), 193, 628),
]


@pytest.mark.parametrize(("shape", "array", "interval", "latency"), SIMULATED, ids=str)
def test_intervals_are_bounds_and_latencies_are_near(shape, array, interval, latency):
    program = shape.program()
    sizes = Architecture(sizing.arrays(program, array, (16, 4, 0)), Clock(200, TIMINGS["xcu"]))
    found = pace.of_network(NetworkHardware(program, sizes))
    assert found.interval <= interval <= 1.02 * found.interval
    assert latency <= found.latency <= 1.25 * latency


def test_heads_that_are_taken_for_long_hold_an_array_up():
    program = Shape(cells=32, inputs=4, classes=4, block_size=1).program()
    sizes = sizing.arrays(program, (128, 32, 0), (4, 4, 0))
    network = NetworkHardware(program, Architecture(sizes, Clock(100, TIMINGS["xc7"])))
    assert pace.of_link(network.chain[0]).interval == 32  # a group of 2 steps, 32 cells behind each head


def test_a_chain_has_the_interval_of_its_slowest_module():
    assert pace.joined([pace.Pace(3, 10), pace.Pace(7, 4)]) == pace.Pace(7, 14)
