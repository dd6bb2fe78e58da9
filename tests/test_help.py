"""Help of every command: a line and a default for each option, the way to call it, nothing wider than a terminal."""

import importlib
import re
import subprocess
import sys
from pathlib import Path

import pytest
import yaml

import pipeline
from ernn import cli
from ernn.arguments import Help, Parser, described

ROOT = Path(__file__).parents[1]
STAGES = sorted(set(yaml.safe_load((ROOT / "dvc.yaml").read_text())["stages"]) | {"deliver"})
PARTS = ("attempts", "finish", "job", "ui")
MODULES = [*(f"components.{each}" for each in PARTS), "workflow.local", "workflow.presets"]
BENCHES = sorted(f"bench.{file.stem}" for file in (ROOT / "bench").glob("*.py") if "Parser(" in file.read_text())
ERNN = [*cli.parsers(), "report", "completion"]
PIPELINE = ["compile", "diff", "plan", "run", "submit", "explore", "tag"]


def said(capsys, call, *words) -> str:
    with pytest.raises(SystemExit, match="0"):
        call(*words)
    return capsys.readouterr().out


def check(text: str, prefix: str) -> None:
    assert text.startswith(f"usage: {prefix} ")
    assert max(map(len, text.splitlines())) <= 80
    for option in options(text):
        line = " ".join(option.split())
        assert re.search(r"default: \S|; required|show this help", line), line
        assert re.search(r"(?s)^  (-\S+)( [^ ]+)*(  +|\n +)(?!default|required)\w", option), f"no text: {line}"


def options(text: str) -> list[str]:
    """Entries of options, with the lines that go on."""
    return re.findall(r"(?m)^  -.*(?:\n {6,}.*)*", text)


@pytest.fixture(autouse=True)
def columns(monkeypatch):
    monkeypatch.setenv("COLUMNS", "80")


def by_name(module: str, monkeypatch):
    monkeypatch.setattr(sys, "argv", [f"{module.replace('.', '/')}.py", "--help"])
    found = importlib.import_module(module)
    monkeypatch.setattr(sys.modules["__main__"], "__spec__", found.__spec__, raising=False)
    return found.main


@pytest.mark.parametrize("name", STAGES)
def test_of_stages(name, capsys):
    from components import stage

    module = importlib.import_module(f"components.{name}")
    text = said(capsys, stage.main, getattr(module, name), ["--help"])
    check(text, f"python -m components.{name}")
    assert not re.search(r"executor-input|--gather|--page|--params\.[a-z]", text)


@pytest.mark.parametrize("module", MODULES)
def test_of_modules(module, capsys, monkeypatch):
    check(said(capsys, by_name(module, monkeypatch)), f"python -m {module}")


@pytest.mark.parametrize("name", ERNN)
def test_of_ernn(name, capsys, monkeypatch):
    monkeypatch.chdir("/")  # as installed
    check(said(capsys, cli.main, [name, "--help"]), f"ernn {name}")


def test_of_a_search_in_a_checkout(capsys, monkeypatch):
    monkeypatch.chdir(ROOT)
    check(said(capsys, cli.main, ["explore", "--help"]), "ernn explore")


@pytest.mark.parametrize("name", PIPELINE)
def test_of_the_pipeline(name, capsys):
    check(said(capsys, pipeline.main, [name, "--help"]), f"pipeline.py {name}")


@pytest.mark.system
@pytest.mark.parametrize("module", BENCHES)
def test_of_benchmarks(module, capsys, monkeypatch):
    check(said(capsys, by_name(module, monkeypatch)), f"python -m {module}")


def test_of_make():
    said = subprocess.run(["make", "help"], cwd=ROOT, capture_output=True, text=True, check=True).stdout
    assert max(map(len, said.splitlines())) <= 80
    targets = set(re.findall(r"(?m)^\.PHONY: (\S+)", (ROOT / "Makefile").read_text())) - {"folder"}
    assert set(re.findall(r"(?m)^  (\S+) +\S", said)) == targets


def test_long_choices_stand_in_the_text_and_defaults_are_added():
    parser = Parser(prog="tool")
    long = parser.add_argument("--long", choices=[f"choice-{n}" for n in range(9)], help="what")
    many = parser.add_argument("--many", nargs="+", default=[1, 2], help="50 %% of all")
    flag = parser.add_argument("--flag", action="store_true", help="whether")
    own = parser.add_argument("--own", help="this; default: that")
    must = parser.add_argument("--must", required=True)
    assert described(long) == f"what; one of {', '.join(long.choices)}; default: none"
    assert [described(each) for each in (many, flag, own, must)] == [
        "50 %% of all; default: 1 2",
        "whether; default: off",
        "this; default: that",
        "required",
    ]
    assert isinstance(parser._get_formatter(), Help)
    assert "--long LONG" in parser.format_help()
