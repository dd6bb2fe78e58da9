"""The sources of an accelerator: Verilog and HLS C++, each with its constants and a test bench."""

from pathlib import Path

from components.stage import main
from ernn.params import Accelerator, ArraySize, Hardware


def generate(*, accelerator: Accelerator, hardware: Hardware, integer: Path, project: Path) -> dict[str, float]:
    """Lay the arrays out, schedule the kernels, and write everything as a project."""
    from ernn import artifacts, program_file
    from ernn.hw import hls, sizing
    from ernn.hw.network_verilog import Architecture, NetworkText
    from ernn.hw.project import digest, rtl_project, write
    from ernn.hw.schedule import FAMILIES, Clock

    def size(given: ArraySize) -> sizing.Size:
        return given.lanes, given.columns, given.heads, given.pointwise

    program = program_file.load(integer)
    each = [size(given) for given in accelerator.arrays]
    arrays = sizing.arrays(program, size(accelerator.array), size(accelerator.output), each)
    mhz, family = accelerator.clock_mhz or hardware.clock_mhz, accelerator.family or hardware.family
    clock = Clock(mhz, FAMILIES[family])
    network = NetworkText(program, Architecture(arrays, clock, accelerator.streams, hardware.memory))
    target = hls.Target(hardware.part, mhz)
    files = rtl_project(network) | {f"hls/{path}": text for path, text in hls.project(program, target).items()}
    with artifacts.atomic_folder(project) as folder:
        write(files, folder)
        (folder / "digest.txt").write_text(digest(files) + "\n")
    return {
        "multipliers": sum(sum(layer.multipliers().values()) for layer in network.layers),
        "weight_memory_bits": sum(layer.weight_memory_bits for layer in network.layers),
    }


if __name__ == "__main__":
    main(generate)
