"""The driver at a simulated accelerator, run inside the simulator by test_board.py: each test calls it in a thread."""

import itertools
import json
import os
import sys
from collections.abc import Callable
from dataclasses import replace
from functools import wraps
from pathlib import Path
from typing import Any

import cocotb
import numpy as np
from cocotb.task import bridge, resume
from cocotb.triggers import ClockCycles, with_timeout
from cocotbext.axi import AxiStreamFrame

from ernn.golden.model import Golden
from ernn.hw import design
from ernn.hw.project import rtl_project
from tests import programs
from tests.hw import axi_bus, designs
from tests.hw.axi_bench import mixed
from tests.hw.axi_bus import STREAMS, Rules, program, vectors
from tests.hw.board_driver import driver
from tests.hw.simulated_pynq import Pynq

LENGTHS = (4, 1, 3, 2)
CLOCK_MHZ = 125.0


class Bench:
    """The driver, and what it runs on."""

    def __init__(self, pynq: Pynq) -> None:
        self.pynq = pynq
        self.channel = Rules(pynq.dut, "m_axis_tvalid", "m_axis_tready", ["m_axis_tdata", "m_axis_tlast"])
        self.folder = Path.cwd().parent  # of the project: the simulation runs in its folder `memory`
        self.driver = driver()
        self.described = self.driver.read(self.folder / design.ACCELERATOR)

    def accelerator(self, frames_in_packet: int = 256, timeout_s: float = 60.0, **described: object) -> Any:
        """After a reset; `described` is what accelerator.json says otherwise."""
        board = self.driver.PynqBoard("ernn.bit", timeout_s)
        found = self.driver.Accelerator(board, self.described | described, frames_in_packet)
        found.reset()
        return found

    def vectors(self, lengths: tuple[int, ...] = LENGTHS, of: Any = None, seed: int = 1) -> Any:
        """Through the files that lie beside a bitstream."""
        folder = designs.write(vectors(of or program(), lengths, seed).files(), self.folder / "vectors")
        return self.driver.BoardVectors.load(folder, self.described["input"]["size"], self.described["logits"]["size"])

    def refusal(self, call: Callable[..., object], *arguments: object) -> str:
        """What a DriverError says."""
        try:
            call(*arguments)
        except self.driver.DriverError as error:
            return str(error)
        raise AssertionError("nothing was refused")


def on_board(pauses: float = 0.0) -> Callable[[Callable[[Bench], None]], object]:
    """A test in a thread of its own, on an accelerator that comes out of reset."""

    def decorate(body: Callable[[Bench], None]) -> object:
        @cocotb.test(timeout_time=2, timeout_unit="ms", name=body.__name__)
        @wraps(body)
        async def test(dut: Any) -> None:
            pynq = Pynq(dut, pauses, CLOCK_MHZ)
            sys.modules["pynq"] = pynq  # type: ignore[assignment]
            await pynq.reset()
            bench = Bench(pynq)
            await bridge(body)(bench)
            assert bench.channel.broken == []
            assert pynq.sink.empty()

        return test

    return decorate


@on_board(pauses=0.4)
def logits_equal_golden_with_pauses(bench: Bench) -> None:
    bench.driver.check(bench.accelerator(), bench.vectors())


