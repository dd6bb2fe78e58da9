"""What a generated accelerator is, for those who read its folder: types and names alone.

Every project has `accelerator.json`, an `Accelerator`, and with its images of weights `memory/weights.json`, a
`WeightImages`. The driver of a board reads both. `modules.json`, a `Modules`, is for those who measure the sources.
"""

import json
import reprlib
from collections.abc import Iterable, Mapping
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Literal

from ernn.artifacts import Part, Record, as_record, read_record

ACCELERATOR = "accelerator.json"
WEIGHTS = "memory/weights.json"
MODULES = "modules.json"
REGISTERS = "tb/registers.vlt"  # a control file by which Verilator traces registers alone
TEST_BENCH = "ernn_tb"  # module of the Verilog test bench, and name of its file
BEGIN = "begin.hex"  # in its folder: writes of the host before a sequence, where initial states are no zeros
Kind = Literal["c", "y"]
STATES: tuple[Kind, ...] = ("c", "y")  # of a layer, by their numbers
Stored = Literal["words", "transformed"]  # weights: the words of the program, or the factors of their products


@dataclass(frozen=True)
class Choice(Record):
    """What `params.yaml` may leave open: how weights are stored."""

    weights: Stored


@dataclass(frozen=True)
class Digests(Part):
    """Digests of the program that an accelerator, or its images of weights, were generated from; hexadecimal SHA-256.

    Args:
        shape: of sizes, formats and all constants that are built into the sources.
        program: of everything, weights included.
    """

    shape: str
    program: str


@dataclass(frozen=True)
class VectorPort(Part):
    """A stream of vectors: `size` numbers of `bits` bits, `fraction` of them behind the binary point.

    Args:
        slot_bits: that a number takes in a packet of the board's adapter.
        per_beat: numbers that a beat has.
    """

    size: int
    bits: int
    fraction: int
    slot_bits: int
    per_beat: int


@dataclass(frozen=True)
class State(Part):
    """Words of a state: `words` of `bits` bits, each of `elements` numbers of `element_bits`, the first lowest."""

    words: int
    bits: int
    elements: int
    element_bits: int

    @property
    def size(self) -> int:
        """Numbers in all words; those behind the elements of the state are not used."""
        return self.words * self.elements


@dataclass(frozen=True)
class UnitShape(Part):
    """How often a unit's kernels work in a frame, and on which elements.

    Args:
        width: kernels side by side, a block each.
        steps: of a frame.
        turns: gates that one kernel takes one after the other in a step.
    """

    name: str
    width: int
    steps: int
    block_size: int
    blocks: int
    elements: int
    turns: int


@dataclass(frozen=True)
class Multipliers(Part):
    """Products of two values in a cycle: of the array, and of the units behind it."""

    array: int
    units: int

    @property
    def total(self) -> int:
        """Multipliers of the array and of its units."""
        return self.array + self.units


@dataclass(frozen=True)
class Work(Part):
    """What is done in a frame; numbers of bits are sums of the widths of results."""

    multiplications: Mapping[str, float]  # by the widths of the operands: 12x12
    logic_bits: float = 0.0  # of sums, comparisons and choices
    table_bits: float = 0.0  # looked up in tables made of logic
    register_file_bits: float = 0.0  # in and out of small memories made of logic
    read_bits: float = 0.0  # of memories
    write_bits: float = 0.0

    def __add__(self, other: "Work") -> "Work":
        widths = {**self.multiplications, **other.multiplications}
        products = {each: self.multiplications.get(each, 0) + other.multiplications.get(each, 0) for each in widths}
        return Work(
            products,
            self.logic_bits + other.logic_bits,
            self.table_bits + other.table_bits,
            self.register_file_bits + other.register_file_bits,
            self.read_bits + other.read_bits,
            self.write_bits + other.write_bits,
        )


@dataclass(frozen=True)
class Layer(Part):
    """The module of one array with its units: sizes, memories and the work of a frame.

    Args:
        memories: of weights.
        steps, products: of a frame, by thread; products are those that are necessary.
        states: by "c" and "y"; a layer without recurrence has none.
        beats: cycles in which a block goes through a unit.
        weight_memory_bits: of all memories of weights, with what fills them up.
    """

    name: str
    lanes: int
    columns: int
    heads: int
    beats: int
    memories: int
    weight_memory_bits: int
    multipliers: Multipliers
    steps: Mapping[str, int]
    products: Mapping[str, int]
    states: Mapping[str, State]
    units: tuple[UnitShape, ...]
    work: Work


@dataclass(frozen=True)
class Protocol(Part):
    """Numbers of the register protocol.

    Args:
        identity: value of the register `identity`.
        version: value of the register `interface_version`; it changes with the protocol.
        reset, clear: what is written to `control`: forget all frames, states and counters; forget the counters.
        layer_shift: place of a layer's number in `load_place`; a memory's, or a state, is below it.
        state_bit: bit of `load_place` that says that words are of a state.
        state_shift: place of a state's number in `load_place`; a stream's is below it.
    """

    identity: int
    version: int
    reset: int
    clear: int
    layer_shift: int
    state_bit: int
    state_shift: int

    def memory(self, layer: int, memory: int) -> int:
        """`load_place` of a memory of weights."""
        return layer << self.layer_shift | memory

    def state(self, layer: int, stream: int, kind: str) -> int:
        """`load_place` of a state, "c" or "y"."""
        return layer << self.layer_shift | 1 << self.state_bit | STATES.index(kind) << self.state_shift | stream


