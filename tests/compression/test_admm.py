"""ADMM: the updates are the published ones, the constraint is reached, a resumed pull goes on exactly."""

import copy

import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from ernn.compression.admm import FALLING, SETTLED, Pull
from ernn.nn import circulant, sparse
from ernn.nn.acoustic import AcousticModel
from ernn.nn.recurrent import Place
from ernn.params import Admm, BlockSizes, Densities
from ernn.params.compression import kept_blocks
from tests import toy

BLOCKS = (BlockSizes(input=2, recurrent=4, projection=4),) * 2
PLACE = Place(0, "recurrent")


def model(**changes) -> AcousticModel:
    torch.manual_seed(1)
    return AcousticModel(toy.network(**changes), toy.DIMENSION, [str(index) for index in range(toy.PHONES)])


def weight(network: AcousticModel, place: Place = PLACE) -> torch.Tensor:
    return dict(network.matrices())[place]().detach()


def nearest(dense: torch.Tensor, gates: int, block_size: int) -> torch.Tensor:
    rows, cols = dense.shape[0] // gates, dense.shape[1]
    return torch.cat([circulant.expand(circulant.project(g, block_size), rows, cols) for g in dense.split(rows)])


def circulant_part(network: AcousticModel) -> torch.Tensor:
    matrix = dict(network.matrices())[PLACE]
    return (matrix() - matrix.offset).detach()


@given(rho=st.floats(1e-3, 10), growth=st.floats(1, 10), progress=st.floats(0, 1))
def test_one_step_is_prox_then_z_then_u(rho, growth, progress):
    network = model()
    start = weight(network).double()
    pull = Pull(network, BLOCKS, Admm(rho_start=rho, rho_end=rho * growth, updates_per_epoch=1))
    z = nearest(start, 4, 4)
    w = start - rho / (1 + rho) * (start - z)  # U is zero at the start
    pull.after_step(progress, steps_per_epoch=1)
    new_z = nearest(w, 4, 4)
    rho_next = rho * growth**progress
    state = pull.state()
    torch.testing.assert_close(weight(network).double(), w, atol=1e-6, rtol=1e-5)
    torch.testing.assert_close(circulant_part(network).double(), new_z, atol=1e-6, rtol=1e-5)
    torch.testing.assert_close(state[f"u.{PLACE}"].double(), (w - new_z) * rho / rho_next, atol=1e-6, rtol=1e-4)
    assert pull.rho == pytest.approx(rho_next)


@pytest.mark.parametrize(
    "changes", [{}, {"cell": "gru"}, {"projection": 4, "peepholes": True}, {"cell": "rnn"}, {"cells": (8, 4)}]
)
def test_without_a_loss_the_weights_reach_the_set(changes):
    network = model(**changes)
    biases = network.layers[0].bias.clone()
    pull = Pull(network, BLOCKS, Admm())
    start = max(pull.residuals().values())
    for step in range(200):
        pull.after_step(step / 200, steps_per_epoch=20)
    assert start > 0.5
    assert not pull.unconverged()
    assert torch.equal(network.layers[0].bias, biases)


def test_the_fixed_point_without_a_loss_is_the_projection():
    network = model()
    expected = nearest(weight(network), 4, 4)
    pull = Pull(network, BLOCKS, Admm(rho_start=1, rho_end=1))
    for _ in range(300):
        pull.after_step(0.5, steps_per_epoch=10**9)  # no update of Z and U: the plain quadratic pull
    torch.testing.assert_close(weight(network), expected, atol=1e-6, rtol=0)


