"""Entries of `networks` with a file: what of it must agree with the entry before anything is trained."""

import json
import re

import pytest
from pydantic import ValidationError
from safetensors.torch import save_file

from ernn import artifacts
from ernn.compression.admm import Pull
from ernn.errors import UserError
from ernn.nn import model_file
from ernn.nn.acoustic import AcousticModel
from ernn.nn.recurrent import RecurrentModel
from ernn.params import Network, NetworkSpec
from ernn.params.compression import Admm, BlockSizes
from ernn.program import files
from tests.golden.programs import RandomPrograms

SIZES = {"cell": "gru", "layers": 1, "cells": 8}
PHONES = ("sil", "aa", "b")
NOWHERE = "0" * 64


@pytest.fixture
def saved(tmp_path):
    """The entry of a model that is on disk."""
    path = tmp_path / "mine"
    model_file.save(AcousticModel(Network(**SIZES), 5, PHONES), path)
    return {"file": str(path), "sha256": artifacts.sha256(path)} | SIZES


def refused(entry: dict, message: str) -> None:
    with pytest.raises(UserError, match=f"^{re.escape(message)}") as found:
        NetworkSpec(**entry).check_file()
    assert "\n" not in str(found.value)


def test_an_entry_that_agrees(saved):
    spec = NetworkSpec(**saved)
    spec.check_file()
    assert spec.network == Network(**SIZES)
    assert type(spec.network) is Network


@pytest.mark.parametrize("key", ["file", "sha256"])
def test_file_and_digest_belong_together(saved, key):
    del saved[key]
    with pytest.raises(ValidationError, match=r"is given without .*; `ernn import` prints both"):
        NetworkSpec(**saved)


@pytest.mark.parametrize("digest", ["abc", "G" * 64, "0" * 63, "0" * 65])
def test_a_digest_has_64_digits(saved, digest):
    with pytest.raises(ValidationError, match="64 digits from 0 to f; `ernn import` and `sha256sum` print them"):
        NetworkSpec(**saved | {"sha256": digest})


def test_another_content_is_refused_with_its_digest(saved):
    wanted = saved["sha256"]
    refused(saved | {"sha256": NOWHERE}, f"{saved['file']}: sha256 must be that of the file; write sha256: {wanted}")


@pytest.mark.parametrize(
    ("changed", "message"),
    [
        ({"cells": 16}, "cells is not 16 in this network; write cells: 8"),
        ({"cell": "lstm"}, "cell is not lstm in this network; write cell: gru"),
        ({"layers": 2, "cells": 9}, "layers is not 2 in this network; write layers: 1, cells: 8"),
        ({"reset": "after"}, "reset is not after in this network; write reset: before"),
    ],
)
def test_other_sizes_are_refused_with_those_of_the_file(saved, changed, message):
    refused(saved | changed, f"{saved['file']}: {message}")


HEAD = [{"outputs": 6, "low": 0}, {"outputs": 4, "function": "tanh"}]


def test_a_head_agrees_with_that_of_the_file(saved, tmp_path):
    spec = NetworkSpec(**SIZES, head=HEAD)
    model_file.save(AcousticModel(spec.network, 5, PHONES, head=spec.head), tmp_path / "mine")
    entry = saved | {"sha256": artifacts.sha256(tmp_path / "mine")}
    NetworkSpec(**entry, head=HEAD).check_file()
    theirs = "{outputs: 6, function: clip, low: 0.0}, {outputs: 4, function: tanh}"
    refused(entry, f"{tmp_path}/mine: head is not [] in this network; write head: [{theirs}]")
    refused(entry | {"head": HEAD[:1]}, f"{tmp_path}/mine: head is not [{{outputs: 6, ")
    header, tensors = model_file.read(tmp_path / "mine")
    for broken in (5, [5], [{"outputs": 0}]):
        save_file(tensors, tmp_path / "mine", {"ernn": json.dumps(header | {"head": broken})})
        changed = entry | {"sha256": artifacts.sha256(tmp_path / "mine")}
        refused(changed, f"{tmp_path}/mine: its head is none of linear layers; import the network again")


def test_files_that_are_no_dense_acoustic_models_are_refused(saved, tmp_path):
    def entry(name: str) -> dict:
        path = tmp_path / name
        return saved | {"file": str(path), "sha256": artifacts.sha256(path) if path.is_file() else NOWHERE}

    refused(entry("none"), f"{tmp_path}/none: no such file")
    (tmp_path / "text").write_text("sil aa b")
    refused(entry("text"), f"{tmp_path}/text: not a whole safetensors file")
    model_file.save(RecurrentModel(Network(**SIZES), 5, 3), tmp_path / "silent")
    refused(entry("silent"), f"{tmp_path}/silent: no acoustic model; give one that `ernn import --phones` wrote")
    files.save(RandomPrograms(1).program(), tmp_path / "program")
    refused(entry("program"), f"{tmp_path}/program: no acoustic model; ")
    model = AcousticModel(Network(**SIZES), 5, PHONES)
    Pull(model, (BlockSizes(input=4, recurrent=4),), Admm()).finish(model)
    model_file.save(model, tmp_path / "circulant")
    refused(entry("circulant"), f"{tmp_path}/circulant: its matrices are compressed (circulant); give a dense network")
