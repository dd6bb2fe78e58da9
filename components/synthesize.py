"""What an accelerator takes of its device, by synthesis, and the clock that place and route reaches."""

from pathlib import Path

from components.stage import OutputFile, main
from ernn.params import AcceleratorSpec, Hardware, Synthesis
from ernn.params.hardware import device_of


def synthesize(
    *,
    name: str,
    accelerator: AcceleratorSpec,
    hardware: Hardware,
    synthesis: Synthesis,
    project: Path,
    table: OutputFile,
) -> dict[str, float]:
    """A row for each tool that synthesizes it; the metrics are those of the first."""
    from ernn import artifacts
    from ernn.records.synthesis import SynthesisRecord
    from ernn.synthesize import rows
    from ernn.tools.process import work_folder

    device, seeds = device_of(accelerator, hardware), rows.Seeds(synthesis.seeds)
    with work_folder() as folder:
        found = rows.synthesize(name, project, device, seeds, folder, plain=synthesis.plain_counts)
    artifacts.write_record(table, SynthesisRecord(found))
    return found[0].metrics


if __name__ == "__main__":
    main(synthesize)
