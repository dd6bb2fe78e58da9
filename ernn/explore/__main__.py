"""`python -m ernn.explore`: which network fits which device, by the cost model."""

import argparse
import json
import sys
from collections.abc import Sequence
from importlib import resources

from ernn.devices.catalogue import DEVICES, Device
from ernn.devices.limits import BLOCK_SIZES
from ernn.errors import UserError
from ernn.estimate import fit
from ernn.estimate.shapes import Shape


def parser() -> argparse.ArgumentParser:
    """The command line."""
    made = argparse.ArgumentParser(prog="python -m ernn.explore", description=fit.__doc__)
    standard, limits = Shape(), fit.STANDARD
    made.add_argument(
        "--device", choices=DEVICES, help="on which a network is to fit; default: the smallest that has room"
    )
    made.add_argument(
        "--largest", action="store_true", help="search for the number of cells that --device has room for"
    )
    made.add_argument("--cell", choices=("lstm", "gru"), default=standard.cell)
    for name in ("layers", "cells", "projection", "inputs", "classes", "bits"):
        made.add_argument(f"--{name}", type=int, default=getattr(standard, name), help="default: %(default)s")
    made.add_argument("--peepholes", action="store_true")
    made.add_argument("--block-size", type=int, choices=BLOCK_SIZES, default=standard.block_size)
    made.add_argument("--transform", choices=("exact", "fourier"), default=standard.transform)
    made.add_argument("--complex-products", type=int, choices=(3, 4), default=standard.complex_products)
    made.add_argument("--clock-mhz", type=float, default=limits.clock_mhz, help="that pipelines are scheduled for")
    made.add_argument("--streams", type=int, default=limits.streams)
    made.add_argument(
        "--share", type=float, default=limits.share, help="of each resource that may be used; default: %(default)s"
    )
    return made


def answer(arguments: argparse.Namespace) -> list[str]:
    """The lines that answer a question.

    Raises:
        UserError: sizes that describe no network, or --largest without --device.
    """
    names = Shape.__dataclass_fields__.keys() & vars(arguments).keys()
    shape = Shape(**{name: getattr(arguments, name) for name in names})
    limits = fit.Limits(arguments.share, arguments.clock_mhz, arguments.streams)
    if arguments.largest and not arguments.device:
        raise UserError("--largest asks for the largest network on a device; name one with --device")
    if arguments.largest:
        found = fit.largest(shape, DEVICES[arguments.device], limits)
        if found is None:
            return [f"no network like {shape} fits {arguments.device}"]
        return [f"largest network on {arguments.device}: {found[0]}", *_described(found[1])]
    program = shape.program()
    if not arguments.device:
        smallest = fit.smallest(program, limits)
        if smallest is None:
            return [f"{shape} fits no device that is known: {', '.join(DEVICES)}"]
        return [f"smallest device for {shape}: {smallest.device.title}", *_described(smallest)]
    device = DEVICES[arguments.device]
    best = fit.fastest(program, device, limits)
    if best is not None:
        return [f"{shape} fits {device.name}", *_described(best)]
    least = fit.candidate(program, device, fit.ARRAYS[0], limits)
    bound = ", ".join(limits.binding(device, least.resources_estimate))
    proposals = [f"would fit: {line}" for line in fit.what_fits(program, device, limits)]
    return [
        f"{shape} does not fit {device.name}, not even with the smallest arrays: short of {bound}",
        *_described(least),
        *proposals,
    ]


def _described(candidate: fit.Candidate) -> list[str]:
    device, needed = candidate.device, candidate.resources_estimate
    shares = device.shares(needed)
    lines = [f"{candidate}: {candidate.cycles_estimate} cycles a frame at least (estimate)"]
    for name, share in shares.items():
        there = f"{getattr(needed, name):.0f} of {getattr(device.resources, name)}, {share:.0%}"
        lines.append(f"{name} {there} (estimate; {_error(device, name)})")
    return lines


def _error(device: Device, resource: str) -> str:
    """How far estimates were from synthesis, at most, for accelerators that they were not fitted to."""
    text = (resources.files("ernn.estimate") / "cost_errors.json").read_text()
    found = json.loads(text).get(device.family, {}).get(resource)
    return "no synthesis to compare with" if found is None else f"within {found:.0f} % of synthesis where compared"


def main(words: Sequence[str] | None = None) -> int:
    """Print the answer; 2 for what a user has to change."""
    arguments = parser().parse_args(words)
    try:
        print("\n".join(answer(arguments)))
    except UserError as error:
        print(error, file=sys.stderr)
        return 2
    return 0


if __name__ == "__main__":
    sys.exit(main())
