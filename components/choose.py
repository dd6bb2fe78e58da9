"""What `params.yaml` leaves open about an accelerator, chosen by estimates before its sources are generated."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from components.architecture import architecture
from components.stage import OutputFile, main
from ernn.params import AcceleratorSpec, Hardware
from ernn.params.hardware import device_of

if TYPE_CHECKING:
    from ernn.hw.verilog.network import NetworkHardware
    from ernn.program.network import Program


def network_of(accelerator: AcceleratorSpec, hardware: Hardware, program: Program) -> NetworkHardware:
    """An accelerator with all choices made."""
    from ernn.estimate import weights

    sizes, device = architecture(accelerator, hardware, program), device_of(accelerator, hardware)
    return weights.network(program, sizes, accelerator.weights or hardware.weights, device)


def choose(
    *, accelerator: AcceleratorSpec, hardware: Hardware, program_file: Path, choice: OutputFile
) -> dict[str, float]:
    """How weights are stored; the metrics are the estimated resources.

    Raises:
        UserError: sizes that a layer cannot be divided into.
    """
    from dataclasses import asdict

    from ernn import artifacts
    from ernn.estimate import cost
    from ernn.hw.design import Choice
    from ernn.program import files as program_files

    network = network_of(accelerator, hardware, program_files.load(program_file))
    artifacts.write_record(choice, Choice(network.architecture.weights))
    total = cost.estimate(network, device_of(accelerator, hardware)).total
    return {f"{name}_estimate": round(float(value), 1) for name, value in asdict(total).items()}


if __name__ == "__main__":
    main(choose)
