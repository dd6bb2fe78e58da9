"""Acoustic models on disk: one safetensors file, the structure in its metadata."""

import json
from pathlib import Path
from typing import Any

from safetensors import SafetensorError, safe_open
from safetensors.torch import save_file
from torch import Tensor

from ernn import artifacts
from ernn.errors import UserError
from ernn.nn.acoustic import AcousticModel
from ernn.nn.matrices import Circulant, Matrix, Pruned
from ernn.params import Network

VERSION = 1


def save(model: AcousticModel, path: Path, **about: Any) -> None:
    """One safetensors file with the structure and `about` in its metadata."""
    structure = {str(place): _structure(matrix) for place, matrix in model.matrices()}
    header = {
        "version": VERSION,
        "network": model.network.model_dump(),
        "dimension": model.dimension,
        "phones": list(model.phones),
        "criterion": model.criterion,
        "matrices": structure,
        "about": about,
    }
    tensors = {name: tensor.detach().cpu().contiguous() for name, tensor in model.state_dict().items()}
    with artifacts.atomic(path) as temporary:
        save_file(tensors, temporary, metadata={"ernn": json.dumps(header, sort_keys=True)})


def load(path: Path) -> AcousticModel:
    """The model in `path`, as it was saved.

    Raises:
        UserError: no such file, not a model of this version, tensors that do not fit, or weights that are not finite.
    """
    header, tensors = read(path)
    if header.get("version") != VERSION:
        raise UserError(f"{path}: model version {header.get('version')}, this ernn reads {VERSION}; train it again")
    network = Network.model_validate(header["network"])
    model = AcousticModel(network, header["dimension"], header["phones"], header["criterion"])
    for place, matrix in list(model.matrices()):
        structure = header["matrices"][str(place)]
        if structure["kind"] == "circulant":
            model.replace(place, Circulant(matrix.gates, matrix.rows, matrix.cols, structure["block_size"]))
        elif structure["kind"] == "pruned":
            model.replace(place, Pruned(matrix.gates, matrix.rows, matrix.cols))
    try:
        model.load_state_dict(tensors)
    except RuntimeError as error:
        reason = str(error).splitlines()[-1].strip()
        raise UserError(f"{path}: tensors do not fit the network it names ({reason}); train it again") from None
    broken = [name for name, tensor in tensors.items() if tensor.is_floating_point() and not tensor.isfinite().all()]
    if broken:
        raise UserError(f"{path}: {broken[0]} holds values that are not finite; train it again")
    return model


def read(path: Path) -> tuple[dict[str, Any], dict[str, Tensor]]:
    """Header and tensors of a model file.

    Raises:
        UserError: the file is missing, damaged or no ernn model.
    """
    if not path.is_file():
        raise UserError(f"{path}: no such file; run the stage that makes it (`dvc repro`)")
    try:
        with safe_open(path, framework="pt") as file:
            metadata = file.metadata() or {}
            tensors = {name: file.get_tensor(name) for name in file.keys()}  # noqa: SIM118 (no iterator)
    except (SafetensorError, OSError) as error:
        raise UserError(f"{path}: not a whole safetensors file ({error}); make it again") from None
    if "ernn" not in metadata:
        raise UserError(f"{path}: a safetensors file, but no ernn model; give one written by pretrain or compress")
    return json.loads(metadata["ernn"]), tensors


def _structure(matrix: Matrix) -> dict[str, Any]:
    return {"kind": matrix.kind} | ({"block_size": matrix.block_size} if isinstance(matrix, Circulant) else {})
