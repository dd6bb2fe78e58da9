"""Runs an accelerator on a PYNQ board: loads weights, streams features, checks logits, measures.

    python3 ernn_driver.py --bitstream ernn.bit --accelerator accelerator.json --weights memory --vectors vectors

Wants NumPy, and PYNQ 3.0 or later where there is a board: `Accelerator` works on anything with the methods of `Board`.
A packet is a row of words for each frame, a header (bit 0: an utterance opens; from bit 16 on: its stream) and then the
features; it comes back as rows of logits. Numbers are two's complement, as many in a word as fit, the first lowest.
"""

from __future__ import annotations

import argparse
import json
import re
import time
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Protocol

import numpy as np

VERSION = 2  # of the register protocol, whose numbers are in accelerator.json
FILE_VERSION = 1  # of accelerator.json and weights.json


class DriverError(Exception):
    """Files, arguments or a board that do not fit; the text is one line."""


class Board(Protocol):
    """What the driver needs: 32-bit registers by their byte address, and a DMA in both directions."""

    clock_mhz: float

    def read(self, address: int) -> int:
        """Value of the 32-bit register at a byte address."""

    def write(self, address: int, value: int) -> None:
        """Set the 32-bit register at a byte address."""

    def exchange(self, words: np.ndarray, count: int) -> np.ndarray:
        """Send a packet and receive one of `count` words, both uint32."""


class PynqBoard:
    """A board with PYNQ; the overlay is that of block_design.tcl.

    Args:
        bitstream: path of ernn.bit, with ernn.hwh in the same folder.
    """

    def __init__(self, bitstream: str) -> None:
        import pynq

        self._allocate = pynq.allocate
        overlay = pynq.Overlay(bitstream)
        self._registers, self._dma = overlay.ernn_0, overlay.axi_dma_0
        self.clock_mhz = float(pynq.Clocks.fclk0_mhz)
        self._buffers: dict[str, Any] = {}

    def read(self, address: int) -> int:
        """Value of the 32-bit register at a byte address."""
        return int(self._registers.read(address))

    def write(self, address: int, value: int) -> None:
        """Set the 32-bit register at a byte address."""
        self._registers.write(address, value)

    def exchange(self, words: np.ndarray, count: int) -> np.ndarray:
        """Send a packet and receive one; the receiver waits before the first word is sent."""
        sent, received = self._buffer("sent", len(words)), self._buffer("received", count)
        sent[: len(words)] = words
        self._dma.recvchannel.transfer(received, nbytes=4 * count)
        self._dma.sendchannel.transfer(sent, nbytes=4 * len(words))
        self._dma.sendchannel.wait()
        self._dma.recvchannel.wait()
        return np.array(received[:count])

    def _buffer(self, name: str, count: int) -> Any:
        """Memory that the DMA sees; it is kept, and grows."""
        found = self._buffers.get(name)
        if found is None or len(found) < count:
            if found is not None:
                found.freebuffer()
            found = self._buffers[name] = self._allocate(shape=(count,), dtype=np.uint32)
        return found


@dataclass(frozen=True)
class BoardVectors:
    """Frames and the logits of the integer model, as a test bench reads them."""

    x: np.ndarray
    logits: np.ndarray
    first: np.ndarray
    stream: np.ndarray

    @classmethod
    def load(cls, folder: Path, inputs: int, classes: int) -> BoardVectors:
        """frames.txt, x.hex and want.hex of a folder."""
        frames = np.loadtxt(folder / "frames.txt", dtype=np.int64, ndmin=2)
        x, logits = (_numbers(folder / name) for name in ("x.hex", "want.hex"))
        if x.size != inputs * len(frames) or logits.size != classes * len(frames):
            raise DriverError(
                f"{folder} is of another network: {len(frames)} frames want {inputs} features and {classes} logits "
                f"each, got {x.size} and {logits.size}"
            )
        shaped = x.reshape(len(frames), inputs), logits.reshape(len(frames), classes)
        return cls(*shaped, frames[:, 0] != 0, frames[:, 1])


