"""The benchmark of an accelerator: cycles, clock and resources as latency, frames a second and energy."""

from pathlib import Path

from components.stage import OutputFile, main
from ernn.errors import UserError


def benchmark(
    *, program_file: Path, project: Path, outcome: Path, synthesized: Path, quality: Path, table: OutputFile
) -> dict[str, float]:
    """A row for every device that the accelerator was synthesized for; the metrics are those of the first.

    `quality` holds the metrics of exactly this integer network.

    Raises:
        UserError: the project was generated from another program.
    """
    from ernn import artifacts
    from ernn.estimate import performance
    from ernn.hw import design
    from ernn.program import files
    from ernn.records.benchmark import BenchmarkRecord
    from ernn.records.simulation import SimulationRecord
    from ernn.records.synthesis import SynthesisRecord
    from ernn.simulate import origin

    program, described = files.load(program_file), design.read(project)
    origin.check(described, program, project)
    if program.frontend is None:
        raise UserError(f"{program_file}: a program without a front end has no speech rate; give an acoustic model's")
    measured = performance.Measured(
        described,
        artifacts.read_record(outcome, SimulationRecord),
        performance.speech_rate(program.frontend),
        artifacts.read_json(quality)["per_integer"],
    )
    rows = performance.benchmark_rows(measured, artifacts.read_record(synthesized, SynthesisRecord).rows)
    artifacts.write_record(table, BenchmarkRecord(rows))
    return rows[0].metrics


if __name__ == "__main__":
    main(benchmark)
