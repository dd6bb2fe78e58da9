"""Designs that a search may train, and which of them cannot have fewer errors than others."""

import hashlib
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import NamedTuple

from ernn.params import BlockSizes, Design, Network
from ernn.params.methods import METHODS, PRUNED_BY_ADMM, STANDARD
from ernn.params.names import LONGEST

_LONGEST = LONGEST - len("-fourier3-1")  # what programs and accelerators of a design are called ends so
_KEPT = 30  # characters of the network in a shorter name
_LETTERS = {"input": "i", "recurrent": "r", "projection": "p"}


class Cost(NamedTuple):
    """What candidates are compared by: a smaller device first, then what is minimised.

    Args:
        device: place of the device among those that are allowed, the smallest first.
        value: of what is minimised: a share, primitives, microseconds or microjoules.
    """

    device: int
    value: float


@dataclass(frozen=True)
class Candidate:
    """A design with the cost of its best hardware.

    Args:
        name: of the design, equal for equal designs: what is trained once is never trained again.
        network: the dense network that it is compressed from.
        strength: how strongly each of its matrices is compressed, in the order of the data.
        stored_weights: words of its matrices, the output layer and biases.
        cost: of its best hardware; None where no hardware keeps the requirement.
        binds: what the hardware has too little of where `cost` is None.
    """

    name: str
    network: str
    design: Design
    shape: Network
    strength: tuple[float, ...]
    stored_weights: int
    cost: Cost | None
    binds: str = ""

    @property
    def kind(self) -> tuple[str, str, int]:
        """What candidates share whose errors can be compared without training: cell, method, depth."""
        return self.shape.cell, self.design.family, self.shape.layers

    @property
    def price(self) -> Cost:
        """`cost` of a candidate that has one."""
        assert self.cost is not None, self.name
        return self.cost

    @property
    def blocks(self) -> str:
        """Its block sizes or pruning ratio, as a person reads them."""
        return _text(self.design, self.shape)

    def harder_than(self, other: "Candidate") -> bool:
        """Whether its errors are at least the other's: errors are taken as monotone in the compression of each matrix
        and in the number of cells."""
        if self.kind != other.kind or self is other or self.name == other.name:
            return False
        stronger = all(a >= b for a, b in zip(self.strength, other.strength, strict=True))
        return stronger and all(a <= b for a, b in zip(self.shape.sizes, other.shape.sizes, strict=True))


def strength(design: Design, shape: Network) -> tuple[float, ...]:
    """How strongly each matrix is compressed: block sizes over densities, or the ratio of a pruned network."""
    if not METHODS[design.method].blocks:
        return (design.pruning_ratio,)
    layers = zip(design.blocks(shape.layers), design.densities(shape.layers), strict=True)
    return tuple(getattr(blocks, kind) / getattr(density, kind) for blocks, density in layers for kind in kinds(shape))


def kinds(shape: Network) -> tuple[str, ...]:
    """The matrices of a layer that may be compressed."""
    return ("input", "recurrent", "projection") if shape.projection else ("input", "recurrent")


def uniform(network: str, block_size: int, method: str = STANDARD) -> Design:
    """One block size for all matrices."""
    return Design(network=network, method=method, block_size=block_size)


def mixed(network: str, shape: Network, sizes: Mapping[tuple[int, str], int], method: str = STANDARD) -> Design:
    """A block size for each matrix, by layer and kind; written as simply as it can be."""
    layers = [BlockSizes(**{kind: sizes[layer, kind] for kind in kinds(shape)}) for layer in range(shape.layers)]
    if not shape.projection:
        layers = [each.model_copy(update={"projection": 1}) for each in layers]
    if len(set(sizes.values())) == 1:
        return uniform(network, next(iter(sizes.values())), method)
    alike = len(set(layers)) == 1
    return Design(network=network, method=method, block_size=layers[0] if alike else tuple(layers))


def name_of(design: Design, shape: Network) -> str:
    """The name of a design, from what it is: lstm-k8-admm, lstm-i16r8-admm, lstm-i16r8-i8r8-admm.

    One that is too long for what is made of the design gets a digest in the place of its end.

    >>> name_of(uniform("lstm", 8), Network())
    'lstm-k8-admm'
    >>> sizes = {(0, "input"): 16, (0, "recurrent"): 8, (1, "input"): 8, (1, "recurrent"): 8}
    >>> name_of(mixed("lstm", Network(), sizes), Network())
    'lstm-i16r8-i8r8-admm'
    >>> name_of(Design(network="lstm", block_size=4, density=0.5), Network())
    'lstm-k4d0p5-admm'
    """
    name = _full_name(design, shape)
    if len(name) <= _LONGEST:
        return name
    digest = hashlib.sha256(name.encode()).hexdigest()[:12]
    return f"{design.network[:_KEPT].rstrip('-_')}-{digest}-{design.method}"


def _full_name(design: Design, shape: Network) -> str:
    if not METHODS[design.method].blocks:
        return f"{design.network}-x{_number(design.pruning_ratio)}-{design.method}"
    if isinstance(design.block_size, int) and isinstance(design.density, float):
        kept = f"d{_number(design.density)}{design.pattern * (design.pattern != 'gate')}" if design.sparse else ""
        return f"{design.network}-k{design.block_size}{kept}-{design.method}"
    layers = [
        "".join(
            f"{_LETTERS[kind]}{getattr(blocks, kind)}"
            + (f"d{_number(d)}" if (d := getattr(densities, kind)) < 1 else "")
            for kind in kinds(shape)
        )
        for blocks, densities in zip(design.blocks(shape.layers), design.densities(shape.layers), strict=True)
    ]
    return "-".join([design.network, *(layers[:1] if len(set(layers)) == 1 else layers), design.method])


def _number(value: float) -> str:
    """A number in a name."""
    return f"{value:g}".replace(".", "p").replace("+", "")


def _text(design: Design, shape: Network) -> str:
    if not METHODS[design.method].blocks:
        return f"{design.pruning_ratio:g} x fewer weights"
    if design.family == PRUNED_BY_ADMM and isinstance(design.density, float):
        return f"{1 / design.density:g} x fewer weights"
    if isinstance(design.block_size, int):
        kept = f", {100 * design.density:g} % of the blocks" if isinstance(design.density, float) else ""
        return f"k = {design.block_size}{kept * design.sparse}"
    layers = [
        ", ".join(f"{kind} {getattr(blocks, kind)}" for kind in kinds(shape)) for blocks in design.blocks(shape.layers)
    ]
    if len(set(layers)) == 1:
        return f"k: {layers[0]}"
    return "k: " + "; ".join(f"layer {number}: {each}" for number, each in enumerate(layers))


def useful(candidates: Iterable[Candidate]) -> list[Candidate]:
    """Those that a choice can fall on: hardware keeps the requirement, and no easier one costs as little."""
    possible = [each for each in candidates if each.cost is not None]
    return [each for each in possible if not any(each.harder_than(o) and o.price <= each.price for o in possible)]