class Accelerator:
    """An accelerator behind a board.

    Args:
        description: its accelerator.json; see `read`.
        frames_in_packet: longer sequences are cut, so that buffers stay small.

    Raises:
        DriverError: the registers are not those of an accelerator.
    """

    def __init__(self, board: Board, description: dict[str, Any], frames_in_packet: int = 256) -> None:
        self.board, self.description, self._packet = board, description, frames_in_packet
        self._addresses = {name: 4 * number for number, name in enumerate(description["registers"])}
        self._protocol = description["protocol"]
        found = self.read("identity"), self.read("interface_version")
        if found != (self._protocol["identity"], VERSION):
            raise DriverError(f"no accelerator of version {VERSION} found: identity {found[0]:#x}, version {found[1]}")

    def read(self, name: str) -> int:
        """Value of a register by its name."""
        return self.board.read(self._addresses[name])

    def write(self, name: str, value: int) -> None:
        """Set a register by its name."""
        self.board.write(self._addresses[name], value)

    def reset(self) -> None:
        """Forget all frames, states and counters; weights stay."""
        self.write("control", self._protocol["reset"])

    def clear(self) -> None:
        """Counters."""
        self.write("control", self._protocol["clear"])

    def counters(self) -> dict[str, int]:
        """Everything that is counted; cycles are those with a frame under way."""
        skipped = re.compile(r"control|load_.*|state_.*|identity|interface_version|cycles_.*")
        found = {name: self.read(name) for name in self._addresses if not skipped.fullmatch(name)}
        return found | {"cycles": self.read("cycles_high") << 32 | self.read("cycles_low")}

    def load_weights(self, folder: Path) -> int:
        """Write all weights of a folder `memory`; returns how many words.

        They may be of another program, if its sizes, formats and constants are those of this accelerator.

        Raises:
            DriverError: weights of another shape or layout, or one that is missing; nothing was written then.
        """
        self._check(read(folder / "weights.json"), folder)
        places = {
            folder / f"{layer['name']}_weights_{memory}.hex": number << self._protocol["layer_shift"] | memory
            for number, layer in enumerate(self.description["layers"])
            for memory in range(layer["memories"])
        }
        if missing := [path for path in places if not path.exists()]:
            raise DriverError(f"{missing[0]} is missing: copy the folder `memory` of the project")
        total = 0
        for path, place in places.items():
            self.write("load_place", place)
            for line in path.read_text().split():
                self._load(int(line, 16), 4 * len(line))
                total += 1
        return total

    def _check(self, images: dict[str, Any], folder: Path) -> None:
        """Refuse weights that this accelerator would take for others."""
        wanted, found = self.description["digests"]["shape"], images["digests"]["shape"]
        if found != wanted:
            raise DriverError(
                f"{folder}: the digest `shape` (sizes, formats and constants) must be the accelerator's, "
                f"{wanted[:12]}.., got {found[:12]}.. of {images['program']}; build that program's own bitstream"
            )
        wanted, found = _layout(self.description), _layout(images)
        if found != wanted:
            raise DriverError(f"{folder}: weights must lie as {wanted}, got {found}; generate them for these sizes")

    def _place(self, layer: int, stream: int, kind: str) -> int:
        """Load address of the first word of a layer's state, c or y, of one stream."""
        p = self._protocol
        return layer << p["layer_shift"] | 1 << p["state_bit"] | (kind == "y") << p["state_shift"] | stream

    def _load(self, word: int, bits: int) -> None:
        for part in range(-(-bits // 32)):
            self.write("load_part", word >> 32 * part & 0xFFFFFFFF)

    def run(self, x: np.ndarray, first: np.ndarray | None = None, stream: np.ndarray | int = 0) -> np.ndarray:
        """Logits of frames.

        Args:
            x: integers of the input format, (frames, inputs).
            first: frames that open an utterance; by default the first one alone.
            stream: of each frame.
        """
        size = self.description["input"]["size"], self.description["logits"]["size"]
        if x.ndim != 2 or x.shape[1] != size[0]:
            raise DriverError(f"frames have {size[0]} features, got an array of {x.shape}")
        opens = np.arange(len(x)) == 0 if first is None else first
        headers = np.asarray(opens, np.uint32) | np.broadcast_to(np.asarray(stream, np.uint32) << 16, len(x))
        rows = np.column_stack([headers, _words(x, self.description["input"]["slot_bits"])])
        width = -(-size[1] * self.description["logits"]["slot_bits"] // 32)
        found = []
        for start in range(0, len(rows), self._packet):
            packet = rows[start : start + self._packet]
            words = self.board.exchange(np.ascontiguousarray(packet, np.uint32).reshape(-1), len(packet) * width)
            found.append(_integers(words.reshape(len(packet), width), self.description["logits"]["slot_bits"], size[1]))
        return np.concatenate(found)

    def quantize(self, features: np.ndarray) -> np.ndarray:
        """Features as integers of the input format: nearest, halves upwards, saturated."""
        form = self.description["input"]
        scaled = np.asarray(features, np.float64) * 2.0 ** form["fraction"]
        below = np.floor(scaled)
        limit = 1 << (form["bits"] - 1)
        return np.clip(below + (scaled - below >= 0.5), -limit, limit - 1).astype(np.int64)

    def save(self, stream: int) -> list[dict[str, np.ndarray]]:
        """States of a stream, for each layer; only while no frame is under way."""
        return [
            {kind: self._state(number, stream, kind, form) for kind, form in layer["states"].items()}
            for number, layer in enumerate(self.description["layers"])
        ]

    def _state(self, layer: int, stream: int, kind: str, form: dict[str, int]) -> np.ndarray:
        self.write("load_place", self._place(layer, stream, kind))
        found: list[int] = []
        for step in range(form["words"]):
            self.write("state_step", step)
            parts = [self.read(f"state_{part}") << 32 * part for part in range(-(-form["bits"] // 32))]
            found += _unpack(sum(parts), form["element_bits"], form["elements"])
        return np.array(found)

    def restore(self, stream: int, states: list[dict[str, np.ndarray]]) -> None:
        """Write states back; the next frame of the stream must not open an utterance."""
        for number, (layer, kinds) in enumerate(zip(self.description["layers"], states, strict=True)):
            for kind, form in layer["states"].items():
                self.write("load_place", self._place(number, stream, kind))
                for row in np.reshape(kinds[kind], (form["words"], form["elements"])).tolist():
                    self._load(_pack(row, form["element_bits"]), form["bits"])

    def measure(self, vectors: BoardVectors) -> dict[str, float]:
        """Speed over frames, by the accelerator's counters at the board's clock and by the wall clock of the host."""
        self.clear()
        begun = time.perf_counter()
        self.run(vectors.x, vectors.first, vectors.stream)
        seconds = time.perf_counter() - begun
        counted = self.counters()
        cycles, frames = counted["cycles"], counted["frames_out"]
        return {
            "frames": frames,
            "cycles_per_frame": cycles / frames,
            "latency_us": counted["latency"] / self.board.clock_mhz,
            "frames_per_s": 1e6 * self.board.clock_mhz * frames / cycles,
            "frames_per_s_with_host": frames / seconds,
        }


def read(path: Path) -> dict[str, Any]:
    """A JSON file of the project: accelerator.json, or weights.json of its folder `memory`.

    Raises:
        DriverError: it is missing, damaged, or of another version.
    """
    try:
        found = json.loads(path.read_text())
    except FileNotFoundError:
        raise DriverError(f"{path} is missing: copy it from the project") from None
    except ValueError as error:
        raise DriverError(f"{path} is no JSON ({error}): copy it from the project again") from None
    version = found.get("version") if isinstance(found, dict) else None
    if version != FILE_VERSION:
        raise DriverError(f"{path}: version must be {FILE_VERSION}, got {version!r}: take the driver of this project")
    return found


def check(accelerator: Accelerator, vectors: BoardVectors) -> None:
    """Run frames and compare every logit.

    Raises:
        DriverError: the first one that differs, or frames that the accelerator counts as broken.
    """
    found = accelerator.run(vectors.x, vectors.first, vectors.stream)
    wrong = np.argwhere(found != vectors.logits)
    if len(wrong):
        frame, logit = wrong[0]
        raise DriverError(
            f"frame {frame}, logit {logit}: expected {vectors.logits[frame, logit]}, got {found[frame, logit]} "
            f"({len(wrong)} of {found.size} differ)"
        )
    if errors := accelerator.read("protocol_errors"):
        raise DriverError(f"{errors} frames came in broken")


def _layout(described: dict[str, Any]) -> str:
    """How weights are stored, and what decides where they lie; of an accelerator, or of weights."""
    sizes = (f"{each['name']} {each['lanes']}x{each['columns']}x{each['heads']}" for each in described["layers"])
    return f"{described['weights']} ({', '.join(sizes)})"


def _pack(integers: list[int], bits: int) -> int:
    """Two's complement integers side by side, the first lowest."""
    return sum((integer & ((1 << bits) - 1)) << bits * place for place, integer in enumerate(integers))


def _unpack(word: int, bits: int, count: int) -> list[int]:
    mask, sign = (1 << bits) - 1, 1 << (bits - 1)
    return [((word >> bits * place & mask) ^ sign) - sign for place in range(count)]


def _words(rows: np.ndarray, slot_bits: int) -> np.ndarray:
    """Rows of integers as rows of words."""
    each = 32 // slot_bits
    padded = np.zeros((len(rows), -(-rows.shape[1] // each) * each), f"<i{slot_bits // 8}")
    padded[:, : rows.shape[1]] = rows
    return padded.view("<u4")


def _integers(words: np.ndarray, slot_bits: int, count: int) -> np.ndarray:
    """Rows of words as rows of integers."""
    return np.ascontiguousarray(words, "<u4").view(f"<i{slot_bits // 8}")[:, :count].astype(np.int64)


def _numbers(path: Path) -> np.ndarray:
    """Two's complement, 32 bits a line."""
    return np.array([int(line, 16) for line in path.read_text().split()], np.uint32).astype(np.int32).astype(np.int64)


def main() -> None:
    """Load weights, check the vectors, measure."""
    parser = argparse.ArgumentParser(description="Load weights, check vectors, measure.")
    parser.add_argument("--bitstream", default="ernn.bit")
    parser.add_argument("--accelerator", type=Path, default=Path("accelerator.json"))
    parser.add_argument("--weights", type=Path, help="folder `memory`; without it the bitstream's own weights stay")
    parser.add_argument("--vectors", type=Path, default=Path("vectors"))
    given = parser.parse_args()
    try:
        description = read(given.accelerator)
        accelerator = Accelerator(PynqBoard(given.bitstream), description)
        vectors = BoardVectors.load(given.vectors, description["input"]["size"], description["logits"]["size"])
        accelerator.reset()
        if given.weights:
            print(f"{accelerator.load_weights(given.weights)} words of weights loaded")
        check(accelerator, vectors)
        print(f"{len(vectors.x)} frames, every logit as expected")
        for name, value in accelerator.measure(vectors).items():
            print(f"{name}: {value:.6g}")
    except (DriverError, OSError) as error:
        raise SystemExit(f"error: {error}") from None


if __name__ == "__main__":
    main()
