"""One declaration: dvc.yaml, params.yaml, the presets and the signatures of the stages say the same."""

import importlib
import json
import os
import re
import shlex
import shutil
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import yaml

from components.stage import ENTRIES, Contract
from ernn.params import Parameters
from ernn.params.files import FILES
from workflow import declaration, presets

ROOT = Path(__file__).parents[1]
DECLARED = yaml.safe_load((ROOT / "dvc.yaml").read_text())["stages"]
PARAMS = yaml.safe_load((ROOT / "params.yaml").read_text())
HELPERS = {
    "architecture",
    "cluster",
    "exchange",
    "executor",
    "pytorchjob",
    "registered",
    "runs",
    "served",
    "stage",
    "stories",
    "tracking",
}
NOT_STAGES = {"__init__", "attempts", "deliver", "finish", "job", "ui"} | HELPERS
STAGES = sorted(DECLARED)


def body(name: str) -> dict[str, Any]:
    """The declaration of a stage, inside its foreach where it has one."""
    return DECLARED[name].get("do", DECLARED[name])


def contract(name: str) -> Contract:
    return Contract.of(getattr(importlib.import_module(f"components.{name}"), name))


def paths(entries: list[Any]) -> set[str]:
    return {entry if isinstance(entry, str) else next(iter(entry)) for entry in entries}


def written(name: str) -> set[str]:
    return paths([entry for kind in ("outs", "metrics", "plots") for entry in body(name).get(kind, [])])


def flags(name: str) -> dict[str, str]:
    """The flags of the command, without `python -m components.NAME`."""
    words = shlex.split(body(name)["cmd"])
    assert words[:3] == ["python", "-m", f"components.{name}"]
    return {
        flag.removeprefix("--").replace("-", "_"): value for flag, value in zip(words[3::2], words[4::2], strict=True)
    }


def test_every_component_is_declared_and_nothing_else():
    assert set(STAGES) == {each.stem for each in (ROOT / "components").glob("*.py")} - NOT_STAGES


@pytest.mark.parametrize("name", STAGES)
def test_command_gives_every_flag_of_the_signature_and_no_other(name):
    wanted = contract(name)
    entries = {section for section in wanted.sections if section in ENTRIES}
    assert set(flags(name)) == {*wanted.paths, *entries, *(["metrics"] if wanted.metrics else [])}


@pytest.mark.parametrize("name", STAGES)
def test_every_path_on_the_command_line_is_declared_and_every_output_is_on_it(name):
    given = {value for flag, value in flags(name).items() if flag not in ENTRIES}
    assert given - written(name) <= paths(body(name).get("deps", []))
    assert written(name) <= given


@pytest.mark.parametrize("name", STAGES)
def test_the_signature_says_what_is_written(name):
    declared = {flag for flag, value in flags(name).items() if value in written(name)}
    assert set(contract(name).outputs) == declared - {"metrics"}


@pytest.mark.parametrize("name", STAGES)
def test_every_section_of_the_signature_is_a_parameter_and_no_other(name):
    """A stage may depend on one key of a section that it is given whole, never on a section it does not see."""
    wanted = {f"{ENTRIES[section]}.${{key}}" if section in ENTRIES else section for section in contract(name).sections}
    assert {key if "${" in key else key.split(".")[0] for key in body(name)["params"]} == wanted


@pytest.mark.parametrize("name", [*STAGES, "deliver"])
def test_every_file_is_described(name):
    wanted = contract(name)
    assert {*wanted.paths, *wanted.words} <= FILES.keys()


@pytest.mark.parametrize("name", STAGES)
def test_a_path_flag_and_a_section_never_share_a_name(name):
    wanted = contract(name)
    assert not set(wanted.paths) & (set(wanted.sections) | set(Parameters.model_fields) | {"metrics"})


@pytest.mark.parametrize("name", STAGES)
def test_a_stage_depends_on_its_own_code_and_on_files_that_are_there(name):
    code = {each for each in body(name)["deps"] if each.startswith(("components/", "ernn/"))}
    assert f"components/{name}.py" in code
    assert all((ROOT / each).exists() for each in code)


