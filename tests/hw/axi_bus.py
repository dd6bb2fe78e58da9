"""Buses of an accelerator under cocotb: models that are not ours, and a check of the rules between valid and ready."""

import random
from collections.abc import Callable, Iterator, Sequence

import cocotb
import numpy as np
from cocotb.clock import Clock
from cocotb.triggers import ClockCycles, RisingEdge, Timer, with_timeout
from cocotbext.axi import (
    AxiLiteBus,
    AxiLiteMaster,
    AxiResp,
    AxiStreamBus,
    AxiStreamFrame,
    AxiStreamSink,
    AxiStreamSource,
)

from ernn.hw.layout.registers import PROTOCOL
from ernn.hw.verilog.network import NetworkHardware
from ernn.program.network import Program
from ernn.simulate import bench
from ernn.simulate.vectors import Vectors, rtl_vectors
from tests import programs
from tests.hw import designs

STREAMS = 2
PERIOD_NS = 10


def program(seed: int = 0) -> Program:
    """The network; all seeds have the same structure and formats."""
    return programs.build(cell="lstm", block_sizes=(4, 4), seed=seed)


def design(of: Program, beat: tuple[int, int] = (1, 1)) -> NetworkHardware:
    """Its accelerator; `beat` has the features and the logits of one."""
    return designs.network(of, streams=STREAMS, beat=beat)


def vectors(of: Program, lengths: Sequence[int], seed: int = 1) -> Vectors:
    """Frames of utterances that take turns, and their logits."""
    return rtl_vectors(of, designs.utterances(of, lengths, seed), STREAMS)


