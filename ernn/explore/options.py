"""What the commands of the search have in common: options of a requirement on hardware, and how an answer is given."""

import argparse
import os
import signal
import sys
from collections.abc import Callable, Sequence
from typing import get_args

from ernn.arguments import number
from ernn.devices.catalogue import DEVICES
from ernn.errors import UserError
from ernn.params.requirement import Minimised


def add_hardware(parser: argparse.ArgumentParser, *without: str) -> None:
    """Options for the keys of `requirement` that concern the accelerator.

    Args:
        without: what cannot be minimised here.
    """
    parser.add_argument("--latency-us", type=number(), help="of a frame alone, at most")
    parser.add_argument("--frames-per-s", type=number(), help="at least")
    parser.add_argument("--energy-uj", type=number(), help="of a frame, at most (an estimate)")
    parser.add_argument(
        "--device", nargs="+", dest="devices", choices=DEVICES, help="the smallest of these that will do"
    )
    parser.add_argument("--share", type=number(), help="of each resource that may be used, 0..1")
    parser.add_argument("--clock-mhz", type=number(), help="that pipelines are scheduled for, at most")
    choices = [each for each in get_args(Minimised) if each not in without]
    parser.add_argument("--minimise", choices=choices, help="share: of the scarcest resource")


def answered(command: str, answer: Callable[[], tuple[bool, Sequence[str]]]) -> int:
    """Print an answer; the exit code: 0 for yes, 1 for no, 2 for what a user has to change, 130 and
    141 for an interrupt and for nobody who reads.

    Args:
        answer: whether it is yes, and the lines to print.
    """
    try:
        yes, lines = answer()
        print("\n".join(lines), flush=True)
    except UserError as error:
        print(f"{command}: {error}", file=sys.stderr)
        return 2
    except BrokenPipeError:
        silence()
        return 128 + signal.SIGPIPE
    except KeyboardInterrupt:
        print(f"{command}: interrupted", file=sys.stderr)
        return 128 + signal.SIGINT
    return 0 if yes else 1


def silence() -> None:
    """Nobody reads standard output any more; what is left of it goes nowhere."""
    os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
