"""`ernn explore --program FILE`: the best accelerators of a given integer network, by estimates, without training."""

import argparse
from collections.abc import Sequence
from pathlib import Path

from pydantic import ValidationError

from ernn.arguments import Parser, RawHelp, whole
from ernn.errors import UserError, complaints
from ernn.explore.accelerators import Estimated, Variant
from ernn.explore.counted import search
from ernn.explore.hardware import Found
from ernn.explore.options import add_hardware, answered, epilog
from ernn.explore.requirement import devices_of
from ernn.params.requirement import Requirement
from ernn.program import files

TRAINS = (
    "trials need trainings, and those the repository: run `ernn explore` in a checkout of it; "
    "with --program FILE the hardware of an integer network is searched here"
)
_OPTIONS = ("devices", "latency_us", "frames_per_s", "energy_uj", "share", "clock_mhz", "minimise")


def parser() -> argparse.ArgumentParser:
    """The command line."""
    made = Parser(
        prog="ernn explore",
        description=__doc__,
        epilog=epilog("front"),
        formatter_class=RawHelp,
    )
    made.add_argument(
        "--program", type=Path, metavar="FILE", help="an integer network, as the stage quantize writes it; required"
    )
    add_hardware(made, False, "per")
    made.add_argument(
        "--top",
        type=whole(0),
        default=10,
        metavar="N",
        help="of the front, those with the least of --minimise are shown; 0: all of it; default: %(default)s",
    )
    return made


def answer(options: argparse.Namespace) -> tuple[bool, list[str]]:
    """Whether an accelerator keeps the requirement, and the lines that say so.

    Raises:
        UserError: no program, none that can be read, or a value out of its range.
    """
    if options.program is None:
        raise UserError(TRAINS)
    given = {name: getattr(options, name) for name in _OPTIONS if getattr(options, name) is not None}
    try:
        requirement = Requirement(**given, per=100.0)  # errors of a given network are what they are
    except ValidationError as error:
        raise UserError(complaints(error)) from None
    program, lines = files.load(options.program), list[str]()
    for device in devices_of(requirement):
        found = search([Variant(program.name, program)], requirement, device)
        lines += _lines(device.name, found, requirement.minimise, options.top)
        if found.best:
            return True, lines
    return False, lines


def _lines(device: str, found: Found, minimise: str, top: int) -> list[str]:
    head = f"{device}: {found.covered:,} of {found.space:,} accelerators are covered"
    if not found.best:
        nearest = f"; nearest: {_described(found.nearest)}" if found.nearest else ""
        return [f"{head}, none will do: {'; '.join(found.binds) or 'nothing has room'}{nearest}"]
    best = [f"best {number}: {_described(each)}" for number, each in enumerate(found.best, 1)]
    front = sorted(found.front, key=lambda each: each.value(minimise))
    shown = front[: top or None]
    count = f"front: {len(front)} accelerators that no other one beats in every quantity"
    if len(shown) < len(front):
        count += f"; {len(shown)} of them are shown, those with the least {minimise}; --top 0 shows all"
    lines = [f"front {number}: {_described(each)}" for number, each in enumerate(shown, 1)]
    return [f"{head}; all figures are estimates", *best, count, *lines]


def _described(each: Estimated) -> str:
    used = ", ".join(f"{name} {getattr(each.needed, name):.0f}" for name in ("lut", "ff", "dsp", "bram"))
    times = f"{each.latency_us:.2f} us a frame, {each.frames_per_s:,.0f} frames/s at {each.setting.clock_mhz:g} MHz"
    return f"{each}; {times}; {used}; {each.share:.1%} of the scarcest; {each.energy_uj:.2f} uJ a frame"


def main(words: Sequence[str] | None = None) -> int:
    """Print the answer; the exit code."""
    options = parser().parse_args(words)
    return answered("explore", lambda: answer(options))
