"""The parts of PYNQ that the driver uses, on a simulated accelerator: registers and DMA by bus models of others."""

import itertools
import random
from types import SimpleNamespace
from typing import Any

import cocotb
import numpy as np
from cocotb.clock import Clock
from cocotb.task import resume
from cocotb.triggers import ClockCycles, Timer
from cocotbext.axi import (
    AxiLiteBus,
    AxiLiteMaster,
    AxiResp,
    AxiStreamBus,
    AxiStreamFrame,
    AxiStreamSink,
    AxiStreamSource,
)

PERIOD_NS = 10


class Buffer(np.ndarray):
    """Of `allocate`."""

    def freebuffer(self) -> None:
        """It must not be used from now on."""
        self[:] = 0xDEADBEEF


class Registers:
    """An IP with registers."""

    def __init__(self, master: AxiLiteMaster) -> None:
        self._master = master
        self.accesses = 0

    @resume
    async def read(self, offset: int) -> int:
        self.accesses += 1
        response = await self._master.read(offset, 4)
        assert response.resp == AxiResp.OKAY, offset
        return int.from_bytes(response.data, "little")

    @resume
    async def refused(self, offset: int) -> bool:
        """Whether a read and a write of an address are both answered SLVERR; the write would be a reset."""
        answers = await self._master.read(offset, 4), await self._master.write(offset, bytes([1, 0, 0, 0]))
        return all(each.resp == AxiResp.SLVERR for each in answers)

    @resume
    async def write(self, offset: int, value: int) -> None:
        self.accesses += 1
        response = await self._master.write(offset, value.to_bytes(4, "little"))
        assert response.resp == AxiResp.OKAY, offset


class Channel:
    """One direction of the DMA: PYNQ's attributes, with time that passes while they are read."""

    def __init__(self) -> None:
        self.running, self.error = True, False
        self.transferred = 0
        self._task: Any = None

    @property
    def idle(self) -> bool:
        """Whether the last transfer has ended; a read takes some cycles."""
        return self._passed()

    @resume
    async def _passed(self) -> bool:
        await Timer(10 * PERIOD_NS, "ns")
        return self._task is None or self._task.done()

    def start(self) -> None:
        """After a reset."""
        self.running = True

    @resume
    async def wait(self) -> None:
        """For ever, if nothing comes, as PYNQ's own does; a failure shows here."""
        await self._task
        if self.error:
            raise RuntimeError("DMA Internal Error (transfer length 0?)")

    def _begin(self, transfer: Any) -> None:
        if not self.running or not (self._task is None or self._task.done()):
            raise RuntimeError(f"DMA channel not {'idle' if self.running else 'started'}")
        self._task = cocotb.start_soon(transfer)

    def reset(self) -> None:
        """What is under way ends, and the channel stops."""
        if self._task is not None and not self._task.done():
            self._task.cancel()
        self._task, self.running, self.error = None, False, False


class SendChannel(Channel):
    """Memory to stream."""

    def __init__(self, source: AxiStreamSource) -> None:
        super().__init__()
        self._source = source
        self.packets = 0

    @resume
    async def transfer(self, array: np.ndarray, start: int = 0, nbytes: int = 0) -> None:
        self.packets += 1
        self._begin(self._send(array.tobytes()[start : start + (nbytes or array.nbytes)]))

    async def _send(self, data: bytes) -> None:
        await self._source.send(AxiStreamFrame(data))
        await self._source.wait()
        self.transferred = len(data)


class ReceiveChannel(Channel):
    """Stream to memory; as the core, it ends with tlast and fails on a packet that is longer than the buffer."""

    def __init__(self, sink: AxiStreamSink) -> None:
        super().__init__()
        self._sink = sink

    @resume
    async def transfer(self, array: np.ndarray, start: int = 0, nbytes: int = 0) -> None:
        self._begin(self._receive(array[start // 4 :], nbytes or array.nbytes))

    async def _receive(self, array: np.ndarray, limit: int) -> None:
        packet = await self._sink.recv()
        words = np.frombuffer(bytes(packet.tdata), "<u4")
        self.error = not all(packet.tkeep or [1]) or words.nbytes > limit
        if not self.error:
            array[: len(words)] = words
            self.transferred = words.nbytes


class Dma:
    """Both channels, and the register that resets them."""

    def __init__(self, source: AxiStreamSource, sink: AxiStreamSink) -> None:
        self._models = (source, sink)
        self.sendchannel, self.recvchannel = SendChannel(source), ReceiveChannel(sink)
        self.resets = 0

    def read(self, offset: int) -> int:
        """A reset has ended when it can be asked for."""
        assert offset == 0
        return 0

    @resume
    async def write(self, offset: int, value: int) -> None:
        """MM2S_DMACR: its reset is one of the whole core."""
        assert (offset, value) == (0, 4)
        self.resets += 1
        for channel in (self.sendchannel, self.recvchannel):
            channel.reset()
        for model in self._models:
            model.clear()
            model.assert_reset()
        await Timer(3 * PERIOD_NS, "ns")


class Pynq:
    """What `import pynq` gives, around a module `ernn_board`."""

    def __init__(self, dut: Any, pauses: float = 0.0, clock_mhz: float = 100.0) -> None:
        self.dut = dut
        cocotb.start_soon(Clock(dut.aclk, PERIOD_NS, "ns").start())
        reset = (dut.aresetn, False)
        self.source = AxiStreamSource(AxiStreamBus.from_prefix(dut, "s_axis"), dut.aclk, *reset)
        self.sink = AxiStreamSink(AxiStreamBus.from_prefix(dut, "m_axis"), dut.aclk, *reset)
        master = AxiLiteMaster(AxiLiteBus.from_prefix(dut, "s_axil"), dut.aclk, *reset)
        if pauses:
            channels = [master.write_if.w_channel, master.write_if.b_channel, master.read_if.r_channel]
            for seed, model in enumerate([self.source, self.sink, *channels]):
                model.set_pause_generator(_pauses(pauses, seed))
        self.registers, self._writes = Registers(master), master.write_if
        self.dma = Dma(self.source, self.sink)
        self.Clocks = SimpleNamespace(fclk0_mhz=clock_mhz)

    async def reset(self) -> None:
        """By aresetn."""
        self.dut.aresetn.value = 0
        await ClockCycles(self.dut.aclk, 300)
        self.dut.aresetn.value = 1
        await ClockCycles(self.dut.aclk, 3)

    @resume
    async def late(self, channel: str, cycles: int) -> None:
        """Hold the next beat of a channel of writes (aw, w, b) back for some cycles."""
        held = getattr(self._writes, f"{channel}_channel")

        async def release() -> None:
            await ClockCycles(self.dut.aclk, cycles)
            held.pause = False

        held.pause = True
        cocotb.start_soon(release())

    def Overlay(self, bitstream: str) -> SimpleNamespace:
        """Its IPs by their names in the block design."""
        return SimpleNamespace(ernn_0=self.registers, axi_dma_0=self.dma)

    @staticmethod
    def allocate(shape: tuple[int, ...], dtype: Any) -> Buffer:
        """Memory with something in it."""
        return np.full(shape, 0xA5A5A5A5, dtype).view(Buffer)


def _pauses(share: float, seed: int) -> Any:
    generator = random.Random(seed)
    return (generator.random() < share for _ in itertools.count())