@on_board()
def long_sequences_go_in_several_packets(bench: Bench) -> None:
    wanted = bench.vectors((7, 6))
    for frames in (256, 4, 1):
        before = bench.pynq.dma.sendchannel.packets
        bench.driver.check(bench.accelerator(frames), wanted)
        assert bench.pynq.dma.sendchannel.packets - before == -(-13 // frames)


@on_board()
def a_wrong_logit_is_named(bench: Bench) -> None:
    wanted, accelerator = bench.vectors(), bench.accelerator()
    for frame, logit in ((0, 0), (5, 2)):
        logits = wanted.logits.copy()
        logits[frame, logit] ^= 1
        refusal = bench.refusal(bench.driver.check, accelerator, replace(wanted, logits=logits))
        expected, got = logits[frame, logit], wanted.logits[frame, logit]
        assert refusal == f"frame {frame}, logit {logit}: expected {expected}, got {got} (1 of 30 differ)"
        accelerator.reset()


@on_board()
def utterances_open_where_they_are_said_to(bench: Bench) -> None:
    wanted, accelerator = bench.vectors((3, 3, 3, 3)), bench.accelerator()
    first = wanted.first.copy()
    place = np.flatnonzero(first)[2]  # the second utterance of its stream
    first[place] = False
    assert f"frame {place}, " in bench.refusal(bench.driver.check, accelerator, replace(wanted, first=first))
    single = wanted.stream == 0
    rows = wanted.x[single][:3], wanted.logits[single][:3]
    for _ in range(2):  # by default, a run is an utterance
        assert (accelerator.run(rows[0]) == rows[1]).all()


@on_board()
def the_first_frame_after_a_reset_opens_an_utterance(bench: Bench) -> None:
    wanted, accelerator = bench.vectors((3, 3)), bench.accelerator()
    unsaid = np.zeros(len(wanted.x), bool)

    def by_its_pin() -> None:
        resume(bench.pynq.reset)()

    for reset in (by_its_pin, accelerator.reset):
        bench.driver.check(accelerator, bench.vectors((2, 2), seed=3))
        reset()
        assert (accelerator.run(wanted.x, unsaid, wanted.stream) == wanted.logits).all()


@on_board()
def frames_of_a_stream_that_does_not_exist_are_dropped(bench: Bench) -> None:
    """Rows of others in the same packet are answered."""
    wanted, accelerator = bench.vectors((2,)), bench.accelerator()
    slot, size = accelerator.description["input"]["slot_bits"], accelerator.description["logits"]["size"]
    features = bench.driver._words(np.repeat(wanted.x, 2, axis=0), slot)
    width = -(-size * accelerator.description["logits"]["slot_bits"] // 32)
    for count, stranger in enumerate((STREAMS, 3, 4, 0x8000), start=1):
        headers = np.array([1 | stranger << 16, 1, stranger << 16, 0], np.uint32)
        words = np.column_stack([headers, features]).reshape(-1)
        found = accelerator.board.exchange(words, 2 * width).reshape(2, width)
        logits = bench.driver._integers(found, accelerator.description["logits"]["slot_bits"], size)
        assert (logits == wanted.logits).all()
        assert accelerator.read("stream_errors") == 2 * count
        assert accelerator.read("protocol_errors") == 0


@on_board(pauses=0.2)
def weights_of_another_network(bench: Bench) -> None:
    own, other = program(), mixed(program(), program(seed=1))
    accelerator, wanted = bench.accelerator(), bench.vectors(of=other)
    bench.refusal(bench.driver.check, accelerator, wanted)
    files = rtl_project(axi_bus.design(other))
    images = {path: text for path, text in files.items() if "_weights_" in path or path == design.WEIGHTS}
    folder = designs.write(images, bench.folder / "other") / "memory"
    words = sum(len(text.split()) for path, text in images.items() if path.endswith(".hex"))
    assert accelerator.load_weights(folder) == words
    accelerator.reset()
    bench.driver.check(accelerator, wanted)
    assert accelerator.load_weights(bench.folder / "memory") == words
    accelerator.reset()
    bench.driver.check(accelerator, bench.vectors(of=own))
    (folder / "layer0_weights_1.hex").unlink()
    assert "layer0_weights_1.hex is missing: copy the folder" in bench.refusal(accelerator.load_weights, folder)


@on_board()
def an_utterance_goes_on_from_states_that_were_saved(bench: Bench) -> None:
    accelerator, golden = bench.accelerator(), Golden(program())
    x = designs.utterances(program(), (8,), seed=5)[0]
    logits = golden.run(x[:, None])[0][:, 0]
    _, states = golden.run(x[:5, None])
    stream = STREAMS - 1
    assert (accelerator.run(x[:5], stream=stream) == logits[:5]).all()
    saved = accelerator.save(stream)
    for kind in "cy":
        count = states[0][kind].shape[0]
        assert saved[0][kind][:count].tolist() == states[0][kind][:, 0].tolist()
    accelerator.run(designs.utterances(program(), (4,), seed=6)[0], stream=stream)
    going_on = np.zeros(3, bool)
    assert (accelerator.run(x[5:], going_on, stream) != logits[5:]).any()
    accelerator.restore(stream, saved)
    assert (accelerator.run(x[5:], going_on, stream) == logits[5:]).all()


@on_board(pauses=0.2)
def sequences_begin_with_the_initial_states_of_the_network(bench: Bench) -> None:
    begun = programs.begun(program(), seed=3)
    described = json.loads(rtl_project(axi_bus.design(begun))[design.ACCELERATOR])
    accelerator, wanted = bench.accelerator(initial=described["initial"]), bench.vectors(of=begun)
    bench.driver.check(accelerator, wanted)
    bench.driver.check(accelerator, wanted)
    assert bench.refusal(bench.driver.check, bench.accelerator(), wanted).startswith("frame 0, logit ")


@on_board()
def speed_is_that_of_the_counters(bench: Bench) -> None:
    accelerator, wanted = bench.accelerator(), bench.vectors()
    network, described = bench.pynq.dut.network, accelerator.description
    features, logits = (Rules(network, f"{side}_axis_tvalid", f"{side}_axis_tready") for side in "sm")
    found = accelerator.measure(wanted)
    beats, last = (-(-described[side]["size"] // described[side]["per_beat"]) for side in ("input", "logits"))
    frames = sum(LENGTHS)
    begun, ended = features.passed[::beats], logits.passed[last - 1 :: last]
    assert found["frames"] == len(begun) == len(ended) == frames
    assert found["cycles_per_frame"] == (ended[-1] - begun[0] + 1) / frames
    assert found["latency_us"] == (ended[-1] - begun[-1] + 1) / CLOCK_MHZ
    assert np.isclose(found["frames_per_s"], 1e6 * CLOCK_MHZ / found["cycles_per_frame"], rtol=1e-12)
    assert 0 < found["frames_per_s_with_host"] < found["frames_per_s"]
    counted = accelerator.counters()
    assert counted["layer0_busy"] > 0
    assert {"cycles", "protocol_errors", "layer0_overflow_c"} <= set(counted)
    assert not {"control", "load_place", "state_0", "identity", "cycles_low"} & set(counted)


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


@on_board()
def the_command_checks_and_measures(bench: Bench) -> None:
    bench.vectors()
    os.chdir(bench.folder)
    try:
        arguments = ["--weights", "memory"]
        assert "10 frames, every logit as expected" in said(bench, arguments)
        path = bench.folder / "vectors" / "want.hex"
        lines = path.read_text().split()
        path.write_text("\n".join([*lines[:7], f"{int(lines[7], 16) ^ 1:x}", *lines[8:]]))
        assert said(bench, []).startswith("error: frame 2, logit 1: expected ")
        path.write_text("\n".join(lines[:-1]))
        assert "vectors is of another network: 10 frames want 6 features and 3 logits each" in said(bench, [])
        path.unlink()
        assert "No such file or directory" in said(bench, [])
    finally:
        os.chdir(bench.folder / "memory")


def said(bench: Bench, arguments: list[str]) -> str:
    """What `python3 ernn_driver.py` prints, or leaves with."""
    lines: list[str] = []
    with_lines = {"print": lambda *words: lines.append(" ".join(map(str, words)))}
    bench.driver.__dict__.update(with_lines)
    sys.argv = ["ernn_driver.py", *arguments]
    try:
        bench.driver.main()
    except SystemExit as left:
        return str(left)
    assert any(line.startswith("frames_per_s: ") for line in lines)
    return "\n".join(lines)
