"""Networks on disk: one safetensors file, the structure in its metadata; an acoustic model's phones are there too."""

import json
from pathlib import Path
from typing import Annotated, Any, Literal, cast

import torch
from pydantic import Field, PositiveInt, ValidationError, model_validator
from safetensors import SafetensorError, safe_open
from safetensors.torch import save_file
from torch import Tensor

from ernn import artifacts
from ernn.errors import UserError
from ernn.nn.acoustic import AcousticModel
from ernn.nn.matrices import CirculantWeight, PrunedWeight, SparseWeight, Weight
from ernn.nn.recurrent import RecurrentLayer, RecurrentModel
from ernn.params import BlockSize, HeadSpec, Network, Section
from ernn.records.decoding import Decoding

VERSION = 2
_LATER: dict[str, Any] = {
    "last": False,
    "head": (),
    "initial": (),
}  # keys of the header that came with the version and are not always there


class Structure(Section):
    """What is stored of one matrix."""

    kind: Literal["dense", "circulant", "sparse", "pruned"]
    block_size: BlockSize = 1

    @classmethod
    def of(cls, matrix: Weight) -> "Structure":
        """The structure of `matrix`."""
        return cls.model_validate({"kind": matrix.kind, "block_size": getattr(matrix, "block_size", 1)})

    def empty(self, matrix: Weight) -> Weight:
        """A matrix of this structure and the size of `matrix`, to be filled."""
        size = (matrix.gates, matrix.rows, matrix.cols)
        if self.kind == "circulant":
            return CirculantWeight(*size, self.block_size)
        if self.kind == "sparse":
            return SparseWeight(*size, self.block_size)
        return PrunedWeight(*size) if self.kind == "pruned" else matrix


class Header(Section):
    """The metadata of a model file: with phones and a criterion, or, of any other network, with a number of outputs."""

    version: int
    network: Network
    dimension: PositiveInt
    phones: Annotated[tuple[str, ...], Field(min_length=1)] | None = None
    criterion: Literal["frames", "ctc"] | None = None
    decoding: Decoding | None = None
    outputs: Annotated[int, Field(ge=0)] | None = None  # 0: no linear layer
    last: bool = False
    head: tuple[HeadSpec, ...] = ()
    initial: tuple[int, ...] = ()  # layers whose initial states are no zeros
    matrices: dict[str, Structure]

    @model_validator(mode="after")
    def _of_speech_or_not(self) -> "Header":
        if (self.phones is None) != (self.criterion is None) or (self.phones is None) != (self.outputs is not None):
            raise ValueError("phones and criterion belong together, and outputs where they are missing")
        if self.last and self.phones is not None:
            raise ValueError("last: phones are of every frame")
        if not set(self.initial) <= set(range(self.network.layers)) or [*self.initial] != sorted({*self.initial}):
            raise ValueError(f"initial: rising numbers of layers below {self.network.layers}, got {self.initial}")
        return self

    @classmethod
    def of(cls, model: RecurrentModel) -> "Header":
        """What is written of a model."""
        outputs: dict[str, Any] = {"outputs": 0 if model.output is None else model.outputs, "last": model.last}
        if isinstance(model, AcousticModel):
            outputs = {"phones": model.phones, "criterion": model.criterion, "decoding": model.decoding}
        return cls(
            version=VERSION,
            network=model.network,
            dimension=model.dimension,
            head=model.specs,
            initial=model.initial,
            matrices={str(place): Structure.of(matrix) for place, matrix in model.matrices()},
            **outputs,
        )

    def written(self) -> dict[str, Any]:
        """As JSON; a key that came later is left out where it has its default."""
        others = {"outputs"} if self.outputs is None else {"phones", "criterion", "decoding"}
        return self.model_dump(exclude=others | {key for key in _LATER if getattr(self, key) == _LATER[key]})

    def empty(self) -> RecurrentModel:
        """A model of this structure, to be filled.

        Raises:
            KeyError: a matrix that is not described.
        """
        if self.phones is not None and self.criterion is not None:
            speech = AcousticModel(self.network, self.dimension, self.phones, self.criterion, self.head)
            speech.decoding = self.decoding
            model: RecurrentModel = speech
        else:
            assert self.outputs is not None
            model = RecurrentModel(self.network, self.dimension, self.outputs or None, self.last, self.head)
        for place, matrix in list(model.matrices()):
            model.replace(place, self.matrices[str(place)].empty(matrix))
        for number in self.initial:
            layer = cast(RecurrentLayer, model.layers[number])
            c = torch.empty(layer.weight_ih.rows) if layer.cell == "lstm" else None
            layer.begin_with(torch.empty(layer.outputs), c)
        return model


