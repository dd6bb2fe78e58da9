"""What the test split says of a chosen network: read once, after the choice."""

from pathlib import Path

from ernn import artifacts
from ernn.errors import UserError
from ernn.records.exploration import HeldOutScore
from ernn.scoring.phone_errors import Score, paired_interval

SEED = 1  # of the bootstrap


def held_out_score(chosen: Path, dense: Path, samples: int) -> HeldOutScore:
    """Errors of an integer network on the test split against those of a dense network, with 95 % intervals.

    Args:
        chosen, dense: files of the stages `quantize` and `pretrain`: errors of every utterance.
        samples: of the bootstrap.

    Raises:
        UserError: a file is missing or damaged, or the two are of other utterances.
    """
    (ours, names), (theirs, others) = (_read(path) for path in (chosen, dense))
    if names != others:
        raise UserError(f"{chosen} and {dense} are of other utterances; run `dvc repro`")
    low, high = ours.interval(samples, SEED)
    loss_low, loss_high = paired_interval(ours.with_silences, theirs.with_silences, samples, SEED)
    return HeldOutScore(ours.per, low, high, ours.per - theirs.per, loss_low, loss_high)


def certain(test: HeldOutScore, per: float | None, per_loss: float | None) -> bool:
    """Whether a requirement is kept with 95 %: the upper end of the interval lies within it."""
    if per_loss is not None:
        return test.loss_high <= per_loss
    return per is not None and test.per_high <= per


def _read(path: Path) -> tuple[Score, object]:
    value = artifacts.read_json(path)
    try:
        return Score.from_json(value), value.get("utterances")
    except UserError as error:
        raise UserError(f"{path}: {error}") from None
