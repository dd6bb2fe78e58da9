"""From a trained network to a measured integer program: calibrate, search widths, fine-tune where needed, freeze."""

import logging
from dataclasses import dataclass
from typing import Any

import numpy as np

from ernn.data.dataset import Dataset, Split
from ernn.golden.model import Overflow
from ernn.nn.acoustic import AcousticModel
from ernn.nn.scoring import Score, paired_interval
from ernn.params import Bits, Integer, Quantization, Scoring, Training
from ernn.program import Program
from ernn.quantize import calibrate, evaluate, tables
from ernn.quantize.finetune import finetune
from ernn.quantize.freeze import freeze, frontend_of
from ernn.quantize.search import GROUPS, Search
from ernn.training.evaluate import evaluate as evaluate_float

log = logging.getLogger(__name__)
Row = dict[str, Any]
INPUTS = ".a_"  # part of the names of values that saturate where their function is flat


@dataclass(frozen=True)
class Made:
    """A program and how it came about; `rows` has a line for every program that was measured on the dev split."""

    program: Program
    rows: list[Row]
    finetuned: bool


@dataclass
class _Maker:
    """A network on its way into integers."""

    name: str
    model: AcousticModel
    data: Dataset
    settings: Quantization
    scoring: Scoring
    dev: Split
    rows: list[Row]

    def measured(self) -> calibrate.Ranges:
        return calibrate.measure(self.model, self.data.split("train"), self.settings.calibration_utterances)

    def program(self, integer: Integer, ranges: calibrate.Ranges) -> Program:
        formats = calibrate.choose(self.model, ranges, integer, self.settings)
        frontend = frontend_of(self.data.manifest)
        return freeze(self.name, self.model, formats, integer, self.settings, frontend)

    def per(self, integer: Integer, ranges: calibrate.Ranges, phase: str) -> float:
        """PER of the program on the dev split, noted as a row."""
        indices = np.arange(min(self.settings.search_utterances, len(self.dev)))
        per = evaluate.score(self.program(integer, ranges), self.dev, self.scoring, indices)[0].per
        widths = {group: getattr(integer.bits, group) for group in GROUPS}
        self.rows.append({"epoch": len(self.rows) + 1, "phase": phase, "dev_per": per, **widths})
        log.info("%s: %s bits, dev PER %.2f %%", phase, "/".join(map(str, widths.values())), per)
        return per

    def float_per(self) -> float:
        indices = np.arange(min(self.settings.search_utterances, len(self.dev)))
        return evaluate_float(self.model, self.dev, self.scoring)[1].part(indices).per


def quantize(
    name: str,
    model: AcousticModel,
    data: Dataset,
    integer: Integer,
    settings: Quantization,
    training: Training,
    scoring: Scoring,
) -> Made:
    """The integer program of `model`, fine-tuned if it would lose more than the budget on the dev split."""
    calibrate.check_block_sizes(model)
    maker = _Maker(name, model.eval(), data, settings, scoring, data.split("dev"), [])
    reference, ranges = maker.float_per(), maker.measured()
    if settings.search:
        found = Search(
            lambda bits: maker.per(_with(integer, bits), ranges, "search"), reference, settings.budget_points
        )
        integer = _with(integer, found.run(integer.bits))
    loss = maker.per(integer, ranges, "trained") - reference
    finetuned = loss > settings.budget_points and settings.finetune_epochs > 0
    if finetuned:
        log.info("%.2f points lost on the dev split, %g allowed: training with rounding", loss, settings.budget_points)
        formats = calibrate.choose(model, ranges, integer, settings)
        finetune(model, formats, integer, settings, training, data.split("train"))
        ranges = maker.measured()
        maker.per(integer, ranges, "finetuned")
    return Made(maker.program(integer, ranges), maker.rows, finetuned)


def measure(made: Made, test: Split, float_score: Score, scoring: Scoring) -> tuple[Score, dict[str, float]]:
    """Score of the program over the whole of `test`, and its metrics beside the float network's."""
    score, overflows = evaluate.score(made.program, test, scoring)
    low, high = score.interval(scoring.bootstrap_samples, seed=1)
    errors = tables.errors(made.program.activations)
    _report(overflows)
    return score, {
        "per_integer": score.per,
        "per_integer_low": low,
        "per_integer_high": high,
        "per_integer_without_silences": score.without_silences.per,
        "integer_loss": score.per - float_score.per,
        **_paired(score, float_score, scoring),
        "weight_bits": made.program.weight_bits,
        "sigmoid_error": errors["sigmoid"],
        "tanh_error": errors["tanh"],
        "overflow_share": max((each.share for each in overflows if INPUTS not in each.name), default=0.0),
        "finetuned": int(made.finetuned),
    }


def _paired(ours: Score, theirs: Score, scoring: Scoring) -> dict[str, float]:
    low, high = paired_interval(ours.with_silences, theirs.with_silences, scoring.bootstrap_samples, seed=1)
    return {"integer_loss_low": low, "integer_loss_high": high}


def _with(integer: Integer, bits: Bits) -> Integer:
    return integer.model_copy(update={"bits": bits})


def _report(overflows: list[Overflow]) -> None:
    for each in overflows:
        if INPUTS not in each.name:
            log.info("%s saturated %d of %d times", each.name, each.saturated, each.seen)