def save(model: RecurrentModel, path: Path) -> None:
    """Write `model` to `path`, whole or not at all."""
    header = Header.of(model)
    tensors = {name: tensor.detach().cpu().contiguous() for name, tensor in model.state_dict().items()}
    with artifacts.atomic(path) as temporary:  # one key: safetensors writes several in any order
        save_file(tensors, temporary, metadata={"ernn": json.dumps(header.written(), sort_keys=True)})


def load(path: Path) -> AcousticModel:
    """The acoustic model in `path`, as it was saved.

    Raises:
        UserError: what `load_any` refuses, and networks without phones.
    """
    model = load_any(path)
    if not isinstance(model, AcousticModel):
        raise UserError(f"{path}: a network without phones; the stages for speech take one that pretrain wrote")
    return model


def load_any(path: Path) -> RecurrentModel:
    """The network in `path`, as it was saved; an `AcousticModel` where it has phones.

    Raises:
        UserError: no such file, not a model of this version, tensors that do not fit (shape or kind of number), or
            weights that are not finite.
    """
    raw, tensors = read(path)
    if "layers" in raw:
        raise UserError(f"{path}: an integer network, not a model; give one of a float network")
    artifacts.check_version(
        path, "model", raw.get("version"), VERSION, "train or import it again (in the pipeline: `dvc repro`)"
    )
    try:
        header = Header.model_validate(raw)
        model = header.empty()
    except ValidationError as error:
        first = error.errors()[0]
        field = ".".join(str(part) for part in first["loc"])
        raise UserError(f"{path}: field {field!r} is missing or wrong ({first['msg']}); train it again") from None
    except KeyError as error:
        raise UserError(f"{path}: field 'matrices' does not describe {error}; train it again") from None
    try:
        model.load_state_dict(tensors)
    except RuntimeError as error:
        reason = str(error).splitlines()[-1].strip()
        raise UserError(f"{path}: tensors do not fit the network it names ({reason}); train it again") from None
    foreign = [name for name, tensor in model.state_dict().items() if tensors[name].dtype != tensor.dtype]
    if foreign:
        got, wanted = tensors[foreign[0]].dtype, model.state_dict()[foreign[0]].dtype
        raise UserError(f"{path}: {foreign[0]} holds {got}, a model has {wanted} there; train it again")
    broken = [name for name, tensor in tensors.items() if tensor.is_floating_point() and not tensor.isfinite().all()]
    if broken:
        raise UserError(f"{path}: {broken[0]} holds values that are not finite; train it again")
    return model


def read(path: Path) -> tuple[dict[str, Any], dict[str, Tensor]]:
    """Header, as JSON gives it, and tensors of a model file.

    Raises:
        UserError: the file is missing, damaged or no ernn model.
    """
    if path.is_dir():
        raise UserError(f"{path}: a folder, not a model file; give one of a float network")
    if not path.is_file():
        raise UserError(f"{path}: no such file; name another, or make it (in the pipeline: `dvc repro`)")
    try:
        with safe_open(path, framework="pt") as file:
            metadata = file.metadata() or {}
            tensors = {name: file.get_tensor(name) for name in file.keys()}  # noqa: SIM118 (no iterator)
    except (SafetensorError, OSError) as error:
        raise UserError(f"{path}: not a whole safetensors file ({error}); make it again") from None
    if "ernn" not in metadata:
        raise UserError(f"{path}: a safetensors file, but no ernn model; give one written by pretrain or compress")
    return _header(path, metadata["ernn"]), tensors


def _header(path: Path, text: str) -> dict[str, Any]:
    try:
        header = json.loads(text)
    except json.JSONDecodeError as error:
        raise UserError(f"{path}: its header is not JSON ({error}); train it again") from None
    if not isinstance(header, dict):
        raise UserError(f"{path}: its header is no mapping but a {type(header).__name__}; train it again")
    return header
