"""A whole simulation of an accelerator: undisturbed, with pauses, a frame alone, and the C++ beside the Verilog."""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from jaxtyping import Int

from ernn.hw.design import Accelerator
from ernn.program.network import Program
from ernn.records.simulation import SimulationRecord
from ernn.simulate import bench, toggles
from ernn.simulate.bench import Bench, Mismatch, Outcome
from ernn.simulate.vectors import rtl_vectors
from ernn.tools.process import work_folder

Utterances = Sequence[Int[np.ndarray, "frames inputs"]]


@dataclass(frozen=True)
class Pauses:
    """Of a run that is disturbed.

    Args:
        gaps: of 256 cycles, those in which no feature is offered.
        stalls: of 256 cycles, those in which no logit is taken.
    """

    gaps: int
    stalls: int


def measured(
    project: Path,
    accelerator: Accelerator,
    program: Program,
    utterances: Utterances,
    pauses: Pauses,
    waveform: Path | None = None,
) -> SimulationRecord:
    """Run utterances through all sources of a project; toggles of registers are counted in a few frames.

    Args:
        utterances: features as integers of the input format.
        waveform: where that of a frame goes in which something differs.

    Raises:
        Mismatch: the first difference between the sources and the integer model.
    """
    vectors = rtl_vectors(program, utterances, accelerator.streams)
    with work_folder() as work:
        made = toggles.ToggleBench(project, work, accelerator.registers)
        try:
            undisturbed = made.run(vectors)
            made.run(vectors, pauses.gaps, pauses.stalls)
        except Mismatch as difference:
            raise bench.located(difference, program, project, accelerator, utterances, waveform) from None
        toggled = made.toggles(vectors, undisturbed)
        alone = made.run(rtl_vectors(program, [utterances[0][:1]], 1))
        bench.check_hls(program, project, utterances, accelerator.streams)
    bench.check_overflows(program, utterances, undisturbed)
    return SimulationRecord(
        cycles_per_frame=undisturbed.cycles_per_frame,
        latency_cycles=float(alone.registers["latency"]),
        multiplier_utilization=bench.utilization(accelerator, undisturbed.cycles_per_frame),
        simulated_frames=float(len(vectors.x)),
        register_toggles_per_frame=toggled.per_frame,
        toggle_frames=float(toggled.frames),
        registers=undisturbed.registers,
    )


def undisturbed(project: Path, accelerator: Accelerator, program: Program, utterances: Utterances) -> Outcome:
    """Run utterances through the Verilog of a project, without pauses.

    Raises:
        Mismatch: the first difference between the Verilog and the integer model.
    """
    with work_folder() as work:
        try:
            outcome = Bench(project, work, accelerator.registers).run(
                rtl_vectors(program, utterances, accelerator.streams)
            )
        except Mismatch as difference:
            raise bench.located(difference, program, project, accelerator, utterances) from None
    bench.check_overflows(program, utterances, outcome)
    return outcome