def loads(of: Program) -> Iterator[tuple[str, int]]:
    """Register writes of all weights of a network."""
    for number, layer in enumerate(design(of).layers):
        parts = -(-layer.array.layout.load_bits // 32)
        for memory, image in enumerate(layer.array.layout.images()):
            yield "load_place", PROTOCOL.memory(number, memory)
            for word in image.split():
                yield from (("load_part", int(word, 16) >> 32 * part & 0xFFFFFFFF) for part in range(parts))


class Rules:
    """Of one channel: valid stays and nothing that it comes with changes until ready, and what passed is counted.

    Args:
        valid: names of a channel's signals; `payload` are those that must stay.
    """

    def __init__(self, dut: object, valid: str, ready: str, payload: Sequence[str] = ()) -> None:
        self._dut, self._valid, self._ready, self._payload = dut, valid, ready, payload
        self.cycle, self.passed = 0, []
        self.broken: list[str] = []
        self.held = 0  # cycles of waiting: a check that never waited shows nothing
        self.excused = False  # a reset may withdraw what waits
        cocotb.start_soon(self._watch())

    def _value(self, name: str) -> int:
        return int(getattr(self._dut, name).value)

    async def _watch(self) -> None:
        waiting = None
        while True:
            await RisingEdge(self._dut.aclk)
            self.cycle += 1
            valid, ready = self._dut.aresetn.value == 1 and self._value(self._valid), self._value(self._ready)
            now = [self._value(name) for name in self._payload] if valid else None
            if waiting is not None and not self.excused and now != waiting:
                self.broken.append(f"cycle {self.cycle}: {self._valid} with {waiting} became {now}")
            self.held += waiting is not None
            waiting = now if valid and not ready else None
            if valid and ready:
                self.passed.append(self.cycle)


class Buses:
    """All buses of an accelerator, with pauses drawn from a seed."""

    def __init__(self, dut: object, pauses: float = 0.0, seed: int = 1) -> None:
        self.dut, self.design = dut, design(program())
        cocotb.start_soon(Clock(dut.aclk, PERIOD_NS, "ns").start())
        reset = (dut.aresetn, False)
        self.source = AxiStreamSource(AxiStreamBus.from_prefix(dut, "s_axis"), dut.aclk, *reset, byte_lanes=1)
        self.sink = AxiStreamSink(AxiStreamBus.from_prefix(dut, "m_axis"), dut.aclk, *reset, byte_lanes=1)
        self.registers = AxiLiteMaster(AxiLiteBus.from_prefix(dut, "s_axil"), dut.aclk, *reset)
        self.features = Rules(dut, "s_axis_tvalid", "s_axis_tready")
        self.logits = Rules(dut, "m_axis_tvalid", "m_axis_tready", ["m_axis_tdata", "m_axis_tlast", "m_axis_tid"])
        self.writes = Rules(dut, "s_axil_bvalid", "s_axil_bready", ["s_axil_bresp"])
        self.reads = Rules(dut, "s_axil_rvalid", "s_axil_rready", ["s_axil_rresp", "s_axil_rdata"])
        if pauses:
            write, read = self.registers.write_if, self.registers.read_if
            channels = [write.aw_channel, write.w_channel, write.b_channel, read.ar_channel, read.r_channel]
            for number, model in enumerate([self.source, self.sink, *channels]):
                model.set_pause_generator(_pauses(pauses, seed + number))

    async def reset(self, cycles: int = 2) -> None:
        """By aresetn."""
        self.dut.aresetn.value = 0
        await ClockCycles(self.dut.aclk, cycles)
        self.dut.aresetn.value = 1
        await ClockCycles(self.dut.aclk, 3)

    async def wait(self, until: Callable[[], bool], cycles: int = 5000) -> None:
        """Until something holds, but not for ever."""
        for _ in range(cycles):
            if until():
                return
            await RisingEdge(self.dut.aclk)
        raise AssertionError(f"nothing happened in {cycles} cycles")

    async def passed(self, beats: int) -> None:
        """Until so many beats of features went in."""
        await self.wait(lambda: len(self.features.passed) >= beats)

    def send(self, vectors: Vectors, frames: slice = slice(None)) -> None:
        """Put frames into the queue."""
        rows = zip(vectors.x[frames], vectors.first[frames], vectors.stream[frames], strict=True)
        for x, first, stream in rows:
            self.send_beats(x, int(first), int(stream))

    def send_beats(self, x: np.ndarray, first: int, stream: int) -> None:
        """A packet: tlast with its last beat; tuser with its first one alone."""
        users = [first] + [0] * (x.size - 1)
        self.source.send_nowait(AxiStreamFrame(x.reshape(-1).tolist(), tuser=users, tid=stream))

    def drop(self) -> None:
        """What is not yet sent, and what came in."""
        for model in (self.source, self.sink):
            model.clear()
            model.assert_reset()

    async def expect(self, vectors: Vectors, frames: slice = slice(None)) -> None:
        """The logits of frames, in their order, and nothing else."""
        mask = (1 << self.design.output.slot) - 1
        rows = zip(vectors.logits[frames], vectors.stream[frames], strict=True)
        for number, (logits, stream) in enumerate(rows):
            packet = await with_timeout(self.sink.recv(), 5000 * PERIOD_NS, "ns")
            found = (list(packet.tdata), packet.tid)
            assert found == ([int(y) & mask for y in logits], int(stream)), f"frame {number}: {found}"
        assert self.sink.empty()

    async def run(self, vectors: Vectors) -> None:
        """Send all frames and expect their logits."""
        self.send(vectors)
        await self.expect(vectors)

    async def read(self, name: str) -> int:
        """A register."""
        number = [each for each, _, _ in self.design.registers].index(name)
        response = await self.registers.read(4 * number, 4)
        assert response.resp == AxiResp.OKAY, name
        return int.from_bytes(response.data, "little")

    async def answer(self, name: str, value: int) -> AxiResp:
        """What a write of a register is answered."""
        number = [each for each, _, _ in self.design.registers].index(name)
        return (await self.registers.write(4 * number, value.to_bytes(4, "little"))).resp

    async def write(self, name: str, value: int) -> None:
        """A register."""
        assert await self.answer(name, value) == AxiResp.OKAY, name

    async def followed(self) -> set[str]:
        """Outputs that change at once when all inputs of buses do; the inputs are then as before."""
        ports = [port for port in self.design.top().ports if port.name not in ("aclk", "aresetn")]
        signals = {
            each: {port.name: getattr(self.dut, port.name) for port in ports if port.direction == each}
            for each in ("input", "output")
        }
        kept, before = ({name: int(signal.value) for name, signal in signals[each].items()} for each in signals)
        found = set[str]()
        for changed in (
            {name: ~value for name, value in kept.items()},
            dict.fromkeys(kept, 0),
            dict.fromkeys(kept, -1),
            kept,
        ):
            for name, signal in signals["input"].items():
                signal.value = changed[name] & (1 << len(signal)) - 1
            await Timer(1, "ns")
            found |= {name for name, signal in signals["output"].items() if int(signal.value) != before[name]}
        return found

    async def load(self, of: Program) -> None:
        """Write all weights of a network."""
        for name, value in loads(of):
            await self.write(name, value)

    async def expect_counters(self, of: Program, lengths: Sequence[int], seed: int) -> None:
        """Frames and saturated values of these utterances, and of nothing else."""
        found = {name: await self.read(name) for name, _, _ in self.design.registers}
        assert found["frames_in"] == found["frames_out"] == sum(lengths)
        outcome = bench.Outcome(np.empty(0, np.int64), np.empty(0, np.int64), found)
        bench.check_overflows(of, designs.utterances(of, lengths, seed), outcome)

    def check(self) -> None:
        """No rule was broken."""
        for rules in (self.logits, self.writes, self.reads):
            assert not rules.broken, rules.broken[:3]


def _pauses(share: float, seed: int) -> Iterator[bool]:
    drawn = random.Random(seed)
    while True:
        yield drawn.random() < share
