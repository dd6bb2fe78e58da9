"""The four ways to a compressed network, each with the same epochs and learning rates in all.

dense     |---------------------- dense ----------------------|
admm      |-- dense --|---- pull ----|--- inside the set -----|     E-RNN, arXiv:1812.07106
prune     |-- dense --|-- shrinking -|--- retraining ---------|     ESE, arXiv:1612.00694
direct    |------------------ inside the set -----------------|     C-LSTM, arXiv:1803.06305
project   |---------------------- dense ----------------------| one projection: the floor
"""

import logging

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
    young.to(run.device), grown.to(run.device)  # before Z, U and the masks are made beside the weights
    blocks = design.blocks(young.network.layers)
    cut = Division.of(run.training.epochs, options)
    if design.method == "project":
        make_circulant(grown, blocks)
        return grown
    if design.method == "direct":
        make_circulant(young, blocks)
        randomise(young, run.training.seed)
        run.fit(young, Phase("direct", 0, cut.total, cut.total, DIRECT_EXPONENT))
        return young
    during = Phase(design.method, cut.dense, cut.compressed - cut.dense, cut.total)
    if design.method == "admm":
        _pull(young, blocks, options, run, during)
    else:
        pruner = Pruner(young, design.pruning_ratio, options.pruning_elements)
        run.fit(young, during, pruner)
        pruner.finish(young)
    run.fit(young, Phase("finetune", cut.compressed, cut.total - cut.compressed, cut.total))
    return young


def _pull(model: AcousticModel, blocks: tuple[BlockSizes, ...], options: Compression, run: Run, phase: Phase) -> None:
    """ADMM, then W := Z."""
    pull = Pull(model, blocks, options.admm)
    run.fit(model, phase, pull)
    for place, residual in pull.unconverged().items():
        log.warning(
            "ADMM ended above its tolerance: residual %.4f > compression.admm.tolerance=%g at %s; "
            "raise compression.admm.rho_end or training.epochs",
            residual,
            options.admm.tolerance,
            place,
        )
    pull.finish(model)
