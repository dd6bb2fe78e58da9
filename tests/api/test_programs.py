"""Integer networks: near the floats, in the widths that are given, as streams, with their profile."""

import json
import re

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

import ernn
from ernn.errors import UserError
from ernn.nn.matrices import CirculantWeight
from ernn.program import files
from tests.api.networks import begun, data, headed, network, stack


@settings(deadline=None, max_examples=15)
@given(
    st.sampled_from([torch.nn.LSTM, torch.nn.GRU, torch.nn.RNN]),
    st.integers(1, 9),
    st.lists(st.integers(1, 9), min_size=1, max_size=2),
    st.integers(1, 4),
    st.integers(10, 16),
)
def test_integers_are_near_the_floats_and_nearer_with_more_bits(kind, inputs, sizes, outputs, bits):
    model, x = stack(kind, inputs, sizes, outputs), data(inputs)
    compared = ernn.quantize(model, x, bits=bits).compare(model, x)
    scale = np.abs(model.predict(x)).max()
    assert compared.mean <= compared.worst <= 64 * scale * 2.0 ** (1 - bits)


@pytest.mark.parametrize("transform", ["exact", "fourier"])
@pytest.mark.parametrize(("kind", "layers"), [(torch.nn.LSTM, 2), (torch.nn.GRU, 1)])
def test_widths_of_tensors_are_given_read_and_given_again(kind, layers, transform):
    model, x = ernn.compress(network(kind, layers=layers), (data(6), data(3)), 4, epochs=2, progress=False), data(6)
    asked = {"weights": 9, "accumulators": 14, "layers.0.weight_hh": 6, "layers.0.y": 8, "output.logits": 16, "x": 7}
    program = ernn.quantize(model, x, asked, transform=transform)
    found = program.widths
    assert {name: found[name] for name in asked if name in found} == {
        name: asked[name] for name in asked if name in found
    }
    assert found["layers.0.weight_ih"] == 9
    assert program.value.layers[0].weight_hh.words.format.bits == 6
    again = ernn.quantize(model, x, json.loads(json.dumps(found)), transform=transform)
    assert files.digest(again.value) == files.digest(program.value)


@settings(deadline=None, max_examples=25)
@given(
    st.sampled_from([torch.nn.LSTM, torch.nn.GRU, torch.nn.RNN]),
    st.integers(4, 12),
    st.integers(0, 14),
    st.sampled_from(["exact", "compressed"]),
    st.integers(0, 99),
)
def test_weights_on_a_grid_are_taken_as_they_are(kind, bits, fraction, form, seed):
    """Integers times 2 ** -fraction that the width holds; a sum of two biases has the wider format of accumulators."""
    random = np.random.default_rng(seed)
    most = 2 ** (bits - 1) - 1
    torch.manual_seed(seed)
    recurrent, head = kind(6, 8), torch.nn.Linear(8, 3)
    for name, weight in [*recurrent.named_parameters(), *head.named_parameters()]:
        drawn = random.integers(-most, most, weight.shape, endpoint=True) * 2.0**-fraction
        weight.data = torch.from_numpy(drawn).float() if "weight" in name else torch.zeros(weight.shape)
    model, x = ernn.from_torch(recurrent, head), data(6, 4)
    if form == "compressed":  # by Brevitas on top of block-circulant weights, say
        for place, matrix in list(model.network.matrices()):
            columns = CirculantWeight.nearest(matrix, 4)
            whole = random.integers(-most, most, columns.columns.shape, endpoint=True) * 2.0**-fraction
            columns.columns.data = torch.from_numpy(whole).float()
            model.network.replace(place, columns)
    program = ernn.quantize(model, x, {"weights": bits, "accumulators": 16}).value
    found = program.matrices
    for place, matrix in model.network.matrices():
        stored = getattr(matrix, "columns", None)
        wanted = matrix().unflatten(0, (matrix.gates, -1)).unsqueeze(-1) if stored is None else stored
        np.testing.assert_array_equal(found[str(place)].words.values, wanted.detach().double().numpy())
    np.testing.assert_array_equal(found["output.weight"].words.values[0, :, :, 0], head.weight.detach().numpy())


def test_the_lowest_integer_of_a_grid_is_kept_too():
    """-128 of 8 bits has no negative: a format that holds 128 would be coarser."""
    torch.manual_seed(1)
    recurrent = torch.nn.LSTM(6, 8, bias=False)
    for weight in recurrent.parameters():
        weight.data = torch.randint(-128, 128, weight.shape).float() / 64
        weight.data[0, 0], weight.data[1, 0] = -2.0, 127 / 64
    program = ernn.quantize(ernn.from_torch(recurrent), data(6, 4), {"weights": 8}).value
    found = program.layers[0].weight_hh.words.values.reshape(32, 8)
    np.testing.assert_array_equal(found, recurrent.weight_hh_l0.detach().numpy())


def test_a_tensor_that_is_not_there_is_named():
    with pytest.raises(UserError, match=r"widths: no tensor 'layers.1.y'; there are x, layers.0.weight_ih, "):
        ernn.quantize(network(), data(6), {"layers.1.y": 8})


