"""What an accelerator takes of its devices, by synthesis, and the clock that place and route reaches."""

from pathlib import Path

from components.stage import main
from ernn.params import Accelerator, Synthesis


def synthesize(
    *, name: str, accelerator: Accelerator, synthesis: Synthesis, project: Path, table: Path
) -> dict[str, float]:
    """A row for every device; the metrics are those of the first."""
    from ernn import artifacts
    from ernn.devices.catalogue import COUNTS, DEVICES
    from ernn.synthesize import rows
    from ernn.tools.process import work_folder

    devices = [DEVICES[each] for each in accelerator.devices or synthesis.devices]
    with work_folder() as folder:
        found = rows.rows(name, project, devices, synthesis.seeds, folder, plain=synthesis.plain_counts)
    artifacts.write_json(table, {"rows": found})
    return {each: float(found[0][each]) for each in ("lut", "ff", "dsp", "bram", *COUNTS) if each in found[0]}


if __name__ == "__main__":
    main(synthesize)