def test_updates_are_the_published_ones_over_many_steps():
    """W, Z and U in the published form, the gradient step replaced by a fixed move of W."""
    network, moves = model(), [torch.randn(32, 8, generator=torch.Generator().manual_seed(i)) / 10 for i in range(24)]
    pull = Pull(network, BLOCKS, Admm(rho_start=0.5, rho_end=2, updates_per_epoch=1))
    matrix = dict(network.matrices())[PLACE]
    w, rho = weight(model()).double(), 0.5
    z, u = nearest(w, 4, 4), torch.zeros_like(w)
    for step, move in enumerate(moves):
        matrix.columns.data += circulant.project(move.unflatten(0, (4, 8)), 4)  # as a step of Adam on the loss
        matrix.offset.data += move - nearest(move, 4, 4)
        pull.after_step(step / 9, steps_per_epoch=1)
        w = w + move.double()
        z = nearest(w + u, 4, 4)  # Z follows W within the step: the circulant part of W is not held back
        w = w - rho / (1 + rho) * (w - z + u)
        z = nearest(w + u, 4, 4)
        rho_next = 0.5 * 4 ** (step / 9)
        u, rho = (u + w - z) * rho / rho_next, rho_next
        torch.testing.assert_close(weight(network).double(), w, atol=1e-5, rtol=1e-5)
        torch.testing.assert_close(circulant_part(network).double(), z, atol=1e-5, rtol=1e-5)
        torch.testing.assert_close(pull.state()[f"u.{PLACE}"].double(), u, atol=1e-5, rtol=1e-5)


def test_splitting_and_finishing_change_no_weight_of_a_circulant_network():
    network, x = model(), torch.randn(5, 2, toy.DIMENSION)
    before = network(x)
    pull = Pull(network, BLOCKS, Admm())
    torch.testing.assert_close(network(x), before)
    for matrix in (matrix for _, matrix in network.matrices()):
        matrix.offset.data.zero_()
    after = network(x)
    pull.finish(network)
    torch.testing.assert_close(network(x), after)
    assert {matrix.kind for _, matrix in network.matrices()} == {"circulant"}


def test_only_block_sizes_above_one_are_constrained():
    network = model()
    pull = Pull(network, (BlockSizes(input=1, recurrent=2), BlockSizes(input=4)), Admm())
    assert set(pull.residuals()) == {Place(0, "recurrent"), Place(1, "input")}


def test_residuals_are_reported_by_matrix_and_at_worst():
    pull = Pull(model(), BLOCKS, Admm())
    row = pull.row()
    assert row["residual"] == max(value for name, value in row.items() if name.startswith("residual/"))
    assert {f"residual/{place}" for place in pull.residuals()} < set(row)
    assert set(pull.unconverged()) == set(pull.residuals())


HALF = (Densities(input=0.5, recurrent=0.5, projection=0.5),) * 2
SINGLE = (BlockSizes(),) * 2


@pytest.mark.parametrize("densities", [(), HALF], ids=["circulant", "sparse"])
def test_a_loaded_pull_goes_on_exactly(densities):
    one, two = model(), model()
    first = Pull(one, BLOCKS, Admm(updates_per_epoch=2), densities)
    for step in range(7):
        first.after_step(step / 20, steps_per_epoch=6)
    second = Pull(two, BLOCKS, Admm(updates_per_epoch=2), densities)
    two.load_state_dict(copy.deepcopy(one.state_dict()))
    second.load({name: tensor.clone() for name, tensor in first.state().items()})
    for pull in (first, second):
        for step in range(7, 20):
            pull.after_step(step / 20, steps_per_epoch=6)
    assert torch.equal(weight(one), weight(two))
    assert first.row() == second.row()


def nearest_sparse(dense: torch.Tensor, k: int, kept: int, together: bool) -> torch.Tensor:
    gates = dense.unflatten(0, (4, -1))
    return circulant.expand(sparse.project(gates, k, kept, together)[0], *gates.shape[1:]).flatten(0, 1)


