"""Networks that were trained elsewhere, as the dense baselines and starts of designs."""

from pathlib import Path

from ernn.data.dataset import Dataset
from ernn.nn import model_file
from ernn.nn.acoustic import AcousticModel
from ernn.params import NetworkSpec, Training
from ernn.training import session
from ernn.training.evaluate import count_statistics


def load(spec: NetworkSpec, dataset: Dataset, training: Training) -> AcousticModel:
    """The network of an entry with a file, with the priors and the bigram of the training transcripts.

    Raises:
        UserError: a file that the entry does not describe, or a network of other features, phones or criterion.
    """
    spec.check_file()
    path = Path(spec.file)
    model = model_file.load(path)
    session.check_model(model, path, dataset, training)
    count_statistics(model, dataset.split("train"))
    return model
