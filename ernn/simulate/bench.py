"""Simulation of an accelerator: real utterances through its RTL, equal to the integer model in every logit."""

import re
import shutil
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from jaxtyping import Bool, Int

from ernn.artifacts import Texts
from ernn.errors import UserError
from ernn.golden.model import Golden
from ernn.hw.design import BEGIN, TEST_BENCH, Accelerator
from ernn.program.network import Program
from ernn.simulate import compare
from ernn.simulate.vectors import Vectors, hls_vectors, rtl_vectors
from ernn.tools import csim, verilator
from ernn.tools.process import Optimize, work_folder


class Mismatch(UserError):
    """The hardware gave something else than the integer model, or nothing."""


@dataclass(frozen=True)
class Outcome:
    """What a run of the test bench printed: cycles in which frames came in and went out, and the registers.

    Args:
        waits: whether the host writes initial states before a frame, when all frames before it are out; None: before
            no frame.
    """

    begun: Int[np.ndarray, " frames"]
    ended: Int[np.ndarray, " frames"]
    registers: dict[str, int]
    waits: Bool[np.ndarray, " frames"] | None = None

    @property
    def cycles_per_frame(self) -> float:
        """Initiation interval: mean cycles between frames that follow each other without a pause.

        Where the host writes before all of them, its writes count.
        """
        gaps = np.diff(self.ended)
        if self.waits is not None and not self.waits[1:].all():
            gaps = gaps[~self.waits[1:]]
        return float(gaps.sum()) / max(len(gaps), 1)


class Bench:
    """A compiled test bench.

    Args:
        project: folder of the sources.
        work: folder for the program and the vectors.
        registers: names, in the order of their numbers.
        optimize: -O0 compiles in half the time of -O1, and runs several times as long.
        options: more of Verilator's.
    """

    def __init__(
        self,
        project: Path,
        work: Path,
        registers: Sequence[str],
        defines: Sequence[str] = (),
        optimize: Optimize = "-O1",
        options: Sequence[str] = (),
    ) -> None:
        self._work, self._registers = work.absolute(), registers
        self._begins = (project / "tb" / BEGIN).exists()
        sources = [path for each in ("rtl", "tb") for path in sorted((project / each).glob("*.v"))]
        files = [str(each.resolve()) for each in sources]
        self._program = verilator.build(self._work, TEST_BENCH, files, defines, optimize, options)
        for image in sorted([*(project / "memory").glob("*.hex"), *(project / "tb").glob("*.hex")]):
            (self._work / image.name).write_bytes(image.read_bytes())

    def run(self, vectors: Vectors, gaps: int = 0, stalls: int = 0, writes: Sequence[tuple[int, int]] = ()) -> Outcome:
        """Feed frames and compare every logit.

        Raises:
            Mismatch: the first logit that differs, or that frames did not come out.
        """
        printed = self.printed(vectors, gaps, stalls, writes)
        if found := re.search(r"MISMATCH frame (\d+) logit (\d+) expected (-?\d+) got (-?\d+)", printed):
            frame, logit, expected, got = map(int, found.groups())
            raise Mismatch(f"frame {frame}, logit {logit}: expected {expected}, got {got}")
        ended = re.search(r"END frames (\d+) errors 0\b", printed)
        if ended is None or int(ended[1]) != len(vectors.logits):
            said = re.findall(r"^(?:MISSING|WRITE|STUCK|END)\b.*$", printed, re.MULTILINE) or printed.splitlines()
            raise Mismatch(f"the simulation ended without all frames: {'; '.join(said[:3])}")
        numbers = re.findall(r"^REGISTER (\d+) (\d+)$", printed, re.MULTILINE)
        return Outcome(
            _cycles(printed, "IN"),
            _cycles(printed, "OUT"),
            {self._registers[int(number)]: int(value) for number, value in numbers},
            vectors.first if self._begins else None,
        )

    def printed(
        self,
        vectors: Vectors,
        gaps: int = 0,
        stalls: int = 0,
        writes: Sequence[tuple[int, int]] = (),
        arguments: Sequence[str] = (),
    ) -> str:
        """Text that the test bench prints for these frames."""
        vectors.files(writes).write(self._work)
        given = [f"+gaps={gaps}", f"+stalls={stalls}", *arguments]
        return verilator.simulate(self._program, self._work, self._work / "simulation.log", given)


class Recorder(Bench):
    """A test bench that counts how often each signal toggles, for a vendor's power report."""

    def __init__(self, project: Path, work: Path, registers: Sequence[str]) -> None:
        super().__init__(project, work, registers, ["ERNN_SAIF"])

    def record(self, vectors: Vectors, target: Path) -> None:
        """Write the toggles of a run as a SAIF file; behind the last frame, the bench reads all registers.

        Raises:
            Mismatch: a logit differs, so these toggles are not the network's.
        """
        self.run(vectors)
        target.parent.mkdir(parents=True, exist_ok=True)
        shutil.move(self._work / "ernn.saif", target)


