"""The benchmark of an accelerator: cycles, clock and resources as latency, frames a second and energy."""

from pathlib import Path

from components.stage import main


def benchmark(
    *, integer: Path, project: Path, outcome: Path, synthesized: Path, quality: Path, table: Path
) -> dict[str, float]:
    """A row for every device that the design was synthesized for; the metrics are those of the first.

    `quality` holds the metrics of exactly this integer network.

    Raises:
        UserError: the simulation did not count toggles.
    """
    from ernn import artifacts
    from ernn.errors import UserError
    from ernn.estimate import energy, performance
    from ernn.program import files

    run, design = artifacts.read_json(outcome), artifacts.read_json(project / "design.json")
    if "register_toggles_per_frame" not in run:
        raise UserError(f"{outcome}: no register_toggles_per_frame; run the stage simulate again (`dvc repro`)")
    measured = performance.Measured(
        cycles_per_frame=run["cycles_per_frame"],
        latency_cycles=run["latency_cycles"],
        speech_frames_per_s=performance.speech_rate(files.load(integer).frontend),
        per=artifacts.read_json(quality)["per_integer"],
        work=energy.total_work(design),
        register_toggles_per_frame=run["register_toggles_per_frame"],
        made=performance.made(design),
    )
    rows = performance.rows(measured, artifacts.read_json(synthesized)["rows"])
    artifacts.write_json(table, {"rows": rows})
    return performance.metrics(rows[0])


if __name__ == "__main__":
    main(benchmark)
