"""The face: what `import ernn` loads, and the way from a network of torch to its simulated accelerator."""

import json
import re
import subprocess
import sys
from itertools import pairwise
from pathlib import Path

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

import ernn
from ernn.api.accelerators import synthesize_project
from ernn.errors import Unmet, UserError
from ernn.nn.matrices import CirculantWeight
from ernn.program import files

RANDOM = np.random.default_rng(5)


def data(inputs: int, steps: int = 12, sequences: int = 3) -> np.ndarray:
    return RANDOM.normal(size=(sequences, steps, inputs)).astype(np.float32)


def network(kind=torch.nn.LSTM, inputs=6, cells=8, layers=1, outputs=3, **options) -> ernn.Model:
    torch.manual_seed(3)
    recurrent = kind(inputs, cells, layers, **options)
    return ernn.from_torch(recurrent, torch.nn.Linear(options.get("proj_size", 0) or cells, outputs))


def narrowing() -> ernn.Model:
    """A GRU with linear layers of fewer and fewer outputs."""
    layers = torch.nn.Linear(8, 4), torch.nn.ReLU(), torch.nn.Linear(4, 3), torch.nn.ReLU(), torch.nn.Linear(3, 3)
    return ernn.from_torch(torch.nn.GRU(6, 8), torch.nn.Sequential(*layers))


def headed(*functions: torch.nn.Module, last: bool = False) -> ernn.Model:
    """A GRU with a linear layer of 10 before each function, and one of 3 behind all."""
    torch.manual_seed(3)
    layers = [each for number, f in enumerate(functions) for each in (torch.nn.Linear(10 if number else 8, 10), f)]
    return ernn.from_torch(torch.nn.GRU(6, 8), torch.nn.Sequential(*layers, torch.nn.Linear(10, 3)), last=last)


def stack(kind=torch.nn.LSTM, inputs=6, sizes=(16, 8), outputs=3) -> ernn.Model:
    torch.manual_seed(3)
    modules = [kind(*pair) for pair in pairwise((inputs, *sizes))]
    return ernn.from_torch(modules, torch.nn.Linear(sizes[-1], outputs))


