"""Runs an accelerator on a PYNQ board: loads weights, streams features, checks logits, measures.

    python3 ernn_driver.py --bitstream ernn.bit --accelerator accelerator.json --weights memory --vectors vectors

It is one file, since it is copied to the board alone. It needs NumPy, and PYNQ 3.0 or later on a board; `Accelerator`
works on anything with the methods of `Board`.
A packet is a row of words for each frame, a header (bit 0: an utterance opens; from bit 16 on: its stream) and then the
features; it comes back as rows of logits. Numbers are two's complement, as many in a word as fit, the first lowest.
"""

from __future__ import annotations

import argparse
import itertools
import json
import math
import re
import reprlib
import time
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Protocol

import numpy as np

VERSION = 2  # of the register protocol, whose numbers are in accelerator.json
FILE_VERSIONS = {"accelerator.json": 2, "weights.json": 1}
_AGAIN = "copy it from the project again"


class DriverError(Exception):
    """Files, arguments or a board that do not fit; the text is one line."""


class Unanswered(DriverError):
    """A transfer that did not end, or ended with an error."""


class Board(Protocol):
    """What the driver needs: 32-bit registers by their byte address, and a DMA in both directions."""

    clock_mhz: float

    def read(self, address: int) -> int:
        """Value of the 32-bit register at a byte address."""

    def write(self, address: int, value: int) -> None:
        """Set the 32-bit register at a byte address."""

    def exchange(self, words: np.ndarray, count: int) -> np.ndarray:
        """Send a packet and receive one of `count` words, both uint32.

        Raises:
            Unanswered: the transfer did not end in time or failed; it was ended.
        """


