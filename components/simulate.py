"""Simulation of an accelerator over real utterances: bit for bit the integer model, and the cycles that it takes."""

from pathlib import Path

from components.stage import OutputFile, main
from ernn.params import Simulation


def simulate(
    *,
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
    from ernn.simulate import origin, run

    program, described = files.load(program_file), design.read(project)
    origin.check(described, program, project)
    data = Dataset.open(dataset)
    origin.check_speech(program, program_file, data.speech)
    golden, split = Golden(program), data.split("test")
    count = min(simulation.utterances, len(split.utterances))
    utterances = [golden.quantize(split.feature(n)) for n in range(count)]
    waveform = outcome.with_suffix(".vcd") if simulation.waveform else None
    pauses = run.Pauses(simulation.gaps, simulation.stalls)
    result = run.measured(project, described, program, utterances, pauses, waveform)
    artifacts.write_record(outcome, result)
    return result.metrics


if __name__ == "__main__":
    main(simulate)
