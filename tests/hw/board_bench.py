"""The driver at a simulated accelerator: a test calls it in a thread, inside the simulator."""

import sys
from collections.abc import Callable
from functools import wraps
from pathlib import Path
from typing import Any

import cocotb
from cocotb.task import bridge

from ernn.hw import design
from tests.hw import designs
from tests.hw.axi_bus import Rules, program, vectors
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
