"""The parts of PYNQ that the driver uses, on a simulated accelerator: registers and DMA by bus models of others."""

import itertools
import random
from types import SimpleNamespace
from typing import Any

import cocotb
import numpy as np
from cocotb.clock import Clock
from cocotb.task import resume
from cocotb.triggers import ClockCycles, with_timeout
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
    async def write(self, offset: int, value: int) -> None:
        self.accesses += 1
        response = await self._master.write(offset, value.to_bytes(4, "little"))
        assert response.resp == AxiResp.OKAY, offset


class SendChannel:
    """Memory to stream."""

    def __init__(self, source: AxiStreamSource) -> None:
        self._source = source
        self.packets = 0

    @resume
    async def transfer(self, array: np.ndarray, start: int = 0, nbytes: int = 0) -> None:
        self.packets += 1
        await self._source.send(AxiStreamFrame(array.tobytes()[start : start + (nbytes or array.nbytes)]))

    @resume
    async def wait(self) -> None:
        await with_timeout(self._source.wait(), 20_000 * PERIOD_NS, "ns")


class ReceiveChannel:
    """Stream to memory; as the core, it ends with tlast and fails on a packet that is longer than the buffer."""

    def __init__(self, sink: AxiStreamSink) -> None:
        self._sink, self._waiting = sink, (np.zeros(0), 0)

    def transfer(self, array: np.ndarray, start: int = 0, nbytes: int = 0) -> None:
        self._waiting = array[start // 4 :], nbytes or array.nbytes

    @resume
    async def wait(self) -> None:
        array, limit = self._waiting
        packet = await with_timeout(self._sink.recv(), 20_000 * PERIOD_NS, "ns")
        words = np.frombuffer(bytes(packet.tdata), "<u4")
        if not all(packet.tkeep or [1]) or words.nbytes > limit:
            raise RuntimeError("DMA Internal Error")
        array[: len(words)] = words


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
        self.registers = Registers(master)
        self.dma = SimpleNamespace(sendchannel=SendChannel(self.source), recvchannel=ReceiveChannel(self.sink))
        self.Clocks = SimpleNamespace(fclk0_mhz=clock_mhz)

    async def reset(self) -> None:
        """By aresetn."""
        self.dut.aresetn.value = 0
        await ClockCycles(self.dut.aclk, 300)
        self.dut.aresetn.value = 1
        await ClockCycles(self.dut.aclk, 3)

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
