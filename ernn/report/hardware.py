"""The section of the report on accelerators: what was simulated."""

from collections.abc import Sequence

from ernn.report.document import markdown_table
from ernn.report.results import AcceleratorResult

TEXT = """\

## As accelerators

Verilog of each network, simulated over utterances of the test set: every logit is that of the integer model, bit for
bit. Cycles are counted in the simulation, for one frame after the other of one stream, and for a frame alone (latency).

{table}
"""


def section(results: Sequence[AcceleratorResult]) -> str:
    """The section of the report; empty without accelerators."""
    if not results:
        return ""
    head = (
        "accelerator",
        "program",
        "multipliers",
        "multiplier use",
        "cycles a frame",
        "latency (cycles)",
        "frames simulated",
    )
    return TEXT.format(table=markdown_table(head, [_row(each) for each in results]))


def _row(result: AcceleratorResult) -> tuple[str, ...]:
    numbers = result.metrics
    return (
        result.name,
        result.accelerator.program,
        f"{numbers['multipliers']:,.0f}",
        f"{100 * numbers['multiplier_utilization']:.0f} %",
        f"{numbers['cycles_per_frame']:,.1f}",
        f"{numbers['latency_cycles']:,.0f}",
        f"{numbers['simulated_frames']:,.0f}",
    )
