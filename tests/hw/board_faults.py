"""Broken packets, resets, silence, and calls that the driver refuses; run by test_board.py."""

import itertools
from typing import Any

import numpy as np
from cocotb.task import resume
from cocotb.triggers import ClockCycles, with_timeout
from cocotbext.axi import AxiStreamFrame

from ernn.golden.model import Golden
from tests.hw import designs
from tests.hw.axi_bus import STREAMS, program
from tests.hw.board_bench import Bench, on_board
from tests.hw.simulated_pynq import Pynq


@on_board(pauses=0.1)
def a_packet_that_ends_within_a_frame_is_counted(bench: Bench) -> None:
    accelerator, wanted = bench.accelerator(), bench.vectors()
    x = designs.utterances(program(), (1,), seed=9)[0]
    for kept in (5, 4, 2, 0):  # features that come; two are a word
        cut = x[0].copy()
        cut[kept + kept % 2 :] = 0
        logits = Golden(program()).run(cut[None, None])[0][0, 0]
        row = bench.driver._words(x[:, : kept + kept % 2], 16)[0] if kept else np.zeros(0, np.uint32)
        before = accelerator.read("protocol_errors")
        words = accelerator.board.exchange(np.concatenate([np.array([1], np.uint32), row]), 2)
        assert bench.driver._integers(words[None], 16, 3)[0].tolist() == logits.tolist(), kept
        assert accelerator.read("protocol_errors") - before == (kept < 5)
    assert bench.refusal(bench.driver.check, accelerator, wanted) == "3 frames came in broken"
    accelerator.clear()
    bench.driver.check(accelerator, wanted)


@on_board()
def a_reset_ends_whatever_is_under_way(bench: Bench) -> None:
    accelerator, wanted, pynq = bench.accelerator(), bench.vectors(), bench.pynq
    for cycles in (1, 4, 9, 14, 40, 90):
        start(pynq, wanted.x[:3].astype("<i2").tobytes(), cycles)
        bench.channel.excused = True  # what waits may be withdrawn
        accelerator.reset()
        drop(pynq)
        bench.channel.excused = False
        bench.driver.check(accelerator, wanted)
        assert accelerator.counters()["frames_in"] == len(wanted.x)


@on_board()
def a_reset_counts_however_late_its_address_or_its_word_comes(bench: Bench) -> None:
    """A bus hands the two on apart."""
    accelerator, wanted, pynq = bench.accelerator(), bench.vectors(), bench.pynq
    for channel, cycles, begun in itertools.product(("aw", "w"), (1, 9, 60), (13, 30)):
        accelerator.clear()  # whose word stays on the bus
        start(pynq, packet(bench, wanted), begun)
        bench.channel.excused = True
        pynq.late(channel, cycles)
        accelerator.reset()
        drop(pynq)
        bench.channel.excused = False
        bench.driver.check(accelerator, wanted)


@on_board()
def writes_whose_word_comes_late_are_no_reset(bench: Bench) -> None:
    """Though the word of a reset is on the bus until then."""
    accelerator, wanted, pynq = bench.accelerator(), bench.vectors(), bench.pynq
    form = bench.described["logits"]
    for channel, cycles in itertools.product(("aw", "w"), (20, 45, 70)):
        accelerator.reset()
        begin(pynq, packet(bench, wanted), cycles)
        pynq.late(channel, 9)
        accelerator.clear()
        found = np.frombuffer(end(pynq), "<u4").reshape(len(wanted.x), -1)
        assert (bench.driver._integers(found, form["slot_bits"], form["size"]) == wanted.logits).all()


@on_board()
def addresses_beyond_the_registers_are_refused(bench: Bench) -> None:
    """In the whole range of 4 KiB that an interconnect hands on; none is an alias of a register."""
    accelerator, wanted = bench.accelerator(), bench.vectors()
    bench.driver.check(accelerator, wanted)
    counted, end = accelerator.counters(), 4 * len(bench.described["registers"])
    for offset in (end, *(1 << bit for bit in range(8, 12)), 4096 - 256, 4096 - 4):
        assert bench.pynq.registers.refused(offset), offset
    assert accelerator.counters() == counted


