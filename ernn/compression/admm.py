"""ADMM towards the block-circulant set (E-RNN, arXiv:1812.07106), or to matrices with some of its blocks.

    minimise loss(W) + rho/2 |W - Z + U|_F^2  over W by Adam;    Z <- Pi(W + U);    U <- U + W - Z

W is held as Z + O, its circulant part and the rest, so that Adam knows the gradient of either: the circulant part
learns as it will after ADMM, and the rest is what the pull shrinks. Adam divides a gradient by its own size, so a
quadratic term inside it would act with a strength that depends on the loss gradient of the moment. The pull is
therefore the exact minimiser of the quadratic term, a proximal step after each step of Adam,

    O <- (O - rho U) / (1 + rho),

with rho in units of the inverse learning rate: the share of the distance that one step closes is rho / (1 + rho).
U is in units of W: when rho grows it is scaled by rho_old / rho_new.

With a density below 1, Pi keeps the largest blocks of each block row too, and Z is those: what of W lies in the other
blocks belongs to the rest. The share that is kept falls along the cubic of Zhu and Gupta (arXiv:1710.01878), from all
to the density at `FALLING` of the way. From `SETTLED` on the pattern stays: two blocks of about the same norm may take
turns for ever, since U grows where a block is left out. Blocks of one element make it a pruner.
"""

from collections.abc import Sequence

import torch
from torch import Tensor

from ernn.nn.matrices import CirculantWeight, RelaxedSparseWeight, RelaxedWeight, SparseWeight
from ernn.nn.recurrent import Place, RecurrentModel, block_size_at, density_at
from ernn.params import Admm, BlockSizes, Densities
from ernn.params.compression import kept_blocks

FALLING = 0.9  # of the pull's epochs: the others have the density that is wanted
SETTLED = 0.95  # of them: the others have the pattern, too


class Pull:
    """Z, O and U of every constrained matrix of a model, and the steps that move them."""

    def __init__(
        self,
        model: RecurrentModel,
        blocks: tuple[BlockSizes, ...],
        options: Admm,
        densities: Sequence[Densities] = (),
        together: bool = False,
    ) -> None:
        """Split, in place, the matrices of the dense `model` that have a block size above 1 or a density below it.

        Args:
            densities: of each layer; none: all blocks stay.
            together: the gates of a cell keep the same blocks.
        """
        self.options, self._together = options, together
        self._densities: dict[Place, float] = {}
        self.rho = options.rho_start
        self.step = 0
        self._matrices: dict[Place, RelaxedWeight] = {}
        for place, matrix in list(model.matrices()):
            block_size = block_size_at(blocks, place)
            density = density_at(densities, place)
            if density < 1:
                self._densities[place] = density
                self._matrices[place] = RelaxedSparseWeight.split(matrix, block_size)
            elif block_size > 1:
                self._matrices[place] = RelaxedWeight.split(matrix, block_size)
            if place in self._matrices:
                model.replace(place, self._matrices[place])
        self._minus_u = {place: torch.zeros_like(matrix.offset) for place, matrix in self._matrices.items()}

    @torch.no_grad()
    def after_step(self, progress: float, steps_per_epoch: int) -> None:
        """Pull W; update Z, U and rho at `updates_per_epoch` moments of an epoch."""
        for place, matrix in self._matrices.items():
            matrix.offset.lerp_(self._minus_u[place], self.rho / (1 + self.rho))
        self.step += 1
        if self.step % max(1, steps_per_epoch // self.options.updates_per_epoch) == 0:
            self._update(progress)

    @torch.no_grad()
    def _update(self, progress: float) -> None:
        rho_next = self.options.rho_start * (self.options.rho_end / self.options.rho_start) ** progress
        for place, matrix in self._matrices.items():
            if isinstance(matrix, RelaxedSparseWeight):
                self._keep(place, matrix, progress)
            else:
                matrix.fold()  # Z <- Pi(W + U): U has no circulant part
            self._minus_u[place].sub_(matrix.offset).mul_(self.rho / rho_next)
        self.rho = rho_next

    def _keep(self, place: Place, matrix: RelaxedSparseWeight, progress: float) -> None:
        """Z <- Pi(W + U), with as many blocks as there are now."""
        left, density = max(0.0, 1 - progress / FALLING), self._densities[place]
        kept = kept_blocks(matrix.mask.shape[2], density + (1 - density) * left**3)
        matrix.keep(-self._minus_u[place], kept, self._together, progress >= SETTLED)

    @torch.no_grad()
    def residuals(self) -> dict[Place, float]:
        """Primal residual |W - Z| / |W| of every constrained matrix."""
        return {place: float(matrix.offset.norm() / matrix().norm()) for place, matrix in self._matrices.items()}

    def unconverged(self) -> dict[Place, float]:
        """The matrices whose residual is above the tolerance."""
        return {place: value for place, value in self.residuals().items() if value > self.options.tolerance}

    @torch.no_grad()
    def finish(self, model: RecurrentModel) -> None:
        """W := Z, in place."""
        for place, matrix in self._matrices.items():
            if isinstance(matrix, RelaxedSparseWeight):
                self._keep(place, matrix, 1.0)
                model.replace(place, SparseWeight.of(matrix, matrix.columns.detach(), matrix.mask))
            else:
                model.replace(place, CirculantWeight.nearest(matrix, matrix.block_size))

    def row(self) -> dict[str, float]:
        """rho and the residuals, for the curve."""
        residuals = self.residuals()
        worst = {"rho": self.rho, "residual": max(residuals.values(), default=0.0)}
        return worst | {f"residual/{place}": value for place, value in residuals.items()}

    def state(self) -> dict[str, Tensor]:
        """What a resumed run needs in addition to the weights."""
        scalars = {"rho": torch.tensor(self.rho, dtype=torch.float64), "step": torch.tensor(self.step)}
        return scalars | {f"u.{place}": -minus_u for place, minus_u in self._minus_u.items()}

    def load(self, state: dict[str, Tensor]) -> None:
        """Take up `state`."""
        self.rho, self.step = float(state["rho"]), int(state["step"])
        for place, minus_u in self._minus_u.items():
            minus_u.copy_(-state[f"u.{place}"])
