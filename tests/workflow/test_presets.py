"""Working copies for presets: the parameters laid over each other, the checkout left as it is."""

import re
import shutil
from pathlib import Path

import pytest
import yaml

from ernn.errors import UserError
from workflow import presets

ROOT = Path(__file__).parents[2]


@pytest.fixture
def root(tmp_path):
    for name in ("ernn", "components", "presets"):
        shutil.copytree(ROOT / name, tmp_path / name, ignore=shutil.ignore_patterns("__pycache__"))
    for name in ("dvc.yaml", "params.yaml", ".dvcignore"):
        shutil.copy(ROOT / name, tmp_path / name)
    return tmp_path


def values(folder):
    return yaml.safe_load((folder / "params.yaml").read_text())


def contents(folder):
    return {each: each.read_bytes() for each in folder.rglob("*") if each.is_file() and "runs" not in each.parts}


def test_preset_and_settings_lie_over_the_default(root):
    before = contents(root)
    folder = presets.lay_out(root, "smoke", ["training.epochs=3", "designs.lstm-k4-admm.block_size=16"])
    default, laid = yaml.safe_load((root / "params.yaml").read_text()), values(folder)
    assert folder == root / "runs" / "smoke"
    assert laid["corpus"]["train_speakers"] == 48
    assert laid["corpus"]["seed"] == default["corpus"]["seed"]
    assert laid["training"]["epochs"] == 3
    assert laid["designs"]["lstm-k4-admm"] == {"network": "lstm", "method": "admm", "block_size": 16}
    assert contents(root) == before


def test_a_working_copy_has_all_of_the_code(root):
    folder = presets.lay_out(root, "smoke")
    for name in ("ernn", "components"):
        assert {p.relative_to(folder) for p in (folder / name).rglob("*") if p.is_file()} == {
            p.relative_to(root) for p in (root / name).rglob("*") if p.is_file()
        }
    assert list((folder / "ernn/hw/verilog/library").glob("*.v"))


def test_a_setting_of_a_whole_section_of_entries_replaces_it(root):
    given = ["accelerators={}", "programs={a: {design: lstm-k4-admm}}", "designs.lstm-k8-admm.block_size=16"]
    laid = values(presets.lay_out(root, "smoke", given))
    assert laid["accelerators"] == {}
    assert laid["programs"] == {"a": {"design": "lstm-k4-admm"}}
    assert len(laid["designs"]) == 5


def test_a_working_copy_has_the_folders_that_stages_read_as_a_whole(root):
    folder = presets.lay_out(root, "smoke", [f"{section}={{}}" for section in ("accelerators", "programs", "designs")])
    assert values(folder)["designs"] == {}
    assert all((folder / name).is_dir() for name in presets.FOLDERS)


def test_designs_and_networks_of_a_preset_replace_the_defaults(root):
    (root / "presets" / "one.yaml").write_text(
        "version: 1\nnetworks: {tiny: {cells: 8}}\ndesigns: {tiny-k2: {network: tiny, block_size: 2}}\n"
        "programs: {tiny-12: {design: tiny-k2}}\n"
        "accelerators: {tiny: {program: tiny-12}}\n"
    )
    laid = values(presets.lay_out(root, "one"))
    assert laid["networks"] == {"tiny": {"cells": 8}}
    assert laid["designs"] == {"tiny-k2": {"network": "tiny", "block_size": 2}}
    assert laid["programs"] == {"tiny-12": {"design": "tiny-k2"}}


def test_again_touches_only_what_changed(root):
    folder = presets.lay_out(root, "smoke")
    (root / "ernn" / "gone.py").write_text("")
    presets.lay_out(root, "smoke")
    (root / "ernn" / "gone.py").unlink()
    (root / "ernn" / "errors.py").write_text("# new\n")
    before = {each: each.stat().st_mtime_ns for each in folder.rglob("*.py")}
    presets.lay_out(root, "smoke")
    after = {each: each.stat().st_mtime_ns for each in folder.rglob("*.py")}
    assert set(before) - set(after) == {folder / "ernn" / "gone.py"}
    assert {each for each in after if after[each] != before[each]} == {folder / "ernn" / "errors.py"}
    assert (folder / "ernn" / "errors.py").read_text() == "# new\n"