def packet(bench: Bench, wanted: Any) -> bytes:
    """Rows of all frames, as the driver sends them."""
    headers = wanted.first.astype(np.uint32) | wanted.stream.astype(np.uint32) << 16
    words = bench.driver._words(wanted.x, bench.described["input"]["slot_bits"])
    return np.column_stack([headers, words]).astype("<u4").tobytes()


@on_board()
def a_packet_without_an_answer_ends_and_the_next_one_is_right(bench: Bench) -> None:
    wanted, pynq = bench.vectors(), bench.pynq
    accelerator = bench.accelerator(timeout_s=0.2)
    for model, complaint, counted in (
        (pynq.source, "words are not taken within 0.2 s", "frames_in 0, frames_out 0, protocol_errors 0"),
        (pynq.sink, "no logits come within 0.2 s", "frames_in 1, frames_out 0, protocol_errors 0"),
    ):
        resets = pynq.dma.resets
        model.pause = True  # a bus that stands still
        bench.channel.excused = True
        assert bench.refusal(accelerator.run, wanted.x[:1]) == (
            f"a packet of 1 frames was not answered: {complaint}; registers: {counted}; see that bitstream and "
            "accelerator.json are of one project and its clock is met; states and counters were reset"
        )
        assert pynq.dma.resets == resets + 1
        model.pause = False
        bench.channel.excused = False
        accelerator.board._timeout_s = 60.0
        bench.driver.check(accelerator, wanted)
        accelerator.board._timeout_s = 0.2
        accelerator.reset()


@on_board()
def a_description_of_another_accelerator_is_found_by_its_packets(bench: Bench) -> None:
    wanted, logits = bench.vectors(), bench.described["logits"]
    for size, complaint in ((9, "2 words of logits came, not 5"), (1, "the DMA failed (DMA Internal Error (transfer")):
        other = bench.accelerator(logits=logits | {"size": size})
        assert complaint in bench.refusal(other.run, wanted.x[:1])
        bench.driver.check(bench.accelerator(), wanted)


@on_board()
def what_is_refused_leaves_frames_and_states_as_they_are(bench: Bench) -> None:
    accelerator = bench.accelerator()
    x = designs.utterances(program(), (6,), seed=5)[0]
    logits = Golden(program()).run(x[:, None])[0][:, 0]
    assert (accelerator.run(x[:3]) == logits[:3]).all()
    saved = accelerator.save(0)
    done = bench.pynq.registers.accesses, bench.pynq.dma.sendchannel.packets
    for stream in (STREAMS, -1):
        for call in (
            (accelerator.run, x, None, stream),
            (accelerator.save, stream),
            (accelerator.restore, stream, saved),
        ):
            assert bench.refusal(*call) == f"stream: integers of 0 to 1 are wanted, got {stream}"
    assert bench.refusal(accelerator.run, x / 64).startswith("features are integers of 9 bits, got float64")
    assert (bench.pynq.registers.accesses, bench.pynq.dma.sendchannel.packets) == done
    assert accelerator.run(x[:0]).shape == (0, logits.shape[1])
    assert (accelerator.run(x[3:], np.zeros(3, bool)) == logits[3:]).all()


@resume
async def start(pynq: Pynq, packet: bytes, cycles: int) -> None:
    """Some cycles of a packet whose logits nobody takes; the rest of it is never sent."""
    pynq.sink.pause = True
    pynq.source.send_nowait(AxiStreamFrame(packet))
    await ClockCycles(pynq.dut.aclk, cycles)
    pynq.source.pause = True
    await ClockCycles(pynq.dut.aclk, 2)


@resume
async def begin(pynq: Pynq, packet: bytes, cycles: int) -> None:
    """Some cycles of a packet."""
    pynq.source.send_nowait(AxiStreamFrame(packet))
    await ClockCycles(pynq.dut.aclk, cycles)


@resume
async def end(pynq: Pynq) -> bytes:
    """What comes back of it."""
    return bytes((await with_timeout(pynq.sink.recv(), 50, "us")).tdata)


@resume
async def drop(pynq: Pynq) -> None:
    """The DMA's own reset."""
    for model in (pynq.source, pynq.sink):
        model.clear()
        model.assert_reset()
        model.pause = False
    await ClockCycles(pynq.dut.aclk, 3)
