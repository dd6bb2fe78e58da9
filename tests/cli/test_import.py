"""`ernn import`: a model file of a network of torch."""

import json
from pathlib import Path

import pytest
import torch
import yaml
from safetensors.torch import save_file

from ernn.cli import main
from ernn.nn import model_file
from ernn.nn.torch_import import from_modules, from_weights
from ernn.params import NetworkSpec
from tests.nn.onnx_graphs import Network, exported, plain
from tests.nn.torch_networks import ADVICE, PHONES, PREFIXES, kinds, modules, named, said, same

pytestmark = pytest.mark.filterwarnings("ignore:LSTM with projections is not supported with oneDNN")


@pytest.fixture
def files(tmp_path, monkeypatch) -> dict[str, str]:
    """A working folder with the files of a command line, and their options."""
    monkeypatch.chdir(tmp_path)
    save_file(named(*modules()), "weights")
    (tmp_path / "phones").write_text("\n".join(PHONES) + "\n")
    return {name: f"--{name}={name}" for name in ("weights", "phones")} | {"model": "model"}


def run(*options: str) -> int:
    return main(["import", "--prefix=rnn.", "--output-prefix=fc.", *options])


@pytest.mark.parametrize("blank", [None, 0])
@kinds
def test_command(kind, projection, blank, files, tmp_path, capsys):
    weights, phones = named(*modules(kind, projection)), PHONES if blank is None else PHONES[1:]
    save_file(weights, "weights")
    (tmp_path / "phones").write_text(" ".join(phones))
    options = [f"--{name}={value}" for name, value in said(kind).items()]
    run(*files.values(), *([] if blank is None else [f"--blank={blank}"]), *options)
    expected = from_weights(weights, phones, blank=blank, **PREFIXES, **said(kind))
    found = model_file.load(tmp_path / "model")
    assert same(found, expected)
    assert (found.phones, found.criterion) == (expected.phones, expected.criterion)
    out, err = capsys.readouterr()
    assert out.startswith(f"Model: 5 inputs, 2 x {kind.__name__.lower()} of 8 cells, 4 outputs, ")
    assert "\nwrote model\n" in out
    entry = yaml.safe_load(out.splitlines()[-1].removeprefix("in params.yaml, networks: "))["mine"]
    spec = NetworkSpec(**entry)
    spec.check_file()
    assert spec.network == found.network
    assert not err


def test_prefixes_of_the_command_may_be_left_out(files, tmp_path):
    recurrent, output = modules()
    linear = {f"output.{name}": tensor for name, tensor in output.state_dict().items()}
    save_file(dict(recurrent.state_dict()) | linear, "weights")
    assert main(["import", *files.values()]) == 0
    assert same(model_file.load(tmp_path / "model"), from_modules(recurrent, output, PHONES))


def test_the_last_step(files, capsys):
    files.pop("phones")
    assert run(*files.values(), "--last") == 0
    assert model_file.load_any(Path("model")).last
    assert "4 outputs of the last step" in capsys.readouterr().out
    assert run(*files.values(), "--last", "--phones=phones") == 2
    assert "phones are of every step" in capsys.readouterr().err


def test_a_head_of_several_layers(files, capsys):
    weights = {"rnn": torch.nn.GRU(5, 8), "a": torch.nn.Linear(8, 6), "b": torch.nn.Linear(6, 4)}
    save_file(dict(torch.nn.ModuleDict(weights).state_dict()), "weights")
    options = ["import", files["weights"], "model", "--prefix=rnn.", "--output-prefix=a.", "--output-prefix=b."]
    assert main([*options, "--function=relu"]) == 0
    assert [str(each) for each in model_file.load_any(Path("model")).specs] == ["relu"]
    out = capsys.readouterr().out
    assert "linear layer of 6 (relu), 4 outputs" in out
    assert "--function" not in out
    assert main([*options, files["phones"], "--function=relu"]) == 0
    entry = yaml.safe_load(capsys.readouterr().out.splitlines()[-1].removeprefix("in params.yaml, networks: "))["mine"]
    assert entry["head"] == [{"outputs": 6, "function": "clip", "low": 0.0}]
    NetworkSpec(**entry).check_file()
    assert main([*options, "--function=relu", "--function=tanh", "--function=tanh"]) == 2
    assert "functions has 3 entries for 2 linear layers" in capsys.readouterr().err


