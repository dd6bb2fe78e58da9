"""Training: resuming is exact, a foreign checkpoint is never taken, processes share the work, NaN stops."""

import math
import multiprocessing
import os
import subprocess
import sys
import time
from pathlib import Path

import pytest
import torch

from ernn.compression.admm import Pull
from ernn.data.dataset import Dataset
from ernn.errors import UserError
from ernn.nn import model_file
from ernn.params import Admm, BlockSizes, Scoring, Training
from ernn.training import session
from ernn.training.checkpoint import Checkpoints
from ernn.training.loop import Phase, Run, now_ms
from tests import toy

ROOT = Path(__file__).parents[2]


@pytest.fixture(autouse=True)
def _checkpoints(tmp_path, monkeypatch):
    monkeypatch.setenv("ERNN_CHECKPOINTS", str(tmp_path / "checkpoints"))


@pytest.fixture
def dataset(tmp_path):
    return toy.make(tmp_path / "data")


def training(**changes) -> Training:
    return Training.model_validate(
        {"epochs": 4, "batch_utterances": 5, "learning_rate": 0.02, "dropout": 0.1, "threads": 1} | changes
    )


def open_run(dataset, **changes) -> Run:
    return session.open_run(dataset, training(**changes), Scoring(), stage="test")


def weights(model) -> dict[str, torch.Tensor]:
    return {name: tensor.clone() for name, tensor in model.state_dict().items()}


def train(dataset, stop_after=None, **changes):
    """A network with an ADMM pull, trained for 4 epochs or left after `stop_after` of them."""
    run = open_run(dataset, **changes)
    model = session.fresh_model(toy.network(), dataset, run.training)
    pull = Pull(model, (BlockSizes(input=2, recurrent=4),) * 2, Admm(updates_per_epoch=2))

    def stop(epoch: int) -> None:
        if epoch == stop_after:
            raise KeyboardInterrupt

    run.fit(model, Phase("admm", 0, 4, 4), pull, after_epoch=stop)
    return run, weights(model)


def test_it_learns(dataset):
    run = open_run(dataset, epochs=30, dropout=0, learning_rate=0.1)
    run.fit(session.fresh_model(toy.network(), dataset, run.training), Phase("dense", 0, 30, 30))
    assert run.rows[-1]["train_loss"] < 0.7 * run.rows[0]["train_loss"]
    assert run.rows[-1]["dev_per"] < 0.7 * run.rows[0]["dev_per"]


def test_resumed_equals_uninterrupted_bit_for_bit(dataset):
    whole_run, whole = train(dataset)
    whole_run.end()
    with pytest.raises(KeyboardInterrupt):
        train(dataset, stop_after=3)  # killed in the third epoch: the second one's checkpoint is there
    resumed_at = now_ms()
    run, resumed = train(dataset)
    assert all(torch.equal(whole[name], resumed[name]) for name in whole)
    assert run.rows == whole_run.rows
    assert list(run.ended) == [row["epoch"] for row in run.rows]
    moments = [whole_run.begun, run.begun, run.ended[1], run.ended[2], resumed_at, run.ended[3], run.ended[4]]
    assert moments == sorted(moments)


@pytest.mark.system
def test_kill_9_at_any_moment(tmp_path, dataset):
    """The same through a real process and SIGKILL, a few times over."""
    processes = multiprocessing.get_context("forkserver")
    processes.set_forkserver_preload([__name__])  # torch is imported once

    def start(result: Path, checkpoints: Path) -> multiprocessing.Process:
        process = processes.Process(target=_train_whole, args=(dataset.path, result, checkpoints))
        process.start()
        return process

    def finish(process: multiprocessing.Process) -> None:
        process.join()
        assert process.exitcode == 0

    finish(start(tmp_path / "whole", tmp_path / "a"))
    kills = 0
    for moment in range(1, 4):
        process = start(tmp_path / "killed", tmp_path / "b")
        seen = _epochs(tmp_path / "b")
        while process.is_alive() and _epochs(tmp_path / "b") == seen:
            time.sleep(0.005)
        time.sleep(0.007 * moment)  # somewhere inside the next epoch
        if process.is_alive():
            process.kill()
            kills += 1
        process.join()
    finish(start(tmp_path / "killed", tmp_path / "b"))
    assert kills, "the program ended before it could be killed"
    assert (tmp_path / "whole").read_bytes() == (tmp_path / "killed").read_bytes()


