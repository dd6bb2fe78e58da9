"""A GRU layer.

Threads `hr`, `hz`, `hn`, `ih`, in this order of preference: the products of z fill the cycles in which r . c is under
way, those of the next x the cycles in which y is. Each gate has all lanes for itself, one after the other.

With the reset after the product, the candidate's products of x are rows of their own (unit `xn`), kept for two frames.
"""

from collections.abc import Iterator, Sequence

from ernn.dataflow.cells import GRU_GATES
from ernn.hw.graph import kernels
from ernn.hw.graph.kernel import Kernel
from ernn.hw.graph.ranges import Joined, Sums
from ernn.hw.layout.array import Array, Thread
from ernn.hw.layout.layer import sums_of
from ernn.hw.layout.steps import Memory
from ernn.hw.layout.words import Words
from ernn.hw.verilog import availability as flow
from ernn.hw.verilog.common import Shared, array_hardware, constants, passed, ready_rows, rows_in_front, states
from ernn.hw.verilog.interfaces import Condition, Drain
from ernn.hw.verilog.issue import Field
from ernn.hw.verilog.items import Assign, Item, Process, Register
from ernn.hw.verilog.layer import LayerHardware
from ernn.hw.verilog.unit import Unit
from ernn.program.matrices import Numbers
from ernn.program.network import Gru

_ORDER = "rzn"


