"""Networks of `params.yaml`: sizes of recurrent layers, trained by the pipeline or imported."""

import json
import re
from collections.abc import Iterable
from pathlib import Path
from typing import Annotated, Any, Literal, Protocol

from pydantic import (
    AfterValidator,
    Discriminator,
    Field,
    SerializerFunctionWrapHandler,
    Tag,
    ValidationError,
    model_serializer,
    model_validator,
)

from ernn import artifacts
from ernn.errors import UserError
from ernn.params.head import HeadSpec
from ernn.params.section import Cells, Flag, Integer, Section, Text

Cell = Literal["lstm", "gru", "rnn"]
GATES: dict[Cell, int] = {"lstm": 4, "gru": 3, "rnn": 1}


def _cells(given: object) -> str:
    return "(layers)" if isinstance(given, list | tuple) else "(all)"


def by_layer(cells: int | tuple[int, ...], layers: int) -> tuple[int, ...]:
    """Cells of each layer.

    >>> by_layer(128, 2), by_layer((64, 32), 2)
    ((128, 128), (64, 32))
    """
    return (cells,) * layers if isinstance(cells, int) else cells


def cells_text(cells: int | tuple[int, ...]) -> str:
    """Cells as a person reads them.

    >>> cells_text(128), cells_text((64, 32))
    ('128', '64 + 32')
    """
    return str(cells) if isinstance(cells, int) else " + ".join(map(str, cells))


class _Stack(Protocol):
    @property
    def cells(self) -> int | tuple[int, ...]:
        """Of every layer, or of each."""

    @property
    def layers(self) -> int:
        """Layers in a row."""

    @property
    def projection(self) -> int:
        """Elements of y of every layer; 0: those of its cells."""


class Sizes:
    """Sizes of stacked layers, of whatever has `cells`, `layers` and `projection`."""

    @property
    def sizes(self: _Stack) -> tuple[int, ...]:
        """Cells of each layer."""
        return by_layer(self.cells, self.layers)

    @property
    def widths(self: _Stack) -> tuple[int, ...]:
        """Elements of each layer's y."""
        return by_layer(self.projection or self.cells, self.layers)

    @property
    def outputs(self: _Stack) -> int:
        """Elements of the last layer's y."""
        return by_layer(self.projection or self.cells, self.layers)[-1]


class Network(Sizes, Section):
    """One acoustic model: stacked recurrent layers and an output layer over the phones."""

    cell: Cell = "lstm"
    layers: Annotated[Integer, Field(gt=0, le=64)] = 2
    cells: Annotated[  # of every layer, or of each
        Annotated[Cells, Tag("(all)")] | Annotated[tuple[Cells, ...], Tag("(layers)")], Discriminator(_cells)
    ] = 128
    projection: Annotated[Integer, Field(ge=0, le=16_384)] = 0  # outputs of the LSTM projection; 0 = none
    peepholes: Flag = False
    reset: Literal["before", "after"] = "before"  # gru: r acts before or after the candidate's recurrent product

    @property
    def gates(self) -> int:
        """Gates of a cell, whose rows are stacked in its matrices."""
        return GATES[self.cell]

    @model_validator(mode="after")
    def _expressible(self) -> "Network":
        if self.cell != "lstm" and (self.projection or self.peepholes):
            raise ValueError(
                f"cell={self.cell} has neither projection nor peepholes; set projection: 0 and peepholes: false"
            )
        if self.cell != "gru" and self.reset != "before":
            raise ValueError(f"cell={self.cell} has no reset gate; leave reset out")
        if len(self.sizes) != self.layers:
            raise ValueError(
                f"cells has {len(self.sizes)} entries, layers={self.layers}: give one a layer, or one number for all"
            )
        if self.projection >= min(self.sizes) and self.projection:
            raise ValueError(
                f"projection={self.projection} must be smaller than cells={cells_text(self.cells)}; 0 means none"
            )
        return self


