"""Model files: the identity on save and load, one clear line for every damaged one."""

import json

import pytest
import torch
from safetensors.torch import save_file

from ernn.compression.admm import Pull
from ernn.compression.pruning import Pruner
from ernn.errors import UserError
from ernn.nn import model_file
from ernn.nn.acoustic import AcousticModel
from ernn.nn.recurrent import make_circulant
from ernn.params import Admm, BlockSizes, Densities, HeadSpec
from ernn.program import files as program_file
from ernn.records.decoding import Decoding
from tests import programs, toy


def model(**changes) -> AcousticModel:
    torch.manual_seed(1)
    return AcousticModel(toy.network(**changes), toy.DIMENSION, [str(index) for index in range(toy.PHONES)])


def circulant_model() -> AcousticModel:
    result = model(projection=4, peepholes=True)
    make_circulant(result, (BlockSizes(input=4, recurrent=2), BlockSizes(projection=2)))
    return result


def reset_after_model() -> AcousticModel:
    return model(cell="gru", reset="after")


def circulant_reset_after_model() -> AcousticModel:
    result = reset_after_model()
    make_circulant(result, (BlockSizes(input=4, recurrent=2), BlockSizes(recurrent=8)))
    return result


def pruned_model() -> AcousticModel:
    result = model(cell="gru")
    Pruner(result, 4.0, 2).finish(result)
    return result


def sparse_model() -> AcousticModel:
    result = model(projection=4)
    blocks = (BlockSizes(input=4, recurrent=2), BlockSizes(projection=2))
    Pull(result, blocks, Admm(), (Densities(input=0.5), Densities(recurrent=0.25))).finish(result)
    return result


def model_with_a_head() -> AcousticModel:
    torch.manual_seed(1)
    head = (HeadSpec(outputs=6, low=0.0), HeadSpec(outputs=5, function="tanh"))
    result = AcousticModel(toy.network(), toy.DIMENSION, ("a", "b"), "ctc", head)
    make_circulant(result, (BlockSizes(), BlockSizes(input=2)))
    return result


MODELS = [
    model,
    circulant_model,
    pruned_model,
    sparse_model,
    reset_after_model,
    circulant_reset_after_model,
    model_with_a_head,
]


@pytest.mark.parametrize("make", MODELS)
def test_save_and_load_are_the_identity(make, tmp_path):
    before, x = make(), torch.randn(5, 2, toy.DIMENSION)
    before.decoding = Decoding(bigram_scale=0.5, insertion_penalty=-2.0)
    model_file.save(before, tmp_path / "model")
    after = model_file.load(tmp_path / "model")
    assert torch.equal(before(x), after(x))
    assert (before.network, before.specs, before.decoding) == (after.network, after.specs, after.decoding)
    assert before.stored_words == after.stored_words
    assert [(p, m.kind) for p, m in before.matrices()] == [(p, m.kind) for p, m in after.matrices()]
    model_file.save(after, tmp_path / "again")
    assert (tmp_path / "model").read_bytes() == (tmp_path / "again").read_bytes()


def refused(path) -> str:
    with pytest.raises(UserError) as error:
        model_file.load(path)
    assert "\n" not in str(error.value)
    return str(error.value)


def test_missing(tmp_path):
    assert refused(tmp_path / "none").endswith(
        "none: no such file; name another, or make it (in the pipeline: `dvc repro`)"
    )


@pytest.mark.parametrize("size", [0, 7, 200, -1])
def test_truncated(tmp_path, size):
    path = tmp_path / "model"
    model_file.save(model(), path)
    path.write_bytes(path.read_bytes()[:size])
    assert "not a whole safetensors file" in refused(path)


def test_foreign(tmp_path):
    save_file({"weight": torch.zeros(2)}, tmp_path / "foreign")
    assert "no ernn model; give one written by pretrain or compress" in refused(tmp_path / "foreign")


def test_folder(tmp_path):
    assert refused(tmp_path).endswith(": a folder, not a model file; give one of a float network")