def run(code: str, *arguments: str) -> str:
    done = subprocess.run([sys.executable, "-c", code, *arguments], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    return done.stdout


def test_the_import_loads_nothing_large():
    assert run("import sys, ernn; print(*sorted({'torch', 'numpy', 'pydantic', 'scipy'} & set(sys.modules)))") == "\n"


WITHOUT_TORCH = """
import sys
import numpy as np
import ernn

program = ernn.load(sys.argv[1])
program.predict(np.zeros((2, 6)))
program.stream()(np.zeros(6))
ernn.generate(program, minimise="share").write(sys.argv[2])
print('torch' in sys.modules)
"""


def test_a_program_is_read_run_and_generated_without_torch(tmp_path):
    ernn.quantize(network(), data(6)).save(tmp_path / "program")
    assert run(WITHOUT_TORCH, str(tmp_path / "program"), str(tmp_path / "out")) == "False\n"


def test_every_name_of_the_face_exists_and_no_other():
    assert set(ernn.__all__) <= set(dir(ernn))
    assert all(getattr(ernn, name).__doc__ for name in ernn.__all__)
    packages = {each.stem for each in (Path(ernn.__file__).parent).iterdir()}
    assert not packages & set(ernn.__all__)  # a package would take the name's place
    with pytest.raises(AttributeError, match="no attribute 'convert'"):
        ernn.convert  # noqa: B018


KINDS = [
    (torch.nn.LSTM, {}),
    (torch.nn.GRU, {}),
    (torch.nn.LSTM, {"proj_size": 4}),
    (torch.nn.LSTM, {"bias": False}),
    (torch.nn.GRU, {"num_layers": 2}),
    (torch.nn.RNN, {}),
]
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


@pytest.mark.parametrize("form", ["one", "stack", "list", "torch"])
def test_results_have_the_form_of_what_went_in(form):
    model = network()
    program = ernn.quantize(model, data(6))
    x = {"one": data(6)[0], "stack": data(6), "list": [*data(6), data(6, 5)[0]], "torch": torch.from_numpy(data(6))}[
        form
    ]
    for predict in (model.predict, program.predict):
        found = predict(x)
        if form == "list":
            assert [each.shape for each in found] == [(len(each), 3) for each in x]
        else:
            assert found.shape == (*x.shape[:-1], 3)


def test_sequences_do_not_know_of_each_other():
    program, x = ernn.quantize(network(), data(6)), [data(6, steps)[0] for steps in (3, 9, 1)]
    together = program.predict(x)
    for each, alone in zip(together, x, strict=True):
        np.testing.assert_array_equal(each, program.predict(alone))


def test_a_stream_gives_what_predict_gives_and_can_begin_again():
    model, x = network(layers=2), data(6)[0]
    program = ernn.quantize(model, x)
    for made, tolerance in ((program, 0.0), (model, 1e-5)):
        stream = made.stream()
        for _ in range(2):
            np.testing.assert_allclose([stream(row) for row in x], made.predict(x), atol=tolerance, rtol=0)
            stream.reset()


def test_a_stream_begins_with_the_state_that_it_is_given():
    program, x = ernn.quantize(network(layers=2), data(6)), data(6)[0]
    first, second = program.stream(), program.stream()
    for row in x[:5]:
        first(row)
    second.state = first.state
    np.testing.assert_array_equal([second(row) for row in x[5:]], program.predict(x)[5:])


def test_files_are_read_back(tmp_path):
    model = network()
    model.save(tmp_path / "model")
    program = ernn.quantize(model, data(6))
    program.save(tmp_path / "program")
    x = data(6)
    again, integers = ernn.load(tmp_path / "model"), ernn.load(str(tmp_path / "program"))
    assert isinstance(again, ernn.Model)
    assert isinstance(integers, ernn.Program)
    np.testing.assert_array_equal(again.predict(x), model.predict(x))
    np.testing.assert_array_equal(integers.predict(x), program.predict(x))


def test_objects_say_what_they_are(tmp_path):
    model = ernn.compress(network(), (data(6), data(3)), 4, epochs=2, progress=False)
    program = ernn.quantize(model, data(6))
    accelerator = ernn.generate(program, "ecp5-85f", minimise="share", clock_mhz=50)
    assert "Model: 6 inputs, 1 x lstm of 8 cells, 3 outputs" in repr(model)
    assert "layers.0.weight_hh  4 x 8 x 8" in repr(model)
    assert "circulant, k = 4" in repr(model)
    assert "6 inputs of 12 bits" in repr(program)
    assert "ecp5-85f" in repr(accelerator)
    assert "a step every" in repr(accelerator.estimate)
    assert "at 50 MHz" in repr(accelerator)
    assert "largest difference" in repr(program.compare(model, data(6)))
    for made in (model, program, accelerator):
        assert "0x" not in repr(made)


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
    for network in (model, stepwise):
        with pytest.raises(UserError, match=r"got shape \(\).*; classes must be of an integer type$"):
            ernn.compress(network, (x, np.array([0.0, 2.0, 1.0])), 4, epochs=2)


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


@pytest.mark.parametrize("block_size", [1, 4])
def test_a_density_keeps_some_blocks_down_to_the_simulated_accelerator(tmp_path, block_size):
    model, x = network(), data(6, 4)
    small = ernn.compress(model, (x, data(3, 4)), block_size, density=0.5, epochs=2, progress=False)
    assert f"sparse, k = {block_size}, 50 % of the blocks" in repr(small)
    small.save(tmp_path / "model")
    np.testing.assert_array_equal(ernn.load(tmp_path / "model").predict(x), small.predict(x))
    program = ernn.quantize(small, x)
    program.save(tmp_path / "program")
    np.testing.assert_array_equal(ernn.load(tmp_path / "program").predict(x), program.predict(x))
    assert program.compare(small, x).worst < 0.05
    result = ernn.generate(program, minimise="share").simulate(x)
    np.testing.assert_array_equal(result.outputs, program.predict(x))


@pytest.mark.parametrize(
    ("act", "message"),
    [
        (lambda model: model.predict(data(5)), r"x\[0\]: \(time, 6\) with at least one step, got shape \(12, 5\)"),
        (lambda model: model.predict([]), "x: at least one sequence, got none"),
        (lambda model: model.predict("abc"), "x: an array of numbers .* got str"),
        (lambda model: model.predict(np.zeros((0, 6))), "with at least one step, got shape"),
        (lambda model: model.predict(np.full((2, 6), np.nan)), "must be finite, got nan at step 0, element 0"),
        (lambda model: ernn.quantize(model, data(6), bits=40), "^bits: a whole number of 4 to 18, or .*, got 40$"),
        (lambda model: ernn.quantize(model, data(6), bits=12.0), "^bits: a whole number of 4 to 18, or .*, got 12.0$"),
        (lambda model: ernn.quantize(model, data(6), name="a b"), "name: "),
        (lambda model: ernn.load("/nowhere"), "/nowhere: no such file"),
        (lambda model: ernn.generate(ernn.quantize(model, data(6)), "xc7z021"), "xc7z021"),
        (
            lambda model: ernn.quantize(model, data(6)).compare(network(outputs=2), data(6)),
            "2 outputs, the program 6 inputs and 3 outputs;",
        ),
        (lambda model: ernn.compress(model, (data(6), data(3)), 6), "block_size"),
        (
            lambda model: ernn.compress(model, (data(6), data(3)), 4, density=0.0),
            "density=0.0: a number above 0 and at most 1",
        ),
        (
            lambda model: ernn.compress(model, (data(6), data(3)), 4, density=0.1),
            "density=0.1 leaves less than one of the 2 blocks in a row of layer 0's input matrix; give 0.5 or more",
        ),
        (lambda model: ernn.compress(model, (data(6), data(3)), 4, density="0.5"), "density=0.5: a number above 0 and"),
        (
            lambda model: ernn.compress(narrowing(), (data(6), data(3)), 2, density=0.4),
            "less than one of the 2 blocks in a row of head.1.weight; give 0.5 or more, or smaller blocks",
        ),
        (lambda model: ernn.compress(model, (data(6), data(3)), epochs=1), "epochs=1: at least 2"),
        (lambda model: ernn.compress(model, (data(6), data(3)[:2])), "a target for each of the 3 sequences, got 2"),
        (lambda model: ernn.compress(model, (data(6), data(3, 5))), r"got shape \(5, 3\) for a sequence of 12 steps"),
        (
            lambda model: ernn.compress(model, (data(6), data(4))),
            r"targets of 3 outputs, got shape \(12, 4\); class",
        ),
        (lambda model: ernn.compress(model, (data(6), data(1))), r"targets of 3 outputs, got shape \(12, 1\)"),
        (lambda model: ernn.compress(model, (data(6), np.full((3, 12), 3))), "classes are 0 to 2, .* got 3"),
        (lambda model: ernn.compress(model, (data(6), np.full(3, -1))), "classes are 0 to 2, .* got -1"),
        (lambda model: ernn.compress(model, data(6)), r"train: a pair \(x, y\) of data and targets, got ndarray"),
    ],
)
def test_mistakes_are_one_line(act, message):
    with pytest.raises(UserError, match=message) as refused:
        act(network())
    assert "\n" not in str(refused.value)


def test_an_accelerator_that_does_not_exist_is_an_answer():
    with pytest.raises(Unmet, match=r"^no accelerator of network on xc7z020 will do: latency: "):
        ernn.generate(ernn.quantize(network(), data(6)), latency_us=0.01)


def test_a_project_for_another_family_is_not_synthesized(tmp_path):
    accelerator = ernn.generate(ernn.quantize(network(), data(6)), "xc7z020", minimise="share")
    project = accelerator.write(tmp_path / "project")
    with pytest.raises(UserError) as refused:
        synthesize_project(project, "ecp5-85f")
    said = str(refused.value)
    assert said.startswith(f"{project}: its pipelines are scheduled with the delays of xc7 (xc7vx690t, ")
    assert said.endswith("), and ecp5-85f is another family; generate it for ecp5-85f")


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


def test_a_project_replaces_its_own_kind_alone(tmp_path):
    accelerator = ernn.generate(ernn.quantize(network(), data(6)), minimise="share")
    (tmp_path / "mine").mkdir()
    (tmp_path / "mine" / "thesis.txt").write_text("years")
    with pytest.raises(UserError, match="holds files that are no accelerator's; name another folder"):
        accelerator.write(tmp_path / "mine")
    first = accelerator.write(tmp_path / "project")
    assert accelerator.write(tmp_path / "project") == first
    assert (first / "rtl" / "ernn.v").exists()
    assert Path(first / "digest.txt").read_text()


@pytest.mark.system
def test_states_come_out_of_an_accelerator_without_an_output_layer():
    torch.manual_seed(2)
    x = data(6, 5)
    program = ernn.quantize(ernn.from_torch(torch.nn.LSTM(6, 10, 2)), x)
    np.testing.assert_array_equal(ernn.generate(program, minimise="share").simulate(x).outputs, program.predict(x))


@pytest.mark.system
@pytest.mark.parametrize(("kind", "options"), KINDS)
def test_the_accelerator_gives_what_the_program_predicts(kind, options):
    layers = options.get("num_layers", 1)
    rest = {name: value for name, value in options.items() if name != "num_layers"}
    model, x = network(kind, layers=layers, **rest), [data(6, steps)[0] for steps in (4, 7)]
    if not rest:
        model = ernn.compress(model, (x, [data(3, len(each))[0] for each in x]), 4, epochs=2, progress=False)
    program = ernn.quantize(model, x)
    result = ernn.generate(program, minimise="share").simulate(x)
    assert result.steps == 11
    for found, wanted in zip(result.outputs, program.predict(x), strict=True):
        np.testing.assert_array_equal(found, wanted)


@pytest.mark.system
def test_the_accelerator_of_a_head_whose_last_step_counts():
    x = data(6, 5)
    model = headed(torch.nn.ReLU(), torch.nn.Sigmoid(), torch.nn.Hardtanh(), last=True)
    model = ernn.compress(model, (x, data(3, 3)[:, 0]), 4, epochs=2, progress=False)
    program = ernn.quantize(model, x)
    result = ernn.generate(program, minimise="share").simulate(x)
    assert result.outputs.shape == (3, 3)
    np.testing.assert_array_equal(result.outputs, program.predict(x))


@pytest.mark.system
@pytest.mark.parametrize("kind", [torch.nn.LSTM, torch.nn.RNN])
def test_the_accelerator_of_layers_of_different_sizes(kind):
    model, x = stack(kind), [data(6, steps)[0] for steps in (4, 7)]
    program = ernn.quantize(ernn.compress(model, (x, [data(3, len(each))[0] for each in x]), 4, epochs=2), x)
    result = ernn.generate(program, minimise="share").simulate(x)
    for found, wanted in zip(result.outputs, program.predict(x), strict=True):
        np.testing.assert_array_equal(found, wanted)
