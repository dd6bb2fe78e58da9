"""What is asserted of graphs: the outputs of the network that is read, or the line that refuses it."""

import numpy as np
import onnx
import onnxruntime
import pytest
import torch

from ernn.errors import UserError
from ernn.nn.onnx_import import from_graph
from tests.nn.onnx_graphs import BATCH, INPUTS, STEPS


def run(model: torch.nn.Module, x: np.ndarray) -> np.ndarray:
    """Outputs for (steps, sequences, inputs)."""
    with torch.no_grad():
        return model(torch.from_numpy(np.array(x))).numpy()


def refused(model: onnx.ModelProto) -> str:
    with pytest.raises(UserError) as error:
        from_graph(model)
    assert "\n" not in str(error.value)
    return str(error.value)


def same_as_onnxruntime(model: onnx.ModelProto, x: np.ndarray, batch_first: bool = False) -> None:
    session = onnxruntime.InferenceSession(model.SerializeToString(), providers=["CPUExecutionProvider"])
    (expected,) = session.run(None, {model.graph.input[0].name: x.swapaxes(0, 1) if batch_first else x})
    ours = run(from_graph(model), x)
    expected = expected.reshape(expected.shape[0], -1, expected.shape[-1])
    assert np.abs(ours - (expected.swapaxes(0, 1) if batch_first else expected)).max() < 1e-5


def inputs(steps: int = STEPS, batch: int = BATCH, elements: int = INPUTS) -> np.ndarray:
    return np.random.default_rng(steps).normal(size=(steps, batch, elements)).astype(np.float32)