def test_a_stream_gives_what_predict_gives_and_can_begin_again():
    model, x = network(layers=2), data(6)[0]
    program = ernn.quantize(model, x)
    for made, tolerance in ((program, 0.0), (model, 1e-5)):
        stream = made.stream()
        for _ in range(2):
            np.testing.assert_allclose([stream(row) for row in x], made.predict(x), atol=tolerance, rtol=0)
            stream.reset()


@pytest.mark.parametrize("kind", [torch.nn.LSTM, torch.nn.GRU, torch.nn.RNN])
def test_sequences_begin_with_the_initial_states_of_the_network(kind, tmp_path):
    model, x = begun(kind), data(6)
    zeros = network(kind, layers=2)
    assert "3 outputs, given initial states, " in repr(model)
    assert "initial states" not in repr(zeros)
    small = ernn.compress(model, (x, data(3)), 4, epochs=2, progress=False)
    for made in (model, small):
        program = ernn.quantize(made, x, bits=14)
        assert "given initial states" in repr(program)
        assert program.compare(made, x).worst < 0.05
        program.save(tmp_path / "program")
        np.testing.assert_array_equal(ernn.load(tmp_path / "program").predict(x), program.predict(x))
        assert not any(row.saturated for row in program.profile(made, x).rows if row.largest <= row.format.limit)
        for each, tolerance in ((program, 0.0), (made, 1e-5)):
            stream = each.stream()
            for _ in range(2):
                np.testing.assert_allclose([stream(row) for row in x[0]], each.predict(x[0]), atol=tolerance, rtol=0)
                stream.reset()
    before, after = (each.network.layers[1].initial_y for each in (model, small))
    assert torch.equal(before, after)


def test_a_stream_begins_with_the_state_that_it_is_given():
    program, x = ernn.quantize(network(layers=2), data(6)), data(6)[0]
    first, second = program.stream(), program.stream()
    for row in x[:5]:
        first(row)
    second.state = first.state
    np.testing.assert_array_equal([second(row) for row in x[5:]], program.predict(x)[5:])


@pytest.mark.parametrize("block_size", [1, 4])
@pytest.mark.parametrize("kind", [torch.nn.LSTM, torch.nn.GRU, torch.nn.RNN])
def test_every_cell_has_a_profile(kind, block_size):
    model, x = network(kind), data(6)
    if block_size > 1:
        model = ernn.compress(model, (x, data(3)), block_size, epochs=2, progress=False)
    names = {row.name for row in ernn.quantize(model, x).profile(model, x).rows}
    assert {"layers.0.y", "output.logits"} <= names


def test_a_profile_has_every_named_value_and_names_what_is_too_narrow(tmp_path):
    model, x = network(cells=12, layers=2), data(6, 30)
    program = ernn.quantize(model, x, bits=10)
    found = program.profile(model, x)
    names = [row.name for row in found.rows]
    assert {"layers.0.a_i", "layers.1.c", "layers.1.y", "output.logits"} <= set(names)
    assert len(names) == len(set(names))
    compared = program.compare(model, x)
    logits = next(row for row in found.rows if row.name == "output.logits")
    np.testing.assert_allclose((logits.mean, logits.worst), (compared.mean, compared.worst), rtol=1e-3)
    assert not any(row.saturated for row in found.rows if row.largest <= row.format.limit)
    louder = program.profile(model, 40 * x)
    assert any(row.saturated > 0.01 for row in louder.rows)
    assert "largest error" in repr(found)
    for kind in ("svg", "png"):
        found.draw(tmp_path / f"profile.{kind}")
    assert "<svg" in (tmp_path / "profile.svg").read_text()
    with pytest.raises(UserError, match=r"profile.bmp: a picture is a file .svg, .png or .pdf"):
        found.draw(tmp_path / "profile.bmp")


@pytest.mark.parametrize("transform", ["exact", "fourier"])
def test_a_head_is_compressed_quantized_said_and_kept(transform, tmp_path):
    x = data(6, 40)
    model = ernn.compress(headed(torch.nn.ReLU(), torch.nn.Tanh()), (x, data(3, 40)), 4, epochs=2, progress=False)
    assert "linear layer of 10 (relu), linear layer of 10 (tanh), 3 outputs" in repr(model)
    assert re.search(r"head.1.weight +1 x 10 x 10 +circulant, k = 4 +36\n", repr(model))
    program = ernn.quantize(model, x, {"weights": 10, "head.0.weight": 7, "head.1.y": 9}, transform=transform)
    found = program.widths
    assert (found["head.0.weight"], found["head.1.weight"], found["head.1.y"], found["head.0.y"]) == (7, 10, 9, 12)
    assert files.digest(ernn.quantize(model, x, found, transform=transform).value) == files.digest(program.value)
    names = {row.name for row in program.profile(model, x).rows}
    assert {"head.0.y", "head.1.a_d", "head.1.d", "head.1.y", "output.logits"} <= names
    assert program.compare(model, x).worst < 0.1
    program.save(tmp_path / "program")
    np.testing.assert_array_equal(ernn.load(tmp_path / "program").predict(x), program.predict(x))
    assert not any(name.startswith("head.0.sums") for name, _ in program.compare(model, x).saturated)
