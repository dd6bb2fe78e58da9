"""Whether a network fits a device, how fast it can be there, and what would fit where it does not.

All figures come from the cost model (`ernn.estimate.cost`) and the search of `ernn.explore.hardware`, without training
or synthesis.
"""

import argparse
import json
from collections.abc import Callable, Iterator, Sequence
from contextlib import suppress
from dataclasses import dataclass, replace
from importlib import resources

from pydantic import ValidationError

from ernn.arguments import Parser, RawHelp, number, whole
from ernn.devices import limits
from ernn.devices.catalogue import DEVICES, Device
from ernn.devices.limits import BLOCK_SIZES
from ernn.errors import UserError
from ernn.estimate.fabric import FABRICS
from ernn.estimate.shapes import Shape
from ernn.explore.accelerators import Estimated, Variant
from ernn.explore.counted import search
from ernn.explore.hardware import Found
from ernn.explore.memory import short_of_memory
from ernn.explore.options import answered, epilog
from ernn.explore.parts import Parts
from ernn.explore.space import Space
from ernn.nn.functions import FUNCTIONS
from ernn.params import GATES, HeadSpec
from ernn.params.requirement import Minimised, Requirement

_STEP, _MOST = 32, 8192  # cells between candidates, and of the largest
_FINE, _ROUGH = 1.5, 4.0  # how far apart sizes are: for the fastest accelerator, and for whether there is one


@dataclass(frozen=True)
class Limits:
    """What an accelerator may take, and how it is to run.

    Args:
        share: of each resource; placement and routing rarely succeed with all of it.
        clock_mhz: that pipelines are scheduled for.

    Raises:
        UserError: a number out of its range.
    """

    share: float = 0.9
    clock_mhz: float = 200.0
    streams: int = 1

    def __post_init__(self) -> None:
        if not 0 < self.share <= 1:
            raise UserError(f"share={self.share} must lie above 0, up to 1")
        limits.check("clock_mhz", self.clock_mhz, limits.CLOCK_MHZ)
        limits.check("streams", self.streams, limits.STREAMS)


STANDARD = Limits()


