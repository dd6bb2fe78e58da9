"""One phase of training: epochs of Adam over the train split, a checkpoint and a line after each."""

import logging
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any, Protocol

import torch
from torch import Tensor, nn
from tqdm import tqdm

from ernn.data.dataset import Split
from ernn.errors import UserError
from ernn.nn.acoustic import AcousticModel
from ernn.params import Scoring, Training
from ernn.training import batches, schedule
from ernn.training.checkpoint import Checkpoints
from ernn.training.distributed import Group
from ernn.training.evaluate import evaluate, loss_sum

log = logging.getLogger(__name__)

Row = dict[str, Any]
Forward = Callable[[Tensor], Tensor]
Loss = Callable[[AcousticModel, Tensor, batches.Batch], tuple[Tensor, int]]  # a sum, and how many things were summed


def now_ms() -> int:
    """Milliseconds since 1970."""
    return time.time_ns() // 1_000_000


class Penalty(Protocol):
    """What acts on the weights between the steps of Adam: the pull of ADMM."""

    def after_step(self, progress: float, steps_per_epoch: int) -> None:
        """Called after each step, `progress` in 0..1 through the phase."""

    def state(self) -> dict[str, Tensor]:
        """Tensors that a resumed run needs."""

    def load(self, state: dict[str, Tensor]) -> None:
        """Take up the tensors of `state`."""

    def row(self) -> Row:
        """Columns for the curve of an epoch."""


@dataclass(frozen=True)
class Phase:
    """Epochs `first` to `first + epochs` of the `total` that the learning rate is spread over.

    First columns of blocks of size k learn at k ** `columns_exponent` times the rate, in wide matrices at less.
    `dropout` replaces that of `Training`.
    """

    name: str
    first: int
    epochs: int
    total: int
    columns_exponent: float = 0.5
    dropout: float | None = None


