"""Opening a training run: data, device, process group, threads, checkpoints."""

from typing import Any

import numpy as np
import torch

from ernn.data.dataset import Dataset, Split
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
        UserError: `training` asks for frame labels that the data have not, for a device that is not there, or for
            CTC of utterances that are too short for it.
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
    if training.criterion == "ctc":
        for name, split in {"train": train, "dev": dev, "test": dataset.split("test")}.items():
            _refuse_short(name, split)
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


def _refuse_short(name: str, split: Split) -> None:
    """CTC needs a vector for every phone and one more, a blank, between equal neighbours."""
    transcripts = [split.transcript(index) for index in range(len(split))]
    needed = np.array([len(phones) + np.count_nonzero(phones[1:] == phones[:-1]) for phones in transcripts])
    vectors = np.diff(split.offsets)
    short = np.flatnonzero(vectors < needed)
    if len(short):
        first = short[0]
        raise UserError(
            f"training.criterion=ctc: {len(short)} of {len(split)} {name} utterances are too short for their "
            f"transcripts, the first is {split.utterances[first]} ({vectors[first]} vectors, {needed[first]} needed); "
            "lower features.skip, or leave them out of the corpus"
        )