class GruLayer:
    """The parts of one layer's module."""

    def __init__(self, name: str, layer: Gru, array: Array, source: Words, shared: Shared) -> None:
        self.name, self.layer, self.array, self.shared = name, layer, array, shared
        self.sums, self.after = sums_of(layer), layer.bias_hn is not None
        self.joins, self.hh = self.sums.apart is None, self.sums.joined.products[-1]
        self.k = self.hh.matrix.block_size
        self.groups = -(-self.hh.matrix.words.integers.shape[1] // array.lanes)
        self.candidate = self.sums
        if self.after:
            rows = self.sums.apart or Joined((self.sums.joined.products[0],), self.sums.joined.fraction)
            self.candidate = Sums(Joined((self.hh,)), rows)
        joined = dict.fromkeys("rz", self.sums.joined) | {"n": self.candidate.joined}
        if self.after and self.joins:
            assert self.candidate.apart is not None
            joined["xn"] = self.candidate.apart
        drains = [Drain(gate, each, array.beats) for gate, each in joined.items()]
        text = array_hardware(name, layer.weight_hh, array, self._threads(), drains, shared)
        words = Words(array.heads * self.k, layer.output.bits, -(-self.hh.columns // array.heads))
        self.text = LayerHardware(text, source, words, shared.streams)
        self.text.doc = f"GRU, reset {layer.reset} the product, {layer.inputs} inputs, {layer.cells} cells"

    def _threads(self) -> list[Thread]:
        threads = []
        for number, gate in enumerate(_ORDER):
            alone = self.after and gate == "n"  # x has sums of its own
            vector = "rc" if gate == "n" and not self.after else "y"
            base = (number + (alone and self.joins)) * self.groups
            section, continues = (GRU_GATES.index(gate),), self.joins and not alone
            threads.append(
                Thread(f"h{gate}", self.hh, vector, self.array, section, base, continues=continues, drains=gate)
            )
        if self.joins:
            gates = tuple(GRU_GATES.index(gate) for gate in _ORDER)
            drains = "xn" if self.after else ""
            late = 2 * self.groups if self.after else 0
            x = self.sums.joined.products[0]
            threads.append(Thread("ih", x, "x", self.array, gates, 0, drains=drains, drains_from=late))
        return threads

    def module(self) -> LayerHardware:
        """The layer."""
        text = self.text
        for gate in "rz":
            text.add_unit(self._gate(gate))
        waits = self._candidate()
        if self.joins:
            self._join()
        else:
            text.add_rows([f"h{gate}" for gate in _ORDER], text.units[-1])
        for gate in _ORDER:
            thread = text.thread(f"h{gate}")
            text.body += text.available(thread.name)
            alone = self.after and gate == "n"
            fed = f"h{gate}_has" if gate == "n" and not self.after else f"h{gate}_fed"
            starts = f"h{gate}_any" if self.joins and not alone else f"h{gate}_x"
            last = gate == "n"
            finishes = " && ".join(waits) if last else "1'b1"
            text.conditions[f"h{gate}"] = Condition(fed, "room" if last else "1'b1", starts, finishes)
        if not self.after:
            rc = text.whole(text.units[0])
            text.add_vector("rc", self.array.heads, (f"{rc.name}_done", f"{rc.name}_out"))
        y = text.whole(text.units[-1])
        text.add_states(y)
        text.add_vector("y", self.array.heads, ("y_write", "y_new"), "y_new_stream")
        text.add_output(y)
        text.body.append(Assign("reserve", "hn_go && hn_opens"))
        return text

    def _unit(
        self, name: str, drain: int, kernel: Kernel, front: Kernel | None, memories: Sequence[Memory] = ()
    ) -> Unit:
        beats = self.array.beats
        steps = self.groups * self.array.chain * beats
        sizes = (self.array.heads, self.layer.cells, self.k // beats, self.shared.streams)
        return Unit(name, *sizes, drain, kernel, ("s",), steps, tuple(memories), front, beats)

    def _front(self, name: str, sums: Sums, spectrum: str) -> tuple[Kernel | None, Sums, int]:
        bits = self.text.array.sum_bits
        return rows_in_front(f"{self.name}_{name}_rows", sums, {"": spectrum}, self.array, self.shared.clock, bits)

    @property
    def _elements(self) -> int:
        """Of a step of a unit."""
        return self.array.heads * self.k // self.array.beats

    def _bias(self, gate: str) -> Memory:
        number, bias = GRU_GATES.index(gate), self.layer.bias
        return constants("bias", "b", "", Numbers(bias.format, bias.integers[number : number + 1]))

    def _gate(self, gate: str) -> Unit:
        layer, shared = self.layer, self.shared
        memories = [self._bias(gate)]
        if gate == "r" and not self.after:
            memories.append(states(layer.cell, "n"))
        if not self.joins:
            memories.append(ready_rows(layer, self.sums, gate, self._elements))
        front, sums, bits = self._front(gate, self.sums, "sums_zr" if self.joins else "sums_hh_zr")
        name = f"{self.name}_gate_{gate}"
        kernel = kernels.gru_gate(name, layer, gate, sums, shared.activations, shared.clock, bits)
        return self._unit(gate, _ORDER.index(gate), kernel, front, memories)

    def _candidate(self) -> list[str]:
        """Unit n and what it reads; returns the conditions under which a group may end."""
        text, layer, shared, steps = self.text, self.layer, self.shared, self.array.chain * self.array.beats
        bits = shared.activations.sigmoid_table.output.bits
        memories = [self._bias("n"), states(layer.cell, "n"), passed("z", bits)]
        text.body += flow.steps("z", text.units[1], "hn", steps)
        waits = ["z_there"]
        if layer.bias_hn is not None:
            memories += [passed("r", bits), constants("bias_hn", "h", "", layer.bias_hn)]
            text.body += flow.steps("r", text.units[0], "hn", steps)
            waits.append("r_there")
        if self.after and self.joins:
            assert self.candidate.apart is not None
            front, rows, total = self._front("xn", Sums(self.candidate.apart), "sums_ih_n")
            kernel = kernels.rows(f"{self.name}_xn", rows.joined, {"": "sums_ih_n"}, shared.clock, total)
            text.add_unit(self._unit("xn", 3, kernel, front))
            text.body += flow.steps("xn", text.units[-1], "hn", steps)
            waits.append("xn_there")
            memories.append(passed("xn", rows.joined.row_range().bits, "x"))
        if not self.joins:
            memories.append(ready_rows(layer, self.sums, "n", self._elements))
        hh = "sums_hh_n" if self.after or not self.joins else "sums_n"
        front, sums, total = self._front("n", self.candidate, hh)
        kernel = kernels.gru_cell(f"{self.name}_cell", layer, sums, shared.activations, shared.clock, total)
        text.add_unit(self._unit("n", 2, kernel, front, memories))
        return waits

    def _join(self) -> None:
        """x in the same sums: its thread keeps ahead of those of y, a frame at most."""
        text, groups = self.text, self.groups
        text.add_x(["hn"] if self.after else [])
        waits = []
        for number, gate in enumerate(_ORDER[: 2 if self.after else 3]):
            section, first = f"for_{gate}", number * groups
            text.body += self._section(section, first, first + groups)
            text.array.issue.events.setdefault("ih", []).append(Field(section, 1, section))
            text.body += flow.ahead(f"h{gate}", "ih", groups, section)
            waits.append(f"!({section} && h{gate}_full)")
        if self.after:
            last = text.units[-1]
            done = f"n_done && n_done_step == 16'd{last.real_steps - 1}"
            text.body += flow.frames("xn", "ih_go && ih_ends", done)
            waits.append(f"!(ih_group >= 16'd{2 * groups} && xn_frames == 2'd2)")
        text.conditions["ih"] = Condition(always="ih_x", starts=" && ".join(waits))

    def _section(self, name: str, first: int, end: int) -> Iterator[Item]:
        """A register that says whether the group of `ih` is one from `first` on and before `end`."""
        above = f" && ih_group >= 16'd{first - 1}" if first > 1 else ""
        inside = f"ih_group < 16'd{end - 1}{above}" if end > 1 else "1'b0"
        begins = f"1'b{int(not first)}"
        yield Register(name)
        yield Process(f"""    always @(posedge clk)
        if (rst) {name} <= {begins};
        else if (ih_go && ih_finishes) {name} <= ih_last_group ? {begins} : {inside};""")
