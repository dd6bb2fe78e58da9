"""An LSTM layer.

Threads `ym` (projection), `hh`, `ih`, in this order of preference, so that the products of the next x fill the cycles
in which y is under way. The lanes hold the four gates side by side: one head a gate, a block of cells a cycle.
"""

from ernn.dataflow.cells import LSTM_GATES, PEEPHOLES
from ernn.hw import kernels
from ernn.hw.architecture import Array, Thread
from ernn.hw.array_verilog import Condition, Drain
from ernn.hw.kernels import Joined, Product
from ernn.hw.layer_parts import Shared, array_text, circulant, constants, is_pruned, ready_rows, states, sums_of
from ernn.hw.layer_verilog import LayerText, Words
from ernn.hw.unit_verilog import Unit
from ernn.program import Lstm


class LstmLayer:
    """The parts of one layer's module."""

    def __init__(self, name: str, layer: Lstm, array: Array, source: Words, shared: Shared) -> None:
        self.name, self.layer, self.array, self.shared = name, layer, array, shared
        self.sums = sums_of(layer)
        self.joins = self.sums.apart is None
        hh, gates = self.sums.joined.products[-1], tuple(range(len(LSTM_GATES)))
        self.k = hh.matrix.block_size
        self.hh = Thread("hh", hh, "y", array, gates, 0, side_by_side=True, continues=self.joins, drains="cell")
        threads, drains = [self.hh], [Drain("cell", self.sums.joined)]
        if self.joins:
            threads.append(Thread("ih", self.sums.joined.products[0], "x", array, gates, 0, side_by_side=True))
        self.writes = self.beats = 1
        if layer.weight_ym is not None:
            threads.insert(0, self._projection_thread())
            drains.append(Drain("y", self.projection, self.beats))
        text = array_text(name, is_pruned(layer), array, threads, drains, shared)
        words = -(-self.hh.columns // self.writes)
        self.text = LayerText(text, source, Words(self.writes * self.k, layer.output.bits, words), shared.streams)
        self.text.doc = f"LSTM, {layer.inputs} inputs, {layer.cells} cells, {layer.outputs} outputs"

    def _projection_thread(self) -> Thread:
        """Heads hold more blocks of y than there are banks to write them to: then it takes some beats."""
        assert self.layer.hidden is not None
        assert self.layer.weight_ym is not None
        self.projection = Joined((Product(circulant(self.layer.weight_ym), self.layer.hidden),))
        at_once = 1 if is_pruned(self.layer) else self.array.columns
        while self.array.heads // self.beats > at_once:
            self.beats *= 2
        self.writes = self.array.heads // self.beats
        product = self.projection.products[0]
        return Thread("ym", product, "m", self.array, (0,), self.hh.groups, by_step=True, drains="y")

    def module(self) -> LayerText:
        """The layer."""
        text = self.text
        cell = self._cell()
        text.add_unit(cell)
        text.add_available("hh")
        if self.joins:
            text.add_x()
            text.add_ahead("hh", "ih_go && ih_finishes", "hh_go && hh_finishes", self.hh.groups)
            text.conditions["ih"] = Condition(always="ih_x", starts="!hh_full")
        else:
            text.add_rows(["hh"], cell)
        ready = "hh_ahead != 16'd0" if self.joins else "hh_x"
        text.conditions["hh"] = Condition(always="hh_fed", opens="room", starts=ready)
        if self.layer.weight_ym is not None:
            self._project()
        last = text.units[-1]
        text.add_states(last)
        text.add_vector("y", self.writes, ("y_write", "y_new"), "y_new_stream")
        text.add_output(last)
        text.body.append("    assign reserve = hh_go && hh_opens;\n")
        return text

    def _cell(self) -> Unit:
        layer, shared = self.layer, self.shared
        memories = [constants("bias", "b", LSTM_GATES, layer.bias), states(layer.cell, "cell")]
        if layer.peephole is not None:
            memories.append(constants("peephole", "p", PEEPHOLES, layer.peephole))
        if not self.joins:
            memories.append(ready_rows(layer, self.sums, LSTM_GATES, 1))
        kernel = kernels.lstm_cell(
            f"{self.name}_cell", layer, self.sums, shared.activations, shared.clock, self.text.array.sum_bits
        )
        sums = tuple(f"s_{gate}" for gate in LSTM_GATES)
        steps = self.hh.groups * self.array.chain
        return Unit("cell", 0, kernel, sums, 1, layer.cells, steps, self.k, shared.streams, tuple(memories))

    def _project(self) -> None:
        text, shared = self.text, self.shared
        text.add_vector("m", 1, ("cell_done", "cell_out"))
        text.add_available("ym")
        kernel = kernels.projection(
            f"{self.name}_projection", self.layer, self.projection, shared.clock, text.array.sum_bits
        )
        steps = text.thread("ym").groups * self.array.chain * self.beats
        text.add_unit(
            Unit("projection", 1, kernel, ("s",), self.writes, self.layer.outputs, steps, self.k, shared.streams)
        )
        text.conditions["ym"] = Condition(always="ym_has")
