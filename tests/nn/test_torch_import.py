"""Imported models against the torch modules they come from, and one clear line for everything that cannot be one."""

import subprocess
import sys

import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from safetensors.torch import save_file
from torch import Tensor, nn

from ernn.errors import UserError
from ernn.nn import decoding, model_file
from ernn.nn.acoustic import AcousticModel, make_circulant
from ernn.nn.torch_import import from_modules, from_weights, main
from ernn.params import BlockSizes, Network

pytestmark = pytest.mark.filterwarnings("ignore:LSTM with projections is not supported with oneDNN")

INPUTS, CELLS, CLASSES = 5, 8, 4
PHONES = ["sil", "aa", "n", "t"]
PREFIXES = {"prefix": "rnn.", "output_prefix": "fc."}
KINDS = [(nn.LSTM, 0), (nn.LSTM, 3), (nn.GRU, 0)]
kinds = pytest.mark.parametrize(("kind", "projection"), KINDS)


def modules(
    kind=nn.LSTM, projection=0, layers=2, inputs=INPUTS, cells=CELLS, classes=CLASSES, **options
) -> tuple[nn.LSTM | nn.GRU, nn.Linear]:
    projected = {"proj_size": projection} if projection else {}
    return kind(inputs, cells, layers, **projected, **options), nn.Linear(projection or cells, classes)


def named(recurrent: nn.Module, output: nn.Module) -> dict[str, Tensor]:
    """The state dict of a network that holds both."""
    return dict(nn.ModuleDict({"rnn": recurrent, "fc": output}).state_dict())


def difference(model: AcousticModel, recurrent: nn.Module, output: nn.Module, steps=20, batch=3) -> float:
    """Greatest difference of the logits."""
    x = torch.randn(steps, batch, recurrent.input_size)
    with torch.no_grad():
        if recurrent.batch_first:
            expected = output(recurrent(x.transpose(0, 1))[0]).transpose(0, 1)
        else:
            expected = output(recurrent(x)[0])
        return float((model(x) - expected).abs().max())


def same(one: AcousticModel, other: AcousticModel) -> bool:
    ours, theirs = one.state_dict(), other.state_dict()
    return one.network == other.network and all(torch.equal(ours[name], theirs[name]) for name in ours | theirs)


@pytest.mark.parametrize("batch_first", [False, True])
@pytest.mark.parametrize("bias", [True, False])
@pytest.mark.parametrize("layers", [1, 2, 3])
@kinds
def test_logits_are_those_of_torch(kind, projection, layers, bias, batch_first):
    recurrent, output = modules(kind, projection, layers, bias=bias, batch_first=batch_first)
    model = from_modules(recurrent, output, PHONES)
    gru = kind is nn.GRU
    cell, reset = ("gru", "after") if gru else ("lstm", "before")
    assert model.network == Network(cell=cell, layers=layers, cells=CELLS, projection=projection, reset=reset)
    assert (model.dimension, model.phones, model.criterion) == (INPUTS, tuple(PHONES), "frames")
    assert difference(model, recurrent, output) < 1e-5
    assert same(model, from_weights(named(recurrent, output), PHONES, **PREFIXES))


@given(
    st.sampled_from(KINDS), st.integers(1, 3), st.integers(1, 7), st.integers(4, 9), st.booleans(), st.integers(0, 999)
)
def test_sizes_are_found_whatever_they_are(kind, layers, inputs, cells, bias, seed):
    torch.manual_seed(seed)
    recurrent, output = modules(*kind, layers, inputs, cells, bias=bias)
    model = from_modules(recurrent, output, PHONES)
    assert (model.dimension, model.network.layers, model.network.cells) == (inputs, layers, cells)
    assert difference(model, recurrent, output) < 1e-5


@kinds
def test_in_double_precision_the_equations_are_the_same(kind, projection):  # in float32 torch's kernels may run in both
    recurrent, output = modules(kind, projection, layers=3)
    with torch.no_grad():
        for parameter in (*recurrent.parameters(), *output.parameters()):
            parameter.copy_(torch.randn_like(parameter).mul_(32).round_().div_(64))  # biases sum without rounding
    model = from_modules(recurrent, output, PHONES).double()
    x = torch.randn(20, 3, INPUTS, dtype=torch.float64)
    with torch.no_grad():
        expected = output.double()(recurrent.double()(x)[0])
        torch.testing.assert_close(model(x), expected, atol=1e-11, rtol=0)