def test_linear_layers_without_a_function_are_said(files, capsys):
    weights = {"rnn": torch.nn.GRU(5, 8)} | {name: torch.nn.Linear(8, 8) for name in "abc"}
    save_file(dict(torch.nn.ModuleDict(weights).state_dict()), "weights")
    options = ["import", files["weights"], "model", "--prefix=rnn.", *(f"--output-prefix={each}." for each in "abc")]
    note = "no function behind {}: weights name none; if there is one, give --function"
    for functions, silent in (([], "a., b."), (["relu"], "b."), (["relu", "none"], ""), (["none", "tanh", "relu"], "")):
        assert main([*options, *(f"--function={each}" for each in functions)]) == 0
        out = capsys.readouterr().out
        assert (note.format(silent) in out) if silent else ("no function behind" not in out)
    assert main([*options, "--json"]) == 0
    assert json.loads(capsys.readouterr().out)["head"] == ["no function", "no function"]


@pytest.fixture
def graph(files, tmp_path) -> str:
    """The option of a graph in place of weights."""
    recurrent, output = modules()
    (tmp_path / "graph").write_bytes(exported(Network(recurrent, output), torch.randn(3, 7, 5)))
    save_file(named(recurrent, output), "weights")
    return "--onnx=graph"


@pytest.mark.parametrize("phones", [[], ["--phones=phones"], ["--phones=phones", "--blank=0"]])
def test_a_graph_is_read_as_the_weights_are(graph, phones, tmp_path, capsys):
    (tmp_path / "phones").write_text("\n".join(PHONES[1:] if len(phones) > 1 else PHONES))
    assert main(["import", "model", graph, *phones]) == 0
    said = capsys.readouterr().out
    assert said.startswith("Model: 5 inputs, 2 x lstm of 8 cells, 4 outputs, ")
    assert run("other", "--weights=weights", *phones) == 0
    assert same(model_file.load_any(tmp_path / "model"), model_file.load_any(tmp_path / "other"))


@pytest.mark.parametrize(
    ("options", "said"),
    [
        (["--onnx=none"], "none: no such file; write it by torch.onnx.export"),
        (["--onnx=phones"], "phones: not a whole ONNX file ("),
        (["--onnx=graph", "--prefix="], "--prefix is of --weights, a graph says it itself; leave it out"),
        (["--onnx=graph", "--output-prefix=fc."], "--output-prefix is of --weights, "),
        (["--onnx=model"], "model is a file that is read; name another place"),
        (["--onnx=graph", "--blank=0"], "blank is CTC's among phones: name their labels with --phones, or "),
        (["--onnx=rnn"], "node0 (RNN): clip=1.0: must be as if it were left out"),
    ],
)
def test_graphs_that_are_refused(graph, tmp_path, capsys, options, said):
    (tmp_path / "rnn").write_bytes(plain("RNN", shape=["t", "b", 2], clip=1.0).SerializeToString())
    assert main(["import", "model", *options]) == 2
    out, error = capsys.readouterr()
    assert not out
    assert error.startswith(f"ernn import: {said}")
    assert error.count("\n") == 1
    assert not (tmp_path / "model").exists()


@pytest.mark.parametrize("options", [[], ["--weights=weights", "--onnx=graph"]])
def test_weights_or_a_graph(graph, options, capsys):
    with pytest.raises(SystemExit, match="2"):
        main(["import", "model", *options])
    assert capsys.readouterr().err.splitlines()[-1].startswith("ernn import: ")