def test_no_stage_depends_on_what_people_read():
    assert not [each for name in STAGES for each in body(name)["deps"] if each.startswith("docs")]


def imported(module: Path, seen: set[Path]) -> Iterator[Path]:
    """The project's own modules that `module` imports, and those that they import."""
    for line in module.read_text().splitlines():
        found = re.match(r"\s*from (ernn[\w.]*) import (.+)|\s*import (ernn[\w.]+)", line)
        if not found:
            continue
        package = found[1] or found[3]
        names = re.findall(r"\w+", found[2] or "")
        for dotted in [package, *(f"{package}.{each}" for each in names)]:
            file = ROOT / (dotted.replace(".", "/") + ".py")
            if file.is_file() and file not in seen:
                seen.add(file)
                yield file
                yield from imported(file, seen)


# What every stage reads its files and parameters with; no result depends on it.
PLUMBING = {
    "ernn/devices/limits.py",
    "ernn/params/__init__.py",
    "ernn/params/compression.py",
    "ernn/params/hardware.py",
    "ernn/params/methods.py",
    "ernn/params/names.py",
    "ernn/params/section.py",
    "ernn/params/speech.py",
    "ernn/records/decoding.py",
    "ernn/records/speech.py",
    "ernn/arguments.py",
    "ernn/errors.py",
    "ernn/artifacts/__init__.py",
    "ernn/artifacts/core_schema.py",
    "ernn/artifacts/disk.py",
    "ernn/artifacts/scratch.py",
    "ernn/report/metrics.py",
    "ernn/data/manifest.py",
    "ernn/devices/catalogue.py",
    "ernn/devices/timing.py",
}
# Imported, and without a part in the results: the names of the splits stand in `sentences`.
NAMES_ONLY = {"ernn/data/sentences.py", "ernn/data/vocabulary.py"}
# Only a corpus without times is aligned, by a model of its own.
FOR_ALIGNMENT = ("ernn/nn/", "ernn/scoring/")
WITHOUT_EFFECT = {
    "pretrain": NAMES_ONLY,
    "compress": NAMES_ONLY,
    "sensitivity": NAMES_ONLY,
    "quantize": NAMES_ONLY,
    "simulate": NAMES_ONLY | {"ernn/data/phones.py"},  # only features are read
    "benchmark": {"ernn/simulate/origin.py"},  # refuses, and changes no number
}


@pytest.mark.parametrize("name", STAGES)
def test_code_that_a_stage_imports_is_among_its_deps(name):
    deps = [ROOT / each for each in body(name)["deps"]]
    used = set(imported(ROOT / "components" / f"{name}.py", set()))
    missing = {file for file in used if not any(dep in (file, *file.parents) for dep in deps)}
    forgotten = {str(file.relative_to(ROOT)) for file in missing} - PLUMBING - WITHOUT_EFFECT.get(name, set())
    assert {file for file in forgotten if name != "prepare" or not file.startswith(FOR_ALIGNMENT)} == set()


@pytest.mark.parametrize("name", ["default", *sorted(each.stem for each in (ROOT / "presets").glob("*.yaml"))])
def test_presets_are_whole(name):
    """Every preset passes the schema, with a folder where it reads the user's."""
    values = Parameters.model_validate(presets.parameters(ROOT, name, ["corpus.path=/folder"]))
    assert values.designs


def test_the_default_compares_the_promised_designs():
    designs = Parameters.model_validate(PARAMS).designs
    what = {(each.network, each.method, each.block_size) for each in designs.values()}
    promised = {("lstm", "admm", k) for k in (2, 4, 8)} | {
        ("gru", "admm", 4),
        ("lstm", "direct", 4),
        ("lstm", "prune", 1),
    }
    assert promised <= what


