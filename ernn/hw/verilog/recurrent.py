"""A recurrent layer: the plan of `ernn.program.plan` as threads of an array, and units that take their sums.

A thread does the products of y for the gates of an update, in the order of the plan. If an update takes all gates, the
lanes hold them side by side: a head for each gate and each block of cells that a cycle updates. Otherwise each gate has
all lanes in its turn, and the products of one fill the cycles in which the vector of another is being made. Thread
`ih`, the last of all, does the products of x where their sums join those of y.

Rows of x that a kernel takes by themselves have a unit of their own, and are kept for two frames. A projection with the
blocks of y is the array's first thread, `ym`; one with others has a module of its own, which sends y back.
"""

from collections.abc import Iterator
from dataclasses import dataclass, replace

from ernn.hw.graph import kernels
from ernn.hw.graph.kernel import Kernel
from ernn.hw.graph.ranges import Joined, Product, Sums
from ernn.hw.layout.array import Array, Thread
from ernn.hw.layout.layer import blocks_of, sums_of
from ernn.hw.layout.steps import StepMemory, Steps
from ernn.hw.layout.store import store_of
from ernn.hw.layout.words import Words
from ernn.hw.verilog import availability, feedforward
from ernn.hw.verilog.common import Context, array_hardware, constants, passed, ready_rows, rows_in_front, states
from ernn.hw.verilog.interfaces import Condition, Drain
from ernn.hw.verilog.issue import Field
from ernn.hw.verilog.items import Assign, Item, Process, Register
from ernn.hw.verilog.layer import LayerHardware, Projection
from ernn.hw.verilog.unit import Unit
from ernn.program.matrices import Numbers
from ernn.program.network import Layer
from ernn.program.plan import Update
from ernn.program.plans import plan_of


@dataclass(frozen=True)
class _Turn:
    """An update with the thread of its products of y.

    Args:
        sums: of its rows; where the kernel takes rows of x by themselves, `apart` are those.
        joins: whether its sums begin with those of x.
        keeps_x: whether its rows of x are made in this array, by a unit of their own.
    """

    update: Update
    number: int
    thread: str
    sums: Sums
    joins: bool
    keeps_x: bool

    @property
    def vector(self) -> str:
        """Name of the vector that the turn multiplies."""
        return self.update.rows.terms[-1].vector

    @property
    def rows_of_x(self) -> str:
        """Name of the unit of its rows of x."""
        return f"x{self.update.name}"


