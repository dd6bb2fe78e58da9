"""What an accelerator takes of its device, by synthesis, and the clock that place and route reaches."""

from pathlib import Path

from components.stage import main
from ernn.params import Accelerator, Hardware, Synthesis
from ernn.params.hardware import device_of


def synthesize(
    *, name: str, accelerator: Accelerator, hardware: Hardware, synthesis: Synthesis, project: Path, table: Path
) -> dict[str, float]:
    """A row for each tool that synthesizes it; the metrics are those of the first."""
    from ernn import artifacts
    from ernn.devices.catalogue import COUNTS
    from ernn.synthesize import rows
    from ernn.tools.process import work_folder

    device = device_of(accelerator, hardware)
    with work_folder() as folder:
        found = rows.rows(name, project, device, synthesis.seeds, folder, plain=synthesis.plain_counts)
    artifacts.write_json(table, {"rows": found})
    return {each: float(found[0][each]) for each in ("lut", "ff", "dsp", "bram", *COUNTS) if each in found[0]}


if __name__ == "__main__":
    main(synthesize)
