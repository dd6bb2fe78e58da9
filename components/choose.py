"""What `params.yaml` leaves open about an accelerator, chosen by estimates before its sources are generated."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from components.architecture import architecture
from components.stage import main
from ernn.params import Accelerator, Hardware, Synthesis

if TYPE_CHECKING:
    from ernn.hw.verilog.network import NetworkText
    from ernn.program.network import Program


def network_of(accelerator: Accelerator, hardware: Hardware, synthesis: Synthesis, program: Program) -> NetworkText:
    """An accelerator with all choices made."""
    from ernn.devices.catalogue import DEVICES
    from ernn.estimate import weights

    devices = [DEVICES[each] for each in accelerator.devices or synthesis.devices]
    sizes = architecture(accelerator, hardware, program)
    return weights.network(program, sizes, accelerator.weights or hardware.weights, devices)


def choose(
    *, accelerator: Accelerator, hardware: Hardware, synthesis: Synthesis, integer: Path, choice: Path
) -> dict[str, float]:
    """How weights are stored; the metrics are the estimated resources on the first device.

    Raises:
        UserError: sizes that a layer cannot be divided into.
    """
    from dataclasses import asdict

    from ernn import artifacts
    from ernn.devices.catalogue import DEVICES
    from ernn.estimate import cost
    from ernn.program import files as program_file

    network = network_of(accelerator, hardware, synthesis, program_file.load(integer))
    artifacts.write_json(choice, {"weights": network.architecture.weights})
    first = (accelerator.devices or synthesis.devices)[0]
    total = cost.estimate(network, DEVICES[first]).total
    return {f"{name}_estimate": round(float(value), 1) for name, value in asdict(total).items()}


if __name__ == "__main__":
    main(choose)
