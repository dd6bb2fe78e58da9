"""Where benchmark results go: docs/benchmarks/NAME.json and the same rows as a table in NAME.md."""

import datetime
import os
import platform
import subprocess
from pathlib import Path
from typing import Any

from ernn import artifacts

FOLDER = Path("docs/benchmarks")


def processor() -> str:
    """The processor's name as the kernel prints it."""
    names = [
        line.split(":", 1)[1].strip() for line in Path("/proc/cpuinfo").read_text().splitlines() if "model name" in line
    ]
    return names[0] if names else platform.processor()


def commit() -> str:
    """The commit that is checked out, in twelve digits."""
    asked = ["git", "rev-parse", "--short=12", "HEAD"]
    return subprocess.run(asked, check=True, capture_output=True, text=True).stdout.strip()


def table(rows: list[dict[str, Any]]) -> str:
    """Rows as a Markdown table; the columns are the keys in order of first appearance."""
    columns = list(dict.fromkeys(key for row in rows for key in row))
    lines = [columns, ["---"] * len(columns), *([_cell(row.get(column)) for column in columns] for row in rows)]
    return "\n".join("| " + " | ".join(line) + " |" for line in lines)


def record(name: str, rows: list[dict[str, Any]], *, note: str = "", folder: Path = FOLDER, module: str = "") -> None:
    """Print the rows and write them with date, commit and machine.

    Args:
        module: of bench, that makes them; empty: it is called as its record.
    """
    date = datetime.datetime.now(datetime.UTC).date().isoformat()
    machine = f"{processor()}, {os.cpu_count()} cores"
    artifacts.write_json(
        folder / f"{name}.json", {"date": date, "commit": commit(), "machine": machine, "note": note, "rows": rows}
    )
    origin = f"{date}, commit {commit()}, {machine}. `python -m bench.{module or name}` makes this table."
    parts = [f"# {name}", origin, table(rows), *([note] if note else [])]
    (folder / f"{name}.md").write_text("\n\n".join(parts) + "\n")
    print(table(rows))


def _cell(value: Any) -> str:
    if value is None:
        return ""
    return f"{value:.4g}" if isinstance(value, float) else str(value)
