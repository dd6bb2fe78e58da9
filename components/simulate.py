"""Simulation of an accelerator over real utterances: bit for bit the integer model, and the cycles that it takes."""

from pathlib import Path

from components.stage import OutputFile, main
from ernn.params import AcceleratorSpec, Simulation


def simulate(
    *,
    accelerator: AcceleratorSpec,
    simulation: Simulation,
    dataset: Path,
    program_file: Path,
    project: Path,
    outcome: OutputFile,
) -> dict[str, float]:
    """Run utterances of the test split through the sources: undisturbed, with pauses, and a frame alone.

    Toggles of registers are counted in a few frames of the undisturbed run.

    Raises:
        UserError: the project was generated from another program, or the features are not of its speech; nothing is
            simulated then.
        Mismatch: the first difference between the sources and the integer model.
    """
    from ernn import artifacts
    from ernn.data.dataset import Dataset
    from ernn.golden.model import Golden
    from ernn.hw import design
    from ernn.program import files
    from ernn.records.simulation import SimulationRecord
    from ernn.simulate import bench as simulator
    from ernn.simulate import origin, toggles
    from ernn.simulate.vectors import rtl_vectors
    from ernn.tools.process import work_folder

    program, described = files.load(program_file), design.read(project)
    origin.check(described, program, project)
    data = Dataset.open(dataset)
    origin.check_speech(program, program_file, data.speech)
    golden, split = Golden(program), data.split("test")
    count = min(simulation.utterances, len(split.utterances))
    utterances = [golden.quantize(split.feature(n)) for n in range(count)]
    vectors = rtl_vectors(program, utterances, accelerator.streams)
    with work_folder() as work:
        bench = toggles.ToggleBench(project, work, described.registers)
        try:
            measured = bench.run(vectors)
            bench.run(vectors, simulation.gaps, simulation.stalls)
        except simulator.Mismatch as difference:
            waveform = outcome.with_suffix(".vcd") if simulation.waveform else None
            raise simulator.located(difference, program, project, described, utterances, waveform) from None
        toggled = bench.toggles(vectors, measured)
        alone = bench.run(rtl_vectors(program, [utterances[0][:1]], 1))
        simulator.check_hls(program, project, utterances)
    simulator.check_overflows(program, utterances, measured)
    result = SimulationRecord(
        cycles_per_frame=measured.cycles_per_frame,
        latency_cycles=float(alone.registers["latency"]),
        multiplier_utilization=simulator.utilization(described, measured.cycles_per_frame),
        simulated_frames=float(len(vectors.x)),
        register_toggles_per_frame=toggled.per_frame,
        toggle_frames=float(toggled.frames),
        registers=measured.registers,
    )
    artifacts.write_record(outcome, result)
    return result.metrics


if __name__ == "__main__":
    main(simulate)
