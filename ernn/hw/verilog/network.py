"""The whole network as one module: layers in a row, AXI4-Stream for features and logits, AXI4-Lite for control."""

from collections.abc import Iterator
from dataclasses import dataclass

from ernn.errors import UserError
from ernn.hw.design import Stored
from ernn.hw.graph.schedule import Clock
from ernn.hw.layout.array import Array
from ernn.hw.layout.layer import blocks_of, projection_apart, sums_of
from ernn.hw.layout.words import Words
from ernn.hw.verilog import feedforward
from ernn.hw.verilog.common import Context
from ernn.hw.verilog.control import Control
from ernn.hw.verilog.frames import LARGEST_BITS, Beats, Frames, tid_bits
from ernn.hw.verilog.items import BLANK, Directive, Instance, Item, Note, Process, Register, Wire
from ernn.hw.verilog.layer import LayerHardware, Projection
from ernn.hw.verilog.module import Module, declared_first
from ernn.hw.verilog.recurrent import RecurrentHardware
from ernn.program.network import Layer, Program
from ernn.program.plans import plan_of


@dataclass(frozen=True)
class Architecture:
    """Sizes of the arrays of all layers, the output layer's last, and of the streams.

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

    def __post_init__(self) -> None:
        for count in (self.features, self.logits):
            if count < 1 or count & (count - 1):
                raise ValueError(f"a beat has a power of two of features or logits, got {count}")


@dataclass(frozen=True)
class Handshake:
    """Expressions of valid, ready and data of a stream of words."""

    valid: str
    ready: str
    data: str

    @staticmethod
    def of(name: str) -> "Handshake":
        """The wires that `_link` declares."""
        return Handshake(f"{name}_valid", f"{name}_ready", name)


class NetworkHardware:
    """The hardware of a whole network: its modules, and the images of its memories.

    Raises:
        UserError: features or logits of more bits than a word of their streams has.
    """

    def __init__(self, program: Program, architecture: Architecture) -> None:
        for name, format in (("features", program.input), ("logits", program.output.logits)):
            if format.bits > LARGEST_BITS:
                raise UserError(
                    f"{program.name}: an accelerator's {name} have up to {LARGEST_BITS} bits, got {format.bits}; "
                    "give the program a narrower format"
                )
        self.program, self.architecture = program, architecture
        self.frame_bits = (4 * (len(program.layers) + 2) - 1).bit_length()
        context = Context(
            program.activations,
            architecture.clock,
            architecture.streams,
            self.frame_bits,
            architecture.memory,
            architecture.transformed,
        )
        self.layers: list[LayerHardware] = []
        self._chain: list[LayerHardware] = []  # without projections, which feed back
        self._sink = self.input.words
        arrays = iter(architecture.arrays)
        for number, layer in enumerate(program.layers):
            name = f"layer{number}"
            if sums_of(layer).apart is not None:
                array = next(arrays)
                source = blocks_of(layer.weight_ih, array, self._sink)
                self._add(feedforward.rows_of_x(f"{name}_x", layer, array, source, context))
            array = next(arrays)
            source = self._source_of(layer, array)
            apart = None if projection_apart(layer) is None else next(arrays)
            self._add(RecurrentHardware(name, layer, array, source, context, apart).module())
        array, input = next(arrays), program.layers[-1].output
        source = blocks_of(program.output.weight, array, self._sink)
        self._add(feedforward.output("output_layer", program.output, input, array, source, context))
        self.control = Control(self.layers, self.frame_bits)

    def _add(self, layer: LayerHardware) -> None:
        self._chain.append(layer)
        self.layers.append(layer)
        if layer.projection is not None:
            self.layers.append(layer.projection.layer)
        self._sink = layer.sink

    def _source_of(self, layer: Layer, array: Array) -> Words:
        """Words of x, or of its rows, that come in ready."""
        if sums_of(layer).apart is None:
            return blocks_of(layer.weight_ih, array, self._sink)
        blocks = 1 if plan_of(layer.kind, layer).together else array.heads
        elements = layer.weight_hh.block_size * blocks // array.beats
        return Words(elements, self._sink.bits, -(-layer.cells // elements))

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
        return Beats(self.architecture.features, self.program.input.bits, self.program.inputs)

    @property
    def output(self) -> Beats:
        """Beats of the output stream `m_axis`."""
        return Beats(self.architecture.logits, self.program.output.logits.bits, self.program.decoder.classes)

    @property
    def tid_bits(self) -> int:
        """Width of `tid`, the number of a stream."""
        return tid_bits(self.architecture.streams)

    def top(self) -> Module:
        """The top module `ernn`."""
        frames = Frames(self.input, self.output, self.frame_bits, self.architecture.streams, len(self.layers))
        items = [Wire("clk", value="aclk"), *self.control.items(), *frames.items(), *self._layers()]
        doc = frames.doc(self.program.name, len(self.program.layers))
        return Module("ernn", tuple(frames.ports(self.address_bits)), declared_first(items), doc=doc)

    def _layers(self) -> Iterator[Item]:
        before, sink = Handshake("s_axis_tvalid && open && !dropping", "in_ready", "features"), self.input.words
        for layer in self._chain:
            yield from self._instance(layer, before, sink)
            if layer.projection is not None:
                yield from self._projection(layer, layer.projection)
            yield from _link(f"{layer.name}_out", layer.sink, layer, "y", f"{layer.name}_room")
            before, sink = Handshake.of(f"{layer.name}_out"), layer.sink
        yield from self._logits(before, sink)

    def _instance(self, layer: LayerHardware, before: Handshake, sink: Words) -> Iterator[Item]:
        name, source, n = layer.name, layer.source, self.layers.index(layer)
        yield Note(f"{name}: {layer.doc}.")
        signals = ("x_valid", "x_ready", "x_end", "room", "reserve", "y_valid")
        yield from (Wire(f"{name}_{each}") for each in signals)
        yield from (Wire(f"{name}_x", source.width), Wire(f"{name}_y", layer.sink.width), Register(f"{name}_load"))
        yield Process(f"    always @(posedge clk) {name}_load <= load && load_layer == 16'd{n};")
        projected: dict[str, str] = {}
        if layer.projection is not None:
            yield from (Wire(f"{name}_{each}") for each in ("m_room", "m_valid", "back_valid"))
            yield from (Wire(f"{name}_m", layer.projection.words.width), Wire(f"{name}_back", layer.sink.width))
            projected = {each: f"{name}_{each}" for each in ("m_room", "m_valid", "back_valid")}
            projected |= {"m_data": f"{name}_m", "back_data": f"{name}_back"}
        taken = Handshake(f"{name}_x_valid", f"{name}_x_ready", f"{name}_x")
        yield _gearbox(name, sink, source, before, taken, f"{name}_x_end")
        yield from (Wire(f"{name}_rst"), Wire(f"{name}_clear"))
        for each in ("rst", "clear"):
            yield Instance("ernn_copy", f"{name}_{each}_copy", {"clk": "clk", "d": each, "q": f"{name}_{each}"})
        ports = {"clk": "clk", "rst": f"{name}_rst", "clear": f"{name}_clear"}
        ports |= {each: each for each in ("ring_first", "ring_stream")}
        ports |= {each: f"{name}_{each}" for each in signals} | {"x_data": f"{name}_x", "y_data": f"{name}_y"}
        ports |= projected | {"load": f"{name}_load", "load_memory": "load_memory", "load_address": "load_address"}
        ports |= {"load_data": f"load_data[{layer.load_bits - 1}:0]", "idle": "idle", "state_step": "state_step"}
        ports |= {"state_read": f"{name}_state", "busy": f"busy[{n}]", "overflows": f"{name}_overflows"}
        yield Instance(name, f"{name}_module", ports)

    def _projection(self, layer: LayerHardware, projection: Projection) -> Iterator[Item]:
        """A projection with an array of its own: m goes to it, y returns."""
        name, made = layer.name, projection.layer
        yield from _link(f"{name}_m_out", projection.words, layer, "m", f"{name}_m_room")
        yield from self._instance(made, Handshake.of(f"{name}_m_out"), projection.words)
        yield from _link(f"{made.name}_out", made.sink, made, "y", f"{made.name}_room")
        back = Handshake(f"{name}_back_valid", "1'b1", f"{name}_back")
        yield Directive("/* verilator lint_off PINCONNECTEMPTY */")
        yield _gearbox(f"{name}_back", made.sink, layer.sink, Handshake.of(f"{made.name}_out"), back, "")
        yield Directive("/* verilator lint_on PINCONNECTEMPTY */")

    def _logits(self, before: Handshake, sink: Words) -> Iterator[Item]:
        words = self.output.words
        yield Wire("logits", words.width)
        yield _gearbox(
            "out", sink, words, before, Handshake("m_axis_tvalid", "m_axis_tready", "logits"), "m_axis_tlast"
        )

    def modules(self) -> dict[str, tuple[Module, ...]]:
        """Generated modules by file name."""
        found: dict[str, tuple[Module, ...]] = {"ernn.v": (self.top(),)}
        for layer in self.layers:
            found |= layer.modules()
        return found

    def images(self) -> dict[str, str]:
        """Memory images by file name."""
        return {name: image for layer in self.layers for name, image in layer.images().items()}


def _gearbox(name: str, before: Words, after: Words, source: Handshake, sink: Handshake, last: str) -> Instance:
    """Words of other sizes of the same vectors; `last` is the wire of a vector's last word."""
    sizes = {"WIDTH": before.bits, "IN": before.elements, "OUT": after.elements}
    sizes |= {"IN_WORDS": before.words, "OUT_WORDS": after.words}
    ports = {"clk": "clk", "rst": "rst", "in_valid": source.valid, "in_ready": source.ready, "in_data": source.data}
    ports |= {"out_valid": sink.valid, "out_ready": sink.ready, "out_last": last, "out_data": sink.data}
    return Instance("ernn_gearbox", f"gearbox_{name}", ports, sizes)


def _link(name: str, words: Words, layer: LayerHardware, vector: str, room: str) -> Iterator[Item]:
    """Words of two frames of a layer's vector on their way, as the stream `name`; it reserves room for each."""
    source = f"{layer.name}_{vector}"
    yield from (Wire(f"{name}_valid"), Wire(f"{name}_ready"), Wire(name, words.width))
    sizes = {"WIDTH": words.width, "WORDS": words.words, "ADDRESS": (2 * words.words - 1).bit_length()}
    ports = {"clk": "clk", "rst": "rst", "reserve": f"{layer.name}_reserve", "room": room}
    ports |= {"in_valid": f"{source}_valid", "in_data": source}
    ports |= {"out_valid": f"{name}_valid", "out_ready": f"{name}_ready", "out_data": name}
    yield Instance("ernn_link", f"link_{name}", ports, sizes)
    yield BLANK