def test_the_copy_has_its_own_dvc_and_the_checkouts_cache(root):
    from dvc.repo import Repo

    with Repo(str(presets.lay_out(root, "smoke"))) as repo:
        assert repo.root_dir == str(root / "runs" / "smoke")
        assert Path(repo.cache.local.path).is_relative_to(root / ".dvc" / "cache")
        assert {stage.addressing.split(":")[-1] for stage in repo.index.stages} >= {
            "prepare",
            "pretrain@lstm",
            "report",
            "publish",
        }


@pytest.mark.parametrize(
    ("preset", "settings", "line"),
    [
        (
            "big",
            [],
            "PRESET=big: there is no presets/big.yaml; choose one of default, fourier, paper, smoke",
        ),
        (
            "paper",
            [],
            "preset paper: corpus: kind=timit reads your own folder, and path is empty; "
            "set it, for TIMIT as in `make run PRESET=paper TIMIT=/folder`",
        ),
        ("smoke", ["training.epochs"], "--set training.epochs: write section.key=value, for example --set training."),
        ("smoke", ["training.epochs=["], "--set training.epochs=[: not YAML: while parsing"),
        ("smoke", ["networks={a: {}, a: {}}"], "--set networks={a: {}, a: {}}: key 'a' is in one mapping twice"),
        (
            "../params",
            [],
            "PRESET=../params: there is no presets/../params.yaml; choose one of default, fourier, paper, smoke",
        ),
        ("smoke", ["training.epoch=3"], "preset smoke: training.epoch: no such key; remove it"),
        ("smoke", ["trainnig.epochs=3"], "preset smoke: trainnig: no such key; remove it"),
        ("smoke", ["version=2"], "preset smoke: version: Input should be 1, got 2"),
        ("smoke", ["training.epochs=0"], "preset smoke: training.epochs: Input should be greater than 0, got 0"),
        ("smoke", ["designs.lstm-k4-admm.network=none"], "preset smoke: designs.lstm-k4-admm.network=none must be one"),
    ],
)
def test_mistakes_are_one_line_with_the_key(root, monkeypatch, capsys, preset, settings, line):
    monkeypatch.chdir(root)
    with pytest.raises(SystemExit, match="2"):
        presets.main([preset, *(word for each in settings for word in ("--set", each))])
    error = capsys.readouterr().err
    assert error.startswith(f"presets: {line}")
    assert error.count("\n") == 1
    assert not (root / "runs").exists()


@pytest.mark.parametrize("name", ["params", "presets/smoke"])
@pytest.mark.parametrize(
    ("line", "message"),
    [
        ("", "parameters without a version, this ernn reads version 1; carry your values over to files of this ernn"),
        ("version: 0", "parameters of version 0, this ernn reads version 1; carry your values over to files of this"),
        ("version: '1'", "parameters of version '1', this ernn reads version 1; carry your values over"),
        ("version: 2", "parameters of version 2, this ernn reads version 1; a newer ernn made it: install that"),
    ],
)
def test_parameters_of_another_version_are_refused(root, name, line, message):
    file = root / f"{name}.yaml"
    file.write_text(re.sub(r"(?m)^version: 1.*$", line, file.read_text()))
    with pytest.raises(UserError) as error:
        presets.lay_out(root, "smoke")
    assert str(error.value).startswith(f"{file}: {message}")
    assert not (root / "runs").exists()


def test_a_preset_that_is_no_mapping_is_named(root):
    (root / "presets" / "list.yaml").write_text("- 1\n")
    with pytest.raises(UserError, match=r"presets/list\.yaml: must be a mapping of sections, as params\.yaml is"):
        presets.lay_out(root, "list")


def test_a_folder_that_is_no_checkout_is_one_line(root, capsys, monkeypatch):
    (root / "dvc.yaml").unlink()
    monkeypatch.chdir(root)
    with pytest.raises(SystemExit) as left:
        presets.main(["smoke"])
    assert left.value.code == 2
    assert capsys.readouterr().err == "presets: " + f"{root / 'dvc.yaml'}: no such file or directory\n"