class Fits:
    """Questions about networks and devices within some limits; what is estimated once is used again."""

    def __init__(self, limits: Limits = STANDARD) -> None:
        self.limits, self._parts = limits, Parts()

    def fastest(self, shape: Shape, device: Device) -> Estimated | None:
        """The accelerator with the least latency; None if the network does not fit."""
        smallest = self.smallest(shape, device)
        found = self._search(shape, device, "latency_us", _FINE) if smallest is not None else None
        return found.best[0] if found and found.best else smallest  # other sizes may have room where these have not

    def smallest(self, shape: Shape, device: Device) -> Estimated | None:
        """The accelerator with the least share of the device; None if the network does not fit."""
        if short_of_memory(shape, device, self.limits.share):
            return None
        found = self._search(shape, device, "share", _ROUGH)
        if not found.best:
            found = self._search(shape, device, "share", _FINE)
        return found.best[0] if found.best else None

    def binding(self, shape: Shape, device: Device) -> tuple[str, ...]:
        """What a network that does not fit needs too much of, in words."""
        short = short_of_memory(shape, device, self.limits.share)
        return (short,) if short else self._search(shape, device, "share", _FINE).binds

    def device_for(self, shape: Shape) -> Estimated | None:
        """The fastest accelerator on the smallest device that has room; None if none has."""
        found = (self.fastest(shape, device) for device in by_size())
        return next((each for each in found if each is not None), None)

    def largest(self, shape: Shape, device: Device) -> tuple[Shape, Estimated] | None:
        """The network with most cells that fits, and its fastest accelerator; None if 32 cells do not.

        The cells of the largest layer are counted; other layers, and a projection, keep their ratio to them. A head
        stays as it is.
        """

        def shape_of(number: int) -> Shape:
            return scaled(shape, _STEP * (number + 1))

        found = _last(_MOST // _STEP, lambda number: self.smallest(shape_of(number), device) is not None)
        best = self.fastest(shape_of(found), device) if found >= 0 else None
        return None if best is None else (shape_of(found), best)

    def in_place(self, shape: Shape, device: Device) -> Iterator[str]:
        """What would fit in place of a network that does not: a line a proposal.

        The smallest larger block size on the same device, and the smallest other device.
        """
        for block_size in BLOCK_SIZES:
            if shape.block_size < block_size <= min(*shape.sizes, *shape.widths):
                found = self.fastest(replace(shape, block_size=block_size), device)
                if found is not None:
                    yield f"block_size={block_size} on {device.name} with {found}; {speed(found)}"
                    break
        if (other := self.device_for(shape)) is not None:
            yield f"{other.setting.device.name} with {other}; {speed(other)}"

    def _search(self, shape: Shape, device: Device, minimise: Minimised, apart: float) -> Found:
        given = self.limits
        space = Space(apart, (given.clock_mhz,), ("auto",), streams=(given.streams,), alone=1)
        requirement = Requirement(
            per=100.0, devices=(device.name,), share=given.share, clock_mhz=given.clock_mhz, minimise=minimise
        )
        variants = [Variant(str(shape), shape.program())]
        return search(variants, requirement, device, space, few=1, fronts=False, parts=self._parts)


def scaled(shape: Shape, largest: int) -> Shape:
    """The same network with so many cells in its largest layer."""
    most = max(shape.sizes)
    cells = tuple(max(1, largest * size // most) for size in shape.sizes)
    projection = max(1, largest * shape.projection // most) if shape.projection else 0
    return replace(shape, cells=largest if isinstance(shape.cells, int) else cells, projection=projection)


def by_size() -> list[Device]:
    """All devices, that with the fewest look-up tables first; ones with 4 inputs count for two thirds."""
    return sorted(DEVICES.values(), key=lambda device: device.resources.lut * FABRICS[device.family].lut_inputs / 6)


def speed(candidate: Estimated) -> str:
    """Cycles and time of a frame, as a person reads them."""
    pace, mhz = candidate.pace, candidate.setting.clock_mhz
    every = f"a frame every {pace.interval:g} cycles, {pace.interval / mhz:.1f} us"
    return f"{every}; one alone takes {pace.latency} cycles, {pace.latency / mhz:.1f} us, at {mhz:g} MHz (estimate)"


def parser() -> argparse.ArgumentParser:
    """The command line."""
    made = Parser(
        prog="ernn fit",
        description=__doc__,
        epilog=epilog(),
        formatter_class=RawHelp,
    )
    standard, limits = Shape(), STANDARD
    made.add_argument(
        "--device", choices=DEVICES, help="on which a network is to fit; default: the smallest that has room"
    )
    made.add_argument(
        "--largest", action="store_true", help="search for the number of cells that --device has room for"
    )
    made.add_argument("--cell", choices=tuple(GATES), default=standard.cell, help="of all layers")
    made.add_argument("--layers", type=whole(), help="recurrent layers; default: as many as --cells has numbers")
    made.add_argument(
        "--cells",
        type=whole(),
        nargs="+",
        default=[standard.cells],
        help="of all layers, or of each",
    )
    sizes = {
        "projection": "outputs of each LSTM layer; 0: as many as cells",
        "inputs": "elements of a feature vector",
        "classes": "of the output layer",
        "bits": "of all tensors",
    }
    for name, text in sizes.items():
        made.add_argument(f"--{name}", type=whole(), default=getattr(standard, name), help=text)
    made.add_argument("--peepholes", action="store_true", help="gates of an LSTM see its cell state")
    made.add_argument(
        "--block-size", type=whole(), choices=BLOCK_SIZES, default=standard.block_size, help="of all matrices"
    )
    made.add_argument(
        "--head",
        type=_linear,
        nargs="+",
        default=(),
        metavar="OUTPUTS:FUNCTION",
        help=f"linear layers before the last one, as 64:relu; functions: {', '.join(FUNCTIONS)}; default: none",
    )
    kept = "share of the blocks that every block row keeps; default: all"
    made.add_argument("--density", type=number(), default=standard.density, help=kept)
    made.add_argument(
        "--transform", choices=("exact", "fourier"), default=standard.transform, help="of products of blocks"
    )
    made.add_argument(
        "--complex-products",
        type=whole(),
        choices=(3, 4),
        default=standard.complex_products,
        help="multiplications of one; with --transform fourier",
    )
    made.add_argument("--clock-mhz", type=number(), default=limits.clock_mhz, help="that pipelines are scheduled for")
    made.add_argument("--streams", type=whole(), default=limits.streams, help="utterances at a time")
    made.add_argument(
        "--share", type=number(), default=limits.share, help="of each resource that may be used; default: %(default)s"
    )
    return made


def _linear(text: str) -> HeadSpec:
    """A linear layer of a head: outputs and function."""
    outputs, _, name = text.partition(":")
    function = FUNCTIONS.get(name or "none")
    if function is not None and outputs.isdecimal():
        with suppress(ValidationError):
            return HeadSpec(outputs=int(outputs), function=function.kind, low=function.low, high=function.high)
    rule = f"must be a number of outputs, at most 16384, and one of {', '.join(FUNCTIONS)}, as 64:relu"
    raise argparse.ArgumentTypeError(f"{rule}; got {text[:40]!r}")


def answer(arguments: argparse.Namespace) -> tuple[bool, list[str]]:
    """Whether the answer is yes, and the lines to print.

    Raises:
        UserError: sizes that describe no network, or --largest without --device.
    """
    names = Shape.__dataclass_fields__.keys() & vars(arguments).keys()
    given = {name: getattr(arguments, name) for name in names}
    cells = tuple(arguments.cells)
    given |= {"cells": cells[0] if len(cells) == 1 else cells, "layers": arguments.layers or len(cells)}
    given |= {"head": tuple(arguments.head)}
    shape = Shape(**given)
    fits = Fits(Limits(arguments.share, arguments.clock_mhz, arguments.streams))
    if not arguments.device:
        if arguments.largest:
            raise UserError("--largest asks for the largest network on a device; name one with --device")
        found = fits.device_for(shape)
        if found is None:
            return False, [f"{shape} fits no device that is known: {', '.join(DEVICES)}"]
        return True, [f"smallest device for {shape}: {found.setting.device.title}", *_described(found)]
    device = DEVICES[arguments.device]
    if arguments.largest:
        largest = fits.largest(shape, device)
        if largest is None:
            return False, [f"no network like {shape} fits {device.name}, not even one of {_STEP} cells"]
        return True, [f"largest network on {device.name}: {largest[0]}", *_described(largest[1])]
    best = fits.fastest(shape, device)
    if best is not None:
        return True, [f"{shape} fits {device.name}", *_described(best)]
    bound = "; ".join(fits.binding(shape, device))
    proposals = [f"would fit: {line}" for line in fits.in_place(shape, device)]
    nothing = ["no larger blocks and no other device that is known have room for it"]
    return False, [f"{shape} does not fit {device.name}: {bound} (estimate)", *(proposals or nothing)]


def _described(candidate: Estimated) -> list[str]:
    device, needed = candidate.setting.device, candidate.needed
    lines = [str(candidate), speed(candidate)]
    for name, share in device.shares(needed).items():
        there = f"{getattr(needed, name):.0f} of {getattr(device.resources, name)}, {share:.0%}"
        lines.append(f"{name} {there} (estimate; {_error(device, name)})")
    lines.append(f"clock {candidate.setting.clock_mhz:g} MHz (pipelines are scheduled for it; {_clock_error(device)})")
    return lines


def _error(device: Device, resource: str) -> str:
    """How far estimates were from synthesis, at most, for accelerators that they were not fitted to."""
    found = _errors(device).get(resource)
    return "no synthesis to compare with" if found is None else f"within {found:.0f} % of synthesis where compared"


def _clock_error(device: Device) -> str:
    found = _errors(device).get("clock")
    if found is None:
        return "only place and route can say whether it is reached"
    above = f"it was up to {found:.0f} % above what" if found > 0 else "it was never above what"
    return f"{above} levels of logic after synthesis allow, where compared"


def _errors(device: Device) -> dict[str, float]:
    """In percent, by resource."""
    text = (resources.files("ernn.estimate") / "cost_errors.json").read_text()
    found: dict[str, float] = json.loads(text).get(device.family, {})
    return found


def _last(count: int, good: Callable[[int], bool]) -> int:
    """The last of 0 .. count - 1 for which `good` holds, if it holds up to some number; -1 if it never does."""
    low, high = -1, count
    while high - low > 1:
        middle = (low + high) // 2
        low, high = (middle, high) if good(middle) else (low, middle)
    return low


def main(words: Sequence[str] | None = None) -> int:
    """Print the answer; the exit code."""
    arguments = parser().parse_args(words)
    return answered("fit", lambda: answer(arguments))