@kinds
def test_the_size_of_a_real_network(kind, projection):
    recurrent, output = modules(kind, projection and 256, 2, 153, 512, classes=48)
    model = from_modules(recurrent, output, [str(index) for index in range(48)])
    assert difference(model, recurrent, output, steps=100) < 1e-5


@pytest.mark.parametrize("cells", [3, 4])  # 3 and 4 are also the numbers of gates
@pytest.mark.parametrize("kind", [nn.LSTM, nn.GRU])
def test_cells_as_many_as_gates(kind, cells):
    recurrent, output = modules(kind, cells=cells, inputs=cells)
    assert difference(from_modules(recurrent, output, PHONES), recurrent, output) < 1e-5


@pytest.mark.parametrize(
    ("prefix", "output_prefix"), [("", "fc."), ("", ""), ("a{0}.", "a{0}."), ("", "bias_"), ("+", "")]
)
def test_prefixes(prefix, output_prefix):
    recurrent, output = modules(nn.GRU, bias=False)
    weights = {prefix + name: tensor for name, tensor in recurrent.state_dict().items()}
    weights |= {output_prefix + name: tensor for name, tensor in output.state_dict().items()}
    backwards = dict(reversed(weights.items()))
    model = from_weights(backwards, PHONES, prefix=prefix, output_prefix=output_prefix)
    assert same(model, from_modules(recurrent, output, PHONES))


def test_an_output_layer_without_bias():
    recurrent, _ = modules()
    output = nn.Linear(CELLS, CLASSES, bias=False)
    assert difference(from_modules(recurrent, output, PHONES), recurrent, output) < 1e-5


@kinds
def test_double_precision_is_rounded(kind, projection):
    recurrent, output = modules(kind, projection, dtype=torch.float64)
    model = from_modules(recurrent, output.double(), PHONES)
    assert {parameter.dtype for parameter in model.parameters()} == {torch.float32}
    assert difference(model, recurrent.float(), output.float()) < 1e-5


@kinds
def test_weights_are_copied_and_can_be_trained(kind, projection):
    recurrent, output = modules(kind, projection)
    weights = named(recurrent, output)
    before = {name: tensor.clone() for name, tensor in weights.items()}
    model = from_weights(weights, PHONES, **PREFIXES)
    model(torch.randn(4, 2, INPUTS)).square().sum().backward()
    with torch.no_grad():
        for parameter in model.parameters():
            assert parameter.grad.any()
            parameter.zero_()
    assert weights.keys() == before.keys()
    assert all(torch.equal(weights[name], tensor) for name, tensor in before.items())


@pytest.mark.parametrize("blank", range(CLASSES))
def test_the_blank_becomes_the_last_class(blank):
    recurrent, output = modules()
    frames, ctc = from_modules(recurrent, output, PHONES), from_modules(recurrent, output, PHONES[1:], blank)
    assert ctc.criterion == "ctc"
    order = [*(each for each in range(CLASSES) if each != blank), blank]
    x = torch.randn(4, 2, INPUTS)
    torch.testing.assert_close(ctc(x), frames(x)[..., order])


def test_priors_and_bigram_are_those_of_no_data():
    model = from_modules(*modules(), PHONES)
    torch.testing.assert_close(model.bigram, decoding.bigram([], CLASSES))
    torch.testing.assert_close(model.log_priors, decoding.log_priors(torch.empty(0).long().numpy(), CLASSES))


def test_dropout_that_is_not_active():
    recurrent, output = modules(dropout=0.5)
    assert difference(from_modules(recurrent.eval(), output, PHONES), recurrent, output) < 1e-5


@kinds
def test_from_import_to_a_circulant_model_file(kind, projection, tmp_path):
    model = from_modules(*modules(kind, projection), PHONES)
    make_circulant(model, (BlockSizes(input=2, recurrent=4, projection=2),) * 2)
    model_file.save(model, tmp_path / "model")
    assert same(model, model_file.load(tmp_path / "model"))


def refused(weights: dict[str, Tensor], phones=PHONES, blank=None, prefixes=PREFIXES) -> str:
    with pytest.raises(UserError) as error:
        from_weights(weights, phones, blank=blank, **prefixes)
    assert "\n" not in str(error.value)
    return str(error.value)


ADVICE = "; give one LSTM or GRU, one Linear and their prefixes"


