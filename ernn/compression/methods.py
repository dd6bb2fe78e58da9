"""The four ways to a compressed network, each with the same epochs and learning rates in all.

dense     |---------------------- dense ----------------------|
admm      |-- dense --|---- pull ----|--- inside the set -----|     E-RNN, arXiv:1812.07106
prune     |-- dense --|-- shrinking -|--- retraining ---------|     ESE, arXiv:1612.00694
direct    |------------------ inside the set -----------------|     C-LSTM, arXiv:1803.06305
project   |---------------------- dense ----------------------| one projection: the floor
"""

import logging
from dataclasses import dataclass

from ernn.compression.admm import Pull
from ernn.compression.distillation import Distilled
from ernn.compression.pruning import Pruner
from ernn.nn.acoustic import AcousticModel
from ernn.nn.recurrent import make_circulant, randomise
from ernn.params import BlockSizes, Compression, Design
from ernn.training.dense import Division
from ernn.training.evaluate import loss_sum
from ernn.training.loop import Loss, Phase, Run

log = logging.getLogger(__name__)

DIRECT_EXPONENT = 0.25  # at sqrt(k) fresh first columns are unsteady from k = 16 on (docs/decisions/0013)


def compress(
    checkpoint_at_cut: AcousticModel, dense: AcousticModel, design: Design, options: Compression, run: Run
) -> AcousticModel:
    """The compressed network of `design`.

    Args:
        checkpoint_at_cut: the dense network at the epoch where compression starts.
        dense: the dense network after all its epochs, which `project` starts from, and the teacher of the others.
        design: method, block sizes and densities.
        options: shares of the epochs, the schedule of ADMM, and what is learnt from the teacher.
        run: data, optimisation and curve.

    Raises:
        UserError: the loss is no longer finite.
    """
    checkpoint_at_cut.to(run.device), dense.to(run.device)  # Z, U and the masks are made on the device of the weights
    cut = Division.of(run.training.epochs, options)
    weight = options.distillation.weight
    loss = Distilled(dense.eval().requires_grad_(False), options.distillation) if weight else loss_sum
    return WAYS[design.method](_Networks(checkpoint_at_cut, dense, loss), design, options, run, cut)


@dataclass(frozen=True)
class _Networks:
    """The dense network at the epoch where compression starts, and after all its epochs; what the first learns by."""

    checkpoint_at_cut: AcousticModel
    dense: AcousticModel
    loss: Loss

    def blocks(self, design: Design) -> tuple[BlockSizes, ...]:
        """Block sizes layer by layer."""
        return design.blocks(self.checkpoint_at_cut.network.layers)


def _project(networks: _Networks, design: Design, options: Compression, run: Run, cut: Division) -> AcousticModel:
    make_circulant(networks.dense, networks.blocks(design))
    return networks.dense


def _direct(networks: _Networks, design: Design, options: Compression, run: Run, cut: Division) -> AcousticModel:
    make_circulant(networks.checkpoint_at_cut, networks.blocks(design))
    randomise(networks.checkpoint_at_cut, run.training.seed)
    phase = Phase(design.method, 0, cut.total, cut.total, DIRECT_EXPONENT, options.dropout)
    run.fit(networks.checkpoint_at_cut, phase, loss=networks.loss)
    return networks.checkpoint_at_cut


def _admm(networks: _Networks, design: Design, options: Compression, run: Run, cut: Division) -> AcousticModel:
    densities = design.densities(networks.checkpoint_at_cut.network.layers) if design.sparse else ()
    pull = Pull(
        networks.checkpoint_at_cut, networks.blocks(design), options.admm, densities, together=design.pattern == "cell"
    )
    run.fit(networks.checkpoint_at_cut, _during(design, options, cut), pull, loss=networks.loss)
    for place, residual in pull.unconverged().items():
        log.warning(
            "ADMM ended above its tolerance: residual %.4f > compression.admm.tolerance=%g at %s; "
            "raise compression.admm.rho_end or training.epochs",
            residual,
            options.admm.tolerance,
            place,
        )
    pull.finish(networks.checkpoint_at_cut)
    return _finetuned(networks, options, run, cut)


def _prune(networks: _Networks, design: Design, options: Compression, run: Run, cut: Division) -> AcousticModel:
    pruner = Pruner(networks.checkpoint_at_cut, design.pruning_ratio, options.pruning_elements)
    run.fit(networks.checkpoint_at_cut, _during(design, options, cut), pruner, loss=networks.loss)
    pruner.finish(networks.checkpoint_at_cut)
    return _finetuned(networks, options, run, cut)


def _during(design: Design, options: Compression, cut: Division) -> Phase:
    """The epochs in which matrices get their structure."""
    return Phase(design.method, cut.dense, cut.compressed - cut.dense, cut.total, dropout=options.dropout)


def _finetuned(networks: _Networks, options: Compression, run: Run, cut: Division) -> AcousticModel:
    phase = Phase("finetune", cut.compressed, cut.total - cut.compressed, cut.total, dropout=options.dropout)
    run.fit(networks.checkpoint_at_cut, phase, loss=networks.loss)
    return networks.checkpoint_at_cut


WAYS = {"admm": _admm, "direct": _direct, "prune": _prune, "project": _project}  # by the names of `METHODS`