class PynqBoard:
    """A board with PYNQ; the overlay is that of block_design.tcl.

    Args:
        bitstream: path of ernn.bit, with ernn.hwh in the same folder.
        timeout_s: seconds that a packet may take there and back.

    Raises:
        DriverError: there is no PYNQ, or the bitstream is of another block design.
    """

    def __init__(self, bitstream: str, timeout_s: float = 10.0) -> None:
        if not (timeout_s > 0 and math.isfinite(timeout_s)):
            raise DriverError(f"timeout_s must be above 0 and finite, got {timeout_s}")
        try:
            import pynq
        except ImportError as error:
            raise DriverError(f"PYNQ 3.0 or later is needed, on the board itself ({error})") from None

        self._allocate, self._timeout_s = pynq.allocate, timeout_s
        overlay = pynq.Overlay(bitstream)
        try:
            self._registers, self._dma = overlay.ernn_0, overlay.axi_dma_0
        except AttributeError as error:
            raise DriverError(f"{bitstream} must be of block_design.tcl, with ernn_0 and axi_dma_0 ({error})") from None
        self.clock_mhz = float(pynq.Clocks.fclk0_mhz)
        self._buffers: dict[str, Any] = {}

    def read(self, address: int) -> int:
        """Value of the 32-bit register at a byte address."""
        return int(self._registers.read(address))

    def write(self, address: int, value: int) -> None:
        """Set the 32-bit register at a byte address."""
        self._registers.write(address, value)

    def exchange(self, words: np.ndarray, count: int) -> np.ndarray:
        """Send a packet and receive one; the receiver waits before the first word is sent.

        Fewer words than `count` are returned where the packet ended before.

        Raises:
            Unanswered: the transfer did not end in time or failed; the DMA was reset.
        """
        sent, received = self._buffer("sent", len(words)), self._buffer("received", count)
        sent[: len(words)] = words
        sender, receiver = self._dma.sendchannel, self._dma.recvchannel
        for channel in (receiver, sender):
            if not channel.running:  # since a reset
                channel.start()
        try:
            receiver.transfer(received, nbytes=4 * count)
            sender.transfer(sent, nbytes=4 * len(words))
            deadline = time.monotonic() + self._timeout_s
            self._wait(sender, deadline, "words are not taken")
            self._wait(receiver, deadline, "no logits come")
        except BaseException:  # an interrupt by the user too: a channel that is busy takes no other transfer
            self._reset()
            raise
        return np.array(received[: receiver.transferred // 4])

    def _wait(self, channel: Any, deadline: float, complaint: str) -> None:
        """Until a channel is idle; its own `wait` has no limit."""
        while not (channel.idle or channel.error):
            if time.monotonic() > deadline:
                raise Unanswered(f"{complaint} within {self._timeout_s:g} s")
        try:
            channel.wait()
        except RuntimeError as error:
            raise Unanswered(f"the DMA failed ({error})") from None

    def _reset(self) -> None:
        """End what both channels do; they stay stopped until the next packet, so that they take no word of this one."""
        control, reset = 0, 4  # MM2S_DMACR and its bit; it clears itself
        self._dma.write(control, reset)
        deadline = time.monotonic() + self._timeout_s
        while self._dma.read(control) & reset:
            if time.monotonic() > deadline:
                raise DriverError("the DMA does not come out of its reset: load the overlay again")

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
        """frames.txt, x.hex and want.hex of a folder.

        Raises:
            DriverError: files that are damaged, empty or of another network.
            OSError: one cannot be read.
        """
        lines = (folder / "frames.txt").read_text(errors="replace").splitlines()
        if not lines or not all(re.fullmatch("[01] [0-9]{1,5}", line) for line in lines):
            raise DriverError(f"{folder / 'frames.txt'} is damaged: frames are lines as `1 0`; copy it again")
        frames = np.array([line.split() for line in lines]).astype(np.int64)
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
        DriverError: the registers are not those of an accelerator, packets without a frame, or initial states that are
            damaged.
    """

    def __init__(self, board: Board, description: dict[str, Any], frames_in_packet: int = 256) -> None:
        if frames_in_packet < 1:
            raise DriverError(f"frames_in_packet must be 1 or more, got {frames_in_packet}")
        self.board, self.description, self._packet = board, description, frames_in_packet
        self._addresses = {name: 4 * number for number, name in enumerate(description["registers"])}
        self._protocol = description["protocol"]
        self._initial = _initial(description, description["layers"], "accelerator.json")
        self._begun: set[int] = set()  # streams with a sequence since this object was made, or since a reset
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
        self._begun.clear()

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

        They may be of another program, if its sizes, formats and constants are those of this accelerator. Sequences
        begin with that program's initial states from then on.

        Raises:
            DriverError: weights of another shape or layout, or a file that is missing or damaged; nothing was written
                then.
        """
        path = folder / "weights.json"
        described = read(path)
        try:
            self._check(described, folder)
        except (KeyError, TypeError):
            raise DriverError(f"{path} is damaged: digests, layers or names are missing; {_AGAIN}") from None
        initial = _initial(described, self.description["layers"], str(path))
        images = {
            number << self._protocol["layer_shift"] | memory: _image(
                folder / f"{layer['name']}_weights_{memory}.hex", layer["weight_memory_bits"] // layer["memories"]
            )
            for number, layer in enumerate(self.description["layers"])
            for memory in range(layer["memories"])
        }
        self._initial = initial
        for place, (words, bits) in images.items():
            self.write("load_place", place)
            for word in words:
                self._load(word, bits)
        return sum(len(words) for words, _ in images.values())

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

    def _streams(self, numbers: Any, what: str) -> np.ndarray:
        """Numbers of streams, which all must be there."""
        return _checked(numbers, what, 0, self.description["streams"] - 1)

    def _one_stream(self, number: int) -> int:
        found = self._streams(number, "stream")
        if found.ndim:
            raise DriverError(f"stream is one number, got an array of {found.shape}")
        return int(found)

    def _place(self, layer: int, stream: int, kind: str) -> int:
        """Load address of the first word of a layer's state, c or y, of one stream."""
        p = self._protocol
        return layer << p["layer_shift"] | 1 << p["state_bit"] | (kind == "y") << p["state_shift"] | stream

    def _load(self, word: int, bits: int) -> None:
        for part in range(-(-bits // 32)):
            self.write("load_part", word >> 32 * part & 0xFFFFFFFF)

    def run(self, x: np.ndarray, first: np.ndarray | None = None, stream: np.ndarray | int = 0) -> np.ndarray:
        """Logits of frames, (frames, classes).

        Where the network has initial states, they are written before each frame that opens an utterance, when all
        frames before it are out; the first frame of a stream since a reset, or since this object was made, opens one.

        Args:
            x: integers of the input format, (frames, inputs); `quantize` makes them of features.
            first: for each frame, whether it opens an utterance; by default the first one alone does.
            stream: one for all frames, or one for each.

        Raises:
            DriverError: frames, marks or streams that the accelerator does not have, of which nothing was sent; or no
                answer. The accelerator was reset then.
        """
        form, logits = self.description["input"], self.description["logits"]
        x = _array(x, "features")
        if x.ndim != 2 or x.shape[1] != form["size"]:
            raise DriverError(f"frames have {form['size']} features, got an array of {x.shape}")
        if x.dtype.kind == "f":
            raise DriverError(f"features are integers of {form['bits']} bits, got {x.dtype}; `quantize` makes them")
        x = _checked(x, "features", *_limits(form["bits"]))
        opens = _marks(np.arange(len(x)) == 0 if first is None else first, len(x))
        streams = self._streams(stream, "stream")
        if streams.ndim and streams.shape != opens.shape:
            raise DriverError(f"stream is one number, or one for each of {len(x)} frames, got {streams.shape}")
        streams = np.broadcast_to(streams, len(x))
        begins = self._begins(opens, streams)
        headers = np.where(begins, 0, opens) | streams << 16  # states that were written count
        rows = np.column_stack([headers, _words(x, form["slot_bits"])])
        width = -(-logits["size"] * logits["slot_bits"] // 32)
        found = [np.zeros((0, logits["size"]), np.int64)]
        for start, end in self._packets(begins):
            if begins[start]:
                self._begin(int(streams[start]))
            packet = rows[start:end]
            words = self._exchange(np.ascontiguousarray(packet, np.uint32), len(packet) * width)
            found.append(_integers(words.reshape(len(packet), width), logits["slot_bits"], logits["size"]))
        self._begun |= set(streams.tolist())
        return np.concatenate(found)

    def _begins(self, opens: np.ndarray, streams: np.ndarray) -> np.ndarray:
        """Whether initial states are written before each frame."""
        found = np.zeros(len(opens), bool)
        if self._initial:
            found |= opens != 0
            numbers, places = np.unique(streams, return_index=True)
            fresh = [number not in self._begun for number in numbers.tolist()]
            found[places[fresh]] = True
        return found

    def _packets(self, begins: np.ndarray) -> list[tuple[int, int]]:
        """Where packets begin and end: one begins with each frame before which states are written."""
        edges = sorted({0, *np.flatnonzero(begins).tolist(), len(begins)})
        return [
            (start, min(start + self._packet, end))
            for begin, end in itertools.pairwise(edges)
            for start in range(begin, end, self._packet)
        ]

    def _begin(self, stream: int) -> None:
        """Write the initial states of a stream."""
        for layer, kind, numbers in self._initial:
            self._write_state(layer, stream, kind, numbers)

    def _write_state(self, layer: int, stream: int, kind: str, numbers: np.ndarray) -> None:
        form = self.description["layers"][layer]["states"][kind]
        self.write("load_place", self._place(layer, stream, kind))
        for row in numbers.reshape(form["words"], form["elements"]).tolist():
            self._load(_pack(row, form["element_bits"]), form["bits"])

    def _exchange(self, packet: np.ndarray, count: int) -> np.ndarray:
        """A packet's answer; without one the accelerator is reset, since it holds a part of the packet."""
        try:
            words = self.board.exchange(packet.reshape(-1), count)
            if len(words) != count:
                raise Unanswered(f"{len(words)} words of logits came, not {count}")
        except BaseException as error:
            names = ("frames_in", "frames_out", "protocol_errors")
            seen = ", ".join(f"{name} {self.read(name)}" for name in names)
            self.reset()
            if not isinstance(error, Unanswered):
                raise
            raise Unanswered(
                f"a packet of {len(packet)} frames was not answered: {error}; registers: {seen}; see that bitstream "
                "and accelerator.json are of one project and its clock is met; states and counters were reset"
            ) from None
        return words

    def quantize(self, features: np.ndarray) -> np.ndarray:
        """Features as integers of the input format: nearest, halves upwards, saturated.

        Raises:
            DriverError: one is no number, or not finite.
        """
        form = self.description["input"]
        try:
            values = np.asarray(features, np.float64)
        except (TypeError, ValueError) as error:
            raise DriverError(f"features must be an array of numbers ({error})") from None
        if not np.isfinite(values).all():
            place = tuple(np.argwhere(~np.isfinite(values))[0].tolist())
            raise DriverError(f"features must be finite, got {values[place]} at {place}; correct the audio")
        scaled = np.clip(values * 2.0 ** form["fraction"], *_limits(form["bits"]))
        below = np.floor(scaled)
        return (below + (scaled - below >= 0.5)).astype(np.int64)

    def save(self, stream: int) -> list[dict[str, np.ndarray]]:
        """States of a stream, for each layer: integers by kind; only while no frame is under way.

        Raises:
            DriverError: there is no such stream.
        """
        stream = self._one_stream(stream)
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
        """Write states back, as `save` gives them; the next frame of the stream must not open an utterance.

        Raises:
            DriverError: no such stream, or states of another accelerator; nothing was written then.
        """
        stream, layers = self._one_stream(stream), self.description["layers"]
        kinds = [{kind: form["words"] * form["elements"] for kind, form in layer["states"].items()} for layer in layers]
        try:
            found = [{kind: _array(numbers, kind).size for kind, numbers in each.items()} for each in states]
        except (AttributeError, TypeError):
            raise DriverError("states must be a list of dictionaries, as `save` gives it") from None
        if found != kinds:
            raise DriverError(f"states must have {kinds} integers, layer by layer, got {found}")
        rows = {
            (number, kind): _checked(states[number][kind], f"{layer['name']}, {kind}", *_limits(form["element_bits"]))
            for number, layer in enumerate(layers)
            for kind, form in layer["states"].items()
        }
        for (number, kind), numbers in rows.items():
            self._write_state(number, stream, kind, numbers)
        self._begun.add(stream)

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
    except (ValueError, RecursionError) as error:
        raise DriverError(f"{path} is no JSON ({error}): {_AGAIN}") from None
    version = found.get("version") if isinstance(found, dict) else None
    wanted = FILE_VERSIONS.get(path.name, FILE_VERSIONS["accelerator.json"])  # whose name is the user's choice
    if version != wanted:
        raise DriverError(f"{path}: version must be {wanted}, got {version!r}: take the driver of this project")
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


def _initial(described: dict[str, Any], layers: list[Any], where: str) -> list[tuple[int, str, np.ndarray]]:
    """States before a sequence: number of a layer, kind, integers; none: the hardware's own zeros.

    Args:
        layers: of the accelerator.
        where: the description was found, for messages.

    Raises:
        DriverError: they are not all states of these layers, each once, or their integers do not fit.
    """
    wanted = {(layer["name"], kind): number for number, layer in enumerate(layers) for kind in layer["states"]}
    given, found = described.get("initial", []), {}
    if not isinstance(given, list):
        raise DriverError(f"{where} is damaged: `initial` must be a list, got {_short(given)}; {_AGAIN}")
    for each in given:
        if not isinstance(each, dict) or each.keys() != {"layer", "kind", "integers"}:
            raise DriverError(
                f"{where} is damaged: each of `initial` has layer, kind and integers, got {_short(each)}; {_AGAIN}"
            )
        layer, kind, integers = each["layer"], each["kind"], each["integers"]
        if (layer, kind) not in list(wanted) or (layer, kind) in found:
            raise DriverError(
                f"{where} is damaged: `initial` must have each state of the layers once, got {_short(kind)} of "
                f"{_short(layer)}; {_AGAIN}"
            )
        form = layers[wanted[layer, kind]]["states"][kind]
        count, (low, high) = form["words"] * form["elements"], _limits(form["element_bits"])
        if not isinstance(integers, list) or len(integers) != count:
            got = len(integers) if isinstance(integers, list) else _short(integers)
            raise DriverError(
                f"{where} is damaged: `initial` of {layer}, {kind}, must have {count} integers, got {got}; {_AGAIN}"
            )
        wrong = [number for number in integers if type(number) is not int or not low <= number <= high]
        if wrong:
            raise DriverError(
                f"{where} is damaged: `initial` of {layer}, {kind}, must be integers of {low} to {high}, got "
                f"{_short(wrong[0])}; {_AGAIN}"
            )
        found[layer, kind] = np.array(integers, np.int64)
    if given and len(found) < len(wanted):
        name, kind = next(each for each in wanted if each not in found)
        raise DriverError(f"{where} is damaged: `initial` lacks {kind} of {name}; {_AGAIN}")
    return [(wanted[place], place[1], numbers) for place, numbers in found.items()]


def _short(value: Any) -> str:
    """A value of a file, for a message."""
    return reprlib.repr(value)


def _limits(bits: int) -> tuple[int, int]:
    """The smallest and the largest integer of a format."""
    return -(1 << (bits - 1)), (1 << (bits - 1)) - 1


def _checked(values: Any, what: str, low: int, high: int) -> np.ndarray:
    """Integers that lie in low..high, as int64.

    Raises:
        DriverError: others, or no integers.
    """
    found = _array(values, what)
    if found.dtype.kind not in "iu":
        raise DriverError(f"{what}: integers are wanted, got {found.dtype}")
    wrong = np.argwhere((found < low) | (found > high))
    if len(wrong):
        place = tuple(wrong[0].tolist())
        where = f" at {place}" if place else ""
        raise DriverError(f"{what}: integers of {low} to {high} are wanted, got {found[place]}{where}")
    return found.astype(np.int64)


def _array(values: Any, what: str) -> np.ndarray:
    try:
        return np.asarray(values)
    except ValueError as error:
        raise DriverError(f"{what}: an array is wanted ({error})") from None


def _marks(first: Any, frames: int) -> np.ndarray:
    """Whether each frame opens an utterance, as int64."""
    found = _array(first, "first")
    if found.shape != (frames,):
        raise DriverError(f"first has a mark for each of {frames} frames, got an array of {found.shape}")
    return _checked(found.astype(np.int64) if found.dtype == bool else found, "first", 0, 1)


def _image(path: Path, memory_bits: int) -> tuple[list[int], int]:
    """Words of a memory of weights, and the bits of a word in whole hexadecimal digits.

    Raises:
        DriverError: the file is missing, or is no image of a memory of so many bits.
    """
    try:
        lines = path.read_text().split()
        words, digits = [int(line, 16) for line in lines], {len(line) for line in lines}
    except FileNotFoundError:
        raise DriverError(f"{path} is missing: copy the folder `memory` of the project") from None
    except ValueError:
        words, digits = [], set()
    if len(digits) != 1 or memory_bits % len(words) or -(-(memory_bits // len(words)) // 4) not in digits:
        raise DriverError(f"{path} is damaged: it is no memory of {memory_bits} bits; copy it from the project again")
    return words, 4 * digits.pop()


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
    """Two's complement, 32 bits a line.

    Raises:
        DriverError: the file is damaged.
    """
    try:
        words = [int(line, 16) for line in path.read_text().split()]
        return np.array(words, np.int64).astype(np.uint32).astype(np.int32).astype(np.int64)
    except (OverflowError, ValueError) as error:
        raise DriverError(f"{path} is damaged ({error}): copy it again") from None


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
    except KeyError as error:
        raise SystemExit(f"error: {given.accelerator} lacks {error}: copy it from the project again") from None


if __name__ == "__main__":
    main()
