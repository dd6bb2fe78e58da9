"""Which network fits which device: laws of the search, and the command's lines."""

import dataclasses

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from ernn.devices.catalogue import DEVICES
from ernn.errors import UserError
from ernn.estimate import fit
from ernn.estimate.shapes import Shape
from ernn.explore.__main__ import main
from ernn.program.network import Lstm
from tests.programs import build

SHAPE = Shape(cells=64, inputs=40, classes=12, block_size=4)
ZYNQ, ECP5, KINTEX = DEVICES["xc7z020"], DEVICES["ecp5-85f"], DEVICES["xcku060"]
LIMITS = fit.STANDARD


def fits(design: fit.Candidate, limits: fit.Limits = LIMITS) -> bool:
    return not limits.binding(design.device, design.resources_estimate)


def test_the_fastest_design_fits_and_the_next_larger_one_does_not():
    program = SHAPE.program()
    found = fit.fastest(program, ZYNQ, LIMITS)
    assert found is not None
    assert fits(found)
    larger = fit.ARRAYS[fit.ARRAYS.index(found.array) + 1]
    assert not fits(fit.candidate(program, ZYNQ, larger, LIMITS))


def test_the_largest_network_fits_and_a_larger_one_does_not():
    found = fit.largest(SHAPE, ZYNQ, LIMITS)
    assert found is not None
    shape, design = found
    assert fits(design)
    assert shape.cells > SHAPE.cells
    larger = dataclasses.replace(shape, cells=shape.cells + 32).program()
    assert not any(fits(fit.candidate(larger, ZYNQ, array, LIMITS)) for array in fit.ARRAYS[:4])


def test_a_larger_device_has_room_for_a_larger_network():
    (small, _), (large, _) = fit.largest(SHAPE, ZYNQ, LIMITS), fit.largest(SHAPE, DEVICES["xc7z100"], LIMITS)  # type: ignore[misc]
    assert small.cells < large.cells


def test_the_smallest_device_is_the_first_that_has_room():
    program = dataclasses.replace(SHAPE, cells=256, block_size=8).program()
    found = fit.smallest(program, LIMITS)
    assert found is not None
    for device in fit.by_size():
        if device == found.device:
            break
        assert fit.fastest(program, device, LIMITS) is None


def test_less_of_a_device_makes_slower_designs():
    program, half = SHAPE.program(), fit.Limits(share=0.4)
    whole, less = fit.fastest(program, KINTEX, LIMITS), fit.fastest(program, KINTEX, half)
    assert whole is not None
    assert less is not None
    assert fits(less, half)
    assert less.cycles_estimate > whole.cycles_estimate


def test_what_fits_is_a_smaller_array_where_one_does():
    [line] = fit.what_fits(SHAPE.program(), ZYNQ)
    found = fit.fastest(SHAPE.program(), ZYNQ, LIMITS)
    assert line.startswith(f"{found} on xc7z020")


def test_what_fits_is_larger_blocks_or_another_device_where_no_array_does():
    dense = dataclasses.replace(SHAPE, cells=512, block_size=2)
    assert fit.fastest(dense.program(), ZYNQ, LIMITS) is None
    lines = fit.what_fits(dense.program(), ZYNQ)
    assert lines[0].startswith("block_size=4 with array ")
    assert " on xc7z020" in lines[0]
    assert " on xc7z020" not in lines[-1]


SHAPES = st.builds(
    Shape,
    layers=st.integers(1, 3),
    cells=st.integers(1, 40),
    projection=st.integers(0, 20),
    peepholes=st.booleans(),
    inputs=st.integers(1, 30),
    classes=st.integers(1, 9),
    block_size=st.sampled_from([2, 4, 8]),
    bits=st.integers(6, 16),
    transform=st.sampled_from(["exact", "fourier"]),
    complex_products=st.sampled_from([3, 4]),
)


@settings(max_examples=20)
@given(SHAPES)
def test_sizes_are_read_back_from_a_program(shape):
    read = fit.shape_of(shape.program())
    if shape.transform == "exact":
        shape = dataclasses.replace(shape, complex_products=4)
    assert read == shape


def test_pruned_networks_have_no_such_sizes():
    assert fit.shape_of(build(block_sizes=(0, 0))) is None


def test_a_shape_has_the_sizes_that_it_says():
    program = Shape("lstm", 2, 48, 16, True, inputs=9, classes=5, block_size=8).program()
    first, second = program.layers
    assert isinstance(first, Lstm)
    assert first.peephole is not None
    assert (first.inputs, first.cells, first.outputs, second.inputs, program.decoder.classes) == (9, 48, 16, 16, 5)


@pytest.mark.parametrize(
    ("wrong", "message"),
    [
        ({"cells": 0}, "cells=0 must be 1 or more"),
        ({"projection": -1}, "projection=-1 must be 0"),
        ({"bits": 3}, "bits=3 must lie in 4..18"),
        ({"block_size": 3}, "block_size=3 must be one of 1, 2, 4"),
        ({"cell": "gru", "projection": 8}, "projection and peepholes are an LSTM's"),
        ({"block_size": 1, "transform": "fourier"}, "transform=fourier needs block_size=2"),
    ],
)
def test_sizes_that_describe_no_network_are_refused(wrong, message):
    with pytest.raises(UserError, match=message.replace(".", r"\.")):
        dataclasses.replace(SHAPE, **wrong)


SIZES = ["--cells", "64", "--inputs", "40", "--classes", "12", "--block-size", "4"]


@pytest.mark.parametrize(
    ("words", "first"),
    [
        (["--device", "xc7z020"], "lstm 40-64 k=4 12 bits exact fits xc7z020"),
        (["--device", "xc7z020", "--largest"], "largest network on xc7z020: lstm 40-"),
        ([], "smallest device for lstm 40-64 k=4 12 bits exact: "),
        (["--device", "xc7z020", "--share", "0.01"], "lstm 40-64 k=4 12 bits exact does not fit xc7z020, "),
    ],
)
def test_the_command_answers_with_estimates(capsys, words, first):
    assert main([*SIZES, *words]) == 0
    lines = capsys.readouterr().out.splitlines()
    assert lines[0].startswith(first)
    for line in lines[2:6]:
        assert "(estimate" in line


@pytest.mark.parametrize(
    ("words", "message"),
    [
        (["--largest"], "name one with --device"),
        (["--cells", "0"], "cells=0 must be 1 or more"),
        (["--share", "0"], "share=0.0 must lie above 0, up to 1"),
        (["--clock-mhz", "0"], "clock_mhz=0.0 must lie in 10..1000"),
        (["--streams", "0"], "streams=0 must lie in 1..64"),
    ],
)
def test_the_command_refuses_in_one_line(capsys, words, message):
    assert main(words) == 2
    captured = capsys.readouterr()
    assert message in captured.err
    assert captured.err.count("\n") == 1
    assert not captured.out
