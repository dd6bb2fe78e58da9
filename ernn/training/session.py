"""Opening a training run: data, device, process group, threads, checkpoints."""

from typing import Any

import torch

from ernn.data.dataset import Dataset
from ernn.errors import UserError
from ernn.nn.acoustic import AcousticModel
from ernn.params import Network, Scoring, Training
from ernn.training.checkpoint import Checkpoints
from ernn.training.distributed import Group
from ernn.training.evaluate import count_statistics
from ernn.training.loop import Run, choose_device


def open_run(dataset: Dataset, training: Training, scoring: Scoring, **identity: Any) -> Run:
    """A run over `dataset`, its checkpoints keyed by data, parameters and `identity`.

    Raises:
        UserError: `training` asks for frame labels that the data have not, or for a device that is not there.
    """
    if training.threads:
        torch.set_num_threads(training.threads)
    device = choose_device(training.device)
    train, dev = dataset.split("train"), dataset.split("dev")
    if training.criterion == "frames" and (train.labels < 0).all():
        raise UserError(
            "training.criterion=frames needs a phone label for each frame and this corpus has none; "
            "set training.criterion: ctc, or corpus.alignment_model to a model of the same corpus"
        )
    checkpoints = Checkpoints.of(
        data=dataset.digest, training=training.model_dump(), scoring=scoring.model_dump(), **identity
    )
    return Run(train, dev, training, scoring, checkpoints, device, Group.join(device))


def fresh_model(network: Network, dataset: Dataset, training: Training) -> AcousticModel:
    """A dense network with random weights and the statistics of the training transcripts."""
    torch.manual_seed(training.seed)
    model = AcousticModel(network, dataset.dimension, dataset.phones, training.criterion)
    count_statistics(model, dataset.split("train"))
    return model
