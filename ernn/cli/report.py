"""`ernn report`: where the report of the last run is, and the errors of its designs."""

import argparse
from collections.abc import Sequence
from itertools import takewhile
from pathlib import Path

from ernn.arguments import Parser
from ernn.errors import UserError
from ernn.explore.options import answered

_PLACE = Path("report", "report.html")


def parser() -> argparse.ArgumentParser:
    """The command line."""
    made = Parser(prog="ernn report", description=__doc__)
    made.add_argument("--preset", default="default", help="of presets/; default: default, which is params.yaml")
    return made


def answer(preset: str) -> tuple[bool, list[str]]:
    """The place of the report, and its first table.

    Raises:
        UserError: this folder is no checkout, or nothing was run.
    """
    from ernn.cli import PIPELINE, in_checkout

    if not in_checkout():
        raise UserError(PIPELINE)
    folder = Path() if preset == "default" else Path("runs", preset)
    page = folder / _PLACE
    if not page.is_file():
        made = "make run" if preset == "default" else f"make run PRESET={preset}"
        raise UserError(f"{page}: no such file; `{made}` makes it")
    return True, [*_errors(page.with_suffix(".md").read_text().splitlines()), f"Report: {page}"]


def _errors(lines: Sequence[str]) -> list[str]:
    """The table with an error rate of each design."""
    begin = next((number for number, line in enumerate(lines) if line.startswith("| design ")), len(lines))
    return [*takewhile(lambda line: line.startswith("|"), lines[begin:])]


def main(words: Sequence[str] | None = None) -> int:
    """Print it; the exit code."""
    options = parser().parse_args(words)
    return answered("report", lambda: answer(options.preset))
