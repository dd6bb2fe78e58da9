"""The sections `compression` and `designs`: how networks become smaller."""

from collections.abc import Mapping
from typing import Annotated, Literal

from pydantic import AfterValidator, Discriminator, Field, Tag, model_validator

from ernn.devices import limits
from ernn.errors import UserError
from ernn.params import methods
from ernn.params.section import Cells, Fraction, Integer, Real, Section, Text

LARGEST_BLOCK = max(limits.BLOCK_SIZES)
BlockSize = Annotated[Integer, Field(ge=1, le=LARGEST_BLOCK)]
Rho = Annotated[Real, Field(gt=0, le=1e6)]


class BlockSizes(Section):
    """Block size of each kind of matrix in one layer; 1 keeps the matrix dense."""

    input: BlockSize = 1
    recurrent: BlockSize = 1
    projection: BlockSize = 1


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


def _elements(given: object) -> str:
    return "(rows)" if isinstance(given, str) else "(number)"


class Compression(Section):
    """How the epochs of `training` are divided when a network is compressed."""

    dense_share: Fraction = 0.125  # of training.epochs: admm and prune start from the dense network of that epoch
    finetune_share: Fraction = 0.6  # of training.epochs: inside the circulant (or pruned) set, at the end
    admm: Admm = Admm()
    # Processing elements that get equally many non-zeros (ESE, arXiv:1612.00694): row r belongs to element r mod
    # pruning_elements; `rows`: every row is an element by itself, for engines with a row in each lane.
    pruning_elements: Annotated[
        Annotated[Cells, Tag("(number)")] | Annotated[Literal["rows"], Tag("(rows)")], Discriminator(_elements)
    ] = "rows"

    @model_validator(mode="after")
    def _divisible(self) -> "Compression":
        if self.dense_share + self.finetune_share >= 1:
            raise ValueError(
                f"dense_share={self.dense_share} + finetune_share={self.finetune_share} must stay below 1: "
                "the rest of the epochs is for the compression itself"
            )
        return self


def _detail(given: object) -> str:
    if isinstance(given, Mapping | BlockSizes):
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

    def blocks(self, layers: int) -> tuple[BlockSizes, ...]:
        """Block sizes layer by layer.

        Raises:
            UserError: the list is not as long as the network is deep.
        """
        if isinstance(self.block_size, int):
            k = self.block_size
            return (BlockSizes(input=k, recurrent=k, projection=k),) * layers
        if isinstance(self.block_size, BlockSizes):
            return (self.block_size,) * layers
        if len(self.block_size) != layers:
            raise UserError(
                f"block_size has {len(self.block_size)} entries; network {self.network} has {layers} layers: "
                "give one entry a layer, or a single one for all"
            )
        return self.block_size

    @model_validator(mode="after")
    def _consistent(self) -> "Design":
        prunes = not methods.METHODS[self.method].blocks
        if prunes and self.block_size != 1:
            raise ValueError(f"method=prune needs block_size: 1, got {self.block_size}; a pruned matrix has no blocks")
        if prunes != (self.pruning_ratio > 1):
            raise ValueError(
                f"method={self.method} with pruning_ratio={self.pruning_ratio}: above 1 for prune and only there"
            )
        return self
