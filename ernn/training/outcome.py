"""What a trained network leaves behind: its model file, its curve, its scores on the test split, its metrics."""

import csv
import logging
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from ernn import artifacts
from ernn.data import phones
from ernn.data.dataset import Split
from ernn.errors import UserError
from ernn.nn.acoustic import AcousticModel
from ernn.params import Scoring
from ernn.scoring import phone_errors
from ernn.scoring.doubts import TRAINED, Cures, constant_per, doubts
from ernn.scoring.phone_errors import Score
from ernn.training.evaluate import evaluate, missing_share

log = logging.getLogger(__name__)


def measure(
    model: AcousticModel, test: Split, options: Scoring, scores: Path, cures: Cures = TRAINED
) -> dict[str, float]:
    """Decode `test`, write the errors of every utterance to `scores`, give the metrics; doubtful ones are logged.

    Args:
        cures: what is advised where scores are doubtful.
    """
    loss, score = evaluate(model, test, options)
    artifacts.write_json(scores, {"utterances": list(test.utterances)} | score.to_json())
    metrics = {"test_loss": loss, "stored_weights": model.stored_words} | rates(score, options)
    references = [test.transcript(index) for index in range(len(test))]
    metrics["constant_per"] = constant_per(references, phones.to_39, phones.SILENCE)
    if model.criterion == "ctc":
        metrics["greedy_deletions"] = missing_share(model, test)
    for doubt in doubts(metrics, cures):
        log.warning("test: %s", doubt)
    return metrics


def read_score(path: Path, test: Split) -> Score:
    """The score in a file that `measure` wrote, of exactly the utterances of `test`.

    Raises:
        UserError: no such file, no score in it, or one of other utterances or transcripts.
    """
    value = artifacts.read_json(path)
    try:
        found = Score.from_json(value)
    except UserError as error:
        raise UserError(f"{path}: {error}") from None
    transcripts = [test.transcript(index) for index in range(len(test))]
    lengths = phone_errors.score(transcripts, transcripts, phones.to_39, phones.SILENCE).with_silences.lengths
    if value.get("utterances") != list(test.utterances) or found.with_silences.lengths.tolist() != lengths.tolist():
        raise UserError(
            f"{path}: a score of other utterances than the {len(test)} of the test split; "
            "score the network on these features (`dvc repro`)"
        )
    return found


def rates(score: Score, options: Scoring) -> dict[str, float]:
    """Phone error rates in percent: both conventions, the interval, and the kinds of errors."""
    low, high = score.interval(options.bootstrap_samples, seed=1)
    return {
        "per": score.per,
        "per_low": low,
        "per_high": high,
        "per_without_silences": score.without_silences.per,
    } | kinds(score)


def kinds(score: Score) -> dict[str, float]:
    """Each kind of errors, in percent of the phones of the references."""
    errors = score.with_silences
    total = errors.lengths.sum()
    return {
        "substitutions": 100 * float(errors.substitutions.sum() / total),
        "deletions": 100 * float(errors.deletions.sum() / total),
        "insertions": 100 * float(errors.insertions.sum() / total),
    }


def write_curve(path: Path, rows: Sequence[dict[str, Any]]) -> None:
    """The epochs as CSV; columns that a phase does not have stay empty."""
    columns = list(dict.fromkeys(column for row in rows for column in row))
    with artifacts.atomic(path) as temporary, temporary.open("w", newline="") as file:
        writer = csv.DictWriter(file, columns, lineterminator="\n")
        writer.writeheader()
        writer.writerows(
            {column: f"{value:.6g}" if isinstance(value, float) else value for column, value in row.items()}
            for row in rows
        )