def entry(values: Any) -> str:
    """Values as they are written in `params.yaml`, on one line.

    >>> entry({"cell": "gru", "head": [{"outputs": 16, "low": 0.0, "high": None}]})
    '{cell: gru, head: [{outputs: 16, low: 0.0, high: null}]}'
    """
    return json.dumps(values).replace('"', "")


def described(head: Iterable[HeadSpec]) -> list[dict[str, Any]]:
    """Linear layers of a head as an entry of `networks` has them."""
    return [each.model_dump(mode="json", exclude_none=True) for each in head]


def _head(path: Path, held: Any) -> list[dict[str, Any]]:
    """Those of a model file's header."""
    try:
        return described(map(HeadSpec.model_validate, held))
    except (TypeError, ValidationError):
        raise UserError(f"{path}: its head is none of linear layers; import the network again") from None


def _digest(given: str) -> str:
    if given and not re.fullmatch("[0-9a-f]{64}", given):
        raise ValueError(f"sha256={given[:70]!r}: 64 digits from 0 to f; `ernn import` and `sha256sum` print them")
    return given


Digest = Annotated[str, Field(strict=True, max_length=4096), AfterValidator(_digest)]


class NetworkSpec(Network):
    """An entry of `networks`: one that is trained here, or with `file` one that was trained elsewhere."""

    head: Annotated[tuple[HeadSpec, ...], Field(max_length=16)] = ()  # linear layers before that over the phones
    file: Text = ""  # a model that `ernn import` wrote, with phones; "" = train one
    sha256: Digest = ""  # of the file: its content counts

    @property
    def network(self) -> Network:
        """The sizes of its recurrent layers alone."""
        return Network(**self.model_dump(exclude={"head", "file", "sha256"}))

    @model_validator(mode="after")
    def _whole(self) -> "NetworkSpec":
        if bool(self.file) != bool(self.sha256):
            given, missing = ("file", "sha256") if self.file else ("sha256", "file")
            raise ValueError(f"{given} is given without {missing}; `ernn import` prints both")
        return self

    @model_serializer(mode="wrap")
    def _older(self, handler: SerializerFunctionWrapHandler) -> dict[str, Any]:
        """Without what came later and says nothing: digests of earlier runs stay."""
        return {key: value for key, value in handler(self).items() if key != "head" or value}

    def check_file(self) -> None:
        """Refuse a file that is not the network that this entry describes.

        Raises:
            UserError: no such file, another content than `sha256` says, or a network of other sizes.
        """
        path = Path(self.file)
        header = artifacts.network_header(path)
        if (found := artifacts.sha256(path)) != self.sha256:
            raise UserError(f"{path}: sha256 must be that of the file; write sha256: {found}")
        said, held = self.network.model_dump(mode="json"), header.get("network")
        if not isinstance(held, dict) or "phones" not in header:
            raise UserError(f"{path}: no acoustic model; give one that `ernn import --phones` wrote")
        wrong = [key for key, value in said.items() if held.get(key) != value]
        if wrong:
            values = ", ".join(f"{key}: {held.get(key)}" for key in wrong)
            raise UserError(f"{path}: {wrong[0]} is not {said[wrong[0]]} in this network; write {values}")
        ours, theirs = described(self.head), _head(path, header.get("head", []))
        if ours != theirs:
            raise UserError(f"{path}: head is not {entry(ours)} in this network; write head: {entry(theirs)}")
        structures = header.get("matrices")
        kinds = {each.get("kind") for each in structures.values()} if isinstance(structures, dict) else set()
        if kinds != {"dense"}:
            raise UserError(f"{path}: its matrices are compressed ({', '.join(map(str, kinds))}); give a dense network")


def head_of(network: Network) -> tuple[HeadSpec, ...]:
    """Linear layers before the last one: those of an entry of `networks`; sizes alone have none."""
    return network.head if isinstance(network, NetworkSpec) else ()
