"""An accelerator through the vendor's tools, where they are: measured resources, clock and power."""

from dataclasses import dataclass
from pathlib import Path
from typing import Literal

from ernn.devices.catalogue import Device, Resources
from ernn.devices.flow import FLOWS
from ernn.tools import vivado


@dataclass(frozen=True)
class Implementation:
    """What place and route gave.

    Args:
        timing: a line that says whether the clock was met.
        power_w: by the tool's report, with `confidence` and the simulation it is of (None: default activities).
    """

    resources: Resources
    fmax_mhz: float
    timing_met: bool
    timing: str
    power_w: float
    static_w: float
    confidence: str
    activity: str | None
    fmax_kind: Literal["place_and_route"] = "place_and_route"
    power_kind: Literal["vendor"] = "vendor"


def available(device: Device) -> bool:
    """Vivado is installed, and the device is one of its."""
    return FLOWS[device.family].vendor and vivado.VIVADO.found() is not None


def implement(project: Path, device: Device, folder: Path, saif: Path | None = None) -> Implementation:
    """Place and route a project for a device.

    Args:
        folder: for reports, checkpoints and log.
        saif: toggles for the power report; see `ernn.simulate.bench.Recorder`.

    Raises:
        UserError: the tool is missing, the run failed, or its reports are not as expected.
    """
    vivado.implement(project, device.part, folder, saif)
    used = vivado.utilization(folder, device.part)
    timing = vivado.timing(folder, device.part)
    power = vivado.power(folder, device.part)
    return Implementation(
        resources=Resources(used.lut, used.ff, used.dsp, used.bram),
        fmax_mhz=timing.fmax_mhz,
        timing_met=timing.met,
        timing=timing.verdict(),
        power_w=power.total_w,
        static_w=power.static_w,
        confidence=power.confidence,
        activity=power.activity,
    )
