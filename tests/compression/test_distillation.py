"""Distillation: the loss in closed form, and what a student learns that sees no right label."""

import copy

import pytest
import torch
import torch.nn.functional as F
from hypothesis import given, settings
from hypothesis import strategies as st

from ernn.compression.distillation import Distilled
from ernn.compression.methods import compress
from ernn.nn.acoustic import AcousticModel
from ernn.params import Compression, Design, Scoring, Training
from ernn.params.compression import Distillation
from ernn.training import session
from ernn.training.batches import Batch
from ernn.training.dense import train_dense
from ernn.training.evaluate import loss_sum
from tests import toy

CLASSES, STEPS, COUNT = 48, 7, 3


def model(seed: int, criterion: str = "frames") -> AcousticModel:
    torch.manual_seed(seed)
    return AcousticModel(toy.network(layers=1), toy.DIMENSION, toy.PHONES48, criterion).eval()


def batch(seed: int, padding: int = 0) -> Batch:
    """Utterances of 7, 5 and 3 vectors, a third of them without labels, and `padding` vectors more."""
    generator = torch.Generator().manual_seed(seed)
    lengths = torch.tensor([STEPS, 5, 3])
    x = torch.randn(STEPS, COUNT, toy.DIMENSION, generator=generator)
    labels = torch.randint(0, CLASSES, (STEPS, COUNT), generator=generator)
    labels[::3] = -1
    labels[torch.arange(STEPS)[:, None] >= lengths] = -1
    x, labels = F.pad(x, (0, 0, 0, 0, 0, padding)), F.pad(labels, (0, 0, 0, padding), value=-1)
    return Batch(
        torch.arange(COUNT).numpy(), x, labels, lengths, [torch.tensor([1, 2]), torch.tensor([3]), torch.tensor([4])]
    )


CRITERIA = st.sampled_from(["frames", "ctc"])


@given(CRITERIA, st.floats(0.1, 1), st.floats(0.5, 8), st.integers(0, 99))
@settings(deadline=None)
def test_the_gradient_is_the_difference_of_the_softened_posteriors(criterion, weight, temperature, seed):
    """Of the divergence at the counted frames: temperature * (student - teacher); nothing at the others."""
    student, teacher, given_ = model(1, criterion), model(2, criterion), batch(seed)
    loss = Distilled(teacher, Distillation(weight=weight, temperature=temperature))
    logits = student(given_.x).detach().requires_grad_()
    total, things = loss(student, logits, given_)
    alone = logits.detach().clone().requires_grad_()
    criterion_alone, counted = loss_sum(student, alone, given_)
    (total - (1 - weight) * criterion_alone.detach()).backward()
    criterion_alone.backward()
    wanted = temperature * (
        (logits.detach() / temperature).softmax(-1) - (teacher(given_.x).detach() / temperature).softmax(-1)
    )
    frames = given_.labels >= 0
    if criterion == "ctc":
        frames = torch.arange(STEPS)[:, None] < given_.lengths
    assert things == counted
    torch.testing.assert_close(
        logits.grad, weight * wanted * frames[..., None] + (1 - weight) * alone.grad, rtol=1e-4, atol=1e-5
    )


@given(CRITERIA, st.integers(1, 5), st.integers(0, 99))
@settings(deadline=None)
def test_padding_counts_nowhere(criterion, padding, seed):
    student, loss = model(1, criterion), Distilled(model(2, criterion), Distillation(weight=0.7, temperature=2.0))
    short, long = batch(seed), batch(seed, padding)
    one, other = (loss(student, student(each.x), each) for each in (short, long))
    torch.testing.assert_close(one[0], other[0])
    assert one[1] == other[1]


@given(CRITERIA, st.floats(0, 1), st.floats(0.5, 8))
@settings(deadline=None)
def test_a_student_equal_to_its_teacher_has_the_criterion_alone(criterion, weight, temperature):
    student, given_ = model(1, criterion), batch(3)
    total, _ = Distilled(student, Distillation(weight=weight, temperature=temperature))(
        student, student(given_.x), given_
    )
    alone, _ = loss_sum(student, student(given_.x), given_)
    torch.testing.assert_close(total, (1 - weight) * alone, rtol=1e-4, atol=1e-3)


@pytest.fixture
def dense(tmp_path, monkeypatch):
    """A toy data set, and a dense network at the epoch where compression starts and after all its epochs."""
    monkeypatch.setenv("ERNN_CHECKPOINTS", str(tmp_path / "checkpoints"))
    dataset = toy.make(tmp_path / "data", utterances=10)
    run = open_run(dataset, "dense")
    networks = train_dense(session.fresh_model(toy.network(), dataset, run.training), Compression(), run)
    return dataset, networks


def open_run(dataset, name):
    training = Training(epochs=12, batch_utterances=5, learning_rate=0.02, threads=1)
    return session.open_run(dataset, training, Scoring(), name=name)


def divergence(student: AcousticModel, teacher: AcousticModel, dataset) -> float:
    """Mean over the frames of `dev`, in nats."""
    with torch.no_grad():
        x = torch.from_numpy(dataset.split("dev").features.copy())[:, None]
        ours, theirs = student.eval()(x).log_softmax(-1), teacher.eval()(x).log_softmax(-1)
    return float(F.kl_div(ours, theirs, reduction="sum", log_target=True) / len(x))


@pytest.mark.parametrize(
    "design",
    [
        Design(network="a", method="admm", block_size=2),
        Design(network="a", method="direct", block_size=2),
        Design(network="a", method="prune", pruning_ratio=2),
    ],
    ids=lambda design: design.method,
)
def test_every_method_comes_nearer_to_its_teacher_and_leaves_it_as_it_is(dense, design):
    dataset, (at_cut, final) = dense
    left = {}
    for weight in (0.0, 1.0):
        run = open_run(dataset, f"{design.method}-{weight}")
        teacher = copy.deepcopy(final)
        options = Compression(distillation=Distillation(weight=weight))
        student = compress(copy.deepcopy(at_cut), teacher, design, options, run)
        left[weight] = divergence(student, final, dataset)
        for ours, theirs in zip(teacher.parameters(), final.parameters(), strict=True):
            assert torch.equal(ours, theirs)
    assert left[1.0] < 0.8 * left[0.0]
