"""Command lines: a mistake is one line and exit code 2, numbers are checked before any work, help has all defaults."""

import argparse
import copy
import math
import re
import sys
from collections.abc import Callable
from typing import Any, NoReturn

_SHOWN = 40  # characters of a wrong value
_CHOICES = 24  # characters of choices that stand beside an option; longer lists stand in its text


class Help(argparse.HelpFormatter):
    """Help in which every option says its default, and long lists of choices do not widen the page."""

    def _format_action(self, action: argparse.Action) -> str:
        shown = copy.copy(action)
        if action.option_strings or action.choices:
            shown.help = described(action)
        return super()._format_action(shown)

    def _metavar_formatter(self, action: argparse.Action, default_metavar: str) -> Callable[[int], tuple[str, ...]]:
        if action.metavar is None and _has_long_choices(action):
            return lambda size: (default_metavar,) * size
        return super()._metavar_formatter(action, default_metavar)


class RawHelp(Help):
    """The same; of description and end, paragraphs are filled, and those with indented lines stay as they are."""

    def _fill_text(self, text: str, width: int, indent: str) -> str:
        parts = text.strip().split("\n\n")
        return "\n\n".join(
            each if "\n " in each else super(RawHelp, self)._fill_text(each, width, indent) for each in parts
        )


def described(action: argparse.Action) -> str:
    """An option's help: what it is, one of what, and its default."""
    parts = [action.help] if action.help else []
    if _has_long_choices(action):
        parts.append(f"one of {', '.join(map(str, action.choices or ()))}")
    said = re.search("default: |; required$", action.help or "") or isinstance(action, argparse._HelpAction)
    if action.option_strings and not said:
        parts.append(_default(action))
    return "; ".join(parts)


def _default(action: argparse.Action) -> str:
    if action.required:
        return "required"
    if action.nargs == 0:
        return "default: off"
    if isinstance(action.default, list | tuple):
        return f"default: {' '.join(map(str, action.default)) or 'none'}".replace("%", "%%")
    return "default: none" if action.default in (None, "") else "default: %(default)s"


def _has_long_choices(action: argparse.Action) -> bool:
    subcommands = isinstance(action, argparse._SubParsersAction)
    return bool(action.choices) and not subcommands and len(",".join(map(str, action.choices or ()))) > _CHOICES


class Parser(argparse.ArgumentParser):
    """A parser whose complaints are one line, without the list of options, which `--help` shows."""

    def __init__(self, *arguments: Any, **options: Any) -> None:
        options.setdefault("formatter_class", Help)
        if not arguments and not options.get("prog"):
            run = getattr(sys.modules["__main__"], "__spec__", None)
            options["prog"] = f"python -m {run.name}" if run is not None else None
        super().__init__(*arguments, **options)

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