@dataclass
class Run:
    """What all phases of a network's training share.

    Args:
        rows: its curve.
        begun: milliseconds since 1970; of a resumed training when the first attempt began.
        ended: by the numbers of the epochs.
    """

    train: Split
    dev: Split
    training: Training
    scoring: Scoring
    checkpoints: Checkpoints
    device: torch.device = field(default_factory=lambda: torch.device("cpu"))
    group: Group = field(default_factory=Group)
    rows: list[Row] = field(default_factory=list)
    begun: int = field(default_factory=now_ms)
    ended: dict[int, int] = field(default_factory=dict)

    def fit(
        self,
        model: AcousticModel,
        phase: Phase,
        penalty: Penalty | None = None,
        after_epoch: Callable[[int], None] = lambda epoch: None,
        forward: Forward | None = None,
        loss: Loss = loss_sum,
        until: int | None = None,
    ) -> None:
        """Train `model` in place through `phase`, resuming where a checkpoint of it was left.

        `after_epoch` is told the number of epochs done, before the checkpoint of that epoch is written. `forward` gives
        the logits to train on, instead of the model itself: where the network is to learn with its own rounding. `loss`
        is what is trained on: the criterion alone, or with a teacher. After `until` epochs of the phase training
        pauses; another run of the same configuration continues there.

        Raises:
            UserError: the loss is no longer finite; the last good epoch stays in its checkpoint.
        """
        model.to(self.device)
        model.dropout = self.training.dropout if phase.dropout is None else phase.dropout
        groups = model.parameter_groups(phase.columns_exponent)
        optimizer = torch.optim.Adam(groups, lr=self.training.learning_rate, fused=True)
        start = self._resume(model, optimizer, phase, penalty)
        for epoch in range(start, phase.epochs if until is None else min(until, phase.epochs)):
            begun = time.perf_counter()
            train_loss = self._epoch(model, forward or model, loss, optimizer, phase, epoch, penalty)
            dev_loss, score = evaluate(model, self.dev, self.scoring)
            row = {
                "epoch": phase.first + epoch + 1,
                "phase": phase.name,
                "train_loss": train_loss,
                "dev_loss": dev_loss,
                "dev_per": score.per,
                "learning_rate": optimizer.param_groups[0]["lr"] / optimizer.param_groups[0]["scale"],
            } | (penalty.row() if penalty else {})
            self.rows.append(row)
            self.ended[row["epoch"]] = now_ms()
            after_epoch(phase.first + epoch + 1)
            if self.group.first:
                self._write(model, optimizer, phase, epoch + 1, penalty)
                log.info("%s, %.1f s", _line(row, phase), time.perf_counter() - begun)

    def end(self) -> None:
        """The results are written: leave the group and forget the checkpoints."""
        self.group.leave()
        if self.group.first:
            self.checkpoints.remove()

    def _epoch(
        self,
        model: AcousticModel,
        forward: Forward,
        criterion: Loss,
        optimizer: torch.optim.Optimizer,
        phase: Phase,
        epoch: int,
        penalty: Penalty | None,
    ) -> float:
        """One pass over the train split; the mean loss."""
        number = phase.first + epoch
        lengths = self.train.offsets[1:] - self.train.offsets[:-1]
        plan = batches.order(lengths, self.training.batch_utterances, self.training.seed, number)
        torch.manual_seed(self.training.seed * 1_000_003 + number * 1009 + self.group.rank)  # dropout
        model.train()
        total, count = torch.zeros((), device=self.device), 0.0
        for step, indices in enumerate(tqdm(plan, desc=f"epoch {number + 1}", leave=False, disable=None)):
            done = (epoch + step / len(plan)) / phase.epochs
            progress = (phase.first + done * phase.epochs) / phase.total
            rate = schedule.learning_rate(
                self.training.learning_rate, progress, epoch * len(plan) + step, phase.epochs * len(plan)
            )
            for group in optimizer.param_groups:
                group["lr"] = rate * group["scale"]
            batch = batches.gather(self.train, self.group.slice(indices)).to(self.device)
            loss, things = self._gradients(model, forward, criterion, batch)
            if not loss.isfinite():
                raise UserError(self._diverged(phase, number, step))
            nn.utils.clip_grad_norm_(model.parameters(), self.training.gradient_clip)
            optimizer.step()
            if penalty:
                penalty.after_step(done, len(plan))
            total, count = total + loss * things, count + things
        return float(total) / max(count, 1.0)

    def _gradients(
        self, model: AcousticModel, forward: Forward, criterion: Loss, batch: batches.Batch
    ) -> tuple[Tensor, float]:
        """Gradients of the mean loss of the global batch, left in the parameters; the loss and its count."""
        model.zero_grad(set_to_none=True)
        summed, things = torch.zeros((), device=self.device), 0
        if len(batch.indices):
            summed, things = criterion(model, forward(batch.x), batch)
            summed.backward()
        for parameter in model.parameters():
            if parameter.grad is None:
                parameter.grad = torch.zeros_like(parameter)
        totals = torch.stack(
            [summed.detach().double(), torch.tensor(float(things), dtype=torch.float64).to(self.device)]
        )
        self.group.sum_([totals])
        gradients = [parameter.grad for parameter in model.parameters() if parameter.grad is not None]
        self.group.sum_(gradients)
        things_everywhere = max(float(totals[1]), 1.0)
        torch._foreach_div_(gradients, things_everywhere)
        return (totals[0] / things_everywhere).float(), things_everywhere

    def _diverged(self, phase: Phase, number: int, step: int) -> str:
        kept = (
            f"the weights of epoch {number} are kept in {self.checkpoints.folder}"
            if number > phase.first
            else ("no epoch of this phase was finished")
        )
        return (
            f"training.learning_rate={self.training.learning_rate}: "
            f"the loss is no longer finite in epoch {number + 1}, "
            f"step {step + 1}; {kept}; lower training.learning_rate or training.gradient_clip"
        )

    def _resume(
        self, model: AcousticModel, optimizer: torch.optim.Optimizer, phase: Phase, penalty: Penalty | None
    ) -> int:
        """Epochs of `phase` already done, their result loaded; 0 without a checkpoint."""
        found = self.checkpoints.read(phase.name)
        if found is None:
            return 0
        tensors, about = found
        model.load_state_dict(_under("model", tensors))
        for name, parameter in model.named_parameters():
            optimizer.state[parameter] = {
                key: tensors[f"adam.{name}.{key}"].to(self.device) for key in ("step", "exp_avg", "exp_avg_sq")
            }
        if penalty:
            penalty.load(_under("penalty", tensors))
        self.rows.extend(about["rows"])
        self.begun = min(self.begun, about["begun"])
        self.ended |= dict(zip([row["epoch"] for row in about["rows"]], about["ended"], strict=True))
        if self.group.first:
            log.info("%s: resumed after epoch %d", phase.name, phase.first + about["epochs"])
        return int(about["epochs"])

    def _write(
        self, model: AcousticModel, optimizer: torch.optim.Optimizer, phase: Phase, done: int, penalty: Penalty | None
    ) -> None:
        state = {f"model.{name}": tensor for name, tensor in model.state_dict().items()}
        for name, parameter in model.named_parameters():
            state |= {f"adam.{name}.{key}": value for key, value in optimizer.state[parameter].items()}
        if penalty:
            state |= {f"penalty.{name}": tensor for name, tensor in penalty.state().items()}
        rows = [row for row in self.rows if row["phase"] == phase.name]
        times = {"begun": self.begun, "ended": [self.ended[row["epoch"]] for row in rows]}
        self.checkpoints.write(phase.name, state, {"epochs": done, "rows": rows} | times)


def choose_device(name: str) -> torch.device:
    """The device that `training.device` asks for.

    Raises:
        UserError: CUDA is asked for and there is none.
    """
    if name == "cuda" and not torch.cuda.is_available():
        raise UserError("training.device=cuda: torch sees no CUDA device; set training.device: auto or cpu")
    return torch.device("cuda" if name != "cpu" and torch.cuda.is_available() else "cpu")


def _under(prefix: str, tensors: dict[str, Tensor]) -> dict[str, Tensor]:
    return {name[len(prefix) + 1 :]: tensor for name, tensor in tensors.items() if name.startswith(prefix + ".")}


def _line(row: Row, phase: Phase) -> str:
    text = (
        f"epoch {row['epoch']}/{phase.total} {phase.name}: train loss {row['train_loss']:.4f}, "
        f"dev loss {row['dev_loss']:.4f}, dev PER {row['dev_per']:.2f} %"
    )
    return text + (f", rho {row['rho']:.4g}, residual {row['residual']:.4f}" if "rho" in row else "")
