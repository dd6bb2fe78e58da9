"""An acoustic model as a model of MLflow: features of an utterance in, logits out.

MLflow keeps this module with the network's file, and runs it where the model is loaded: no pickle is read. `ernn` must
be installed there.
"""

from pathlib import Path
from typing import Any

import numpy as np
from mlflow.models import set_model
from mlflow.pyfunc import PythonModel, PythonModelContext


class Network(PythonModel):
    """The network of a safetensors file."""

    def load_context(self, context: PythonModelContext) -> None:
        """Read it."""
        from ernn.nn import model_file

        self.network = model_file.load(Path(context.artifacts["network"])).eval()

    def predict(
        self, context: PythonModelContext, model_input: np.ndarray, params: dict[str, Any] | None = None
    ) -> Any:
        """Logits of each frame, (frames, classes), from feature vectors, (frames, elements)."""
        import torch

        with torch.no_grad():
            return self.network(torch.from_numpy(model_input)[:, None])[:, 0].numpy()


set_model(Network())
