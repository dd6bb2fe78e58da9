"""The whole network as one module: layers in a row, AXI4-Stream for features and logits, AXI4-Lite for control."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from ernn.errors import UserError
from ernn.hw.design import Stored
from ernn.hw.graph.schedule import Clock
from ernn.hw.layout.array import Array
from ernn.hw.layout.words import Words
from ernn.hw.verilog import chain
from ernn.hw.verilog.chain import Handshake, gearbox
from ernn.hw.verilog.common import Context
from ernn.hw.verilog.control import Control
from ernn.hw.verilog.frames import LARGEST_BITS, Beats, Frames, tid_bits
from ernn.hw.verilog.interfaces import Controlled
from ernn.hw.verilog.items import Item, Wire
from ernn.hw.verilog.layer import LayerHardware
from ernn.hw.verilog.module import Module, declared_first
from ernn.program.network import Program


@dataclass(frozen=True)
class Architecture:
    """Sizes of the arrays of all layers, of the head and the output layer last, and of the streams.

    Raises:
        ValueError: beats whose numbers are no power of two.
    """

    arrays: tuple[Array, ...]
    clock: Clock
    streams: int = 1
    memory: str = "auto"  # kind of the weights' memories: auto, block or distributed
    transformed: bool = False  # weights are stored as the factors of their blocks: more memory, less logic
    features: int = 1  # a beat of the input; a power of two
    logits: int = 1  # a beat of the output; a power of two

    @property
    def weights(self) -> Stored:
        """How weights are stored: as the program's words, or transformed."""
        return "transformed" if self.transformed else "words"

    def context(self, program: Program) -> Context:
        """Settings of all layers of a program."""
        memory, transformed = self.memory, self.transformed
        return Context(program.activations, self.clock, self.streams, frame_bits(program), memory, transformed)

    def input(self, program: Program) -> Beats:
        """Beats of the input stream."""
        return Beats(self.features, program.input.bits, program.inputs)

    def output(self, program: Program) -> Beats:
        """Beats of the output stream."""
        return Beats(self.logits, program.logits.bits, program.outputs)

    def __post_init__(self) -> None:
        for count in (self.features, self.logits):
            if count < 1 or count & (count - 1):
                raise ValueError(f"a beat has a power of two of features or logits, got {count}")


class NetworkHardware:
    """The hardware of a whole network: its modules, and the images of its memories.

    Raises:
        UserError: features or logits of more bits than a word of their streams has.
    """

    def __init__(self, program: Program, architecture: Architecture) -> None:
        for name, format in (("features", program.input), ("logits", program.logits)):
            if format.bits > LARGEST_BITS:
                raise UserError(
                    f"{program.name}: an accelerator's {name} have up to {LARGEST_BITS} bits, got {format.bits}; "
                    "give the program a narrower format"
                )
        self.program, self.architecture = program, architecture
        self.frame_bits = frame_bits(program)
        context = architecture.context(program)
        self.chain: list[LayerHardware] = []  # without projections, which feed back
        arrays, before = iter(architecture.arrays), self.input.words
        for link in chain.links(program):
            made = link.module([next(arrays) for _ in link.arrays], before, context)
            self.chain.append(made)
            before = made.sink
        self.layers = [module for layer in self.chain for module in layer.with_projection]
        self.control = Control([layer.controlled for layer in self.layers], self.frame_bits, architecture.streams)

    @property
    def registers(self) -> list[tuple[str, str, str]]:
        """Registers that can be read: name, expression, meaning; the first of them can be written too."""
        return self.control.registers

    @property
    def address_bits(self) -> int:
        """Width of AXI4-Lite addresses, in bits."""
        return self.control.address_bits

    @property
    def input(self) -> Beats:
        """Beats of the input stream `s_axis`."""
        return self.architecture.input(self.program)

    @property
    def output(self) -> Beats:
        """Beats of the output stream `m_axis`."""
        return self.architecture.output(self.program)

    @property
    def tid_bits(self) -> int:
        """Width of `tid`, the number of a stream."""
        return tid_bits(self.architecture.streams)

    def top(self) -> Module:
        """The top module `ernn`."""
        frames = _frames(self.program, self.architecture, len(self.layers))
        items = [Wire("clk", value="aclk"), *self.control.items(), *frames.items(), *self._layers()]
        doc = frames.doc(self.program.name, len(self.program.layers))
        return Module("ernn", tuple(frames.ports(self.address_bits)), declared_first(items), doc=doc)

    def _layers(self) -> Iterator[Item]:
        before, sink = Handshake("s_axis_tvalid && open && !dropping", "in_ready", "features"), self.input.words
        for layer in self.chain:
            yield from chain.connected(layer, self.layers.index(layer), before, sink)
            before, sink = Handshake.of(f"{layer.name}_out"), layer.sink
        yield from _logits(self.output, before, sink)

    def modules(self) -> dict[str, tuple[Module, ...]]:
        """Generated modules by file name."""
        found: dict[str, tuple[Module, ...]] = {"ernn.v": (self.top(),)}
        for layer in self.layers:
            found |= layer.modules()
        return found

    def images(self) -> dict[str, str]:
        """Memory images by file name."""
        return {name: image for layer in self.layers for name, image in layer.images().items()}


def frame_bits(program: Program) -> int:
    """Width of the number of a frame under way."""
    return (4 * (len(program.stack) + 2) - 1).bit_length()


def around(program: Program, architecture: Architecture, layers: Sequence[Controlled], sink: Words) -> Iterator[Item]:
    """What a network's module has around its chain of modules.

    Args:
        layers: all of the chain's.
        sink: words that its last one gives.
    """
    yield from Control(layers, frame_bits(program), architecture.streams).items()
    yield from _frames(program, architecture, len(layers)).items()
    yield from _logits(architecture.output(program), Handshake("", "", ""), sink)


def _frames(program: Program, architecture: Architecture, layers: int) -> Frames:
    streams, width = architecture.streams, frame_bits(program)
    return Frames(architecture.input(program), architecture.output(program), width, streams, layers)


def _logits(output: Beats, before: Handshake, sink: Words) -> Iterator[Item]:
    """The output stream's beats, of words of the last layer."""
    words = output.words
    yield Wire("logits", words.width)
    yield gearbox("out", sink, words, before, Handshake("m_axis_tvalid", "m_axis_tready", "logits"), "m_axis_tlast")
