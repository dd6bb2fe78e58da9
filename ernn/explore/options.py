"""What the commands of the search have in common: options of a requirement on hardware, and how an answer is given."""

import argparse
import contextlib
import io
import os
import signal
import sys
import traceback
from collections.abc import Callable, Sequence
from typing import get_args

from ernn.arguments import number
from ernn.artifacts import disk
from ernn.devices.catalogue import DEVICES
from ernn.errors import UserError
from ernn.params.requirement import Minimised, Requirement
from ernn.report import terms

MISTAKE, FAILED = 2, 3
EXITS = """\
exit code:
  0    yes: it fits, or a design keeps the requirement
  1    no: it does not fit, or nothing keeps the requirement
  2    a mistake in what was asked: an option, a file, a value out of its range,
       a full disk; one line says what to change
  3    it failed, so there is no answer: a stage, a run of a cluster, or the
       command itself
  128+ ended by a signal: 130 by Ctrl-C, 141 since nobody read its output,
       143 by kill"""
_TERMS = (
    "share",
    "array",
    "head",
    "cells a cycle",
    "weights=words, weights=transformed",
    "memory=block, memory=distributed",
)


def epilog(*names: str) -> str:
    """The end of `--help`: exit codes, and the terms of an answer, besides those of every accelerator.

    Args:
        names: of `ernn.report.terms`.
    """
    return f"{EXITS}\n\nterms of the answer:\n{terms.described([*names, *_TERMS])}"


def otherwise(key: str, section: bool) -> str:
    """What holds where an option for a key of `requirement` is not given, as help says it.

    Args:
        section: whether a section of params.yaml may say something else.

    >>> otherwise("share", True), otherwise("latency_us", False)
    ('default: 0.9, or what `requirement` says', 'default: no limit')
    """
    value = Requirement.model_fields[key].default
    text = "no limit" if value is None else " ".join(value) if isinstance(value, tuple) else f"{value}"
    return f"default: {text}" + (", or what `requirement` says" if section else "")


def add_hardware(parser: argparse.ArgumentParser, section: bool, *without: str) -> None:
    """Options for the keys of `requirement` that concern the accelerator.

    Args:
        section: as `otherwise` takes it.
        without: what cannot be minimised here.
    """

    def text(key: str, said: str) -> str:
        return f"{said}; {otherwise(key, section)}"

    parser.add_argument("--latency-us", type=number(), help=text("latency_us", "of a frame alone, at most"))
    parser.add_argument("--frames-per-s", type=number(), help=text("frames_per_s", "frames a second, at least"))
    parser.add_argument("--energy-uj", type=number(), help=text("energy_uj", "of a frame, at most (an estimate)"))
    devices = text("devices", "the smallest of these that will do")
    parser.add_argument("--device", nargs="+", dest="devices", choices=DEVICES, help=devices)
    parser.add_argument("--share", type=number(), help=text("share", "of each resource that may be used, 0 to 1"))
    parser.add_argument(
        "--clock-mhz", type=number(), help=text("clock_mhz", "that pipelines are scheduled for, at most")
    )
    choices = [each for each in get_args(Minimised) if each not in without]
    parser.add_argument("--minimise", choices=choices, help=text("minimise", "share: of the scarcest resource"))


def answered(command: str, answer: Callable[[], tuple[bool, Sequence[str]]]) -> int:
    """Print an answer; the exit code, as `EXITS` says.

    Args:
        answer: whether it is yes, and the lines to print.
    """

    def ask() -> int:
        yes, lines = answer()
        print("\n".join(lines), flush=True)
        return 0 if yes else 1

    return guarded(command, ask, "interrupted")


def guarded(command: str, ask: Callable[[], int], interrupted: str) -> int:
    """The exit code of a question whatever happens, as `EXITS` says; 1 is an answer, and never an error.

    Args:
        ask: gives the exit code of an answer.
        interrupted: what is said then.
    """
    try:
        return ask()
    except UserError as error:
        print(f"{command}: {error}", file=sys.stderr)
        return int(getattr(error, "code", MISTAKE))  # a failed stage has one
    except BrokenPipeError:
        silence()
        return 128 + signal.SIGPIPE
    except OSError as error:
        if not disk.is_full(error) and error.filename is None:
            return _failed(command)
        text = disk.named(error) if disk.is_full(error) else f"{error.filename}: {(error.strerror or '').lower()}"
        print(f"{command}: {text}", file=sys.stderr)
        silence()  # what is left of the output has no space either
        return MISTAKE
    except KeyboardInterrupt:
        print(f"{command}: {interrupted}", file=sys.stderr)
        return 128 + signal.SIGINT
    except Exception:  # Python's own exit code for it would be 1, which is a no
        return _failed(command)


def _failed(command: str) -> int:
    traceback.print_exc()
    print(f"{command}: failed, see above: an error of the command itself", file=sys.stderr)
    return FAILED


def silence() -> None:
    """Standard output takes no more; what is left of it goes nowhere."""
    with contextlib.suppress(io.UnsupportedOperation):  # of an output that is no file
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
