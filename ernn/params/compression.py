"""The sections `compression` and `designs`: how networks become smaller."""

import math
from collections.abc import Mapping
from typing import Annotated, Any, Literal, TypeVar

from pydantic import (
    AfterValidator,
    Discriminator,
    Field,
    SerializerFunctionWrapHandler,
    Tag,
    model_serializer,
    model_validator,
)

from ernn.devices import limits
from ernn.errors import UserError
from ernn.params import methods
from ernn.params.section import Cells, Fraction, Integer, Real, Section, Text

LARGEST_BLOCK = max(limits.BLOCK_SIZES)
ROUNDING = 1e-9  # of a density that was divided
BlockSize = Annotated[Integer, Field(ge=1, le=LARGEST_BLOCK)]
Density = Annotated[Real, Field(gt=0, le=1)]  # share of the blocks of each block row that are kept
Rho = Annotated[Real, Field(gt=0, le=1e6)]


class BlockSizes(Section):
    """Block size of each kind of matrix in one layer; 1 keeps the matrix dense."""

    input: BlockSize = 1
    recurrent: BlockSize = 1
    projection: BlockSize = 1


class Densities(Section):
    """Density of each kind of matrix in one layer; 1 keeps every block."""

    input: Density = 1.0
    recurrent: Density = 1.0
    projection: Density = 1.0


Kinds = TypeVar("Kinds", BlockSizes, Densities)


class Admm(Section):
    """The pull of the dense weights towards the circulant set (E-RNN, arXiv:1812.07106).

    rho is given times the learning rate: the share of the distance |W - Z + U| that one step closes is
    rho / (1 + rho), whatever the size of the network and whatever Adam makes of the loss gradient.
    """

    rho_start: Rho = 0.003
    rho_end: Rho = 0.3  # reached geometrically over the ADMM epochs
    updates_per_epoch: Annotated[Integer, Field(gt=0, le=10_000)] = 4  # of Z, U and rho
    tolerance: Annotated[Real, Field(gt=0, le=1)] = 0.02  # of the primal residual |W - Z| / |W| of every matrix

    @model_validator(mode="after")
    def _growing(self) -> "Admm":
        if self.rho_end < self.rho_start:
            raise ValueError(f"rho_end={self.rho_end} must not be below rho_start={self.rho_start}")
        return self


class Distillation(Section):
    """What a compressed network learns from the dense one of its training (arXiv:1503.02531).

    Its loss is (1 - weight) of the criterion of `training` and `weight` times temperature^2 times the Kullback-Leibler
    divergence of its posteriors from the dense network's, both softened by the temperature.
    """

    weight: Annotated[Real, Field(ge=0, le=1)] = 0.0  # 0: it learns from transcripts alone
    temperature: Annotated[Real, Field(ge=0.1, le=100)] = 1.0


def kept_blocks(blocks: int, density: float) -> int:
    """Blocks that each block row of so many keeps: the nearest number, one at least.

    >>> kept_blocks(32, 0.5), kept_blocks(39, 0.5), kept_blocks(4, 0.125)
    (16, 20, 1)
    """
    return min(blocks, max(1, math.floor(density * blocks + 0.5)))


def _elements(given: object) -> str:
    return "(rows)" if isinstance(given, str) else "(number)"


class Compression(Section):
    """How the epochs of `training` are divided when a network is compressed."""

    dense_share: Fraction = 0.125  # of training.epochs: admm and prune start from the dense network of that epoch
    finetune_share: Fraction = 0.6  # of training.epochs: inside the circulant (or pruned) set, at the end
    admm: Admm = Admm()
    distillation: Distillation = Distillation()
    # Of compressed networks while they train (docs/decisions/0100-dropout.md); null: training.dropout.
    dropout: Annotated[Real, Field(ge=0, lt=1)] | None = None
    # Processing elements that get equally many non-zeros (ESE, arXiv:1612.00694): row r belongs to element r mod
    # pruning_elements; `rows`: every row is an element by itself, for engines with a row in each lane.
    pruning_elements: Annotated[
        Annotated[Cells, Tag("(number)")] | Annotated[Literal["rows"], Tag("(rows)")], Discriminator(_elements)
    ] = "rows"

    @model_serializer(mode="wrap")
    def _older(self, handler: SerializerFunctionWrapHandler) -> dict[str, Any]:
        """Without `distillation` and `dropout` where there are none: digests of earlier runs stay."""
        left_out = {"distillation"} if not self.distillation.weight else set()
        left_out |= {"dropout"} if self.dropout is None else set()
        return {key: value for key, value in handler(self).items() if key not in left_out}

    @model_validator(mode="after")
    def _divisible(self) -> "Compression":
        if self.dense_share + self.finetune_share >= 1:
            raise ValueError(
                f"dense_share={self.dense_share} + finetune_share={self.finetune_share} must stay below 1: "
                "the rest of the epochs is for the compression itself"
            )
        return self


