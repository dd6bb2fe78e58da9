"""Which network fits which device: laws of the answers, and the command's lines and exit codes."""

import dataclasses

import pytest

from ernn.devices.catalogue import DEVICES
from ernn.estimate.shapes import Shape
from ernn.explore import fit
from ernn.explore.accelerators import Estimated
from ernn.explore.fit import Fits, Limits, main
from ernn.params import HeadSpec

SHAPE = Shape(cells=64, inputs=40, classes=12, block_size=4)
ZYNQ, KINTEX = DEVICES["xc7z020"], DEVICES["xcku060"]


@pytest.fixture(scope="module")
def fits() -> Fits:
    return Fits()


def kept(found: Estimated | None, share: float = 0.9) -> bool:
    return found is not None and found.share <= share


def test_the_fastest_accelerator_fits_and_no_other_device_is_named(fits):
    found = fits.fastest(SHAPE, ZYNQ)
    assert kept(found)
    assert found.setting.device == ZYNQ
    smallest = fits.smallest(SHAPE, ZYNQ)
    assert smallest.share < found.share
    assert smallest.pace.latency > found.pace.latency


def test_the_largest_network_fits_and_a_larger_one_does_not():
    fits = Fits(Limits(share=0.4))
    found = fits.largest(SHAPE, ZYNQ)
    assert found is not None
    shape, design = found
    assert kept(design, 0.4)
    assert shape.cells > SHAPE.cells
    assert fits.smallest(dataclasses.replace(shape, cells=shape.cells + 32), ZYNQ) is None


def test_a_larger_network_keeps_the_ratio_of_its_layers():
    assert fit.scaled(Shape(layers=2, cells=64, projection=16), 96) == Shape(layers=2, cells=96, projection=24)
    assert fit.scaled(Shape(layers=2, cells=(16, 64), projection=8), 96) == Shape(
        layers=2, cells=(24, 96), projection=12
    )
    assert fit.scaled(Shape(layers=2, cells=(1, 64)), 32).sizes == (1, 32)


def test_cells_of_another_number_of_layers_are_refused(capsys):
    assert main(["--layers", "3", "--cells", "64", "32"]) == 2
    line = "fit: cells has 2 entries, layers=3: give one a layer, or one for all"
    assert line in capsys.readouterr().err


def test_the_smallest_device_is_the_first_that_has_room(fits):
    shape = dataclasses.replace(SHAPE, cells=256, block_size=8)
    found = fits.device_for(shape)
    assert kept(found)
    for device in fit.by_size():
        if device == found.setting.device:
            break
        assert fits.smallest(shape, device) is None


def test_less_of_a_device_makes_slower_accelerators(fits):
    whole, less = fits.fastest(SHAPE, KINTEX), Fits(Limits(share=0.2)).fastest(SHAPE, KINTEX)
    assert kept(less, 0.2)
    assert less.pace.latency > whole.pace.latency


def test_a_question_without_a_device_is_refused(capsys):
    assert fit.main(["--largest"]) == 2
    assert "fit: --largest asks for the largest network on a device; name one with --device" in capsys.readouterr().err


SIZES = ["--cells", "64", "--inputs", "40", "--classes", "12", "--block-size", "4"]


@pytest.mark.parametrize(
    ("words", "first"),
    [
        (["--device", "xc7z020"], "lstm 40-64 k=4 12 bits exact fits xc7z020"),
        (["--device", "xc7z020", "--largest"], "largest network on xc7z020: lstm 40-"),
        ([], "smallest device for lstm 40-64 k=4 12 bits exact: "),
        (["--device", "xc7z020", "--cell", "rnn"], "rnn 40-64 k=4 12 bits exact fits xc7z020"),
        (["--device", "xc7z020", "--layers", "2"], "lstm 40-2x64 k=4 12 bits exact fits xc7z020"),
        (
            ["--device", "xc7z020", "--head", "32:relu", "16:tanh", "8"],
            "lstm 40-64 + 32 (relu) + 16 (tanh) + 8 (no function) k=4 12 bits exact fits xc7z020",
        ),
        (["--device", "xc7z020", "--cells", "64", "32"], "lstm 40-64-32 k=4 12 bits exact fits xc7z020"),
    ],
)
def test_the_command_answers_with_estimates(capsys, words, first):
    assert main([*SIZES, *words]) == 0
    lines = capsys.readouterr().out.splitlines()
    assert lines[0].startswith(first)
    assert " us; one alone takes " in lines[2]
    assert lines[2].endswith(" us, at 200 MHz (estimate)")
    *resources, clock = lines[3:]
    assert len(resources) in (3, 4)  # GateMate has no multipliers
    for line in resources:
        assert "(estimate" in line
    assert clock.startswith("clock 200 MHz (pipelines are scheduled for it; ")


def test_the_command_says_no_with_what_binds_and_what_would_fit(capsys):
    assert main(["--cells", "512", "--block-size", "1", "--device", "xc7z020", "--clock-mhz", "100"]) == 1
    first, *lines = capsys.readouterr().out.splitlines()
    assert first.startswith(
        "lstm 153-512 k=1 12 bits exact does not fit xc7z020: memory: 16.6 Mbit of weights, of 7.8 "
    )
    same, other = lines
    assert same.startswith("would fit: block_size=8 on xc7z020 with array ")
    assert " on xc7z020" not in other
    assert all(line.endswith(" us, at 100 MHz (estimate)") for line in lines)


@pytest.mark.parametrize(
    ("words", "first"),
    [
        ([], "lstm 153-64x16384 k=64 12 bits exact fits no device that is known: "),
        (["--device", "xcku060"], "lstm 153-64x16384 k=64 12 bits exact does not fit xcku060: memory: 25580.3 Mbit "),
    ],
)
def test_the_command_refuses_what_no_device_could_hold_without_building_it(capsys, monkeypatch, words, first):
    monkeypatch.setattr(Shape, "program", lambda shape: pytest.fail("a network of billions of words"))
    assert main(["--layers", "64", "--cells", "16384", "--block-size", "64", *words]) == 1
    assert capsys.readouterr().out.startswith(first)


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


@pytest.mark.parametrize("given", ["relu", "0:relu", "16:gelu", "16:", "1e3", "16385"])
def test_linear_layers_of_a_head_are_read_or_refused(capsys, given):
    if given == "16:":
        assert fit.parser().parse_args(["--head", given]).head == [HeadSpec(outputs=16)]
        return
    with pytest.raises(SystemExit, match="2"):
        main(["--head", given])
    assert "must be a number of outputs, at most 16384, and one of none, relu, relu6, " in capsys.readouterr().err


def test_a_head_takes_words_and_room(fits):
    headed = dataclasses.replace(SHAPE, head=(HeadSpec(outputs=32, low=0.0),))
    assert headed.stored_words == SHAPE.stored_words - 64 * 12 + (64 // 4 * 32 + 32) + 32 * 12
    one, other = (fits.smallest(each, ZYNQ) for each in (SHAPE, headed))
    assert other.needed.lut > one.needed.lut
    assert fit.scaled(headed, 96).head == headed.head


def test_what_fits_at_all_is_the_fastest_where_no_faster_one_has_room():
    """Sizes of the two searches differ."""
    shape, device, fits = Shape("gru", 1, 544, inputs=153, classes=48, block_size=8), DEVICES["ecp5-85f"], Fits()
    assert fits.smallest(shape, device) is not None
    assert fits.fastest(shape, device) is not None