@pytest.fixture(scope="module")
def chain(tmp_path_factory):
    """A working copy of the smoke preset whose stages count as done: what they write is there, empty or nearly so."""
    root = tmp_path_factory.mktemp("chain")
    for name in ("ernn", "components", "presets"):
        shutil.copytree(ROOT / name, root / name, ignore=shutil.ignore_patterns("__pycache__"))
    for name in ("dvc.yaml", "params.yaml", ".dvcignore"):
        shutil.copy(ROOT / name, root / name)
    folder = presets.lay_out(root, "smoke")
    kinds = {"pretrain": "networks", "compress": "designs", "quantize": "programs"}
    kinds |= dict.fromkeys(("choose", "generate", "simulate", "synthesize", "benchmark"), "accelerators")
    for kind, names in kinds.items():
        for key in yaml.safe_load((folder / "params.yaml").read_text())[names]:
            for path in written(kind):
                touch(folder / path.replace("${key}", key))
    for path in written("prepare") | written("report") | written("publish"):
        touch(folder / path)
    subprocess.run(declared_command(folder, "check"), cwd=folder, check=True)
    dvc(folder, "commit", "--force")
    return folder


def declared_command(folder: Path, stage: str) -> list[str]:
    """The command of a stage, by this interpreter."""
    declared = yaml.safe_load((folder / "dvc.yaml").read_text())["stages"]
    return [sys.executable, *shlex.split(declared[stage]["cmd"])[1:]]


def touch(path: Path) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(f"{path.name}\n")