@pytest.mark.parametrize(
    ("header", "message"),
    [
        ("{", "its header is not JSON (Expecting property name enclosed in double quotes"),
        ("[1]", "its header is no mapping but a list; train it again"),
        ("3", "its header is no mapping but a int; train it again"),
    ],
)
def test_header_that_is_no_mapping(tmp_path, header, message):
    save_file({"weight": torch.zeros(2)}, tmp_path / "model", {"ernn": header})
    assert message in refused(tmp_path / "model")


def rewritten(tmp_path, change_header=lambda header: None, change_tensors=lambda tensors: None):
    path = tmp_path / "model"
    model_file.save(model(), path)
    header, tensors = model_file.read(path)
    change_header(header)
    change_tensors(tensors)
    save_file(tensors, path, {"ernn": json.dumps(header)})
    return path


AGAIN = "train or import it again (in the pipeline: `dvc repro`)"


@pytest.mark.parametrize(
    ("version", "message"),
    [
        (0, f"model of version 0, this ernn reads version 2; {AGAIN}"),
        ("1", f"model of version '1', this ernn reads version 2; {AGAIN}"),
        (None, f"model without a version, this ernn reads version 2; {AGAIN}"),
        (99, "model of version 99, this ernn reads version 2; a newer ernn made it: install that"),
    ],
)
def test_another_version(tmp_path, version, message):
    path = rewritten(tmp_path, lambda header: header.update(version=version))
    assert refused(path) == f"{path}: {message}"


def test_an_integer_network_is_no_model(tmp_path):
    program_file.save(programs.build(), tmp_path / "program")
    message = ": an integer network, not a model; give one of a float network"
    assert refused(tmp_path / "program").endswith(message)


@pytest.mark.parametrize("block_size", [0, -2, 1 << 30])
def test_block_sizes_that_cannot_be(tmp_path, block_size):
    impossible = {"kind": "circulant", "block_size": block_size}
    path = rewritten(tmp_path, lambda header: header["matrices"].update({"layers.0.weight_ih": impossible}))
    assert "field 'matrices.layers.0.weight_ih.block_size' is missing or wrong" in refused(path)


def test_the_header_of_a_model_without_a_head_does_not_name_one(tmp_path):
    model_file.save(model(), tmp_path / "model")
    assert "head" not in model_file.read(tmp_path / "model")[0]


@pytest.mark.parametrize(("field", "value"), [("dimension", 0), ("phones", [])])
def test_models_without_inputs_or_outputs(tmp_path, field, value):
    path = rewritten(tmp_path, lambda header: header.update({field: value}))
    assert f"field '{field}' is missing or wrong" in refused(path)


@pytest.mark.parametrize("dtype", [torch.float64, torch.float16, torch.int32])
def test_other_kinds_of_number(tmp_path, dtype):
    def change(tensors):
        tensors["layers.1.bias"] = tensors["layers.1.bias"].to(dtype)

    path = rewritten(tmp_path, change_tensors=change)
    assert f"layers.1.bias holds {dtype}, a model has torch.float32 there; train it again" in refused(path)


def test_tensors_that_do_not_fit(tmp_path):
    path = rewritten(tmp_path, change_tensors=lambda tensors: tensors.update({"output.bias": torch.zeros(3)}))
    assert "tensors do not fit the network it names" in refused(path)


def test_a_gru_is_not_read_as_the_one_with_the_other_reset(tmp_path):
    path = tmp_path / "model"
    model_file.save(reset_after_model(), path)
    header, tensors = model_file.read(path)
    header["network"]["reset"] = "before"
    save_file(tensors, path, {"ernn": json.dumps(header)})
    message = refused(path)
    assert "tensors do not fit the network it names" in message
    assert "layers.0.bias_hn" in message


def test_header_without_a_field(tmp_path):
    path = rewritten(tmp_path, lambda header: header.pop("matrices"))
    assert "field 'matrices' is missing or wrong" in refused(path)


@pytest.mark.parametrize("value", [float("nan"), float("inf")])
def test_weights_that_are_not_finite(tmp_path, value):
    path = rewritten(tmp_path, change_tensors=lambda tensors: tensors["layers.1.bias"].fill_(value))
    assert "layers.1.bias holds values that are not finite; train it again" in refused(path)
