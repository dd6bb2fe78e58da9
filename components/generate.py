"""The sources of an accelerator: Verilog and HLS C++, each with its constants and a test bench."""

from pathlib import Path

from components.architecture import architecture
from components.stage import OutputFolder, main
from ernn.params import AcceleratorSpec, Hardware
from ernn.params.hardware import device_of


def generate(
    *, accelerator: AcceleratorSpec, hardware: Hardware, program_file: Path, choice: Path, project: OutputFolder
) -> dict[str, float]:
    """Lay the arrays out, schedule the kernels, and write everything as a project.

    Raises:
        UserError: sizes that a layer cannot be divided into, or a file of choices that is none.
    """
    from dataclasses import replace

    from ernn import artifacts
    from ernn.hw import design
    from ernn.hw.project import whole_project
    from ernn.hw.verilog.network import NetworkHardware
    from ernn.program import files as program_files

    program = program_files.load(program_file)
    stored = artifacts.read_record(choice, design.Choice).weights
    sizes = replace(architecture(accelerator, hardware, program), transformed=stored == "transformed")
    network = NetworkHardware(program, sizes)
    files = whole_project(network, device_of(accelerator, hardware).part)
    with artifacts.atomic_folder(project) as folder:
        files.write(folder)
    work = design.of(files).work
    return {
        "multiplications_per_frame": round(sum(work.multiplications.values())),
        "multipliers": sum(sum(layer.multipliers().values()) for layer in network.layers),
        "weight_memory_bits": sum(layer.weight_memory_bits for layer in network.layers),
    }


if __name__ == "__main__":
    main(generate)
