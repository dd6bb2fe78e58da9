"""Vivado: runs a project's `vivado/run.tcl` and reads its reports."""

import re
from dataclasses import dataclass
from pathlib import Path

from ernn.errors import UserError
from ernn.tools.process import Tool, run

VIVADO = Tool("vivado", "ERNN_VIVADO", "install Vivado 2022.2 or later and source its settings64.sh")
OLDEST = (2022, 2)
UTILIZATION, TIMING, POWER = "utilization.rpt", "timing.rpt", "power.rpt"
TOP = "ernn"
# 7 series and UltraScale have other names for some; a star says that a note follows.
_ROWS = {
    "lut": ("Slice LUTs", "CLB LUTs"),
    "ff": ("Slice Registers", "CLB Registers"),
    "dsp": ("DSPs",),
    "bram": ("Block RAM Tile",),
    "bram_36": ("RAMB36/FIFO",),
    "bram_18": ("RAMB18",),
}


@dataclass(frozen=True)
class Utilization:
    """What a placed design takes; `bram` counts blocks of 36 kbit, a half for one of 18."""

    lut: int
    ff: int
    dsp: int
    bram: float
    bram_36: int
    bram_18: int


@dataclass(frozen=True)
class Timing:
    """Slacks in ns: of setup (WNS, TNS), of hold (WHS), of pulse widths (WPWS)."""

    period_ns: float
    wns_ns: float
    tns_ns: float
    failing_endpoints: int
    endpoints: int
    whs_ns: float
    wpws_ns: float

    @property
    def met(self) -> bool:
        """No slack is negative."""
        return min(self.wns_ns, self.whs_ns, self.wpws_ns) >= 0

    @property
    def fmax_mhz(self) -> float:
        """The clock at which the slowest path would just do."""
        return 1000 / (self.period_ns - self.wns_ns)

    def verdict(self) -> str:
        """One line.

        >>> Timing(5.0, -0.25, -3.5, 57, 973, 0.08, 2.2).verdict()
        'timing is not met at 200 MHz: setup -0.25 ns, hold 0.08 ns, pulse width 2.2 ns, 57 of 973 endpoints too late'
        """
        if self.met:
            return f"timing is met at {1000 / self.period_ns:.6g} MHz with {self.wns_ns:g} ns to spare"
        return (
            f"timing is not met at {1000 / self.period_ns:.6g} MHz: setup {self.wns_ns:g} ns, hold {self.whs_ns:g} ns, "
            f"pulse width {self.wpws_ns:g} ns, {self.failing_endpoints} of {self.endpoints} endpoints too late"
        )


@dataclass(frozen=True)
class Power:
    """In watts; `activity` names the simulation whose toggles it is of, None is the tool's own guess of them.

    Args:
        confidence: the tool's: Low, Medium or High.
        nets_matched: as the tool writes it, of the nets that the simulation knew.
    """

    total_w: float
    dynamic_w: float
    static_w: float
    confidence: str
    activity: str | None
    nets_matched: str | None


def implement(project: Path, part: str, folder: Path, saif: Path | None = None) -> None:
    """Synthesize, place and route a project in `folder`, where reports, checkpoints and the log are left.

    Args:
        saif: toggles of the project's test bench; see `ernn.simulate.bench.Recorder`.

    Raises:
        UserError: the tool is missing, or the run failed.
    """
    tool, script = VIVADO.path(), project.absolute() / "vivado" / "run.tcl"
    if not script.exists():
        raise UserError(f"{script} is missing: generate the project again")
    folder.mkdir(parents=True, exist_ok=True)
    for report in (UTILIZATION, TIMING, POWER):  # a failed run must not leave another's
        (folder / report).unlink(missing_ok=True)
    given = [part, *([str(saif.absolute())] if saif else [])]
    options = ["-mode", "batch", "-nojournal", "-nolog", "-source", str(script), "-tclargs", *given]
    run([tool, *options], folder, folder / "vivado.log")


def utilization(folder: Path, part: str) -> Utilization:
    """The report of the placed and routed design.

    Raises:
        UserError: it is missing, of another design, part or version, or not as the tool writes it.
    """
    report = _Report(folder / UTILIZATION, part)
    found = {field: report.row(*names) for field, names in _ROWS.items()}
    return Utilization(**{field: value if field == "bram" else int(value) for field, value in found.items()})  # type: ignore[arg-type]