def _train_whole(data: Path, result: Path, checkpoints: Path) -> None:
    os.environ["ERNN_CHECKPOINTS"] = str(checkpoints)
    options = Training(epochs=12, batch_utterances=5, learning_rate=0.02, threads=1)
    dataset = Dataset.open(data)
    run = session.open_run(dataset, options, Scoring(), stage="kill")
    model = session.fresh_model(toy.network(), dataset, options)
    run.fit(model, Phase("dense", 0, 12, 12))
    model_file.save(model, result)


def _epochs(folder: Path) -> float:
    """A number that changes with every checkpoint."""
    return max((path.stat().st_mtime_ns for path in folder.glob("*/dense.safetensors")), default=0)


def test_foreign_checkpoints_are_other_folders(dataset, tmp_path):
    def folder(data, **changes):
        return open_run(data, **changes).checkpoints.folder

    other = toy.make(tmp_path / "other", utterances=23)
    assert folder(dataset) == folder(dataset)
    assert len({folder(dataset), folder(dataset, learning_rate=0.01), folder(dataset, seed=2), folder(other)}) == 4


def test_other_code_is_another_folder(monkeypatch):
    before = Checkpoints.of(stage="x").folder
    monkeypatch.setattr("ernn.training.checkpoint.code_digest", lambda: "other")
    assert Checkpoints.of(stage="x").folder != before


def test_damaged_checkpoint_is_started_over(dataset):
    _, whole = train(dataset)
    path = next(open_run(dataset).checkpoints.folder.glob("admm*"))
    path.write_bytes(path.read_bytes()[:100])
    _, again = train(dataset)
    assert all(torch.equal(whole[name], again[name]) for name in whole)


def test_loss_that_is_not_finite_stops_with_the_last_good_epoch(dataset):
    run = open_run(dataset)
    model = session.fresh_model(toy.network(), dataset, run.training)

    def poison(epoch: int) -> None:
        if epoch == 3:
            run.train.features[:] = math.nan

    with pytest.raises(
        UserError, match=r"loss is no longer finite in epoch 4, step 1; the weights of epoch 3 are kept"
    ):
        run.fit(model, Phase("dense", 0, 4, 4), after_epoch=poison)
    tensors, about = run.checkpoints.read("dense")
    assert about["epochs"] == 3
    assert all(tensor.isfinite().all() for tensor in tensors.values())


def test_cuda_is_refused_where_there_is_none(dataset):
    if torch.cuda.is_available():
        pytest.skip("this machine has CUDA")
    with pytest.raises(
        UserError, match=r"training\.device=cuda: torch sees no CUDA device; set training\.device: auto"
    ):
        open_run(dataset, device="cuda")


def train_beside(data: Dataset, criterion: str, result: Path) -> Run:
    """A network trained by all the processes of this group, written by the first; the run is not ended."""
    options = Training(epochs=3, batch_utterances=5, learning_rate=0.01, criterion=criterion, threads=1)
    run = session.open_run(data, options, Scoring(), stage="parallel")
    model = session.fresh_model(toy.network(), data, options)
    run.fit(model, Phase("dense", 0, 3, 3))
    if run.group.first:
        model_file.save(model, result)
    return run


CRITERIA = ("frames", "ctc")
_PARALLEL = """
import sys
from pathlib import Path
from ernn.data.dataset import Dataset
from tests.training.test_loop import CRITERIA, train_beside

data, results = Dataset.open(Path(sys.argv[1])), Path(sys.argv[2])
*_, last = [train_beside(data, criterion, results / criterion) for criterion in CRITERIA]
last.end()  # a group that was left is not joined again
"""


@pytest.mark.system
def test_two_processes_give_the_result_of_one(tmp_path, dataset):
    program = tmp_path / "program.py"
    program.write_text(_PARALLEL)
    both = tmp_path / "both"
    both.mkdir()
    variables = os.environ | {"OMP_NUM_THREADS": "1", "PYTHONPATH": str(ROOT)}
    variables["ERNN_CHECKPOINTS"] = str(tmp_path / "others")
    launch = [sys.executable, "-m", "torch.distributed.run", "--standalone", "--nproc-per-node=2"]
    subprocess.run([*launch, str(program), str(dataset.path), str(both)], env=variables, check=True)
    for criterion in CRITERIA:
        train_beside(dataset, criterion, tmp_path / "alone")
        alone = model_file.load(tmp_path / "alone").state_dict()
        for name, tensor in model_file.load(both / criterion).state_dict().items():
            torch.testing.assert_close(tensor, alone[name], atol=1e-5, rtol=0)
