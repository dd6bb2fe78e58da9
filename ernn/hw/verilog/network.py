"""The whole network as one module: layers in a row, AXI4-Stream for features and logits, AXI4-Lite for control."""

from collections.abc import Iterator
from dataclasses import dataclass

from ernn.hw.design import Stored
from ernn.hw.graph.schedule import Clock
from ernn.hw.layout.array import Array
from ernn.hw.layout.layer import blocks_of, circulant, projection_apart, sums_of
from ernn.hw.layout.words import Words
from ernn.hw.verilog import feedforward
from ernn.hw.verilog.common import Shared
from ernn.hw.verilog.control import Control
from ernn.hw.verilog.frames import Beats, Frames
from ernn.hw.verilog.gru import GruLayer
from ernn.hw.verilog.layer import LayerText, Projection
from ernn.hw.verilog.lstm import LstmLayer
from ernn.program.network import Layer, Lstm, Program


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
        """How weights are stored."""
        return "transformed" if self.transformed else "words"

    def __post_init__(self) -> None:
        for count in (self.features, self.logits):
            if count < 1 or count & (count - 1):
                raise ValueError(f"a beat has a power of two of features or logits, got {count}")


@dataclass(frozen=True)
class Stream:
    """Expressions of valid, ready and data of a stream of words."""

    valid: str
    ready: str
    data: str

    @staticmethod
    def of(name: str) -> "Stream":
        """The wires that `_link` declares."""
        return Stream(f"{name}_valid", f"{name}_ready", name)


