"""`simulations/NAME.json`: what a simulation of an accelerator counted."""

from collections.abc import Mapping
from dataclasses import dataclass, fields

from ernn.artifacts import Record


@dataclass(frozen=True)
class SimulationRecord(Record):
    """Of a run whose logits are all those of the integer model; metrics by their names in `ernn.report.metrics`.

    Args:
        cycles_per_frame: initiation interval of frames that follow each other, all streams together; without the waits
            for a host that writes initial states before sequences.
        latency_cycles: of a frame alone, first feature to last logit.
        registers: of the accelerator, at the end of the undisturbed run.
    """

    cycles_per_frame: float
    latency_cycles: float
    multiplier_utilization: float
    simulated_frames: float
    register_toggles_per_frame: float
    toggle_frames: float
    registers: Mapping[str, int]

    @property
    def metrics(self) -> dict[str, float]:
        """All but the registers."""
        return {
            each.name: getattr(self, each.name) for each in fields(self) if each.name not in ("registers", "version")
        }
