"""Laws of the model of cycles alone; that it is the Verilog's is a law of all accelerators (tests/hw/equality.py)."""

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from ernn.estimate import cycles
from ernn.estimate.shapes import Shape
from ernn.estimate.steps import Walk
from ernn.hw.verilog.network import NetworkHardware
from tests.golden.programs import RandomPrograms
from tests.hw import designs
from tests.hw.verilog.test_random import sizes

SEEDS = st.integers(0, 10_000)


def design(seed: int, **others: object) -> NetworkHardware:
    """A random program as an accelerator of random sizes."""
    return designs.network(RandomPrograms(seed).program(head=seed % 4 > 0), **sizes(seed) | others)


def turns(count: int, streams: int) -> list[tuple[bool, int]]:
    """Frames of utterances side by side that all open at the beginning."""
    return [(frame < streams, frame % streams) for frame in range(count)]


@settings(max_examples=8, deadline=None)
@given(SEEDS)
def test_nothing_is_faster_than_the_bound(seed):
    network = design(seed)
    found, least = cycles.cycles(network), cycles.bound(network)
    assert 0 < least.interval <= found.interval
    assert 0 < least.latency <= found.latency


@settings(max_examples=8, deadline=None)
@given(SEEDS, st.integers(1, 3))
def test_frames_end_in_their_order_and_no_sooner_than_they_begin(seed, streams):
    begun, ended = cycles.frames(design(seed, streams=streams), turns(12, streams))
    assert len(begun) == len(ended) == 12
    assert begun == sorted(begun)
    assert ended == sorted(ended)
    assert all(a < b for a, b in zip(begun, ended, strict=True))


@settings(max_examples=8, deadline=None)
@given(SEEDS)
def test_a_frame_alone_takes_as_long_whatever_streams_there_are(seed):
    assert len({cycles.cycles(design(seed, streams=streams)).latency for streams in (1, 2, 3)}) == 1


@settings(max_examples=8, deadline=None)
@given(SEEDS)
def test_the_interval_is_what_many_frames_take(seed):
    network = design(seed)
    streams = network.architecture.streams
    _, ended = cycles.frames(network, turns(64, streams))
    assert cycles.cycles(network).interval == pytest.approx((ended[40] - ended[16]) / 24, rel=0.03)


@settings(max_examples=8, deadline=None)
@given(SEEDS)
def test_many_steps_at_once_are_as_many_single_ones(seed):
    network = design(seed)
    order = turns(10, network.architecture.streams)
    at_once = cycles.frames(network, order)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(Walk, "plain", lambda walk, now: 0)
        assert cycles.frames(network, order) == at_once


def test_one_array_alone_is_busy_in_every_cycle():
    """Sums of x fill what y leaves: a frame takes the steps of W_hh and W_ih, as E-RNN's array does."""
    program = Shape(cells=256, inputs=32, classes=8, block_size=8, segments=4).program()
    network = designs.network(program, (4, 2, 0), (8, 4, 0), streams=2)
    steps = sum(thread.length for thread in network.layers[0].array.layout.threads)
    assert cycles.bound(network).interval == steps
    assert cycles.cycles(network).interval == steps
