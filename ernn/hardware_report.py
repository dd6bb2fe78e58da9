"""The section of the report on accelerators: what was simulated, and what that means at the clock aimed at."""

from collections.abc import Mapping
from pathlib import Path

from ernn import artifacts
from ernn.narrative import markdown_table
from ernn.params import Accelerator, Hardware

TEXT = """\

## As accelerators

Verilog of each network, simulated over utterances of the test set: every logit is that of the integer model, bit for
bit. Cycles are counted in the simulation, for one frame after the other of one stream. Frames a second are those cycles
at {clock:g} MHz, which pipelines were scheduled for: a target, until place and route has reached it.

{table}
"""


def text(accelerators: Mapping[str, Accelerator], hardware: Hardware, metrics: Path) -> str:
    """The section of the report; empty without accelerators.

    Raises:
        UserError: a result is missing or damaged.
    """
    if not accelerators:
        return ""
    head = (
        "accelerator",
        "program",
        "multipliers",
        "multiplier use",
        "cycles a frame",
        "latency (cycles)",
        f"frames/s at {hardware.clock_mhz:g} MHz",
        "frames simulated",
    )
    rows = []
    for name, accelerator in accelerators.items():
        made = artifacts.read_json(metrics / "generate" / f"{name}.json")
        run = artifacts.read_json(metrics / "simulate" / f"{name}.json")
        rows.append(
            (
                name,
                accelerator.program,
                f"{made['multipliers']:,.0f}",
                f"{100 * run['multiplier_utilization']:.0f} %",
                f"{run['cycles_per_frame']:,.1f}",
                f"{run['latency_cycles']:,.0f}",
                f"{hardware.clock_mhz * 1e6 / run['cycles_per_frame']:,.0f}",
                f"{run['simulated_frames']:,.0f}",
            )
        )
    return TEXT.format(clock=hardware.clock_mhz, table=markdown_table(head, rows))
