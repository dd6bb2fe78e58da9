"""What every script of bench.peer starts from: a module of torch as a user has it, its weights and data in files."""

from pathlib import Path

import numpy as np
import torch


class Sensor(torch.nn.Module):
    """Twelve readings a step into an LSTM of 32 cells; the kind of fault, of five, by its last output."""

    def __init__(self) -> None:
        super().__init__()
        self.lstm = torch.nn.LSTM(12, 32, batch_first=True)
        self.head = torch.nn.Linear(32, 5)

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        """A logit for each kind, (sequences, 5), of x (sequences, steps, 12)."""
        y, _ = self.lstm(x)
        return self.head(y[:, -1])


def load(folder: Path) -> tuple[Sensor, np.ndarray]:
    """The trained module, and sequences (sequences, steps, 12) in float32."""
    sensor = Sensor()
    weights = np.load(folder / "sensor.npz")
    sensor.load_state_dict({name: torch.from_numpy(weights[name]) for name in weights.files})
    return sensor.eval(), np.load(folder / "x.npy")
