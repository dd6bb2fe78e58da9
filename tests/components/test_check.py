"""The check of params.yaml: what the stages behind it would refuse, in a second, and a file that never changes."""

import copy
import json
import subprocess
import sys
import time
from pathlib import Path

import pytest
import yaml

from components.check import TEXT, check
from components.stage import main
from ernn.params import read
from workflow import presets

ROOT = Path(__file__).parents[2]
DEFAULT = read(ROOT / "params.yaml")


@pytest.fixture
def folder(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    return tmp_path


def run(values: dict) -> None:
    Path("params.yaml").write_text(yaml.safe_dump(values, sort_keys=False))
    main(check, ["--checked", "data/checked.txt"])


@pytest.mark.parametrize("preset", ["default", "smoke", "paper"])
def test_a_good_file_gives_a_file_that_never_changes(folder, preset):
    run(presets.parameters(ROOT, preset, ["corpus.path=/folder"]))
    assert Path("data/checked.txt").read_text() == TEXT


@pytest.mark.parametrize("count", range(5))
def test_every_mapping_may_be_empty(folder, count):
    run(DEFAULT | {section: {} for section in ("accelerators", "programs", "designs", "networks")[:count]})
    assert Path("data/checked.txt").exists()


ARRAY = "accelerators.lstm-k8-admm.array"
MISTAKES = {
    "lanes": ({ARRAY: {"lanes": 7}}, "accelerators.lstm-k8-admm: layer 0: lanes=7 must be a multiple of 4, an LSTM's"),
    "heads": (
        {"accelerators.gru-k4-admm.array": {"heads": 3}},
        "accelerators.gru-k4-admm: layer 0: heads=3 must be a power of two, at most 2 here, and divide lanes=8",
    ),
    "pointwise": ({ARRAY: {"pointwise": 3}}, "accelerators.lstm-k8-admm: layer 0: pointwise=3 must be a power of two"),
    "number of arrays": (
        {"accelerators.lstm-pruned.arrays": [{}]},
        "accelerators.lstm-pruned: arrays has 1 entries; this network has 3 arrays: layer 0, layer 1, output",
    ),
    "two of them": (
        {ARRAY: {"lanes": 7}, "accelerators.lstm-pruned.array.lanes": 5},
        "accelerators.lstm-k8-admm: layer 0: lanes=7 must be a multiple of 4, an LSTM's gates; "
        "accelerators.lstm-pruned: layer 0: lanes=5 must be",
    ),
    "bits": (
        {"programs.lstm-pruned.bits": {"cell": 40}},
        "params.yaml: programs.lstm-pruned.bits.cell: Input should be",
    ),
    "device": ({"hardware.device": "xcku06"}, "params.yaml: hardware.device: device=xcku06 must be one of xcku060, "),
    "density": (
        {"designs.lstm-k4-admm.density": {"input": 0.04}},
        "params.yaml: designs.lstm-k4-admm: density=0.04 leaves less than one of the 20 blocks in a row of layer 0's ",
    ),
    "block size": ({"designs.lstm-k2-admm.block_size": 3}, "params.yaml: programs.lstm-k2-admm: layer 0, input: "),
    "network": ({"designs.lstm-k2-admm.network": "no"}, "params.yaml: designs.lstm-k2-admm.network=no must be one of"),
    "section": ({"trainnig": {}}, "params.yaml: trainnig: no such key; remove it or correct its spelling"),
    "imported": (
        {"networks.lstm": {"file": "none", "sha256": 64 * "0"}},
        "networks.lstm: none: no such file; name a file of a network\n",
    ),
    "features": ({"features.mels": 400}, "features.mels=400: some filters are narrower than the "),
}


@pytest.mark.parametrize("name", MISTAKES)
def test_mistakes_are_one_line_and_nothing_is_written(folder, capsys, name):
    values = copy.deepcopy(DEFAULT)
    changes, message = MISTAKES[name]
    for place, value in changes.items():
        *path, last = place.split(".")
        inner = values
        for part in path:
            inner = inner[part]
        inner[last] = value
    with pytest.raises(SystemExit, match="2"):
        run(values)
    said = capsys.readouterr().err
    assert said.startswith(f"check: {message}")
    assert said.count("\n") == 1
    assert not Path("data").exists()


LARGEST = {
    "block-circulant": ({"block_size": 64}, {"transform": "fourier"}),
    "dense": ({"method": "direct", "block_size": 1}, {}),
    "pruned": ({"method": "prune", "pruning_ratio": 1.5}, {}),
    "sparse": ({"block_size": 2, "density": 0.75, "pattern": "cell"}, {}),
}


@pytest.mark.parametrize("name", LARGEST)
@pytest.mark.parametrize("cell", ["lstm", "gru"])
def test_the_largest_network_is_checked_in_a_moment(folder, cell, name):
    design, program = LARGEST[name]
    network = {"cell": cell, "layers": 64, "cells": 16_384}
    if cell == "lstm":
        network |= {"projection": 16_383, "peepholes": True}
    values = {
        "networks": {"n": network},
        "designs": {"d": {"network": "n"} | design},
        "programs": {"p": {"design": "d"} | program},
        "accelerators": {"a": {"program": "p"}},
    }
    before = time.process_time()
    run(DEFAULT | values)
    assert time.process_time() - before < 5
    assert Path("data/checked.txt").exists()


def test_a_run_of_a_cluster_is_checked_as_the_file_is(folder, capsys):

    given = [
        part for name, value in DEFAULT.items() if name != "version" for part in (f"--params.{name}", json.dumps(value))
    ]
    main(check, [*given, "--checked", "good"])
    assert Path("good").read_text() == TEXT
    given[given.index("--params.programs") + 1] = "{}"
    with pytest.raises(SystemExit, match="2"):
        main(check, [*given, "--checked", "bad"])
    assert capsys.readouterr().err.startswith("check: the command line: accelerators.lstm-k2-admm.program=lstm-k2-admm")


def test_nothing_heavy_is_loaded(tmp_path):
    code = "import sys; from components.check import check; from components.stage import main; "
    code += f"main(check, ['--checked', r'{tmp_path}/checked']); print({{'torch', 'mlflow'}} & set(sys.modules))"
    done = subprocess.run([sys.executable, "-c", code], cwd=ROOT, capture_output=True, text=True, check=True)
    assert done.stdout == "set()\n"
