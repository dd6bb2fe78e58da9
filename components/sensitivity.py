"""What each matrix of a trained design alone costs when its blocks get coarser: `ernn explore` asks for it."""

from pathlib import Path

from components.stage import OutputFile, main
from ernn.params import Scoring, Training


def sensitivity(*, training: Training, scoring: Scoring, dataset: Path, model: Path, table: OutputFile) -> None:
    """Project one matrix at a time and decode the dev split."""
    import torch

    from ernn import artifacts
    from ernn.data.dataset import Dataset
    from ernn.explore import sensitivity as measurement
    from ernn.nn import model_file
    from ernn.training import session

    torch.set_num_threads(1)  # as in training: results do not depend on the machine's cores
    data, trained = Dataset.open(dataset), model_file.load(model)
    session.check_model(trained, model, data, training)
    artifacts.write_record(table, measurement.measure(trained, data.split("dev"), scoring))


if __name__ == "__main__":
    main(sensitivity)
