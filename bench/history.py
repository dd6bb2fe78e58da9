"""`python -m bench.history [--at REVISION]`: what changes of the generator did to the reference designs.

Takes the rows of devices.json and accelerator.json, or those of another revision, and adds the designs that were
synthesized again and whose figures differ from the last ones that are recorded.
"""

import json
import subprocess
from typing import Any

from bench import devices
from bench.record import FOLDER, record
from ernn import artifacts
from ernn.arguments import Parser

FIGURES = ("cycles_per_frame", "latency_cycles", "lut", "ff", "dsp", "bram", "clock_mhz", "clock_kind")
MEASURES = ()  # its rows are past ones
NOTE = """\
Rows of a design and device are in the order in which they were measured; `commit` is that of its synthesis, and later
changes are not in it. Cycles and latency are simulated ([accelerator.md](accelerator.md); small designs:
[devices.md](devices.md)), resources are Yosys' or nextpnr's, and `clock_kind` says how the clock is known: routed,
estimated from levels of logic, or assumed. Where pipelines for two devices differ, cycles are those of the design in
accelerator.md."""


def rows_at(revision: str | None) -> list[dict[str, Any]]:
    """The reference designs as they were recorded at a revision, or are now."""
    simulated = {row["design"]: row for row in _rows("accelerator", revision)}
    found = []
    for row in _rows("devices", revision):
        cycles = row if row.get("cycles_per_frame") else simulated.get(row["design"], {})
        named = row | {"clock_mhz": row["fmax_mhz"], "clock_kind": row["fmax_kind"]}
        named |= {name: cycles.get(name) for name in FIGURES[:2]}
        found.append({name: named.get(name) for name in ("design", "device", *FIGURES, "commit")})
    return found


def _rows(name: str, revision: str | None) -> list[dict[str, Any]]:
    path = FOLDER / f"{name}.json"
    if revision is None:
        return list(artifacts.read_json(path)["rows"])
    shown = subprocess.run(["git", "show", f"{revision}:{path}"], check=True, capture_output=True, text=True)
    return list(json.loads(shown.stdout)["rows"])


def merged(known: list[dict[str, Any]], measured: list[dict[str, Any]]) -> list[dict[str, Any]]:
    """Known rows with those behind them whose synthesis and figures are new for their design and device."""
    result = list(known)
    for row in measured:
        last = [each for each in result if (each["design"], each["device"]) == (row["design"], row["device"])][-1:]
        if not last or (last[0]["commit"] != row["commit"] and any(last[0][name] != row[name] for name in FIGURES)):
            result.append(row)
    order = [*devices.PAPER, *devices.SMALL]
    columns = ("design", "device", *FIGURES, "commit")
    result.sort(key=lambda row: (order.index(row["design"]), row["device"]))
    return [{name: row[name] for name in columns} for row in result]


def main() -> None:
    """Add what is new."""
    parser = Parser(description=__doc__.splitlines()[0])
    parser.add_argument("--at", metavar="REVISION", help="of which the records are taken; default: today's")
    revision = parser.parse_args().at
    file = FOLDER / "hardware-history.json"
    known = artifacts.read_json(file)["rows"] if file.exists() else []
    record("hardware-history", merged(known, rows_at(revision)), note=NOTE, module="history")


if __name__ == "__main__":
    main()