@pytest.mark.parametrize(
    ("name", "shape", "message"),
    [
        ("rnn.weight_hh_l1", (32, 7), "expected shape (32, 8), got shape (32, 7)"),
        ("rnn.weight_ih_l1", (32, 5), "expected shape (32, 8), got shape (32, 5)"),
        ("rnn.weight_ih_l0", (31, 5), "expected shape (32, 5), got shape (31, 5)"),
        ("rnn.weight_ih_l0", (32,), "expected a matrix, got shape (32,)"),
        ("rnn.weight_ih_l0", (32, 0), "expected a matrix, got shape (32, 0)"),
        ("rnn.weight_hh_l0", (), "expected a matrix, got shape ()"),
        ("rnn.weight_hh_l0", (8, 8), "expected 32 rows (LSTM) or 24 (GRU; no nn.RNN), got shape (8, 8)"),
        ("rnn.weight_hh_l0", (33, 8), "expected 32 rows (LSTM) or 24 (GRU; no nn.RNN), got shape (33, 8)"),
        ("rnn.weight_hr_l0", (8, 8), "expected fewer than 8 rows, got shape (8, 8)"),
        ("rnn.weight_hr_l1", (3, 8), "expected no such tensor, got shape (3, 8)"),
        ("rnn.bias_hh_l1", (32, 1), "expected shape (32,), got shape (32, 1)"),
        ("rnn.weight_hh_l0_g", (32, 1), "expected no such tensor, got shape (32, 1)"),
        ("norm.weight", (8,), "expected no such tensor, got shape (8,)"),
        ("fc.weight", (4, 9), "expected shape (4, 8), got shape (4, 9)"),
        ("fc.bias", (5,), "expected shape (4,), got shape (5,)"),
    ],
)
def test_shapes_that_contradict_the_others(name, shape, message):
    weights = named(*modules()) | {name: torch.zeros(shape)}
    assert refused(weights) == f"{name}: {message}{ADVICE}"


@pytest.mark.parametrize(
    ("name", "expected"),
    [
        ("rnn.weight_hh_l0", "a matrix"),
        ("rnn.weight_ih_l0", "a matrix"),
        ("rnn.weight_hh_l1", "shape (32, 3)"),
        ("rnn.weight_hr_l1", "shape (3, 8)"),
        ("rnn.bias_ih_l0", "shape (32,)"),
        ("rnn.bias_hh_l1", "shape (32,)"),
        ("fc.weight", "a matrix"),
    ],
)
def test_missing(name, expected):
    weights = named(*modules(projection=3))
    del weights[name]
    assert refused(weights) == f"{name}: expected {expected}, got no such tensor{ADVICE}"


@pytest.mark.parametrize("name", ["weight_ih_l3", "bias_hh_l2", "weight_ih_l00"])
def test_layers_with_gaps(name):
    weights = named(*modules()) | {f"rnn.{name}": torch.zeros(32, 8)}
    assert refused(weights) == f"rnn.weight_ih_l2: expected shape (32, 8), got no such tensor{ADVICE}"


def test_a_projection_of_some_layers():
    weights = named(*modules(projection=3))
    del weights["rnn.weight_hr_l0"]
    expected = "expected 12 rows (LSTM) or 9 (GRU; no nn.RNN), got shape (32, 3)"
    assert refused(weights) == f"rnn.weight_hh_l0: {expected}{ADVICE}"


def test_a_projection_of_a_gru():
    weights = named(*modules(nn.GRU)) | {"rnn.weight_hr_l0": torch.zeros(3, 8)}
    assert refused(weights) == f"rnn.weight_ih_l0: expected shape (32, 5), got shape (24, 5){ADVICE}"


@given(st.sampled_from(KINDS), st.booleans(), st.data())
def test_no_tensor_can_be_left_out_nor_lengthened(kind, bias, data):
    weights = named(*modules(*kind, bias=bias))
    name = data.draw(st.sampled_from(sorted(weights)))
    longer = torch.cat((weights[name], weights[name][:1]))
    refused(weights | {name: longer})
    if name != "fc.bias":
        refused({other: tensor for other, tensor in weights.items() if other != name})


@pytest.mark.parametrize("prefixes", [{"prefix": "", "output_prefix": "fc."}, {"prefix": "lstm.", "output_prefix": ""}])
def test_wrong_prefixes(prefixes):
    name = f"{prefixes['prefix']}weight_hh_l0"
    assert refused(named(*modules()), prefixes=prefixes) == f"{name}: expected a matrix, got no such tensor{ADVICE}"


