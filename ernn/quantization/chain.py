"""From a trained network to a measured integer program: calibrate, search widths, fine-tune where needed, freeze."""

import logging
from collections.abc import Callable
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any

from ernn.data import phones
from ernn.data.dataset import Dataset, Split
from ernn.dataflow.activation import Activations
from ernn.dataflow.formats import Format
from ernn.golden.model import Overflow
from ernn.nn.acoustic import AcousticModel
from ernn.params import Bits, ProgramSpec, Quantization, Scoring
from ernn.program.network import Program
from ernn.quantization import calibrate, evaluate, room, tables
from ernn.quantization.finetune import finetune
from ernn.quantization.freeze import freeze, frontend_of
from ernn.quantization.search import GROUPS, Search
from ernn.scoring.bootstrap import Interval
from ernn.scoring.doubts import constant_per, of_integers
from ernn.scoring.phone_errors import Score, paired_interval
from ernn.training.evaluate import evaluate as evaluate_float
from ernn.training.loop import Run
from ernn.training.outcome import kinds

log = logging.getLogger(__name__)
Row = dict[str, Any]


@dataclass(frozen=True)
class Quantized:
    """An integer program; `rows` has a line for every program that was measured on the dev split on the way to it."""

    program: Program
    rows: list[Row]
    finetuned: bool


@dataclass
class Quantizer:
    """Freezes a trained network into programs of given widths; `rows` collects what was measured on the dev split."""

    name: str
    model: AcousticModel
    data: Dataset
    settings: Quantization
    scoring: Scoring
    rows: list[Row] = field(default_factory=list)

    def __post_init__(self) -> None:
        calibrate.check_block_sizes(self.model)
        self.model.eval()
        self._dev = self.data.split("dev")
        self._chosen = self._dev.spread(self.settings.search_utterances)
        self._ranges = self._measured()
        self._tables: dict[tuple[Format, Format], Activations] = {}

    @cached_property
    def reference(self) -> Score:
        """Score of the float network on the utterances of the dev split by which programs are chosen."""
        return evaluate_float(self.model, self._dev, self.scoring)[1].part(self._chosen)

    def formats(self, spec: ProgramSpec) -> calibrate.Formats:
        """Formats of the widths of `spec`."""
        return calibrate.choose(self.model, self._ranges, spec, self.settings)

    def program(self, spec: ProgramSpec) -> Program:
        """The program in the widths of `spec`.

        Raises:
            UserError: values too large for integers.
        """
        formats = self.formats(spec)
        key = (formats.preactivation, formats.gate)
        if key not in self._tables:
            self._tables[key] = tables.activations(*key, self.settings.segments, self.settings.shared_table)
        frontend = frontend_of(self.data.manifest)
        program = freeze(self.name, self.model, formats, spec, self._tables[key], frontend)
        room.check_sums(program, self._ranges.values)
        return program

    def score(self, spec: ProgramSpec, phase: str) -> Score:
        """Score of the program on the same utterances, noted as a row."""
        score, _ = evaluate.score(self.program(spec), self._dev, self.scoring, self._chosen)
        widths = {group: getattr(spec.bits, group) for group in GROUPS}
        self.rows.append({"epoch": len(self.rows) + 1, "phase": phase, "dev_per": score.per, **widths})
        log.info(
            "%s: %s bits, PER %.2f %% of %d of %d dev utterances (float network: %.2f %%)",
            phase,
            "/".join(map(str, widths.values())),
            score.per,
            len(self._chosen),
            len(self._dev),
            self.reference.per,
        )
        return score

    def finetune(self, spec: ProgramSpec, run: Run) -> None:
        """Train the network with its rounding, and measure its values again."""
        finetune(self.model, self.formats(spec), spec, run)
        self.model.cpu()
        self._ranges = self._measured()

    def _measured(self) -> calibrate.Ranges:
        return calibrate.measure(self.model, self.data.split("train"), self.settings.calibration_utterances)


def quantize(quantizer: Quantizer, spec: ProgramSpec, open_run: Callable[[], Run]) -> Quantized:
    """The integer program of a network: widths searched if asked for, then trained with its rounding if it loses more
    than the budget on the dev split, and not by the chance of its utterances.

    Args:
        quantizer: the network and its data.
        spec: arithmetic and widths; where they are searched, the widest.
        open_run: what to fine-tune with, opened only if needed.
    """
    budget, reference = quantizer.settings.budget_points, quantizer.reference
    if spec.search:
        found = Search(lambda bits: quantizer.score(_with(spec, bits), "search").per, reference.per, budget)
        spec = _with(spec, found.run(spec.bits))
    score = quantizer.score(spec, "trained")
    loss, (low, _) = score.per - reference.per, _interval(score, reference, quantizer.scoring)
    finetuned = loss > budget and low > 0 and quantizer.settings.finetune_epochs > 0
    if finetuned:
        log.info("%.2f points lost on the dev split, %g allowed: training with rounding", loss, budget)
        run = open_run()
        quantizer.finetune(spec, run)
        quantizer.score(spec, "finetuned")
    return Quantized(quantizer.program(spec), quantizer.rows, finetuned)


def measure(quantized: Quantized, test: Split, float_score: Score, scoring: Scoring) -> tuple[Score, dict[str, float]]:
    """Score of the program over the whole of `test`, and its metrics against those of the float network."""
    score, overflows = evaluate.score(quantized.program, test, scoring)
    for each in overflows:
        if not _flat(each.name):
            log.info("%s saturated %d of %d times", each.name, each.saturated, each.seen)
    references = [test.transcript(index) for index in range(len(test))]
    constant = {"constant_per": constant_per(references, phones.to_39, phones.SILENCE)}
    found = metrics(quantized, score, overflows, float_score, scoring) | constant
    for doubt in of_integers(found):
        log.warning("test: %s", doubt)
    return score, found


def metrics(
    quantized: Quantized, score: Score, overflows: list[Overflow], float_score: Score, scoring: Scoring
) -> dict[str, float]:
    """Error rates, the loss against the float network of the same utterances, table errors, saturation."""
    low, high = score.interval(scoring.bootstrap_samples, seed=1)
    loss_low, loss_high = _interval(score, float_score, scoring)
    errors = tables.errors(quantized.program.activations)
    return {
        "per_integer": score.per,
        "per_integer_low": low,
        "per_integer_high": high,
        "deletions_integer": kinds(score)["deletions"],
        "per_integer_without_silences": score.without_silences.per,
        "integer_loss": score.per - float_score.per,
        "integer_loss_low": loss_low,
        "integer_loss_high": loss_high,
        "weight_bits": quantized.program.weight_bits,
        "sigmoid_error": errors["sigmoid"],
        "tanh_error": errors["tanh"],
        "overflow_share": _largest_share(overflows, lambda name: not _flat(name)),
        "cell_saturated_share": _largest_share(overflows, lambda name: name.endswith(".c")),
        "finetuned": int(quantized.finetuned),
    }


def _interval(ours: Score, theirs: Score, scoring: Scoring) -> Interval:
    return paired_interval(ours.with_silences, theirs.with_silences, scoring.bootstrap_samples, seed=1)


def _with(spec: ProgramSpec, bits: Bits) -> ProgramSpec:
    return spec.model_copy(update={"bits": bits})


def _largest_share(overflows: list[Overflow], counts: Callable[[str], bool]) -> float:
    return max((each.share for each in overflows if counts(each.name)), default=0.0)


def _flat(name: str) -> bool:
    """Whether the value only goes into a function that is flat where it saturates."""
    return name.endswith(".c") or ".a_" in name
