"""Integer networks: what goes onto the FPGA, and its phone error rate by the model that the hardware must equal."""

import logging
from pathlib import Path

from components.stage import main
from ernn.params import Integer, Quantization, Scoring, Training

log = logging.getLogger(__name__)


def quantize(
    *,
    program: Integer,
    quantization: Quantization,
    training: Training,
    scoring: Scoring,
    dataset: Path,
    model: Path,
    float_scores: Path,
    integer: Path,
    scores: Path,
    curve: Path,
) -> dict[str, float]:
    """Choose formats, freeze the network into integers, and score it over the whole test set."""
    import torch

    from ernn import artifacts, program_file
    from ernn.data.dataset import Dataset
    from ernn.nn import model_file
    from ernn.nn.scoring import Score
    from ernn.quantize import chain
    from ernn.training import outcome

    torch.set_num_threads(1)
    data, trained = Dataset.open(dataset), model_file.load(model)
    theirs = Score.from_json(artifacts.read_json(float_scores))
    made = chain.quantize(integer.name, trained, data, program, quantization, training, scoring)
    score, metrics = chain.measure(made, data.split("test"), theirs, scoring)
    artifacts.write_json(scores, {"utterances": list(data.split("test").utterances)} | score.to_json())
    outcome.write_curve(curve, made.rows)
    program_file.save(made.program, integer)
    return metrics


if __name__ == "__main__":
    main(quantize)