@pytest.mark.parametrize("dtype", [torch.float16, torch.bfloat16, torch.int32, torch.bool, torch.complex64])
@pytest.mark.parametrize("name", ["rnn.weight_ih_l1", "rnn.bias_hh_l0", "fc.bias"])
def test_other_kinds_of_number(name, dtype):
    weights = named(*modules())
    weights[name] = torch.ones_like(weights[name], dtype=dtype)
    message = f"{name} holds {dtype}, must be float32 or float64; call .float() on the module first"
    assert refused(weights) == message


@pytest.mark.parametrize("value", [torch.nan, torch.inf, -1e39, 1.1e38])
@pytest.mark.parametrize("name", ["rnn.weight_hr_l1", "rnn.bias_ih_l0", "fc.weight"])
def test_values_that_are_not_finite(name, value):
    weights = {name: tensor.double() for name, tensor in named(*modules(projection=3)).items()}
    weights[name].view(-1)[-1] = value
    assert refused(weights) == f"{name} holds values that are not finite or beyond 1e38; train it again"


def test_the_greatest_biases_still_have_a_sum():
    weights = named(*modules())
    for name in ("rnn.bias_ih_l0", "rnn.bias_hh_l0"):
        weights[name].fill_(1e38)
    assert all(tensor.isfinite().all() for tensor in from_weights(weights, PHONES, **PREFIXES).state_dict().values())


@pytest.mark.parametrize(
    ("change", "got"),
    [(lambda tensor: tensor.to("meta"), "torch.strided on meta"), (Tensor.to_sparse, "torch.sparse_coo on cpu")],
)
def test_tensors_without_dense_values(change, got):
    weights = named(*modules())
    weights["rnn.weight_hh_l1"] = change(weights["rnn.weight_hh_l1"])
    message = f"rnn.weight_hh_l1 is {got}, must be dense with values; load them first"
    assert refused(weights) == message


def test_both_directions():
    recurrent, _ = modules(bidirectional=True)
    message = "weight_ih_l0_reverse: layers here run forward in time only; train with bidirectional=False"
    assert refused(named(recurrent, nn.Linear(16, 4))) == f"rnn.{message}"
    with pytest.raises(UserError, match=rf"^recurrent\.{message}$"):
        from_modules(recurrent, nn.Linear(16, 4), PHONES)


@pytest.mark.parametrize("value", [{"weight_ih_l0": 1}, 3, None, [1.0]])
def test_values_that_are_no_tensors(value):
    message = f"state is a {type(value).__name__}, not a tensor; give the state dict itself"
    assert refused(named(*modules()) | {"state": value}) == message


@pytest.mark.parametrize(
    ("phones", "blank", "got"),
    [
        (PHONES[1:], None, "3 phones (3 different) and blank=None"),
        ([*PHONES, "d"], None, "5 phones (5 different) and blank=None"),
        (["sil", "aa", "n", "n"], None, "4 phones (3 different) and blank=None"),
        ([], None, "0 phones (0 different) and blank=None"),
        (PHONES, 0, "4 phones (4 different) and blank=0"),
        (PHONES[1:], 4, "3 phones (3 different) and blank=4"),
        (PHONES, -1, "4 phones (4 different) and blank=-1"),
    ],
)
def test_phones_that_are_not_the_classes(phones, blank, got):
    rule = "the output layer has 4 classes, each for another phone, with CTC one for the blank; "
    assert refused(named(*modules()), phones, blank) == f"{rule}got {got}: correct phones or blank"


def test_a_blank_alone():
    assert "has 1 classes" in refused(named(*modules(classes=1)), [], 0)


class Own(nn.LSTM):
    """May compute anything."""


@pytest.mark.parametrize(
    ("recurrent", "output", "got"),
    [
        (nn.RNN(5, 8), nn.Linear(8, 4), "RNN and Linear"),
        (nn.RNN(5, 8, nonlinearity="relu"), nn.Linear(8, 4), "RNN and Linear"),
        (nn.LSTMCell(5, 8), nn.Linear(8, 4), "LSTMCell and Linear"),
        (Own(5, 8), nn.Linear(8, 4), "Own and Linear"),
        (nn.GRU(5, 8), nn.Sequential(nn.Linear(8, 4)), "GRU and Sequential"),
        (nn.GRU(5, 8), nn.LazyLinear(4), "GRU and LazyLinear"),
        (
            nn.utils.parametrizations.weight_norm(nn.LSTM(5, 8), "weight_hh_l0"),
            nn.Linear(8, 4),
            "ParametrizedLSTM and Linear",
        ),
    ],
)
def test_other_modules(recurrent, output, got):
    with pytest.raises(UserError) as error:
        from_modules(recurrent, output, PHONES)
    rule = "modules must be a torch.nn.LSTM or torch.nn.GRU and a torch.nn.Linear"
    assert str(error.value) == f"{rule}, got {got}; use those"


