"""The chain of a network's modules: what makes each of them, and the streams between them."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from ernn.hw.layout.array import Array
from ernn.hw.layout.layer import blocks_of, sums_of
from ernn.hw.layout.sizing import Requirements, head_requirements, output_requirements, requirements
from ernn.hw.layout.words import Words
from ernn.hw.verilog import feedforward
from ernn.hw.verilog.common import Context
from ernn.hw.verilog.items import BLANK, Directive, Instance, Item, Note, Process, Register, Wire
from ernn.hw.verilog.layer import LayerHardware, Projection
from ernn.hw.verilog.recurrent import RecurrentHardware
from ernn.program.network import Dense, Layer, Output, Program
from ernn.program.plans import plan_of


@dataclass(frozen=True)
class Link:
    """A module of the chain before its arrays have sizes: a recurrent layer with its projection, or one without y.

    Args:
        arrays: what their sizes depend on: its own, and that of a projection that has one.
        layer: whose products it does.
        x: whether those are products of x, which do not join those of y.
    """

    name: str
    arrays: tuple[Requirements, ...]
    layer: Layer | Dense | Output
    program: Program
    x: bool = False

    def module(self, arrays: Sequence[Array], before: Words, context: Context) -> LayerHardware:
        """Its hardware, behind words `before`."""
        array, *apart = arrays
        if isinstance(self.layer, Output):
            source, input = blocks_of(self.layer.weight, array, before), self.program.stack[-1].output
            return feedforward.output(self.name, self.layer, input, array, source, context)
        if isinstance(self.layer, Dense):
            return feedforward.dense(self.name, self.layer, array, blocks_of(self.layer.weight, array, before), context)
        if self.x:
            source = blocks_of(self.layer.weight_ih, array, before)
            return feedforward.rows_of_x(self.name, self.layer, array, source, context)
        source = _source_of(self.layer, array, before)
        return RecurrentHardware(self.name, self.layer, array, source, context, *apart).module()


def links(program: Program, logits: int = 1) -> list[Link]:
    """The chain of a program, in the order of the data.

    Args:
        logits: a beat of the output.
    """
    found = []
    for number, layer in enumerate(program.layers):
        name, arrays = f"layer{number}", requirements(number, layer)
        if sums_of(layer).apart is not None:
            x, *arrays = arrays
            found.append(Link(f"{name}_x", (x,), layer, program, x=True))
        found.append(Link(name, tuple(arrays), layer, program))
    for number, (dense, required) in enumerate(zip(program.head, head_requirements(program), strict=True)):
        found.append(Link(f"head{number}", (required,), dense, program))
    if program.output is not None:
        found.append(Link("output_layer", tuple(output_requirements(program, logits)), program.output, program))
    return found


def _source_of(layer: Layer, array: Array, before: Words) -> Words:
    """Words of x, or of its rows, that come in ready."""
    if sums_of(layer).apart is None:
        return blocks_of(layer.weight_ih, array, before)
    plan = plan_of(layer.kind, layer)
    blocks = array.heads // len(plan.gates) if plan.together else array.heads
    elements = layer.weight_hh.block_size * blocks // array.beats
    return Words(elements, before.bits, -(-layer.cells // elements))


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


def connected(layer: LayerHardware, number: int, before: Handshake, sink: Words) -> Iterator[Item]:
    """A module of the chain in the network's: what hands words `sink` of the one before to it, and its own on."""
    yield from _instance(layer, number, before, sink)
    if layer.projection is not None:
        yield from _projection(layer, number + 1, layer.projection)
    yield from _link(f"{layer.name}_out", layer.sink, layer, "y", f"{layer.name}_room")


def _instance(layer: LayerHardware, n: int, before: Handshake, sink: Words) -> Iterator[Item]:
    name, source = layer.name, layer.source
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
    yield gearbox(name, sink, source, before, taken, f"{name}_x_end")
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


def _projection(layer: LayerHardware, n: int, projection: Projection) -> Iterator[Item]:
    """A projection with an array of its own: m goes to it, y returns."""
    name, made = layer.name, projection.layer
    yield from _link(f"{name}_m_out", projection.words, layer, "m", f"{name}_m_room")
    yield from _instance(made, n, Handshake.of(f"{name}_m_out"), projection.words)
    yield from _link(f"{made.name}_out", made.sink, made, "y", f"{made.name}_room")
    back = Handshake(f"{name}_back_valid", "1'b1", f"{name}_back")
    yield Directive("/* verilator lint_off PINCONNECTEMPTY */")
    yield gearbox(f"{name}_back", made.sink, layer.sink, Handshake.of(f"{made.name}_out"), back, "")
    yield Directive("/* verilator lint_on PINCONNECTEMPTY */")


def gearbox(name: str, before: Words, after: Words, source: Handshake, sink: Handshake, last: str) -> Instance:
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
