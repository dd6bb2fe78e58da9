"""Float networks: equal to torch, compressed with a user's data, said and kept."""

import numpy as np
import pytest
import torch

import ernn
from ernn.errors import UserError
from tests.api.networks import KINDS, data, network, stack

pytestmark = pytest.mark.filterwarnings("ignore:LSTM with projections is not supported with oneDNN")


@pytest.mark.parametrize(("kind", "options"), KINDS)
def test_floats_are_those_of_torch(kind, options):
    layers = options.get("num_layers", 1)
    options = {name: value for name, value in options.items() if name != "num_layers"}
    torch.manual_seed(1)
    recurrent = kind(6, 8, layers, **options)
    head = torch.nn.Linear(options.get("proj_size", 0) or 8, 3)
    x = data(6)
    with torch.no_grad():
        wanted = head(recurrent(torch.from_numpy(x).transpose(0, 1))[0]).transpose(0, 1).numpy()
    np.testing.assert_allclose(ernn.from_torch(recurrent, head).predict(x), wanted, atol=1e-5)


def test_without_a_linear_layer_the_outputs_are_the_states(tmp_path):
    torch.manual_seed(1)
    recurrent, x = torch.nn.GRU(6, 8, 2), data(6)
    with torch.no_grad():
        wanted = recurrent(torch.from_numpy(x).transpose(0, 1))[0].transpose(0, 1).numpy()
    model = ernn.from_torch(recurrent)
    np.testing.assert_allclose(model.predict(x), wanted, atol=1e-5)
    np.testing.assert_allclose(list(map(model.stream(), x[0])), wanted[0], atol=1e-5)
    model.save(tmp_path / "model")
    np.testing.assert_array_equal(ernn.load(tmp_path / "model").predict(x), model.predict(x))
    program = ernn.quantize(ernn.compress(model, (x, wanted), 4, epochs=2, progress=False), x)
    assert program.predict(x).shape == wanted.shape
    program.save(tmp_path / "program")
    np.testing.assert_array_equal(ernn.load(tmp_path / "program").predict(x), program.predict(x))


@pytest.mark.parametrize("head", [torch.nn.Linear(8, 3), None])
def test_the_last_step_alone(head, tmp_path):
    torch.manual_seed(3)
    recurrent, x = torch.nn.GRU(6, 8), [data(6, steps)[0] for steps in (5, 1, 9)]
    model, every = (ernn.from_torch(recurrent, head, last=last) for last in (True, False))
    model.save(tmp_path / "model")
    assert ernn.load(tmp_path / "model").last
    assert "outputs of the last step" in repr(model)
    program, whole = ernn.quantize(model, x), ernn.quantize(every, x)
    program.save(tmp_path / "program")
    again = ernn.load(tmp_path / "program")
    assert again.last
    assert not whole.last
    for ours, theirs in ((model, every), (again, whole)):
        found, wanted = ours.predict(x), theirs.predict(x)
        assert [each.shape for each in found] == [(model.outputs,)] * 3
        np.testing.assert_array_equal(found, [each[-1] for each in wanted])
        np.testing.assert_array_equal(ours.predict(x[0]), wanted[0][-1])
        np.testing.assert_array_equal(ours.predict(np.stack([x[2]] * 2)), [wanted[2][-1]] * 2)
    ends = [np.abs(a - b) for a, b in zip(program.predict(x), model.predict(x), strict=True)]
    compared = program.compare(model, x)
    np.testing.assert_allclose((compared.mean, compared.worst), (np.mean(ends), np.max(ends)))
    with pytest.raises(UserError, match=r"6 inputs and . outputs, the program 6 inputs and . outputs of the last step"):
        program.compare(every, x)