def test_active_dropout():
    with pytest.raises(UserError) as error:
        from_modules(*modules(dropout=0.3), PHONES)
    message = "dropout=0.3 is active, but an imported model has none; call .eval() first"
    assert str(error.value) == message


@pytest.fixture
def files(tmp_path, monkeypatch) -> dict[str, str]:
    """A working folder with the files of a command line, and their options."""
    monkeypatch.chdir(tmp_path)
    save_file(named(*modules()), "weights")
    (tmp_path / "phones").write_text("\n".join(PHONES) + "\n")
    return {name: f"--{name}={name}" for name in ("weights", "phones", "model")}


def run(*options: str) -> None:
    main(["--prefix=rnn.", "--output-prefix=fc.", *options])


@pytest.mark.parametrize("blank", [None, 0])
@kinds
def test_command(kind, projection, blank, files, tmp_path, capsys):
    weights, phones = named(*modules(kind, projection)), PHONES if blank is None else PHONES[1:]
    save_file(weights, "weights")
    (tmp_path / "phones").write_text(" ".join(phones))
    run(*files.values(), *([] if blank is None else [f"--blank={blank}"]))
    expected, found = from_weights(weights, phones, blank=blank, **PREFIXES), model_file.load(tmp_path / "model")
    assert same(found, expected)
    assert (found.phones, found.criterion) == (expected.phones, expected.criterion)
    assert capsys.readouterr() == ("", "")


def test_prefixes_of_the_command_may_be_left_out(files, tmp_path):
    recurrent, output = modules()
    linear = {f"output.{name}": tensor for name, tensor in output.state_dict().items()}
    save_file(dict(recurrent.state_dict()) | linear, "weights")
    main([*files.values()])
    assert same(model_file.load(tmp_path / "model"), from_modules(recurrent, output, PHONES))


def refusal(capsys, *options: str) -> str:
    """What the command says before it leaves with exit code 2."""
    with pytest.raises(SystemExit) as exit_:
        run(*options)
    assert exit_.value.code == 2
    out, error = capsys.readouterr()
    assert not out
    (line,) = error.splitlines()
    return line


@pytest.mark.parametrize(
    ("option", "file"),
    [
        ("weights", "none"),
        ("weights", "."),
        ("weights", "phones"),
        ("phones", "none"),
        ("phones", "."),
        ("phones", "latin1"),
        ("model", "."),
        ("model", ".."),
        ("model", "phones/model"),
    ],
)
def test_files_that_cannot_be_read_or_written(option, file, files, tmp_path, capsys):
    (tmp_path / "latin1").write_bytes("ä".encode("latin1"))
    before = sorted(tmp_path.iterdir())
    line = refusal(capsys, *(files | {option: f"--{option}={file}"}).values())
    assert line.startswith(f"torch_import: {file}: ")
    assert line.endswith(("; see --help for the kind of file wanted", "; name a file in it"))
    assert sorted(tmp_path.iterdir()) == before


def test_pickles_are_never_read(files, tmp_path, capsys):
    torch.save(named(*modules()), tmp_path / "weights")
    assert refusal(capsys, *files.values()).startswith("torch_import: weights: ")


def test_a_network_that_cannot_be_imported_leaves_no_file(files, tmp_path, capsys):
    save_file(named(*modules()) | {"norm.weight": torch.ones(8)}, "weights")
    message = f"torch_import: norm.weight: expected no such tensor, got shape (8,){ADVICE}"
    assert refusal(capsys, *files.values()) == message
    assert not (tmp_path / "model").exists()


def test_help_does_not_wait_for_torch():
    code = "import sys; from ernn.nn.torch_import import main; assert 'torch' not in sys.modules; main(['--help'])"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=False)
    assert (done.returncode, done.stderr) == (0, "")
    assert "--output-prefix" in done.stdout