@dataclass(frozen=True)
class InitialState(Part):
    """A state that a host writes before the first frame of every sequence, which then goes in without `tuser`.

    Args:
        layer: name of the layer.
        kind: of the state.
        integers: its elements, and zeros behind them where its words hold more.
    """

    layer: str
    kind: Kind
    integers: tuple[int, ...]

    def check(self, form: State) -> None:
        """Refuse integers that do not fill the words of a state.

        Raises:
            ValueError: there are more or fewer, or one does not fit.
        """
        if len(self.integers) != form.size:
            raise ValueError(
                f"initial {self.kind} of {self.layer}: expected {form.size} integers, got {len(self.integers)}"
            )
        limit = 1 << (form.element_bits - 1)
        if wrong := [integer for integer in self.integers if not -limit <= integer < limit]:
            raise ValueError(
                f"initial {self.kind} of {self.layer}: integers of {-limit} to {limit - 1} fit, "
                f"got {reprlib.repr(wrong[0])}"
            )


@dataclass(frozen=True)
class _WithInitialStates(Record):
    """A record with the initial states of a program, those of all layers; without any, the hardware clears states."""

    initial: tuple[InitialState, ...] = field(default=(), kw_only=True)

    def text(self) -> str:
        """As sorted, indented JSON, without initial states where there are none."""
        tree = asdict(self)
        if not self.initial:
            del tree["initial"]
        return json.dumps(tree, indent=1, sort_keys=True, allow_nan=False) + "\n"


@dataclass(frozen=True)
class Accelerator(_WithInitialStates):
    """The hardware of a program.

    Args:
        program: its name.
        weights: how they are stored.
        clock_mhz: that pipelines are scheduled for.
        delays: family of devices whose delays they are scheduled with (`devices/timing.py`).
        streams: that take turns.
        layers: in the order of the data.
        registers: names, in the order of their numbers.
    """

    program: str
    digests: Digests
    weights: Stored
    clock_mhz: float
    delays: str
    streams: int
    input: VectorPort
    logits: VectorPort
    layers: tuple[Layer, ...]
    protocol: Protocol
    registers: tuple[str, ...]
    version: int = field(default=2, kw_only=True)

    def __post_init__(self) -> None:
        if not self.initial:
            return
        states = {(layer.name, kind): form for layer in self.layers for kind, form in layer.states.items()}
        found = [(each.layer, each.kind) for each in self.initial]
        if sorted(found) != sorted(states):
            raise ValueError(f"initial: expected each of {_listed(states)} once, got {_listed(found)}")
        for each in self.initial:
            each.check(states[each.layer, each.kind])

    @property
    def work(self) -> Work:
        """Work of a frame in all layers together."""
        return sum((layer.work for layer in self.layers), Work({}))

    @property
    def weight_images(self) -> "WeightImages":
        """Digests, storage and places of the weights: what images must share to be loaded."""
        layers = tuple(Places(each.name, each.lanes, each.columns, each.heads) for each in self.layers)
        return WeightImages(self.program, self.digests, self.weights, layers, initial=self.initial)


@dataclass(frozen=True)
class Places(Part):
    """What decides where in its memories the weights of a layer lie."""

    name: str
    lanes: int
    columns: int
    heads: int


@dataclass(frozen=True)
class WeightImages(_WithInitialStates):
    """What images of weights are of: accelerators of equal shape with equal `weights` and `layers` can load them.

    Initial states are those of the program: whoever loads its weights begins sequences with them.

    Args:
        program: its name.
        weights: how they are stored.
    """

    program: str
    digests: Digests
    weights: Stored
    layers: tuple[Places, ...]


@dataclass(frozen=True)
class ModuleContents(Part):
    """Registers and instances of a Verilog module.

    Args:
        registers: names of what its clock changes, without memories and the registers of their read ports.
        instances: modules by the names of its instances; those in a generate block by their own names.
        generated: it was written for this network; else it is one of the library's.
    """

    registers: tuple[str, ...]
    instances: Mapping[str, str]
    generated: bool = False


@dataclass(frozen=True)
class Modules(Record):
    """The Verilog modules of a project, by name."""

    modules: Mapping[str, ModuleContents]


def _listed(states: Iterable[tuple[str, str]]) -> str:
    """Kinds of states with their layers, for a message."""
    return ", ".join(f"{kind} of {layer}" for layer, kind in states)


def modules(project: Path) -> Mapping[str, ModuleContents]:
    """Contents of all modules of a project, by name.

    Raises:
        UserError: the file is missing, damaged or of another version.
    """
    return read_record(project / MODULES, Modules).modules


def read(project: Path) -> Accelerator:
    """The accelerator in the folder of a project.

    Raises:
        UserError: the file is missing, damaged or of another version.
    """
    return read_record(project / ACCELERATOR, Accelerator)


def of(files: Mapping[str, str]) -> Accelerator:
    """The accelerator of a project as texts by path."""
    return as_record(json.loads(files[ACCELERATOR]), Accelerator, ACCELERATOR)
