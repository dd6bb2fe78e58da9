"""An LSTM layer.

Threads `ym` (projection), `hh`, `ih`, in this order of preference, so that the products of the next x fill the cycles
in which y is under way. The lanes hold the four gates side by side: one head a gate, a block of cells a cycle. A
projection with other blocks than those of y has a module of its own, which sends y back.
"""

from ernn.dataflow.cells import LSTM_GATES, PEEPHOLES
from ernn.hw.graph import kernels
from ernn.hw.graph.ranges import Joined, Product
from ernn.hw.layout.array import Array, Thread
from ernn.hw.layout.layer import blocks_of, circulant, sums_of
from ernn.hw.layout.steps import Steps
from ernn.hw.layout.words import Words
from ernn.hw.verilog import availability as flow
from ernn.hw.verilog import feedforward
from ernn.hw.verilog.common import Shared, array_hardware, constants, ready_rows, rows_in_front, states
from ernn.hw.verilog.interfaces import Condition, Drain
from ernn.hw.verilog.items import Assign
from ernn.hw.verilog.layer import LayerHardware, Projection
from ernn.hw.verilog.unit import Unit
from ernn.program.matrices import Pruned
from ernn.program.network import Lstm


class LstmLayer:
    """The parts of one layer's module.

    Args:
        apart: the array of a projection that has one of its own.
    """

    def __init__(
        self, name: str, layer: Lstm, array: Array, source: Words, shared: Shared, apart: Array | None = None
    ) -> None:
        self.name, self.layer, self.array, self.shared, self.apart = name, layer, array, shared, apart
        self.sums = sums_of(layer)
        self.joins = self.sums.apart is None
        hh, gates = self.sums.joined.products[-1], tuple(range(len(LSTM_GATES)))
        self.k = hh.matrix.block_size
        self.hh = Thread("hh", hh, "y", array, gates, 0, side_by_side=True, continues=self.joins, drains="cell")
        threads, drains = [self.hh], [Drain("cell", self.sums.joined, array.beats)]
        if self.joins:
            threads.append(Thread("ih", self.sums.joined.products[0], "x", array, gates, 0, side_by_side=True))
        self.writes = self.beats = 1
        if apart is not None:
            self.writes = self._writes_back(apart)
        elif layer.weight_ym is not None:
            threads.insert(0, self._projection_thread())
            drains.append(Drain("y", self.projection, self.beats))
        text = array_hardware(name, layer.weight_hh, array, threads, drains, shared)
        words = -(-self.hh.columns // self.writes)
        self.text = LayerHardware(text, source, Words(self.writes * self.k, layer.output.bits, words), shared.streams)
        self.text.doc = f"LSTM, {layer.inputs} inputs, {layer.cells} cells, {layer.outputs} outputs"

    def _projection_thread(self) -> Thread:
        """Heads hold more blocks of y than there are banks to write them to: then it takes some beats."""
        assert self.layer.hidden is not None
        assert self.layer.weight_ym is not None
        self.projection = Joined((Product(circulant(self.layer.weight_ym), self.layer.hidden),))
        pruned = isinstance(self.layer.weight_ym, Pruned)
        while self.array.heads // self.beats > (1 if pruned else self.array.columns):
            self.beats *= 2
        self.writes = self.array.heads // self.beats
        product = self.projection.products[0]
        return Thread("ym", product, "m", self.array, (0,), self.hh.groups, by_step=not pruned, drains="y")

    def _writes_back(self, apart: Array) -> int:
        """Blocks of y that come back at a time: as many as come out of the projection, and banks take."""
        assert self.layer.weight_ym is not None
        blocks, banks = 1, 1 if isinstance(self.layer.weight_hh, Pruned) else self.array.columns
        while 2 * blocks <= banks and 2 * blocks * self.k <= apart.heads * circulant(self.layer.weight_ym).block_size:
            blocks *= 2
        return blocks

    def module(self) -> LayerHardware:
        """The layer."""
        text = self.text
        cell = self._cell()
        text.add_unit(cell)
        text.body += text.available("hh")
        if self.joins:
            text.add_x()
            text.body += flow.ahead("hh", "ih", self.hh.groups)
            text.conditions["ih"] = Condition(always="ih_x", starts="!hh_full")
        else:
            text.add_rows(["hh"], cell)
        ready = "hh_any" if self.joins else "hh_x"
        room = "room" if self.apart is None else "room && m_room"
        text.conditions["hh"] = Condition(always="hh_fed", opens=room, starts=ready)
        if self.apart is not None:
            last = self._project_apart(cell, self.apart)
        else:
            last = text.whole(cell)
            if self.layer.weight_ym is not None:
                last = self._project(last)
        text.add_states(last)
        text.add_vector("y", self.writes, ("y_write", "y_new"), "y_new_stream")
        text.add_output(last)
        text.body.append(Assign("reserve", "hh_go && hh_opens"))
        return text

    def _cell(self) -> Unit:
        layer, shared = self.layer, self.shared
        memories = [constants("bias", "b", LSTM_GATES, layer.bias), states(layer.cell, "cell")]
        if layer.peephole is not None:
            memories.append(constants("peephole", "p", PEEPHOLES, layer.peephole))
        if not self.joins:
            memories.append(ready_rows(layer, self.sums, LSTM_GATES, self.k // self.array.beats))
        spectra = {f"_{gate}": "sums" if self.joins else "sums_hh" for gate in LSTM_GATES}
        front, sums, bits = rows_in_front(
            f"{self.name}_rows", self.sums, spectra, self.array, shared.clock, self.text.array.sum_bits
        )
        kernel = kernels.lstm_cell(f"{self.name}_cell", layer, sums, shared.activations, shared.clock, bits)
        beats, buses = self.array.beats, tuple(f"s_{gate}" for gate in LSTM_GATES)
        steps = self.hh.groups * self.array.chain * beats
        sizes = (1, layer.cells, self.k // beats, shared.streams)
        return Unit("cell", *sizes, 0, kernel, buses, steps, tuple(memories), front, beats)

    def _project(self, m: Steps) -> Unit:
        """The projection in the array of y."""
        text, shared = self.text, self.shared
        thread = text.thread("ym")
        text.add_vector("m", 1, (f"{m.name}_done", f"{m.name}_out"))
        text.body += text.available("ym")
        kernel = kernels.projection(
            f"{self.name}_projection", self.layer, self.projection, shared.clock, text.array.sum_bits
        )
        steps = thread.groups * self.array.chain * self.beats
        sizes = (self.writes, self.layer.outputs, self.k, shared.streams)
        unit = Unit("projection", *sizes, 1, kernel, ("s",), steps, turns=self.beats)
        text.add_unit(unit)
        text.conditions["ym"] = Condition(always="ym_has")
        return unit

    def _project_apart(self, cell: Unit, array: Array) -> Steps:
        """The projection in a module of its own."""
        layer, shared = self.layer, self.shared
        assert layer.weight_ym is not None
        assert layer.hidden is not None
        words = Words(cell.block_size, layer.hidden.bits, cell.blocks)
        source = blocks_of(layer.weight_ym, array, words)
        made = feedforward.projection(f"{self.name}_y", layer, array, source, shared)
        y = Steps("projection", self.writes, layer.outputs, self.k, shared.streams)
        self.text.add_projection(Projection(made, words), cell, y)
        return y