def located(
    difference: Mismatch,
    program: Program,
    project: Path,
    accelerator: Accelerator,
    utterances: Sequence[Int[np.ndarray, "frames inputs"]],
    waveform: Path | None = None,
) -> Mismatch:
    """The same with the first inner value that differs, found by a traced run of one utterance after the other.

    Args:
        waveform: a VCD of the frame in which it differs is written there.
    """
    with work_folder() as work:
        bench = Bench(project, work, accelerator.registers, ["ERNN_TRACE"])
        for number, x in enumerate(utterances):
            printed = bench.printed(rtl_vectors(program, [x], 1))
            if found := compare.first_difference(program, accelerator, printed, x):
                seen = f"utterance {number}, {found}; seen as {difference}"
                if waveform is not None:
                    cycles = [_cycles(printed, event) for event in ("IN", "OUT")]
                    _write_waveform(project, accelerator, rtl_vectors(program, [x], 1), cycles, found.frame, waveform)
                    seen += f"; its frame is in {waveform}"
                return Mismatch(seen)
    return Mismatch(f"{difference}; no inner value of an utterance alone differs, so it comes from pauses or streams")


def _write_waveform(
    project: Path, accelerator: Accelerator, frames: Vectors, cycles: Sequence[np.ndarray], frame: int, target: Path
) -> None:
    """The cycles of a frame, from its first feature to its last logit."""
    begun, ended = (int(each[min(frame, len(each) - 1)]) for each in cycles)
    with work_folder() as work:
        bench = Bench(project, work, accelerator.registers, ["ERNN_WAVES"])
        bench.printed(frames, arguments=[f"+from={begun}", f"+to={ended + 1}"])
        target.parent.mkdir(parents=True, exist_ok=True)
        shutil.move(work / "ernn.vcd", target)


def check_hls(
    program: Program, project: Path, utterances: Sequence[Int[np.ndarray, "frames inputs"]], streams: int = 1
) -> None:
    """Run utterances through the C simulation of the HLS project, which compares every logit.

    Args:
        streams: of the project.

    Raises:
        UserError: a logit differs, or the sources do not compile.
    """
    golden, folder = Golden(program), project / "hls"
    logits = [golden.run(x[:, None])[0][:, 0] for x in utterances]
    files = Texts.read(folder)
    with work_folder() as work:
        csim.compare(csim.build(files, work), hls_vectors(utterances, logits, streams))


def overflows(program: Program, utterances: Sequence[Int[np.ndarray, "frames inputs"]]) -> dict[str, int]:
    """Saturated values as the integer model counts them, by the name of their value: `layers.0.a_i`, `output.logits`.

    The words of a spectrum, `sums.0`, `sums.1`, .., are counted together.
    """
    golden, total = Golden(program), Counter[str]()
    for x in utterances:
        golden.run(x[:, None])
    for each in golden.overflows():
        total[re.sub(r"(\.\D[^.]*)\.\d+$", r"\1", each.name)] += each.saturated
    return dict(total)


def check_overflows(program: Program, utterances: Sequence[Int[np.ndarray, "frames inputs"]], outcome: Outcome) -> None:
    """Compare the hardware's counters of saturated values with the integer model's.

    Raises:
        Mismatch: one differs.
    """
    wanted = overflows(program, utterances)
    found: Counter[str] = Counter()
    for register, value in outcome.registers.items():
        if match := re.fullmatch(r"(output|layer|head)(?:_layer|(\d+)(?:_[xy])?)_overflow_(.*)", register):
            layer = match[1] if match[2] is None else f"{compare.PLACES[match[1]]}.{match[2]}"
            found[f"{layer}.{match[3]}"] += value
    for name in sorted({*wanted, *found}):
        if found[name] != wanted.get(name, 0):
            raise Mismatch(
                f"saturated values of {name}: expected {wanted.get(name, 0)}, the hardware counted {found[name]}"
            )


def utilization(accelerator: Accelerator, cycles_per_frame: float) -> float:
    """Share of multiplier-cycles of the arrays that do necessary products."""
    products = sum(sum(layer.products.values()) for layer in accelerator.layers)
    multipliers = sum(layer.multipliers.array for layer in accelerator.layers)
    return products / (multipliers * cycles_per_frame)


def _cycles(printed: str, event: str) -> np.ndarray:
    return np.array([int(cycle) for cycle in re.findall(rf"^{event} \d+ (\d+)$", printed, re.MULTILINE)], np.int64)
