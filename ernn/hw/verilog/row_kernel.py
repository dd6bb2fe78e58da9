"""Verilog in front of a unit's kernel: the rows of a block's sums, a share of its elements in each of several beats.

One kernel makes the rows of all buses of sums at once, or of one bus after the other in a block's first beats.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from ernn.hw.graph.kernel import Kernel
from ernn.hw.verilog.items import Instance, Item, Note, Process, Register, Wire, delay


@dataclass(frozen=True)
class RowKernel:
    """The inverse transform in front of a unit that takes a block in several beats, with its registers.

    Args:
        unit: name of the unit.
        kernel: takes all buses, with the rows of an element together; or one bus.
        sums: buses of the unit.
        beats: cycles for which a block stays at the heads.
    """

    unit: str
    kernel: Kernel
    sums: Sequence[str]
    beats: int

    @property
    def turns(self) -> int:
        """Times that the kernel runs for one block: gates over the gates that it takes at once."""
        return len(self.sums) // len(self.kernel.inputs)

    @property
    def lead(self) -> int:
        """Cycles from a block's sums to the rows of its first beat."""
        return self.kernel.latency + 1 + (self.turns if self.turns > 1 else 0)

    @property
    def rows_bits(self) -> int:
        """Width of all rows of a block."""
        return self.turns * self.kernel.outputs["y"].bits

    def rows(self, number: int, word: str) -> str:
        """Expression of the rows of one bus in the word of a beat."""
        size = self.rows_bits // (self.beats * len(self.sums))
        if self.turns > 1:
            return f"{word}[{(number + 1) * size - 1}:{number * size}]"
        bits = self.kernel.outputs["y"].width
        lows = [(e * len(self.sums) + number) * bits for e in reversed(range(size // bits))]
        return "{" + ", ".join(f"{word}[{low + bits - 1}:{low}]" for low in lows) + "}"

    def items(self, head_bits: int) -> Iterator[Item]:
        """What makes the unit's registers `UNIT_beat` with the rows, and `UNIT_beat_valid`."""
        heads = [f"heads[{(i + 1) * head_bits - 1}:{i * head_bits}]" for i in range(len(self.sums))]
        if self.turns > 1:
            yield from self._turns(heads, head_bits)
            yield from self._kernel(f"{self.unit}_turn_valid", [f"{self.unit}_turn"])
            yield from self._beats_of_turns()
        else:
            yield from self._kernel(f"{self.unit}_real && drain_beat == 8'd0", heads)
            yield from self._beats()

    def _kernel(self, valid: str, sources: Sequence[str]) -> Iterator[Item]:
        n, kernel = self.unit, self.kernel
        ports = {"clk": "clk", "valid": valid, "valid_out": f"{n}_rows_valid"}
        ports |= dict(zip(kernel.inputs, sources, strict=True))
        for flag, places in kernel.overflows.items():
            yield Wire(f"{n}_rows_over_{flag}", len(places))
            ports[f"overflow_{flag}"] = f"{n}_rows_over_{flag}"
        yield Wire(f"{n}_rows", kernel.outputs["y"].bits)
        yield Instance(kernel.name, f"{n}_rows_kernel_0", ports | {"y": f"{n}_rows"})

    def _turns(self, heads: Sequence[str], head_bits: int) -> Iterator[Item]:
        n = self.unit
        choices = "".join(f"            8'd{turn}: {n}_turn <= {head};\n" for turn, head in enumerate(heads))
        yield Note("Its sums, one after the other.")
        yield from (Register(f"{n}_turn_valid"), Register(f"{n}_turn", head_bits))
        yield Process(f"""    always @(posedge clk) begin
        {n}_turn_valid <= {n}_real && drain_beat < 8'd{self.turns};
        case (drain_beat)
{choices}            default: {n}_turn <= {head_bits}'dx;
        endcase
    end""")

    def _beats_of_turns(self) -> Iterator[Item]:
        """The rows of a beat; those of the first turns wait for the last."""
        n, turns, size = self.unit, self.turns, self.rows_bits // (self.turns * self.beats)
        bits = (turns - 1).bit_length()
        yield from (Wire(f"{n}_beat_valid"), Wire(f"{n}_beat", turns * size), Wire(f"{n}_rows_turn", bits))
        yield delay(f"delay_{n}_beat", 1, self.lead, f"{n}_real", f"{n}_beat_valid")
        now = f"drain_beat[{bits - 1}:0]"
        yield delay(f"delay_{n}_turn", bits, self.kernel.latency + 1, now, f"{n}_rows_turn")
        for turn in range(turns):
            ports = {"clk": "clk", "load": f"{n}_rows_valid && {n}_rows_turn == {bits}'d{turn}", "d": f"{n}_rows"}
            ports["q"] = f"{n}_beat[{(turn + 1) * size - 1}:{turn * size}]"
            sizes = {"WIDTH": size, "WORDS": self.beats, "WAIT": turns - 1 - turn}
            yield Instance("ernn_serial", f"{n}_serial_{turn}", ports, sizes)

    def _beats(self) -> Iterator[Item]:
        """A register with the rows of a beat, of those that stay behind the kernel as long as their sums."""
        n, size, bits = self.unit, self.rows_bits // self.beats, max(1, (self.beats - 1).bit_length())
        choices = "".join(
            f"            {bits}'d{beat}: {n}_beat <= {n}_rows[{(beat + 1) * size - 1}:{beat * size}];\n"
            for beat in range(self.beats)
        )
        yield from (Wire(f"{n}_beat_now"), Wire(f"{n}_beat_number", bits))
        now, behind = f"{{{n}_real, drain_beat[{bits - 1}:0]}}", f"{{{n}_beat_now, {n}_beat_number}}"
        yield delay(f"delay_{n}_beat", bits + 1, self.lead - 1, now, behind)
        yield from (Register(f"{n}_beat_valid"), Register(f"{n}_beat", size))
        yield Process(f"""    always @(posedge clk) begin
        {n}_beat_valid <= {n}_beat_now;
        case ({n}_beat_number)
{choices}        endcase
    end""")
