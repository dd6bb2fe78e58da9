"""Opening a training run: data, device, process group, threads, checkpoints."""

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
import torch

from ernn import artifacts
from ernn.data import phones
from ernn.data.dataset import Dataset, Split, check_criterion, ctc_vectors
from ernn.errors import UserError
from ernn.nn.acoustic import AcousticModel
from ernn.params import HeadSpec, Network, Scoring, Training
from ernn.records import speech
from ernn.records.speech import Speech
from ernn.training.checkpoint import Checkpoints
from ernn.training.distributed import Group
from ernn.training.evaluate import count_statistics
from ernn.training.loop import Run, choose_device


def open_run(dataset: Dataset, training: Training, scoring: Scoring, **identity: Any) -> Run:
    """A run over `dataset`, its checkpoints keyed by data, parameters and `identity`.

    Raises:
        UserError: `training` asks for frame labels that the data have not, for a device that is not there, or for
            CTC of utterances that are too short for it; phones that are not scored, or checkpoints that have no place.
    """
    _check_phones(dataset)
    if training.threads:
        torch.set_num_threads(training.threads)
    device = choose_device(training.device)
    train, dev = dataset.split("train"), dataset.split("dev")
    check_criterion(training.criterion, labelled=bool((train.labels >= 0).any()))
    if training.criterion == "ctc":
        for name, split in {"train": train, "dev": dev, "test": dataset.split("test")}.items():
            _refuse_short(name, split)
    checkpoints = Checkpoints.of(
        data=dataset.digest, training=training.model_dump(), scoring=scoring.model_dump(), **identity
    )
    artifacts.check_writable(checkpoints.folder, folder=True)
    return Run(train, dev, training, scoring, checkpoints, device, Group.join(device))


def check_model(model: AcousticModel, file: Path, dataset: Dataset, training: Training) -> None:
    """Refuse a model that is not of these features and parameters, before any work is done with it.

    Raises:
        UserError: vectors of another size, other phones or another order of them, or another criterion.
    """
    _check_phones(dataset)
    cure = f"give a model of these features, its classes in the order of `phones` in {dataset.path}/manifest.json"
    speech.check(Speech(file, model.dimension, model.phones), dataset.speech, cure)
    if model.criterion != training.criterion:
        raise UserError(
            f"{file} is a model of training.criterion={model.criterion}, got training.criterion={training.criterion}; "
            f"set training.criterion: {model.criterion}, or give a model of the other one"
        )


def check_networks(one: tuple[Path, AcousticModel], other: tuple[Path, AcousticModel]) -> None:
    """Refuse two models, each with its file, that are not stages of one training.

    Raises:
        UserError: networks of different cells, sizes or heads.
    """
    (file, model), (other_file, other_model) = one, other
    ours, theirs = ({**each.network.model_dump(), "head": _head_text(each)} for each in (model, other_model))
    for key, value in ours.items():
        if value != theirs[key]:
            raise UserError(
                f"{file} is a network of {key}={value}, {other_file} one of {key}={theirs[key]}; "
                "give both files of one training"
            )


def _head_text(model: AcousticModel) -> str:
    """The linear layers before the one over the phones."""
    return ", ".join(f"{each.outputs} ({each})" for each in model.specs) or "none"


def fresh_model(network: Network, dataset: Dataset, training: Training, head: Sequence[HeadSpec] = ()) -> AcousticModel:
    """A dense network with random weights and the statistics of the training transcripts.

    Args:
        head: linear layers before the one over the phones.
    """
    torch.manual_seed(training.seed)
    model = AcousticModel(network, dataset.dimension, dataset.phones, training.criterion, head)
    count_statistics(model, dataset.split("train"))
    return model


def _check_phones(dataset: Dataset) -> None:
    """Classes are folded to the scored phones by their number."""
    scored = Speech("the table of scored phones", dataset.dimension, phones.PHONES48)
    speech.check(dataset.speech, scored, f"delete {dataset.path} and run `dvc repro prepare`")


def _refuse_short(name: str, split: Split) -> None:
    """Utterances with fewer vectors than CTC needs."""
    needed = np.array([ctc_vectors(split.transcript(index)) for index in range(len(split))])
    vectors = np.diff(split.offsets)
    short = np.flatnonzero(vectors < needed)
    if len(short):
        first = short[0]
        raise UserError(
            f"training.criterion=ctc: {len(short)} of {len(split)} {name} utterances are too short for their "
            f"transcripts, the first is {split.utterances[first]} ({vectors[first]} vectors, {needed[first]} needed); "
            "lower features.skip, or leave them out of the corpus"
        )
