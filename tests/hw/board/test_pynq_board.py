"""The driver's board on what stands for PYNQ: transfers that do not end, and what is wrong with a bitstream."""

import sys
import time
from types import SimpleNamespace

import numpy as np
import pytest

from tests.hw.board_accelerators import DRIVER, Written, accelerator

LIMIT_S = 0.05


class Channel:
    """A direction of the DMA in PYNQ's terms; `ends` says whether a transfer does, and how."""

    def __init__(self, ends: bool | str) -> None:
        self.ends, self.running, self.busy, self.transferred = ends, True, False, 0

    @property
    def idle(self) -> bool:
        if self.ends == "interrupted":
            raise KeyboardInterrupt
        return not self.busy

    @property
    def error(self) -> bool:
        return self.ends == "failed"

    def start(self) -> None:
        self.running = True

    def transfer(self, array: np.ndarray, start: int = 0, nbytes: int = 0) -> None:
        if self.busy or not self.running:
            raise RuntimeError("DMA channel not idle")
        self.busy, self.transferred = self.ends is not True, nbytes

    def wait(self) -> None:
        if self.error:
            raise RuntimeError("DMA Slave Error (cannot access memory map interface)")
        assert not self.busy, "for ever"


class Pynq:
    """What `import pynq` gives; the registers are those of an accelerator that counts nothing."""

    def __init__(self, send: bool | str = True, receive: bool | str = True, stuck: bool = False) -> None:
        driver, self.registers, _ = accelerator("lstm")
        self.described = driver.description
        self.registers = Written(self.described["registers"])
        self.registers._values |= {n: n for n in range(len(self.described["registers"])) if n > 5}
        self.dma = SimpleNamespace(
            sendchannel=Channel(send), recvchannel=Channel(receive), write=self._reset, read=lambda offset: 4 * stuck
        )
        self.resets: list[tuple[int, int]] = []
        self.Clocks = SimpleNamespace(fclk0_mhz=100.0)
        self.ips = {"ernn_0": self.registers, "axi_dma_0": self.dma}

    def _reset(self, offset: int, value: int) -> None:
        self.resets.append((offset, value))
        for channel in (self.dma.sendchannel, self.dma.recvchannel):
            channel.running = channel.busy = False

    def Overlay(self, bitstream: str) -> SimpleNamespace:
        return SimpleNamespace(**self.ips)

    @staticmethod
    def allocate(shape: tuple[int, ...], dtype: object) -> np.ndarray:
        return np.zeros(shape, dtype)


def driven(monkeypatch: pytest.MonkeyPatch, pynq: Pynq):
    """An accelerator on it."""
    monkeypatch.setitem(sys.modules, "pynq", pynq)
    return DRIVER.Accelerator(DRIVER.PynqBoard("ernn.bit", LIMIT_S), pynq.described)


X = np.zeros((2, 6), np.int64)


@pytest.mark.parametrize(
    ("send", "receive", "complaint"),
    [
        (False, True, "words are not taken within 0.05 s"),
        (True, False, "no logits come within 0.05 s"),
        ("failed", True, "the DMA failed (DMA Slave Error (cannot access memory map interface))"),
        (True, "failed", "the DMA failed (DMA Slave Error (cannot access memory map interface))"),
    ],
)
def test_a_transfer_that_does_not_end_is_ended_and_the_next_one_runs(monkeypatch, send, receive, complaint):
    pynq = Pynq(send, receive)
    driver = driven(monkeypatch, pynq)
    begun = time.monotonic()
    with pytest.raises(DRIVER.DriverError) as refused:
        driver.run(X)
    assert time.monotonic() - begun < 5
    assert str(refused.value) == (
        f"a packet of 2 frames was not answered: {complaint}; registers: frames_in 6, frames_out 7, protocol_errors "
        f"{pynq.described['registers'].index('protocol_errors')}; see that bitstream and "
        "accelerator.json are of one project and its clock is met; states and counters were reset"
    )
    assert pynq.resets == [(0, 4)]
    assert pynq.registers.writes == [(pynq.described["registers"].index("control"), 1)]
    assert not pynq.dma.sendchannel.running  # until the next packet
    pynq.dma.sendchannel.ends = pynq.dma.recvchannel.ends = True
    assert driver.run(X).shape == (2, 3)
    assert pynq.resets == [(0, 4)]


def test_a_user_who_does_not_wait_leaves_no_channel_busy(monkeypatch):
    pynq = Pynq(receive="interrupted")
    driver = driven(monkeypatch, pynq)
    with pytest.raises(KeyboardInterrupt):
        driver.run(X)
    assert pynq.resets == [(0, 4)]
    assert pynq.registers.writes == [(pynq.described["registers"].index("control"), 1)]
    pynq.dma.recvchannel.ends = True
    assert driver.run(X).shape == (2, 3)


def test_a_dma_that_stays_in_reset_is_said(monkeypatch):
    with pytest.raises(DRIVER.DriverError, match=r"^the DMA does not come out of its reset: load the overlay again$"):
        driven(monkeypatch, Pynq(receive=False, stuck=True)).run(X)


def test_fewer_words_than_the_frames_have_are_no_logits(monkeypatch):
    pynq = Pynq()
    driver = driven(monkeypatch, pynq)
    monkeypatch.setattr(pynq.dma.recvchannel, "wait", lambda: setattr(pynq.dma.recvchannel, "transferred", 12))
    with pytest.raises(
        DRIVER.DriverError, match=r"^a packet of 2 frames was not answered: 3 words of logits came, not 4;"
    ):
        driver.run(X)


def test_a_bitstream_of_another_block_design_is_refused(monkeypatch):
    pynq = Pynq()
    for name in tuple(pynq.ips):
        monkeypatch.delitem(pynq.ips, name)
        with pytest.raises(
            DRIVER.DriverError, match=r"^ernn\.bit must be of block_design\.tcl, with ernn_0 and [^\n]*$"
        ):
            driven(monkeypatch, pynq)
        monkeypatch.undo()


def test_without_pynq_one_line_says_so(monkeypatch):
    monkeypatch.setitem(sys.modules, "pynq", None)
    with pytest.raises(DRIVER.DriverError, match=r"^PYNQ 3\.0 or later is needed, on the board itself \([^\n]*\)$"):
        DRIVER.PynqBoard("ernn.bit")


@pytest.mark.parametrize("limit", [0, -1.0, float("inf"), float("nan")])
def test_a_limit_of_time_that_is_none_is_refused(limit):
    with pytest.raises(DRIVER.DriverError, match=rf"^timeout_s must be above 0 and finite, got {limit}$"):
        DRIVER.PynqBoard("ernn.bit", limit)
