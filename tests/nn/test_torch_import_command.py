"""The command that makes a model file of a network of torch."""

import subprocess
import sys

import pytest
import torch
from safetensors.torch import save_file

from ernn.nn import model_file
from ernn.nn.torch_import import from_modules, from_weights, main
from tests.nn.torch_networks import ADVICE, PHONES, PREFIXES, kinds, modules, named, same

pytestmark = pytest.mark.filterwarnings("ignore:LSTM with projections is not supported with oneDNN")


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


def test_a_byte_order_mark_is_no_part_of_the_first_phone(files, tmp_path):
    (tmp_path / "phones").write_text("\n".join(PHONES), encoding="utf-8-sig")
    run(*files.values())
    assert model_file.load(tmp_path / "model").phones == tuple(PHONES)


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
    ends = "; see --help for the kind of file wanted", "; move it away or name another path", "with `iconv -t utf-8`"
    assert line.endswith(ends)
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
