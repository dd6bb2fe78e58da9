"""The four ways to a compressed network, each with the same epochs and learning rates in all.

dense     |---------------------- dense ----------------------|
admm      |-- dense --|---- pull ----|--- inside the set -----|     E-RNN, arXiv:1812.07106
prune     |-- dense --|-- shrinking -|--- retraining ---------|     ESE, arXiv:1612.00694
direct    |------------------ inside the set -----------------|     C-LSTM, arXiv:1803.06305
project   |---------------------- dense ----------------------| one projection: the floor
"""

import logging
from dataclasses import dataclass

from ernn.compress.admm import Pull
from ernn.compress.pruning import Pruner
from ernn.nn.acoustic import AcousticModel, make_circulant, randomise
from ernn.params import BlockSizes, Compression, Design
from ernn.training.dense import Division
from ernn.training.loop import Phase, Run

log = logging.getLogger(__name__)

DIRECT_EXPONENT = 0.25  # at sqrt(k) fresh first columns are unsteady from k = 16 on (docs/decisions/0013)


def compress(
    young: AcousticModel, grown: AcousticModel, design: Design, options: Compression, run: Run
) -> AcousticModel:
    """The compressed network of `design`.

    Args:
        young: the dense network at the epoch where compression starts.
        grown: the dense network after all its epochs, which `project` starts from.
        design: method and block sizes.
        options: shares of the epochs, and the schedule of ADMM.
        run: data, optimisation and curve.

    Raises:
        UserError: the loss is no longer finite.
    """
    young.to(run.device), grown.to(run.device)  # Z, U and the masks are made on the device of the weights
    cut = Division.of(run.training.epochs, options)
    return WAYS[design.method](_Networks(young, grown), design, options, run, cut)


@dataclass(frozen=True)
class _Networks:
    """The dense network at the epoch where compression starts, and after all its epochs."""

    young: AcousticModel
    grown: AcousticModel

    def blocks(self, design: Design) -> tuple[BlockSizes, ...]:
        """Block sizes layer by layer."""
        return design.blocks(self.young.network.layers)


def _project(dense: _Networks, design: Design, options: Compression, run: Run, cut: Division) -> AcousticModel:
    make_circulant(dense.grown, dense.blocks(design))
    return dense.grown


def _direct(dense: _Networks, design: Design, options: Compression, run: Run, cut: Division) -> AcousticModel:
    make_circulant(dense.young, dense.blocks(design))
    randomise(dense.young, run.training.seed)
    run.fit(dense.young, Phase(design.method, 0, cut.total, cut.total, DIRECT_EXPONENT))
    return dense.young


def _admm(dense: _Networks, design: Design, options: Compression, run: Run, cut: Division) -> AcousticModel:
    pull = Pull(dense.young, dense.blocks(design), options.admm)
    run.fit(dense.young, _during(design, cut), pull)
    for place, residual in pull.unconverged().items():
        log.warning(
            "ADMM ended above its tolerance: residual %.4f > compression.admm.tolerance=%g at %s; "
            "raise compression.admm.rho_end or training.epochs",
            residual,
            options.admm.tolerance,
            place,
        )
    pull.finish(dense.young)
    return _finetuned(dense.young, run, cut)


def _prune(dense: _Networks, design: Design, options: Compression, run: Run, cut: Division) -> AcousticModel:
    pruner = Pruner(dense.young, design.pruning_ratio, options.pruning_elements)
    run.fit(dense.young, _during(design, cut), pruner)
    pruner.finish(dense.young)
    return _finetuned(dense.young, run, cut)


def _during(design: Design, cut: Division) -> Phase:
    """The epochs in which matrices get their structure."""
    return Phase(design.method, cut.dense, cut.compressed - cut.dense, cut.total)


def _finetuned(model: AcousticModel, run: Run, cut: Division) -> AcousticModel:
    run.fit(model, Phase("finetune", cut.compressed, cut.total - cut.compressed, cut.total))
    return model


WAYS = {"admm": _admm, "direct": _direct, "prune": _prune, "project": _project}  # by the names of `METHODS`
