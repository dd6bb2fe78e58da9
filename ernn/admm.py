"""ADMM towards the block-circulant set (E-RNN, arXiv:1812.07106).

    minimise loss(W) + rho/2 |W - Z + U|_F^2  over W by Adam;    Z <- Pi(W + U);    U <- U + W - Z

Adam divides a gradient by its own size, so a quadratic term inside it would act with a strength that depends on the
loss gradient of the moment. The pull is therefore a proximal step of its own after each step of Adam,

    W <- W - rho / (1 + rho) * (W - Z + U),

with rho in units of the inverse learning rate. U is in units of W: when rho grows it is scaled by rho_old / rho_new.
"""

import torch
from torch import Tensor

from ernn.circulant import expand, project
from ernn.nn.acoustic import AcousticModel, Place, block_size_at
from ernn.params import Admm, BlockSizes


class Pull:
    """Z and U of every constrained matrix of a dense model, and the steps that move them."""

    def __init__(self, model: AcousticModel, blocks: tuple[BlockSizes, ...], options: Admm) -> None:
        self.options = options
        self.rho = options.rho_start
        self.step = 0
        self._matrices = {
            place: (matrix, block_size_at(blocks, place))
            for place, matrix in model.matrices()
            if block_size_at(blocks, place) > 1
        }
        self._z = {place: self._nearest(place, self._weight(place)) for place in self._matrices}
        self._u = {place: torch.zeros_like(z) for place, z in self._z.items()}

    def after_step(self, progress: float, steps_per_epoch: int) -> None:
        """Pull W; at `updates_per_epoch` moments of an epoch let rho grow and update Z and U."""
        share = self.rho / (1 + self.rho)
        for place in self._matrices:
            self._weight(place).lerp_(self._z[place] - self._u[place], share)
        self.step += 1
        interval = max(1, steps_per_epoch // self.options.updates_per_epoch)
        if self.step % interval == 0:
            self._update(progress)

    def residuals(self) -> dict[Place, float]:
        """Primal residual |W - Pi(W)| / |W| of every constrained matrix."""
        result = {}
        for place in self._matrices:
            weight = self._weight(place)
            result[place] = float((weight - self._nearest(place, weight)).norm() / weight.norm())
        return result

    def row(self) -> dict[str, float]:
        """rho and the residuals, for the curve."""
        residuals = self.residuals()
        worst = {"rho": self.rho, "residual": max(residuals.values(), default=0.0)}
        return worst | {f"residual/{place}": value for place, value in residuals.items()}

    def unconverged(self) -> dict[Place, float]:
        """The matrices whose residual is above the tolerance."""
        return {place: value for place, value in self.residuals().items() if value > self.options.tolerance}

    def state(self) -> dict[str, Tensor]:
        """Everything that a resumed run needs."""
        tensors = {"rho": torch.tensor(self.rho, dtype=torch.float64), "step": torch.tensor(self.step)}
        for place in self._matrices:
            tensors |= {f"z.{place}": self._z[place], f"u.{place}": self._u[place]}
        return tensors

    def load(self, state: dict[str, Tensor]) -> None:
        """Take up `state`."""
        self.rho, self.step = float(state["rho"]), int(state["step"])
        for place in self._matrices:
            self._z[place].copy_(state[f"z.{place}"])
            self._u[place].copy_(state[f"u.{place}"])

    def _update(self, progress: float) -> None:
        grown = self.options.rho_start * (self.options.rho_end / self.options.rho_start) ** progress
        for place in self._matrices:
            weight, u = self._weight(place), self._u[place]
            self._z[place] = self._nearest(place, weight + u)
            u.add_(weight - self._z[place]).mul_(self.rho / grown)
        self.rho = grown

    def _weight(self, place: Place) -> Tensor:
        return self._matrices[place][0]().detach()

    def _nearest(self, place: Place, weight: Tensor) -> Tensor:
        """The projection of every gate, expanded again."""
        matrix, block_size = self._matrices[place]
        gates = weight.unflatten(0, (matrix.gates, matrix.rows))
        return expand(project(gates, block_size), matrix.rows, matrix.cols).flatten(0, 1)
