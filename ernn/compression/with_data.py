"""ADMM with a user's data and loss: any sequences of vectors, targets for each step or for each sequence."""

import copy
import logging
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from numbers import Real
from typing import Any

import numpy as np
import torch
import torch.nn.functional as F
from jaxtyping import Float
from torch import Tensor, nn
from tqdm import tqdm

from ernn.compression.admm import Pull
from ernn.devices import limits
from ernn.errors import UserError
from ernn.nn import circulant
from ernn.nn.recurrent import RecurrentModel, block_size_at, owner
from ernn.params import Admm, BlockSizes, Design
from ernn.training import schedule

log = logging.getLogger(__name__)

Loss = Callable[[Tensor, Tensor], Tensor]
_CLIP = 1.0  # of the norm of gradients


@dataclass(frozen=True)
class Options:
    """How long, how fast and from what a network learns; half of the epochs have the pull of ADMM.

    Args:
        distillation: share of the loss that is the distance from the outputs of the network before (arXiv:1503.02531).
    """

    epochs: int
    batch: int
    learning_rate: float
    seed: int
    distillation: float = 0.0
    progress: bool = False

    def __post_init__(self) -> None:
        for name, least in (("epochs", 2), ("batch", 1)):
            if getattr(self, name) < least:
                raise UserError(f"{name}={getattr(self, name)}: at least {least}")
        if not 0 < self.learning_rate < 1:
            raise UserError(f"learning_rate={self.learning_rate}: above 0 and below 1")
        if not isinstance(self.distillation, Real) or not 0 <= self.distillation <= 1:
            raise UserError(f"distillation={self.distillation}: a number from 0 to 1")


@dataclass(frozen=True)
class Targets:
    """A target tensor for every sequence; `last`: for its last step alone."""

    each: tuple[Tensor, ...]
    last: bool


def targets(y: Any, lengths: Sequence[int], alone: bool, outputs: int | None, last: bool = False) -> Targets:
    """What a user gave for sequences of these lengths.

    Args:
        alone: there is one sequence, and y is its target without a list around it.
        outputs: of the network, which targets of the usual losses must fit; None: the loss is the user's.
        last: whether only a sequence's last output is a result: there is one target for it, for a user's loss of any
            shape.

    Raises:
        UserError: another number of targets, shapes that are neither a target for each step nor one for a sequence, or
            targets that the outputs do not fit.
    """
    given = [y] if alone else y
    try:
        each = tuple(torch.as_tensor(np.asarray(one.detach() if hasattr(one, "detach") else one)) for one in given)
    except (TypeError, ValueError) as error:
        raise UserError(f"train y: a target for every sequence, as arrays of numbers ({error})") from None
    if len(each) != len(lengths):
        raise UserError(f"train y: a target for each of the {len(lengths)} sequences, got {len(each)}")
    whole = [one.dtype in (torch.int64, torch.int32, torch.int16, torch.int8, torch.uint8) for one in each]
    each = tuple(one.long() if classes else one.float() for one, classes in zip(each, whole, strict=True))
    stepwise = all(one.ndim >= 1 and len(one) == length for one, length in zip(each, lengths, strict=True))
    vector = 0 if whole[0] else 1
    if outputs is not None:
        _check_fit(each, whole[0], outputs)
    if last and (outputs is None or all(one.ndim == vector for one in each)):
        return Targets(each, last=True)
    if not last and stepwise and all(one.ndim == 1 + vector for one in each):
        return Targets(each, last=False)
    if not last and all(one.ndim == vector for one in each):
        return Targets(each, last=True)
    kind = "classes" if whole[0] else "vectors of outputs"
    cure = "" if whole[0] or each[0].ndim else "; classes must be of an integer type"
    if last:
        kind = kind.replace("classes", "a class").replace("vectors", "a vector")
        raise UserError(
            f"train y: {kind} for each sequence, since the network gives the last output alone; "
            f"got shape {tuple(each[0].shape)}{cure}"
        )
    raise UserError(
        f"train y: {kind} for each step, (time{', outputs' * vector}), or one for each sequence; "
        f"got shape {tuple(each[0].shape)} for a sequence of {lengths[0]} steps{cure}"
    )


def _check_fit(each: Sequence[Tensor], classes: bool, outputs: int) -> None:
    """Refuse what the usual losses would fail at, or broadcast."""
    for one in each:
        if classes and one.numel() and not 0 <= int(one.min()) <= int(one.max()) < outputs:
            place = int(one.max()) if int(one.max()) >= outputs else int(one.min())
            raise UserError(f"train y: classes are 0 to {outputs - 1}, the outputs of the network, got {place}")
        if not classes and one.ndim and one.shape[-1] != outputs:
            cure = "classes must be of an integer type"
            raise UserError(f"train y: targets of {outputs} outputs, got shape {tuple(one.shape)}; {cure}")


