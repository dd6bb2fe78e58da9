"""Command lines: a mistake is one line and exit code 2, and numbers are checked before any work."""

import argparse
import math
from collections.abc import Callable
from typing import NoReturn

_SHOWN = 40  # characters of a wrong value


class Parser(argparse.ArgumentParser):
    """A parser whose complaints are one line, without the list of options, which `--help` shows."""

    def error(self, message: str) -> NoReturn:
        """Leave with exit code 2."""
        said = " ".join(message.removeprefix("argument ").split())
        self.exit(2, f"{self.prog}: {said}; see {self.prog} --help\n")


def number(low: float = -math.inf, high: float = math.inf, above: float = -math.inf) -> Callable[[str], float]:
    """A type of argparse: a number that is neither NaN nor infinite.

    Args:
        low: the least.
        high: the greatest.
        above: what it must exceed, instead of `low`.
    """

    def parsed(text: str) -> float:
        try:
            value = float(text)
        except ValueError:
            value = math.nan
        if not (math.isfinite(value) and low <= value <= high and value > above):
            raise _refused("a finite number", low, above, high, text)
        return value

    return parsed


def whole(low: float = -math.inf, high: float = math.inf) -> Callable[[str], int]:
    """A type of argparse: a whole number.

    Args:
        low: the least.
        high: the greatest.
    """

    def parsed(text: str) -> int:
        try:
            value = int(text)
        except ValueError:  # other letters, or more digits than Python converts
            value = None
        if value is None or not low <= value <= high:
            raise _refused("a whole number", low, -math.inf, high, text)
        return value

    return parsed


def _refused(kind: str, low: float, above: float, high: float, text: str) -> argparse.ArgumentTypeError:
    least = f" above {above:.10g}" if above > low else f" of {low:.10g} or more" if low > -math.inf else ""
    most = f", at most {high:.10g}" if high < math.inf else ""
    shown = text if len(text) <= _SHOWN else text[:_SHOWN] + ".."
    return argparse.ArgumentTypeError(f"must be {kind}{least}{most}, got {shown!r}")