def _detail(given: object) -> str:
    if isinstance(given, Mapping | BlockSizes | Densities):
        return "(kinds)"
    return "(layers)" if isinstance(given, list | tuple) else "(all)"


class Design(Section):
    """One compressed network of the comparison."""

    network: Text
    method: Annotated[Text, AfterValidator(methods.known)] = methods.STANDARD
    block_size: Annotated[  # for all; by kind of matrix; by layer
        Annotated[BlockSize, Tag("(all)")]
        | Annotated[BlockSizes, Tag("(kinds)")]
        | Annotated[tuple[BlockSizes, ...], Tag("(layers)")],
        Discriminator(_detail),
    ] = 1
    pruning_ratio: Annotated[Real, Field(ge=1, le=10_000)] = 1.0  # prune: weights before / non-zero weights after
    density: Annotated[  # admm: share of the blocks that each block row keeps; for all, by kind of matrix, by layer
        Annotated[Density, Tag("(all)")]
        | Annotated[Densities, Tag("(kinds)")]
        | Annotated[tuple[Densities, ...], Tag("(layers)")],
        Discriminator(_detail),
    ] = 1.0
    pattern: Literal["gate", "cell"] = "gate"  # which blocks stay: each gate has its own, or all of a cell the same

    @model_serializer(mode="wrap")
    def _older(self, handler: SerializerFunctionWrapHandler) -> dict[str, Any]:
        """Without what came later and says nothing: digests of earlier runs stay."""
        later = {"density": 1.0, "pattern": "gate"}
        return {key: value for key, value in handler(self).items() if key not in later or value != later[key]}

    @property
    def sparse(self) -> bool:
        """Whether a matrix keeps only some of its blocks."""
        given = (self.density,) if isinstance(self.density, float | Densities) else self.density
        return any(each != 1.0 and each != Densities() for each in given)

    @property
    def family(self) -> str:
        """What figures and the report call its method: that of `METHODS` that stands for what it makes."""
        if not self.sparse:
            return self.method
        return methods.PRUNED_BY_ADMM if self.block_size == 1 else methods.SPARSE

    def blocks(self, layers: int) -> tuple[BlockSizes, ...]:
        """Block sizes layer by layer.

        Raises:
            UserError: the list is not as long as the network is deep.
        """
        return self._by_layer("block_size", BlockSizes, layers)

    def densities(self, layers: int) -> tuple[Densities, ...]:
        """Densities layer by layer.

        Raises:
            UserError: the list is not as long as the network is deep.
        """
        return self._by_layer("density", Densities, layers)

    def _by_layer(self, key: str, kinds: type[Kinds], layers: int) -> tuple[Kinds, ...]:
        """The values of a key, which may be given for all matrices, by their kind, or by layer and kind."""
        given: Kinds | tuple[Kinds, ...] | float = getattr(self, key)
        if isinstance(given, kinds):
            return (given,) * layers
        if not isinstance(given, tuple):
            return (kinds.model_validate(dict.fromkeys(kinds.model_fields, given)),) * layers
        if len(given) != layers:
            raise UserError(
                f"{key} has {len(given)} entries; network {self.network} has {layers} layers: "
                "give one entry a layer, or a single one for all"
            )
        return given

    def check_densities(self, layer: int, kind: str, cols: int, layers: int, name: str = "") -> None:
        """Refuse a density that leaves the rows of a matrix without blocks.

        Args:
            cols: of the matrix, in elements.
            name: of the matrix in messages, if it is none of a layer.

        Raises:
            UserError: less than one block in a row.
        """
        size = getattr(self.blocks(layers)[layer], kind)
        density, blocks = getattr(self.densities(layers)[layer], kind), -(-cols // size)
        if density * blocks < 1 - ROUNDING:
            named = name or f"layer {layer}'s {kind} matrix"
            raise UserError(
                f"density={density:g} leaves less than one of the {blocks} blocks in a row of {named}; "
                f"give {math.ceil(1000 / blocks) / 1000:g} or more, or smaller blocks"
            )

    @model_validator(mode="after")
    def _consistent(self) -> "Design":
        prunes = not methods.METHODS[self.method].blocks
        if prunes and self.block_size != 1:
            raise ValueError(f"method=prune needs block_size: 1, got {self.block_size}; a pruned matrix has no blocks")
        if prunes != (self.pruning_ratio > 1):
            raise ValueError(
                f"method={self.method} with pruning_ratio={self.pruning_ratio}: above 1 for prune and only there"
            )
        if self.sparse and self.method != methods.STANDARD:
            raise ValueError(
                f"method={self.method} with a density below 1: {methods.STANDARD} alone chooses blocks; leave it out"
            )
        if self.pattern != "gate" and not self.sparse:
            raise ValueError(f"pattern={self.pattern} says which blocks stay, and all do; give a density below 1")
        return self
