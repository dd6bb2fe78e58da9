"""Vitis HLS: runs a generated project and reads its reports."""

import re
import xml.etree.ElementTree as ET
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

from ernn.artifacts import Texts
from ernn.errors import UserError
from ernn.tools.process import Tool, run

VITIS_HLS = Tool("vitis_hls", "ERNN_VITIS_HLS", "install Vitis HLS 2022.2 or later and source its settings64.sh")
Step = Literal["csim", "csynth", "cosim", "export"]
STEPS: tuple[Step, ...] = ("csim", "csynth", "cosim", "export")
_SOLUTION = Path("ernn_hls", "solution1")


@dataclass(frozen=True)
class Synthesis:
    """What C synthesis estimates of one frame; only place and route knows better.

    A latency or interval is None where the tool found no bound.
    """

    version: str
    part: str
    clock_target_ns: float
    clock_estimate_ns: float
    latency_best_estimate_cycles: int | None
    latency_average_estimate_cycles: int | None
    latency_worst_estimate_cycles: int | None
    interval_min_estimate_cycles: int | None
    interval_max_estimate_cycles: int | None
    lut_estimate: int
    ff_estimate: int
    dsp_estimate: int
    bram_18k_estimate: int
    uram_estimate: int


@dataclass(frozen=True)
class Cosimulation:
    """What the simulation of the RTL measured over the frames of the test bench; intervals need two frames."""

    latency_min_cycles: int
    latency_average_cycles: int
    latency_max_cycles: int
    interval_min_cycles: int | None
    interval_average_cycles: int | None
    interval_max_cycles: int | None
    total_cycles: int


def build(files: Mapping[str, str], folder: Path, steps: Sequence[Step] = STEPS) -> None:
    """Run steps of a project, which are written to `folder` with the tool's log.

    Raises:
        UserError: the tool is missing, or a step failed.
    """
    tool = VITIS_HLS.path()
    Texts(files).write(folder)
    run([tool, "-f", "run.tcl"], folder, folder / "vitis_hls.log", {"ERNN_HLS_STEPS": " ".join(steps)})


def synthesis(folder: Path) -> Synthesis:
    """The report of C synthesis.

    Raises:
        UserError: it is missing, or not as the tool writes it.
    """
    report = _Report(folder / _SOLUTION / "syn" / "report" / "ernn_csynth.xml")
    return Synthesis(
        version=report.text("ReportVersion/Version"),
        part=report.text("UserAssignments/Part"),
        clock_target_ns=report.number("UserAssignments/TargetClockPeriod"),
        clock_estimate_ns=report.number("PerformanceEstimates/SummaryOfTimingAnalysis/EstimatedClockPeriod"),
        latency_best_estimate_cycles=report.cycles("Best-caseLatency"),
        latency_average_estimate_cycles=report.cycles("Average-caseLatency"),
        latency_worst_estimate_cycles=report.cycles("Worst-caseLatency"),
        interval_min_estimate_cycles=report.cycles("Interval-min"),
        interval_max_estimate_cycles=report.cycles("Interval-max"),
        lut_estimate=report.count("LUT"),
        ff_estimate=report.count("FF"),
        dsp_estimate=report.count("DSP"),
        bram_18k_estimate=report.count("BRAM_18K"),
        uram_estimate=report.count("URAM"),
    )


class _Report:
    """The XML report of C synthesis; what it lacks is a UserError."""

    def __init__(self, path: Path) -> None:
        self._path = path
        try:
            self._root = ET.fromstring(_read(path, "csynth"))
        except ET.ParseError as error:
            raise UserError(f"{path} is no report of C synthesis: {error}") from error

    def text(self, place: str) -> str:
        """Text at a path of the report."""
        found = self._root.findtext(place)
        if found is None or not found.strip():
            raise UserError(f"{self._path} is no report of C synthesis: {place} is missing")
        return found.strip()

    def number(self, place: str) -> float:
        """Number at a path of the report."""
        try:
            return float(self.text(place))
        except ValueError:
            raise UserError(f"{self._path}: {place} is a number, got {self.text(place)!r}") from None

    def cycles(self, name: str) -> int | None:
        """A latency or an interval; None for one without a bound."""
        place = f"PerformanceEstimates/SummaryOfOverallLatency/{name}"
        return None if self.text(place) in ("undef", "?") else int(self.number(place))

    def count(self, name: str) -> int:
        """Of a resource."""
        return int(self.number(f"AreaEstimates/Resources/{name}"))


def cosimulation(folder: Path) -> Cosimulation:
    """The report of the simulation of the RTL.

    Raises:
        UserError: it is missing, not as the tool writes it, or says that the RTL differs.
    """
    path = folder / _SOLUTION / "sim" / "report" / "ernn_cosim.rpt"
    row = re.search(r"^\|\s*Verilog\s*\|(.*)\|\s*$", _read(path, "cosim"), re.MULTILINE)
    status, *cells = [cell.strip() for cell in row[1].split("|")] if row else [""]
    if row and status != "Pass":
        raise UserError(f"{path}: the RTL's simulation ended with {status}, not Pass; see the log beside it")
    numbers = [int(cell) if cell.isdigit() else None for cell in cells]
    if len(numbers) != 7 or None in (*numbers[:3], numbers[6]):
        raise UserError(f"{path} is no report of a simulation: it has no line of the Verilog's latency and interval")
    return Cosimulation(*numbers)  # type: ignore[arg-type]


def _read(path: Path, step: Step) -> str:
    try:
        return path.read_text()
    except OSError:
        raise UserError(f"{path} is missing: the step {step} did not run or did not end") from None