@pytest.mark.parametrize("k", [1, 4])
@pytest.mark.parametrize("together", [False, True])
def test_updates_with_a_density_are_the_published_ones_over_many_steps(k, together):
    """W, Z and U in the published form, the gradient step replaced by a fixed move of W."""
    blocks = tuple(BlockSizes(input=k, recurrent=k) for _ in range(2))
    network, moves = model(), [torch.randn(32, 8, generator=torch.Generator().manual_seed(i)) / 10 for i in range(9)]
    pull = Pull(network, blocks, Admm(rho_start=0.5, rho_end=2, updates_per_epoch=1), HALF, together)
    matrix = dict(network.matrices())[PLACE]
    w, rho = weight(model()).double(), 0.5
    z, u = nearest(w, 4, k), torch.zeros_like(w)
    mask = torch.ones(4, 8 // k, 8 // k, 1)
    for step, move in enumerate(moves):
        kept_part = circulant.project(move.unflatten(0, (4, 8)), k) * mask  # as a step of Adam on the loss
        matrix.columns.data += kept_part
        matrix.offset.data += move - circulant.expand(kept_part, 8, 8).flatten(0, 1)
        pull.after_step(step / 24, steps_per_epoch=1)
        w = w + move.double()
        z = z + circulant.expand(kept_part, 8, 8).flatten(0, 1)  # Z follows W where blocks are kept
        w = w - rho / (1 + rho) * (w - z + u)
        left = max(0.0, 1 - step / 24 / FALLING)
        if step / 24 < SETTLED:
            z = nearest_sparse(w + u, k, kept_blocks(8 // k, 0.5 + 0.5 * left**3), together)
            mask = matrix.mask[..., None]
        else:
            z = circulant.expand(circulant.project((w + u).unflatten(0, (4, 8)), k) * mask, 8, 8).flatten(0, 1)
        rho_next = 0.5 * 4 ** (step / 24)
        u, rho = (u + w - z) * rho / rho_next, rho_next
        torch.testing.assert_close(weight(network).double(), w, atol=1e-5, rtol=1e-5)
        torch.testing.assert_close(circulant_part(network).double(), z, atol=1e-5, rtol=1e-5)
        torch.testing.assert_close(pull.state()[f"u.{PLACE}"].double(), u, atol=1e-5, rtol=1e-5)
    assert not mask.all()


@pytest.mark.parametrize("blocks", [BLOCKS, SINGLE])
@pytest.mark.parametrize("together", [False, True])
def test_without_a_loss_the_weights_reach_the_sparse_set(blocks, together):
    network = model()
    pull = Pull(network, blocks, Admm(), HALF, together)
    for step in range(1000):
        pull.after_step(step / 1000, steps_per_epoch=20)
    assert not pull.unconverged()
    before = {place: matrix().detach().clone() for place, matrix in network.matrices()}
    pull.finish(network)
    for place, matrix in network.matrices():
        assert matrix.kind == "sparse"
        assert (matrix.mask.sum(-1) == kept_blocks(matrix.mask.shape[2], 0.5)).all()
        assert not together or (matrix.mask == matrix.mask[:1]).all()
        assert (matrix() - before[place]).norm() < 0.05 * before[place].norm()


def test_density_1_is_the_circulant_network_bit_by_bit():
    networks = [model(), model()]
    pulls = [Pull(networks[0], BLOCKS, Admm()), Pull(networks[1], BLOCKS, Admm(), (Densities(),) * 2)]
    for network, pull in zip(networks, pulls, strict=True):
        for step in range(20):
            pull.after_step(step / 20, steps_per_epoch=5)
        pull.finish(network)
    one, two = (network.state_dict() for network in networks)
    assert all(torch.equal(one[name], two[name]) for name in one)


def test_a_density_of_its_own_for_each_matrix():
    network = model()
    pull = Pull(network, SINGLE, Admm(), (Densities(input=0.5), Densities(recurrent=0.25)))
    assert set(pull.residuals()) == {Place(0, "input"), Place(1, "recurrent")}
    pull.finish(network)
    shares = {place: float(m.mask.float().mean()) for place, m in network.matrices() if m.kind == "sparse"}
    assert shares == {Place(0, "input"): 0.5, Place(1, "recurrent"): 0.25}