def dvc(folder: Path, *arguments: str) -> str:
    environment = os.environ | {"DVC_NO_ANALYTICS": "1", "CI": "1"}
    command = [sys.executable, "-m", "dvc", *arguments]
    done = subprocess.run(command, cwd=folder, env=environment, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    return done.stdout


def changed(folder: Path) -> set[str]:
    return set(json.loads(dvc(folder, "status", "--json")))


def edit(file: Path, old: str, new: str) -> None:
    text, edits = re.subn(old, new, file.read_text(), count=1)
    assert edits == 1
    file.write_text(text)


SMOKE = yaml.safe_load((ROOT / "presets/smoke.yaml").read_text())
ALL_DESIGNS = {f"compress@{name}" for name in SMOKE["designs"]}
INTEGER = {f"quantize@{name}" for name in SMOKE["programs"]}
SIMULATED = {f"simulate@{name}" for name in SMOKE["accelerators"]}
SYNTHESIZED = {f"synthesize@{name}" for name in SMOKE["accelerators"]}
CHOSEN = {f"choose@{name}" for name in SMOKE["accelerators"]}
MADE = CHOSEN | {f"generate@{name}" for name in SMOKE["accelerators"]}
BENCHMARKS = {f"benchmark@{name}" for name in SMOKE["accelerators"]}
DENSE = {"pretrain@lstm", "pretrain@gru"}


CHECKED = {  # what the check of params.yaml depends on, of the files below
    "params.yaml",
    "ernn/dataflow/cells.py",
    "ernn/hw/verilog/kernel.py",
    "ernn/hw/design.py",
    "ernn/golden/model.py",
    "ernn/hw/board/driver/ernn_driver.py",
    "ernn/devices/catalogue.py",
    "ernn/data/timit.py",
}


@pytest.mark.parametrize(
    ("file", "old", "new", "expected"),
    [
        ("params.yaml", "block_size: 8", "block_size: 16", {"compress@lstm-k8-admm", "report", "publish"}),
        ("params.yaml", r"rho_end: [\d.]+", "rho_end: 0.123", {*ALL_DESIGNS, "report", "publish"}),
        ("params.yaml", r"epochs: \d+", "epochs: 77", {*ALL_DESIGNS, *DENSE, *INTEGER, "report", "publish"}),
        ("params.yaml", r"search: true", "search: false", {"quantize@gru-k4-narrow", "report", "publish"}),
        ("params.yaml", "clock_mhz: 200", "clock_mhz: 150", {*MADE, "publish"}),
        ("params.yaml", "stalls: 64", "stalls: 99", SIMULATED),
        ("params.yaml", "device: xcku060", "device: xc7z100", {*MADE, *SYNTHESIZED, "publish"}),
        ("ernn/dataflow/cells.py", '"""', '"""An edit. ', INTEGER | MADE | SIMULATED | BENCHMARKS),
        ("ernn/hw/verilog/kernel.py", '"""', '"""An edit. ', MADE),
        ("ernn/hw/design.py", '"""', '"""An edit. ', MADE | SIMULATED | SYNTHESIZED | BENCHMARKS | {"publish"}),
        ("ernn/records/simulation.py", '"""', '"""An edit. ', SIMULATED | BENCHMARKS),
        ("ernn/records/benchmark.py", '"""', '"""An edit. ', BENCHMARKS | {"report", "publish"}),
        ("ernn/golden/model.py", '"""', '"""An edit. ', INTEGER | SIMULATED),
        ("ernn/estimate/energy.py", '"""', '"""An edit. ', BENCHMARKS | CHOSEN),
        ("ernn/report/published.py", '"""', '"""An edit. ', {"report", "publish"}),
        ("ernn/report/figures.py", r"DPI = \d+", "DPI = 77", {"report", "publish"}),
        ("ernn/estimate/cost.py", '"""', '"""An edit. ', BENCHMARKS | CHOSEN),
        ("ernn/hw/board/driver/ernn_driver.py", '"""', '"""An edit. ', CHOSEN),
        ("ernn/devices/catalogue.py", '"""', '"""An edit. ', BENCHMARKS | CHOSEN | SYNTHESIZED | {"report"}),
        ("ernn/scoring/phone_errors.py", '"""', '"""An edit. ', {*ALL_DESIGNS, *DENSE, *INTEGER, "report", "publish"}),
        ("ernn/compression/admm.py", '"""', '"""An edit. ', ALL_DESIGNS),
        ("ernn/data/timit.py", '"""', '"""An edit. ', {"prepare"}),
        ("components/stage.py", '"""', '"""An edit. ', set()),
    ],
)
def test_an_edit_touches_the_stages_that_it_concerns(chain, file, old, new, expected):
    """What a change reaches at once; stages behind these follow as their inputs change."""
    text = (chain / file).read_text()
    try:
        edit(chain / file, old, new)
        found = changed(chain)
    finally:
        (chain / file).write_text(text)
    assert found - {"check"} == expected
    assert ("check" in found) == (file in CHECKED)


def test_params_yaml_is_checked_first_and_a_refusal_holds_everything_back(chain):
    text = (chain / "params.yaml").read_text()
    try:
        edit(chain / "params.yaml", "epochs: 4", "epochs: true")
        command = [sys.executable, "-m", "dvc", "repro"]
        done = subprocess.run(command, cwd=chain, capture_output=True, text=True, check=False)
        assert done.returncode != 0
        assert "check: params.yaml: training.epochs: Input should be a valid integer, got True" in done.stderr
        assert re.findall(r"Running stage '([^']+)'", done.stdout) == ["check"]
    finally:
        (chain / "params.yaml").write_text(text)
        dvc(chain, "repro", "--single-item", "check")
    assert changed(chain) == set()


def test_every_stage_waits_for_the_check():
    declared = declaration.load(ROOT)
    behind = {"check"}
    for task in declared.ordered():
        if declared.graph[task.name] & behind:
            behind.add(task.name)
    assert behind == declared.graph.keys()


def test_folders_that_are_read_as_a_whole_are_there_where_nothing_is_written():
    """DVC refuses a stage that reads a folder that is missing."""
    read = {each for name in STAGES for each in paths(body(name)["deps"]) if "/" not in each} - {"params.yaml"}
    assert read - {each for name in STAGES for each in written(name)} == set(presets.FOLDERS)
    kept = subprocess.run(["git", "ls-files", *presets.FOLDERS], cwd=ROOT, capture_output=True, text=True, check=True)
    assert {each.split("/")[0] for each in kept.stdout.split()} == set(presets.FOLDERS)


def test_nothing_runs_when_nothing_changed(chain):
    assert "up to date" in dvc(chain, "repro", "--dry")


def test_an_edited_design_is_the_only_one_that_runs(chain):
    text = (chain / "params.yaml").read_text()
    try:
        edit(chain / "params.yaml", "block_size: 8", "block_size: 16")
        planned = re.findall(r"Running stage '([^']+)'", dvc(chain, "repro", "--dry"))
    finally:
        (chain / "params.yaml").write_text(text)
    assert planned == ["check", "compress@lstm-k8-admm", "report", "publish"]