def timing(folder: Path, part: str) -> Timing:
    """The timing summary of the placed and routed design.

    Raises:
        UserError: as `utilization`, or no path is timed.
    """
    report = _Report(folder / TIMING, part)
    summary = report.match(r"^\| Design Timing Summary\n(?:.*\n)*?\s*WNS\(ns\).*\n[- ]+\n(.*)$", "timing summary")
    cells = summary.split()
    if len(cells) != 12 or "NA" in (cells[0], cells[4], cells[8]):
        raise UserError(f"{report.path}: no path is timed, got {summary.strip()!r}; see constraints/{TOP}.xdc")
    clock = report.match(r"^\| Clock Summary\n(?:.*\n)*?Clock +Waveform.*\n[- ]+\n(.*)$", "clock")
    period = re.search(r"\}\s+([\d.]+)\s+[\d.]+\s*$", clock)
    if period is None:
        raise UserError(f"{report.path} has no period of a clock, got {clock.strip()!r}")
    wns, tns, failing, endpoints, whs, wpws = (cells[n] for n in (0, 1, 2, 3, 4, 8))
    return Timing(float(period[1]), float(wns), float(tns), int(failing), int(endpoints), float(whs), float(wpws))


def power(folder: Path, part: str) -> Power:
    """The power report of the placed and routed design.

    Raises:
        UserError: as `utilization`.
    """
    report = _Report(folder / POWER, part)
    activity, matched = (report.cell(name) for name in ("Simulation Activity File", "Design Nets Matched"))
    return Power(
        total_w=report.row("Total On-Chip Power (W)"),
        dynamic_w=report.row("Dynamic (W)"),
        static_w=report.row("Device Static (W)"),
        confidence=report.cell("Confidence Level"),
        activity=None if activity == "---" else activity,
        nets_matched=None if matched == "NA" else matched,
    )


class _Report:
    """A report of `part`; what it lacks is a UserError."""

    def __init__(self, path: Path, part: str) -> None:
        self.path = path
        try:
            self._text = path.read_text()
        except OSError:
            raise UserError(f"{path} is missing: the run did not end") from None
        version = self.match(r"^\| Tool Version\s*: (Vivado v\.\d+\.\d+.*)$", "header of Vivado").split(".")
        if (int(version[1]), int(version[2].split()[0])) < OLDEST:
            wanted, found = (".".join(map(str, each)) for each in (OLDEST, (version[1], version[2].split()[0])))
            raise UserError(f"{path} is of Vivado {found}: {wanted} or later is known to write what is read here")
        design, device = (self.match(rf"^\| {name}\s*: (\S+)\s*$", name) for name in ("Design", "Device"))
        if design != TOP or not _plain(part).startswith(_plain(device)):
            raise UserError(f"{path} is of {design} on {device}, not of {TOP} on {part}")

    def match(self, pattern: str, what: str) -> str:
        """The group of a pattern."""
        found = re.search(pattern, self._text, re.MULTILINE)
        if found is None:
            raise UserError(f"{self.path} is no such report of Vivado: it has no {what}")
        return found[1]

    def cell(self, *names: str) -> str:
        """The second column of the first row with one of these names."""
        either = "|".join(re.escape(name) for name in names)
        return self.match(rf"^\|\s*(?:{either})\*?\s*\|\s*([^|]*?)\s*\|", f"row {names[0]}")

    def row(self, *names: str) -> float:
        """The same as a number; what is too small to be told is 0."""
        cell = self.cell(*names)
        try:
            return 0.0 if cell.startswith("<") else float(cell.split()[0])
        except (ValueError, IndexError):
            raise UserError(f"{self.path}: {names[0]} is a number, got {cell!r}") from None


def _plain(part: str) -> str:
    """A part or device as all reports would spell it.

    >>> _plain("xc7z020clg400-1"), _plain("7z020-clg400"), _plain("xczu9eg-ffvb1156-2-e")
    ('7z020clg4001', '7z020clg400', 'zu9egffvb11562e')
    """
    return re.sub(r"^xc|-", "", part)