def test_a_network_of_the_last_step_learns_from_a_target_for_each_sequence():
    torch.manual_seed(3)
    model, x = ernn.from_torch(torch.nn.GRU(6, 8), torch.nn.Linear(8, 3), last=True), data(6, 3)
    seen = []

    def loss(outputs, targets):
        seen.append((tuple(outputs.shape), tuple(targets.shape)))
        return ((outputs - targets[:, 0]) ** 2).mean()

    ernn.compress(model, (x, data(3, 3)), 4, loss=loss, epochs=2, progress=False)  # as many targets as steps: one
    assert set(seen) == {((3, 3), (3, 3, 3))}
    ernn.compress(model, (x, data(3, 3)[:, 0]), 4, epochs=2, progress=False)
    ernn.compress(model, (x, np.array([0, 2, 1])), 4, epochs=2, progress=False)
    with pytest.raises(UserError, match=r"a class for each sequence, since the network .* alone; got shape \(3,\)"):
        ernn.compress(model, (x, np.zeros((3, 3), int)), 4, epochs=2)
    with pytest.raises(UserError, match=r"a vector of outputs for each sequence, .* got shape \(3, 3\)"):
        ernn.compress(model, (x, data(3, 3)), 4, epochs=2)
    stepwise = ernn.from_torch(torch.nn.GRU(6, 8), torch.nn.Linear(8, 3))
    for each in (model, stepwise):
        with pytest.raises(UserError, match=r"got shape \(\).*; classes must be of an integer type$"):
            ernn.compress(each, (x, np.array([0.0, 2.0, 1.0])), 4, epochs=2)


def test_layers_of_different_sizes_are_said_and_kept(tmp_path):
    model, x = stack(), data(6)
    small = ernn.compress(model, (x, data(3)), 4, epochs=2, progress=False)
    assert "2 x lstm of 16 + 8 cells" in repr(small)
    assert "layers.1.weight_ih  4 x 8 x 16" in repr(small)
    small.save(tmp_path / "model")
    np.testing.assert_array_equal(ernn.load(tmp_path / "model").predict(x), small.predict(x))


def test_sizes_may_be_numbers_of_numpy():
    x, y = data(6), data(3)
    found = [
        ernn.compress(network(), (x, y), size, density=density, epochs=2, progress=False).predict(x)
        for size, density in ((4, 0.5), (np.int64(4), np.float32(0.5)))
    ]
    np.testing.assert_array_equal(*found)


@pytest.mark.parametrize("last", [False, True])
@pytest.mark.parametrize("classes", [False, True])
def test_what_learns_from_its_teacher_alone_does_not_depend_on_targets(classes, last):
    torch.manual_seed(3)
    model, x, y = ernn.from_torch(torch.nn.GRU(6, 8), torch.nn.Linear(8, 3), last=last), data(6), data(3)
    targets = [(y.argmax(-1) + shift) % 3 if classes else y + np.float32(shift) for shift in (0, 1)]

    def compressed(shift, share):
        y = targets[shift][:, -1] if last else targets[shift]
        return ernn.compress(model, (x, y), 4, epochs=2, distillation=share, progress=False).predict(x)

    whole, half, none = ([compressed(shift, share) for shift in (0, 1)] for share in (1.0, 0.5, 0.0))
    np.testing.assert_array_equal(*whole)
    for pair in (half, none):
        assert not np.array_equal(*pair)


@pytest.mark.parametrize("classes", [False, True])
def test_what_learns_from_its_teacher_comes_nearer_to_it(classes):
    torch.manual_seed(3)
    model, x = ernn.from_torch(torch.nn.GRU(6, 8), torch.nn.Linear(8, 3)), data(6)
    y = data(3).argmax(-1) if classes else data(3)

    def far(share):
        small = ernn.compress(model, (x, y), 4, epochs=20, distillation=share, progress=False)
        apart = small.predict(x) - model.predict(x)
        return np.square(apart - apart.mean(-1, keepdims=True) * classes).mean()  # softmax knows differences alone

    assert far(1.0) < far(0.5) < far(0.0)


@pytest.mark.parametrize("share", [-0.1, 1.5, float("nan"), "half"])
def test_a_share_of_the_loss_is_from_0_to_1(share):
    with pytest.raises(UserError, match=f"^distillation={share}: a number from 0 to 1$"):
        ernn.compress(network(), (data(6), data(3)), 4, epochs=2, distillation=share, progress=False)


def test_blocks_that_store_more_words_are_said(caplog):
    def said(block_size):
        caplog.clear()
        ernn.compress(network(), (data(6), data(3)), block_size, epochs=2, progress=False)
        return [line for line in caplog.messages if "padding" in line]

    assert said(8) == []
    assert said(16) == [
        "layers.0.weight_ih, 4 x 8 x 6: padding to k = 16 stores 64 words, and k = 8 32 words",
        "layers.0.weight_hh, 4 x 8 x 8: padding to k = 16 stores 64 words, and k = 8 32 words",
    ]
