"""What ADMM and training inside the circulant set cost next to the dense network: steps, and whole epochs of ADMM."""

import os

os.environ.setdefault("OMP_NUM_THREADS", "1")  # the bar is that of one core

import statistics
import tempfile
from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import Any

import torch
from torch import nn

from bench.record import record
from bench.training import BATCH, INPUTS, STEPS, cpu_seconds, name
from components.prepare import prepare
from ernn.compression.admm import Pull
from ernn.data.dataset import Dataset
from ernn.nn.acoustic import AcousticModel
from ernn.nn.recurrent import make_circulant
from ernn.params import Admm, BlockSizes, Corpus, Features, Network, Scoring, Training
from ernn.training import session
from ernn.training.loop import Phase

CASES = [
    (Network(cell="lstm", layers=2, cells=128), 8, 100),
    (Network(cell="gru", layers=2, cells=128), 8, 100),
    (Network(cell="lstm", layers=2, cells=256), 8, 50),
    (Network(cell="lstm", layers=1, cells=1024, projection=512, peepholes=True), 16, 15),
]
MEASURES = ("ernn/compression", "ernn/nn", "ernn/training")
NOTE = (
    f"One step (forward, backward, clipping, Adam, and the pull with ADMM) of the whole acoustic model on {BATCH} "
    f"sequences of {STEPS} steps: CPU seconds on one thread, medians of interleaved repetitions, the ratios within a "
    "repetition. ADMM updates Z and U every 25 steps. `ratio_epoch` is that of whole epochs of the product's training "
    "loop, on a quarter of the default corpus where the network reads its features: batches, Z and U four times an "
    "epoch, loss and PER of the dev split, checkpoint. Bar: an epoch (ratio_epoch) at most 1.05; ratio_admm, of the "
    "step alone, is the stricter figure."
)
UPDATE_INTERVAL = 25  # steps; the default corpus has 29 between its updates
QUARTER = Corpus(train_speakers=116, dev_speakers=13, test_speakers=4)
EPOCHS = 5


def main() -> None:
    """Measure and record."""
    torch.set_num_threads(1)
    with tempfile.TemporaryDirectory() as folder:
        os.environ["ERNN_CHECKPOINTS"] = folder
        dataset = Path(folder) / "dataset"
        prepare(corpus=QUARTER, features=Features(), training=Training(), dataset=dataset)
        data = Dataset.open(dataset)
        record("compression", [row(*case) | epochs(case[0], case[1], data) for case in CASES], note=NOTE)


def row(network: Network, block_size: int, repeats: int) -> dict[str, Any]:
    """The three kinds of step in turn."""
    blocks = (BlockSizes(input=block_size, recurrent=block_size, projection=block_size),) * network.layers
    dense, relaxed, circulant = (fresh(network) for _ in range(3))
    pull = Pull(relaxed, blocks, Admm(updates_per_epoch=1))
    make_circulant(circulant, blocks)
    steps = [
        training_step(dense),
        training_step(relaxed, lambda: pull.after_step(0.5, UPDATE_INTERVAL)),
        training_step(circulant),
    ]
    seconds = [[cpu_seconds(step) for step in steps] for _ in range(repeats + 2)][2:]  # two to warm up
    dense_s, admm_s, circulant_s = (statistics.median(column) for column in zip(*seconds, strict=True))
    return {
        "network": name(network),
        "block_size": block_size,
        "dense_s": dense_s,
        "admm_s": admm_s,
        "circulant_s": circulant_s,
        "ratio_admm": statistics.median(admm / dense for dense, admm, _ in seconds),
        "ratio_circulant": statistics.median(circulant / dense for dense, _, circulant in seconds),
    }


def epochs(network: Network, block_size: int, data: Dataset) -> dict[str, float | None]:
    """Epochs of the dense network and of ADMM in turn; none where the network does not read the features of `data`."""
    if INPUTS[network.cells] != data.dimension:
        return {"epoch_dense_s": None, "epoch_admm_s": None, "ratio_epoch": None}
    training = Training(epochs=EPOCHS, threads=1)
    blocks = (BlockSizes(input=block_size, recurrent=block_size),) * network.layers
    unpulled, relaxed = (session.fresh_model(network, data, training) for _ in range(2))
    pull = Pull(relaxed, blocks, Admm())
    run = session.open_run(data, training, Scoring(), network=network.model_dump())
    seconds = []
    for n in range(EPOCHS):
        plain, pulled = Phase(f"dense{n}", n, 1, EPOCHS), Phase(f"admm{n}", n, 1, EPOCHS)
        seconds.append(
            (cpu_seconds(partial(run.fit, unpulled, plain)), cpu_seconds(partial(run.fit, relaxed, pulled, pull)))
        )
    run.end()
    dense_s, admm_s = (statistics.median(column) for column in zip(*seconds, strict=True))
    ratio = statistics.median(admm / dense for dense, admm in seconds)
    return {"epoch_dense_s": dense_s, "epoch_admm_s": admm_s, "ratio_epoch": ratio}


def fresh(network: Network) -> AcousticModel:
    """A network over 48 phones."""
    torch.manual_seed(1)
    return AcousticModel(network, INPUTS[network.cells], [str(phone) for phone in range(48)])


def training_step(model: AcousticModel, after: Callable[[], None] = lambda: None) -> Callable[[], None]:
    """As the training loop does it, on one batch of noise."""
    x = torch.randn(STEPS, BATCH, model.dimension)
    labels = torch.randint(48, (STEPS * BATCH,))
    optimizer = torch.optim.Adam(model.parameter_groups(0.5), fused=True)

    def step() -> None:
        optimizer.zero_grad()
        nn.functional.cross_entropy(model(x).flatten(0, 1), labels).backward()
        nn.utils.clip_grad_norm_(model.parameters(), 1.0)
        optimizer.step()
        after()

    return step


if __name__ == "__main__":
    main()
