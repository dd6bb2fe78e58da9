"""Training of a dense network, which is also kept at the epoch where compression starts."""

from dataclasses import dataclass

from ernn.nn import model_file
from ernn.nn.acoustic import AcousticModel
from ernn.params import Compression
from ernn.training.loop import Phase, Run


@dataclass(frozen=True)
class Division:
    """Where the epochs of a network are cut: dense until `dense`, compression until `compressed`, then fine-tuning."""

    dense: int
    compressed: int
    total: int

    @classmethod
    def of(cls, epochs: int, options: Compression) -> "Division":
        """The shares of `options` in whole epochs, at least one for the compression itself."""
        dense = min(round(epochs * options.dense_share), epochs - 1)
        compressed = max(dense + 1, epochs - round(epochs * options.finetune_share))
        return cls(dense, compressed, epochs)


def train_dense(
    model: AcousticModel, options: Compression, run: Run, until_cut: bool = False
) -> tuple[AcousticModel, AcousticModel]:
    """The dense network at the epoch where compression starts, and after all its epochs.

    With `until_cut` the training pauses at the first, and both are that network; a later run of the same configuration
    continues there.
    """
    cut = Division.of(run.training.epochs, options)
    kept = run.checkpoints.folder / "checkpoint_at_cut.safetensors"

    def keep(epoch: int) -> None:
        if epoch == cut.dense:
            model_file.save(model, kept)

    keep(0)
    until = cut.dense if until_cut else None
    run.fit(model, Phase("dense", 0, cut.total, cut.total), after_epoch=keep, until=until)
    return model_file.load(kept), model