class NetworkText:
    """Sources of a whole network."""

    def __init__(self, program: Program, architecture: Architecture) -> None:
        self.program, self.architecture = program, architecture
        self.frame_bits = (4 * (len(program.layers) + 2) - 1).bit_length()
        shared = Shared(
            program.activations,
            architecture.clock,
            architecture.streams,
            self.frame_bits,
            architecture.memory,
            architecture.transformed,
        )
        self.layers: list[LayerText] = []
        self._chain: list[LayerText] = []  # without projections, which are beside it
        self._sink = self.input.words
        arrays = iter(architecture.arrays)
        for number, layer in enumerate(program.layers):
            name = f"layer{number}"
            if sums_of(layer).apart is not None:
                array = next(arrays)
                source = blocks_of(layer.weight_ih, array, self._sink)
                self._add(feedforward.rows_of_x(f"{name}_x", layer, array, source, shared))
            array = next(arrays)
            source = self._source_of(layer, array)
            if isinstance(layer, Lstm):
                apart = None if projection_apart(layer) is None else next(arrays)
                self._add(LstmLayer(name, layer, array, source, shared, apart).module())
            else:
                self._add(GruLayer(name, layer, array, source, shared).module())
        array, input = next(arrays), program.layers[-1].output
        source = blocks_of(program.output.weight, array, self._sink)
        self._add(feedforward.output("output_layer", program.output, input, array, source, shared))
        self.control = Control(self.layers, self.frame_bits)

    def _add(self, layer: LayerText) -> None:
        self._chain.append(layer)
        self.layers.append(layer)
        if layer.projection is not None:
            self.layers.append(layer.projection.layer)
        self._sink = layer.sink

    def _source_of(self, layer: Layer, array: Array) -> Words:
        """Words of x, or of its rows, that come in ready."""
        if sums_of(layer).apart is None:
            return blocks_of(layer.weight_ih, array, self._sink)
        blocks = 1 if isinstance(layer, Lstm) else array.heads
        elements = circulant(layer.weight_hh).block_size * blocks // array.beats
        return Words(elements, self._sink.bits, -(-layer.cells // elements))

    @property
    def registers(self) -> list[tuple[str, str, str]]:
        """Registers that can be read: name, expression, meaning; the first of them can be written too."""
        return self.control.registers

    @property
    def address_bits(self) -> int:
        """Of AXI4-Lite addresses."""
        return self.control.address_bits

    @property
    def input(self) -> Beats:
        """Of s_axis."""
        return Beats(self.architecture.features, self.program.input.bits, self.program.inputs)

    @property
    def output(self) -> Beats:
        """Of m_axis."""
        return Beats(self.architecture.logits, self.program.output.logits.bits, self.program.decoder.classes)

    @property
    def stream_bits(self) -> int:
        """Of tid."""
        return max(1, (self.architecture.streams - 1).bit_length())

    def top(self) -> str:
        """Module `ernn`."""
        frames = Frames(self.input, self.output, self.frame_bits, self.stream_bits, len(self.layers))
        return "\n".join(
            [
                *frames.ports(self.program.name, len(self.program.layers), self.address_bits),
                *self.control.text(),
                *frames.text(),
                *self._layers(),
                "endmodule",
                "",
            ]
        )

    def _layers(self) -> Iterator[str]:
        before, sink = Stream("s_axis_tvalid && open", "in_ready", "features"), self.input.words
        for layer in self._chain:
            yield from self._instance(layer, before, sink)
            if layer.projection is not None:
                yield from self._projection(layer, layer.projection)
            yield _link(f"{layer.name}_out", layer.sink, layer, "y", f"{layer.name}_room")
            before, sink = Stream.of(f"{layer.name}_out"), layer.sink
        yield from self._logits(before, sink)

    def _instance(self, layer: LayerText, before: Stream, sink: Words) -> Iterator[str]:
        name, source, n = layer.name, layer.source, self.layers.index(layer)
        yield f"""    // {name}: {layer.doc}.
    wire {name}_x_valid, {name}_x_ready, {name}_x_end, {name}_room, {name}_reserve, {name}_y_valid;
    wire [{source.width - 1}:0] {name}_x;
    wire [{layer.sink.width - 1}:0] {name}_y;
    reg {name}_load;
    always @(posedge clk) {name}_load <= load && load_layer == 16'd{n};"""
        ports = ""
        if layer.projection is not None:
            ports = (
                f" .m_room({name}_m_room), .m_valid({name}_m_valid), .m_data({name}_m),\n        "
                f".back_valid({name}_back_valid), .back_data({name}_back),"
            )
            yield f"""    wire {name}_m_room, {name}_m_valid, {name}_back_valid;
    wire [{layer.projection.words.width - 1}:0] {name}_m;
    wire [{layer.sink.width - 1}:0] {name}_back;"""
        taken = Stream(f"{name}_x_valid", f"{name}_x_ready", f"{name}_x")
        yield _gearbox(name, sink, source, before, taken, f"{name}_x_end")
        yield f"""    wire {name}_rst, {name}_clear;
    ernn_copy {name}_rst_copy (.clk(clk), .d(rst), .q({name}_rst));
    ernn_copy {name}_clear_copy (.clk(clk), .d(clear), .q({name}_clear));
    {name} {name}_module (.clk(clk), .rst({name}_rst), .clear({name}_clear), .ring_first(ring_first),
        .ring_stream(ring_stream), .x_valid({name}_x_valid), .x_ready({name}_x_ready), .x_end({name}_x_end),
        .x_data({name}_x), .room({name}_room), .reserve({name}_reserve), .y_valid({name}_y_valid),
        .y_data({name}_y),{ports}
        .load({name}_load), .load_memory(load_memory), .load_address(load_address),
        .load_data(load_data[{layer.load_bits - 1}:0]), .idle(idle), .state_step(state_step),
        .state_read({name}_state), .busy(busy[{n}]), .overflows({name}_overflows));"""

    def _projection(self, layer: LayerText, projection: Projection) -> Iterator[str]:
        """A projection beside its layer: m goes out, y comes back."""
        name, made = layer.name, projection.layer
        yield _link(f"{name}_m_out", projection.words, layer, "m", f"{name}_m_room")
        yield from self._instance(made, Stream.of(f"{name}_m_out"), projection.words)
        yield _link(f"{made.name}_out", made.sink, made, "y", f"{made.name}_room")
        back = Stream(f"{name}_back_valid", "1'b1", f"{name}_back")
        yield "    /* verilator lint_off PINCONNECTEMPTY */"
        yield _gearbox(f"{name}_back", made.sink, layer.sink, Stream.of(f"{made.name}_out"), back, "")
        yield "    /* verilator lint_on PINCONNECTEMPTY */"

    def _logits(self, before: Stream, sink: Words) -> Iterator[str]:
        words = self.output.words
        yield f"    wire [{words.width - 1}:0] logits;"
        yield _gearbox("out", sink, words, before, Stream("m_axis_tvalid", "m_axis_tready", "logits"), "m_axis_tlast")

    def sources(self) -> dict[str, str]:
        """Generated Verilog files and memory images, by name."""
        found = {"ernn.v": self.top()}
        for layer in self.layers:
            found |= layer.sources() | layer.images()
        return found


def _gearbox(name: str, before: Words, after: Words, source: Stream, sink: Stream, last: str) -> str:
    """Words of other sizes of the same vectors; `last` is the wire of a vector's last word."""
    return f"""    ernn_gearbox #(.WIDTH({before.bits}), .IN({before.elements}), .OUT({after.elements}),
        .IN_WORDS({before.words}), .OUT_WORDS({after.words})) gearbox_{name} (.clk(clk), .rst(rst),
        .in_valid({source.valid}), .in_ready({source.ready}), .in_data({source.data}),
        .out_valid({sink.valid}), .out_ready({sink.ready}),
        .out_last({last}), .out_data({sink.data}));"""


def _link(name: str, words: Words, layer: LayerText, vector: str, room: str) -> str:
    """Words of two frames of a layer's vector on their way, as the stream `name`; it reserves room for each."""
    source = f"{layer.name}_{vector}"
    return f"""    wire {name}_valid, {name}_ready;
    wire [{words.width - 1}:0] {name};
    ernn_link #(.WIDTH({words.width}), .WORDS({words.words}), .ADDRESS({(2 * words.words - 1).bit_length()}))
        link_{name} (.clk(clk), .rst(rst), .reserve({layer.name}_reserve), .room({room}), .in_valid({source}_valid),
        .in_data({source}), .out_valid({name}_valid), .out_ready({name}_ready), .out_data({name}));
"""
