"""What MLflow keeps of a run besides numbers: the speech that it has used, and its network as a registered model."""

import contextlib
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:  # importing MLflow takes seconds
    from mlflow import MlflowClient

_SERVED = Path(__file__).with_name("served.py")
_EXAMPLE = 10  # frames


@dataclass(frozen=True)
class Data:
    """Speech that a run has used.

    Args:
        digest: of what decides it.
        source: how it is made, as JSON.
        profile: how much it is, as JSON.
        use: training, validation or testing.
    """

    name: str
    digest: str
    source: str
    profile: str
    use: str


@dataclass(frozen=True)
class Served:
    """A network that the store keeps as a model of MLflow, under a name that its next versions share.

    Args:
        inputs, outputs: elements of a feature vector, and classes.
        file: of the folder of its run.
    """

    name: str
    inputs: int
    outputs: int
    file: str


def log_data(client: "MlflowClient", run_id: str, data: Sequence[Data]) -> None:
    """Name the speech that a run has used."""
    from mlflow.entities import Dataset, DatasetInput, InputTag

    inputs = [
        DatasetInput(
            Dataset(each.name, each.digest, "ernn", each.source, profile=each.profile),
            [InputTag("mlflow.data.context", each.use)],
        )
        for each in data
    ]
    if inputs:
        client.log_inputs(run_id, inputs)


def save(model: Served, folder: Path) -> None:
    """The network as MLflow loads it, in `folder`/model: our file, and the module that reads it."""
    import mlflow.pyfunc
    import numpy as np
    from mlflow.models import ModelSignature
    from mlflow.types import Schema, TensorSpec

    example = np.zeros((_EXAMPLE, model.inputs), np.float32)
    inputs, outputs = (TensorSpec(example.dtype, (-1, size)) for size in (model.inputs, model.outputs))
    mlflow.pyfunc.save_model(
        str(folder / "model"),
        python_model=str(_SERVED),
        artifacts={"network": str(folder / model.file)},
        signature=ModelSignature(Schema([inputs]), Schema([outputs])),
        input_example=example,
        pip_requirements=["ernn[train]"],
    )
    (folder / model.file).unlink()  # it is in the model's folder


def register(client: "MlflowClient", run_id: str, model: Served, description: str) -> None:
    """A version of the model's name."""
    from mlflow.exceptions import MlflowException

    with contextlib.suppress(MlflowException):  # it is there
        client.create_registered_model(model.name)
    source = f"{client.get_run(run_id).info.artifact_uri}/model"
    client.create_model_version(model.name, source, run_id, description=description.replace("**", ""))
