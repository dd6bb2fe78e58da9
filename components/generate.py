"""The sources of an accelerator: Verilog and HLS C++, each with its constants and a test bench."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from components.stage import main
from ernn.params import Accelerator, ArraySize, Hardware, Synthesis

if TYPE_CHECKING:
    from ernn.hw.layout.sizing import Size
    from ernn.hw.verilog.network import NetworkText
    from ernn.program.network import Program


def network_of(accelerator: Accelerator, hardware: Hardware, synthesis: Synthesis, program: Program) -> NetworkText:
    """Lay the arrays out, schedule the kernels, and choose how weights are stored."""
    from ernn.devices.catalogue import DEVICES
    from ernn.devices.timing import FAMILIES
    from ernn.estimate import weights
    from ernn.hw.graph.schedule import Clock
    from ernn.hw.layout import sizing
    from ernn.hw.verilog.network import Architecture

    each = [_size(given) for given in accelerator.arrays]
    logits = accelerator.logits_per_beat or hardware.logits_per_beat
    arrays = sizing.arrays(program, _size(accelerator.array), _size(accelerator.output), each, logits)
    clock = Clock(accelerator.clock_mhz or hardware.clock_mhz, FAMILIES[accelerator.family or hardware.family])
    architecture = Architecture(
        arrays,
        clock,
        accelerator.streams,
        hardware.memory,
        features=accelerator.features_per_beat or hardware.features_per_beat,
        logits=logits,
    )
    devices = [DEVICES[each] for each in accelerator.devices or synthesis.devices]
    return weights.network(program, architecture, accelerator.weights or hardware.weights, devices)


def _size(given: ArraySize) -> Size:
    return given.lanes, given.columns, given.heads, given.pointwise


def generate(
    *, accelerator: Accelerator, hardware: Hardware, synthesis: Synthesis, integer: Path, project: Path
) -> dict[str, float]:
    """Lay the arrays out, schedule the kernels, and write everything as a project."""
    from ernn import artifacts
    from ernn.hw.hls import network as hls
    from ernn.hw.project import digest, rtl_project, write
    from ernn.program import files as program_file

    program = program_file.load(integer)
    network = network_of(accelerator, hardware, synthesis, program)
    target = hls.Target(hardware.part, network.architecture.clock.mhz)
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