def test_modules_in_a_row_have_a_prefix_each(files, tmp_path, capsys):
    first, second, output = torch.nn.GRU(5, 8), torch.nn.GRU(8, 6), torch.nn.Linear(6, 4)
    save_file(dict(torch.nn.ModuleDict({"a": first, "b": second, "fc": output}).state_dict()), "weights")
    assert main(["import", "--prefix=a.", "--prefix=b.", "--output-prefix=fc.", *files.values()]) == 0
    assert "2 x gru of 8 + 6 cells" in capsys.readouterr().out
    assert same(model_file.load(tmp_path / "model"), from_modules([first, second], output, PHONES))


def test_a_byte_order_mark_is_no_part_of_the_first_phone(files, tmp_path):
    (tmp_path / "phones").write_text("\n".join(PHONES), encoding="utf-8-sig")
    run(*files.values())
    assert model_file.load(tmp_path / "model").phones == tuple(PHONES)


def refusal(capsys, *options: str) -> str:
    """What the command says before it leaves with exit code 2."""
    assert run(*options) == 2
    out, error = capsys.readouterr()
    assert not out
    (line,) = error.splitlines()
    return line


@pytest.mark.parametrize("name", ["weights", "phones"])
def test_a_file_that_is_read_is_not_written_over(files, capsys, tmp_path, name):
    before = (tmp_path / name).read_bytes()
    options = files | {"model": f"./{name}"}
    assert refusal(capsys, *options.values()) == f"ernn import: {name} is a file that is read; name another place"
    assert (tmp_path / name).read_bytes() == before


SAVE = "write the state dict by safetensors.torch.save_file(module.state_dict(), 'weights.safetensors')"
ENDS = (
    f"; {SAVE}",
    "; write the labels of the classes there, one a line",
    "; convert it with `iconv -t utf-8`",
    "; move it away or name another path",
    "; name another path, or mend that",
)


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
    line = refusal(capsys, *(files | {option: file if option == "model" else f"--{option}={file}"}).values())
    assert line.startswith(f"ernn import: {file}: ")
    assert line.endswith(ENDS)
    assert sorted(tmp_path.iterdir()) == before


@pytest.mark.parametrize("zipped", [True, False])
def test_pickles_are_never_read(files, tmp_path, capsys, zipped):
    torch.save(named(*modules()), tmp_path / "weights", _use_new_zipfile_serialization=zipped)
    said = "written by torch.save; opening such files can run code"
    assert refusal(capsys, *files.values()) == f"ernn import: weights: {said}, so {SAVE}"


@pytest.mark.parametrize(
    ("path", "said"),
    [("none", "no such file"), (".", "a folder, not a file of weights"), ("phones", "not a whole ")],
)
def test_weights_that_are_none(files, capsys, path, said):
    line = refusal(capsys, *(files | {"weights": f"--weights={path}"}).values())
    assert line.startswith(f"ernn import: {path}: {said}")


def test_names_of_a_wrapped_network_are_read_without_the_wrapper(files, tmp_path, capsys):
    weights = named(*modules())
    save_file({f"module._orig_mod.{name}": tensor for name, tensor in weights.items()}, "weights")
    run(*files.values())
    assert same(model_file.load(tmp_path / "model"), from_weights(weights, PHONES, **PREFIXES))


def test_the_prefixes_that_are_there_are_named(files, tmp_path, capsys):
    save_file({f"encoder.{name}": tensor for name, tensor in named(*modules()).items()}, "weights")
    line = refusal(capsys, *files.values())
    assert line == (
        "ernn import: rnn.weight_hh_l0: no such tensor; `weight_hh_l0` follows 'encoder.rnn.': "
        "give prefix='encoder.rnn.' (--prefix)"
    )


def test_a_place_that_cannot_be_written_is_refused_before_the_weights_are_read(files, capsys):
    line = refusal(capsys, *(files | {"weights": "--weights=none", "model": "phones/model"}).values())
    assert line.startswith("ernn import: phones/model: ")


def test_a_network_that_cannot_be_imported_leaves_no_file(files, tmp_path, capsys):
    save_file(named(*modules()) | {"norm.weight": torch.ones(8)}, "weights")
    message = f"ernn import: norm.weight: expected no such tensor, got shape (8,){ADVICE}"
    assert refusal(capsys, *files.values()) == message
    assert not (tmp_path / "model").exists()