def compress(
    model: RecurrentModel,
    block_size: int,
    density: float,
    sequences: Sequence[Float[np.ndarray, "frames dimension"]],
    given: Targets,
    loss: Loss | None,
    options: Options,
) -> RecurrentModel:
    """A block-circulant copy of a network, trained on.

    Args:
        block_size: of every matrix but the output layer's.
        density: share of the blocks that each block row keeps.
        loss: of outputs and targets, (steps, outputs) and (steps, ..), a mean; None: by the kind of targets.

    Raises:
        UserError: a block size that no transform takes, a density that leaves rows without blocks, or a loss that is
            not finite.
    """
    limits.check_block_size("block_size", block_size)
    if not isinstance(density, Real) or not 0 < density <= 1:
        raise UserError(f"density={density}: a number above 0 and at most 1")
    made, layers = copy.deepcopy(model), model.network.layers
    design = Design(network="model", block_size=int(block_size), density=float(density))
    for place, matrix in made.matrices():
        name = str(place) if place.kind == "head" else ""
        design.check_densities(*owner(place), matrix.cols, layers, name)
    pull = Pull(made, design.blocks(layers), Admm(), design.densities(layers))
    teacher = _Teacher(model.eval(), float(options.distillation)) if options.distillation else None
    data = _Data(sequences, given, loss or _default(given), teacher)
    _warn_of_padding(model, design.blocks(layers))
    pulled = options.epochs // 2
    _fit(made, data, options, 0, pulled, pull)
    for place, residual in pull.unconverged().items():
        log.warning("ADMM ended with a residual of %.3f at %s; more epochs bring it down", residual, place)
    pull.finish(made)
    _fit(made, data, options, pulled, options.epochs - pulled, None)
    return made.eval()


def _warn_of_padding(model: RecurrentModel, blocks: tuple[BlockSizes, ...]) -> None:
    """Say where blocks are so much larger than a matrix that smaller ones would store fewer words."""
    for place, matrix in model.matrices():
        block_size = block_size_at(blocks, place)
        sizes = [1 << power for power in range(block_size.bit_length())]
        words = {size: matrix.gates * circulant.stored_words(matrix.rows, matrix.cols, size) for size in sizes}
        best = min(words, key=words.__getitem__)
        if words[best] < words[block_size]:
            text = "%s, %d x %d x %d: padding to k = %d stores %d words, and k = %d %d words"
            shape = (place, matrix.gates, matrix.rows, matrix.cols)
            log.warning(text, *shape, block_size, words[block_size], best, words[best])


@dataclass(frozen=True)
class _Teacher:
    """The network before compression, and the share of the loss that is the distance from its outputs."""

    model: RecurrentModel
    share: float


@dataclass(frozen=True)
class _Data:
    sequences: Sequence[np.ndarray]
    targets: Targets
    loss: Loss
    teacher: _Teacher | None

    def mean_loss(self, model: RecurrentModel, chosen: Sequence[int]) -> Tensor:
        """Of some sequences, which run at the same time; padding counts for nothing."""
        lengths = [len(self.sequences[index]) for index in chosen]
        x = torch.zeros(max(lengths), len(chosen), model.dimension)
        for column, index in enumerate(chosen):
            x[: lengths[column], column] = torch.from_numpy(self.sequences[index])
        outputs, wanted = self._outputs(model, x, lengths), [self.targets.each[index] for index in chosen]
        value = self.loss(outputs, torch.stack(wanted) if self.targets.last else torch.cat(wanted))
        if self.teacher is None:
            return value
        with torch.no_grad():
            taught = self._outputs(self.teacher.model, x, lengths)
        share = self.teacher.share
        return (1 - share) * value + share * self._distance(outputs, taught)

    def _outputs(self, model: RecurrentModel, x: Tensor, lengths: Sequence[int]) -> Tensor:
        """Those that have a target, (steps, outputs)."""
        y = model(x)
        if self.targets.last:
            return y[torch.tensor(lengths) - 1, torch.arange(len(lengths))]
        return torch.cat([y[:length, column] for column, length in enumerate(lengths)])

    def _distance(self, outputs: Tensor, taught: Tensor) -> Tensor:
        """The divergence from posteriors where targets are classes, else the mean squared difference."""
        if self.targets.each[0].is_floating_point():
            return F.mse_loss(outputs, taught)
        of_both = outputs.log_softmax(-1), taught.log_softmax(-1)
        return F.kl_div(*of_both, reduction="batchmean", log_target=True)


def _default(given: Targets) -> Loss:
    return F.mse_loss if given.each[0].is_floating_point() else F.cross_entropy


def _fit(model: RecurrentModel, data: _Data, options: Options, first: int, epochs: int, pull: Pull | None) -> None:
    optimizer = torch.optim.Adam(model.parameter_groups(0.5), lr=options.learning_rate)
    model.train()
    for epoch in range(epochs):
        plan = list(_batches(len(data.sequences), options, first + epoch))
        bar = tqdm(plan, desc=f"epoch {first + epoch + 1}/{options.epochs}", leave=False, disable=not options.progress)
        for step, chosen in enumerate(bar):
            done = (epoch + step / len(plan)) / epochs
            progress = (first + done * epochs) / options.epochs
            number, count = epoch * len(plan) + step, epochs * len(plan)
            rate = schedule.learning_rate(options.learning_rate, progress, number, count)
            for group in optimizer.param_groups:
                group["lr"] = rate * group["scale"]
            optimizer.zero_grad(set_to_none=True)
            value = data.mean_loss(model, chosen)
            if not value.isfinite():
                raise UserError(
                    f"the loss is {float(value):g} in epoch {first + epoch + 1}; lower learning_rate="
                    f"{options.learning_rate:g}, or look for targets that the loss cannot take"
                )
            value.backward()
            nn.utils.clip_grad_norm_(model.parameters(), _CLIP)
            optimizer.step()
            bar.set_postfix(loss=f"{float(value.detach()):.4f}")
            if pull is not None:
                pull.after_step(done, len(plan))


def _batches(count: int, options: Options, epoch: int) -> Iterator[list[int]]:
    order = np.random.default_rng((options.seed, epoch)).permutation(count).tolist()
    for start in range(0, count, options.batch):
        yield order[start : start + options.batch]