class RecurrentHardware:
    """The parts of one layer's module.

    Args:
        apart: the array of a projection that has one of its own.
    """

    def __init__(
        self, name: str, layer: Layer, array: Array, source: Words, context: Context, apart: Array | None = None
    ) -> None:
        self.name, self.layer, self.array, self.context, self.apart = name, layer, array, context, apart
        self.plan, self.sums = plan_of(layer.kind, layer), sums_of(layer)
        self.together, self.joins = self.plan.together, self.sums.apart is None
        self.hh = self.sums.joined.products[-1]
        self.k, self.store = self.hh.matrix.block_size, store_of(layer.weight_hh)
        self.turns = [self._turn(number, update) for number, update in enumerate(self.plan.recurrent)]
        threads = self._threads()
        self.groups = threads[0].groups
        drains = [Drain(turn.update.name, turn.sums.joined, array.beats) for turn in self.turns]
        drains += [Drain(t.rows_of_x, t.sums.apart, array.beats) for t in self.turns if t.keeps_x and t.sums.apart]
        self.blocks = array.heads // len(self.plan.gates) if self.together else array.heads
        self.writes, self.beats = self.blocks, 1
        if apart is not None:
            self.writes = self._writes_back(apart)
        elif self.plan.projection is not None:
            threads.insert(0, self._projection_thread())
            drains.append(Drain("y", self.projected, self.beats))
        text = array_hardware(name, array, threads, drains, context)
        words = -(-self.hh.block_columns // self.writes)
        self.text = LayerHardware(text, source, Words(self.writes * self.k, layer.output.bits, words), context.streams)
        outputs = f", {layer.outputs} outputs" * (layer.outputs != layer.cells)
        self.text.doc = f"{self.plan.title}, {layer.inputs} inputs, {layer.cells} cells{outputs}"

    def _turn(self, number: int, update: Update) -> _Turn:
        name, joined = "hh" if self.together else f"h{update.gates[0]}", self.sums.joined
        if update.ready is None:
            return _Turn(update, number, name, self.sums, self.joins, False)
        rows_of_x = self.sums.apart or Joined((joined.products[0],), joined.fraction)
        return _Turn(update, number, name, Sums(Joined((self.hh,)), rows_of_x), False, self.joins)

    def _threads(self) -> list[Thread]:
        sections = {gate: place for place, gate in enumerate(self.plan.gates)}
        threads: list[Thread] = []
        for turn in self.turns:
            gates = tuple(sections[gate] for gate in turn.update.gates)
            thread = self._thread(turn.thread, self.hh, turn.vector, gates)
            base = (turn.number + turn.keeps_x) * thread.groups  # rows of x that are kept lie before those of y
            threads.append(replace(thread, base=base, continues=turn.joins, drains=turn.update.name))
        if self.joins:
            gates = tuple(sections[gate] for turn in self.turns for gate in turn.update.gates)
            x = self._thread("ih", self.sums.joined.products[0], "x", gates)
            kept = [turn for turn in self.turns if turn.keeps_x]  # the last ones
            if kept:
                x = replace(x, drains=kept[0].rows_of_x, drains_from=kept[0].number * threads[0].groups)
            threads.append(x)
        return threads

    def _thread(self, name: str, product: Product, vector: str, gates: tuple[int, ...]) -> Thread:
        in_place = vector == "y" and self.plan.projection is not None and self.store.indexed
        return Thread(name, product, vector, self.array, self.store, gates, 0, self.together, in_place=in_place)

    def _projection_thread(self) -> Thread:
        """Heads hold more blocks of y than there are banks to write them to: then it takes some beats."""
        matrix, projection = self.layer.matrices["weight_ym"], self.plan.projection
        assert projection is not None
        format = kernels.format_of(projection.rows.terms[0].vector, self.layer, None)
        self.projected = Joined((Product(matrix.filled(), format),))
        while self.array.heads // self.beats > self.store.writes(self.array.columns):
            self.beats *= 2
        self.writes = self.array.heads // self.beats
        product, base = self.projected.products[0], self.groups
        by_step = self.store.by_step
        return Thread("ym", product, "m", self.array, self.store, (0,), base, by_step=by_step, drains="y")

    def _writes_back(self, apart: Array) -> int:
        """Blocks of y that come back at a time: as many as come out of the projection, and are written."""
        k = self.layer.matrices["weight_ym"].block_size
        blocks, most = 1, self.store.writes(self.array.columns)
        while 2 * blocks <= most and 2 * blocks * self.k <= apart.heads * k:
            blocks *= 2
        return blocks

    def module(self) -> LayerHardware:
        """The hardware of the layer with all its units."""
        text = self.text
        waits = [list(self._add_unit(turn)) for turn in self.turns]
        units, last = {unit.name: unit for unit in text.units}, text.units[-1]
        if self.joins:
            self._join(last)
        else:
            text.add_rows([turn.thread for turn in self.turns], last)
        for turn, finishes in zip(self.turns, waits, strict=True):
            text.body += text.available(turn.thread)
            text.conditions[turn.thread] = self._condition(turn, finishes)
        for turn in self.turns:
            if turn.vector not in self.plan.states:
                maker = next(each.update.name for each in self.turns if each.update.result == turn.vector)
                vector = text.whole(units[maker])
                text.add_vector(turn.vector, self.writes, (f"{vector.name}_done", f"{vector.name}_out"))
        y = self._project(last)
        text.add_states(y)
        text.add_vector("y", self.writes, ("y_write", "y_new"), "y_new_stream")
        text.add_output(y)
        opens = self.turns[-1].thread
        text.body.append(Assign("reserve", f"{opens}_go && {opens}_opens"))
        return text

    def _add_unit(self, turn: _Turn) -> Iterator[str]:
        """The unit of an update, and what else it reads; the conditions under which a group of it may end."""
        text, update, units = self.text, turn.update, {unit.name: unit for unit in self.text.units}
        steps, memories = self.array.chain * self.array.beats, list(self._memories(turn))
        for name in update.reads:
            if name not in self.plan.states:
                text.body += availability.steps_available(name, units[name], turn.thread, steps)
                yield f"{name}_there"
        if turn.keeps_x:
            memories.append(self._add_rows_of_x(turn))
            text.body += availability.steps_available(turn.rows_of_x, text.units[-1], turn.thread, steps)
            yield f"{turn.rows_of_x}_there"
        if not self.joins:
            memories.append(ready_rows(self.layer, self.sums, update, self._elements))
        suffix = "rows" if self.together else f"{update.name}_rows"
        buses = {bus.removeprefix("s"): turn.sums.name(update.rows) for bus in update.buses.values()}
        front, sums, bits = self._front(suffix, turn.sums, buses)
        kernel = kernels.update(
            f"{self.name}_{update.module}", update, self.layer, sums, self.context.activations, self.context.clock, bits
        )
        text.add_unit(self._unit(update.name, turn.number, kernel, front, memories, tuple(update.buses.values())))

    def _memories(self, turn: _Turn) -> Iterator[StepMemory]:
        """Numbers of the program, states, and results of other units, in the order of the plan."""
        layer, activations = self.layer, self.context.activations
        writer = {each.update.keeps: each.update.name for each in self.turns}
        for each in turn.update.inputs:
            if not isinstance(each, str):
                numbers: Numbers = getattr(layer, each.field)
                rows = numbers.integers.reshape(-1, layer.cells)[each.first : each.first + len(each.names)]
                yield constants(each.field, each.names, Numbers(numbers.format, rows))
            elif each in self.plan.states:
                yield states(kernels.format_of(each, layer, activations), writer[each])
            else:
                yield passed(each, kernels.format_of(each, layer, activations).bits)

    def _add_rows_of_x(self, turn: _Turn) -> StepMemory:
        """The unit of rows of x that a kernel takes by themselves."""
        assert turn.sums.apart is not None
        assert turn.update.ready is not None
        name, spectrum = turn.rows_of_x, turn.update.ready.joined
        front, rows, bits = self._front(f"{name}_rows", Sums(turn.sums.apart), {"": spectrum})
        kernel = kernels.joined_rows(f"{self.name}_{name}", rows.joined, {"": spectrum}, self.context.clock, bits)
        self.text.add_unit(self._unit(name, len(self.turns), kernel, front, [], ("s",)))
        return passed(name, rows.joined.row_range().bits, "x")

    def _unit(
        self,
        name: str,
        drain: int,
        kernel: Kernel,
        front: Kernel | None,
        memories: list[StepMemory],
        buses: tuple[str, ...],
    ) -> Unit:
        beats = self.array.beats
        sizes = (self.blocks, self.layer.cells, self.k // beats, self.context.streams)
        return Unit(
            name, *sizes, drain, kernel, buses, self.groups * self.array.chain * beats, tuple(memories), front, beats
        )

    def _front(self, name: str, sums: Sums, spectra: dict[str, str]) -> tuple[Kernel | None, Sums, int]:
        bits = self.text.array.sum_bits
        return rows_in_front(f"{self.name}_{name}", sums, spectra, self.array, self.context.clock, bits)

    @property
    def _elements(self) -> int:
        """Elements of one step of a unit."""
        return self.blocks * self.k // self.array.beats

    def _condition(self, turn: _Turn, finishes: list[str]) -> Condition:
        """What the thread of an update waits for."""
        name, last = turn.thread, turn is self.turns[-1]
        always = f"{name}_fed" if turn.vector == "y" else f"{name}_has"
        room = "room" if self.apart is None else "room && m_room"
        starts = f"{name}_any" if turn.joins else f"{name}_x"
        return Condition(always, room if last else "1'b1", starts, " && ".join(finishes) or "1'b1")

    def _join(self, last: Unit) -> None:
        """x in the same sums: its thread keeps ahead of those of y, a frame at most."""
        text, groups = self.text, self.groups
        text.add_x("ih", [turn.thread for turn in self.turns if turn.keeps_x])
        waits = []
        for turn in self.turns:
            name, first = turn.thread, turn.number * groups
            if turn.keeps_x:
                rows = turn.rows_of_x
                done = f"{last.name}_done && {last.name}_done_step == 16'd{last.real_steps - 1}"
                text.body += availability.frames(rows, "ih_go && ih_ends", done)
                waits.append(f"!(ih_group >= 16'd{first} && {rows}_frames == 2'd2)")
            elif len(self.turns) == 1:
                text.body += availability.ahead(name, "ih", groups)
                waits.append(f"!{name}_full")
            else:
                section = f"for_{turn.update.gates[0]}"
                text.body += _section(section, first, first + groups)
                text.array.issue.events.setdefault("ih", []).append(Field(section, 1, section))
                text.body += availability.ahead(name, "ih", groups, section)
                waits.append(f"!({section} && {name}_full)")
        text.conditions["ih"] = Condition(always="ih_x", starts=" && ".join(waits))

    def _project(self, last: Unit) -> Steps:
        """What makes y: the last unit, or the projection of what it makes."""
        if self.plan.projection is None:
            return self.text.whole(last)
        return self._project_apart(last, self.apart) if self.apart else self._project_here(self.text.whole(last))

    def _project_here(self, m: Steps) -> Unit:
        """The projection in the array of y."""
        text, context, update = self.text, self.context, self.plan.projection
        assert update is not None
        thread = text.thread("ym")
        text.add_vector("m", m.width, (f"{m.name}_done", f"{m.name}_out"))
        text.body += text.available("ym")
        sums = Sums(self.projected)
        kernel = kernels.update(
            f"{self.name}_{update.module}", update, self.layer, sums, None, context.clock, text.array.sum_bits
        )
        steps = thread.groups * self.array.chain * self.beats
        sizes = (self.writes, self.layer.outputs, self.k, context.streams)
        unit = Unit(update.name, *sizes, len(self.turns), kernel, ("s",), steps, turns=self.beats)
        text.add_unit(unit)
        text.conditions["ym"] = Condition(always="ym_has")
        return unit

    def _project_apart(self, cell: Unit, array: Array) -> Steps:
        """The projection in a module of its own."""
        layer, context, update = self.layer, self.context, self.plan.projection
        assert update is not None
        bits = kernels.format_of(update.rows.terms[0].vector, layer, None).bits
        words = Words(cell.width * cell.block_size, bits, -(-cell.blocks // cell.width))
        source = blocks_of(layer.matrices["weight_ym"], array, words)
        made = feedforward.projection(f"{self.name}_y", layer, update, array, source, context)
        y = Steps(update.name, self.writes, layer.outputs, self.k, context.streams)
        self.text.add_projection(Projection(made, words), cell, y)
        return y


def _section(name: str, first: int, end: int) -> Iterator[Item]:
    """A register that says whether the group of `ih` is one from `first` on and before `end`."""
    above = f" && ih_group >= 16'd{first - 1}" if first > 1 else ""
    inside = f"ih_group < 16'd{end - 1}{above}" if end > 1 else "1'b0"
    begins = f"1'b{int(not first)}"
    yield Register(name)
    yield Process(f"""    always @(posedge clk)
        if (rst) {name} <= {begins};
        else if (ih_go && ih_finishes) {name} <= ih_last_group ? {begins} : {inside};""")
