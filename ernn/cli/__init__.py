"""The console command `ernn`: networks and accelerators by the verbs of `import ernn`, and the design search."""

import argparse
import sys
from collections.abc import Callable, Sequence
from importlib import import_module, metadata, util
from pathlib import Path

from ernn.cli import completion

_VERBS = {
    "import": "a network of torch's weights, or of an ONNX graph",
    "compress": "block-circulant matrices, by ADMM with your data",
    "quantize": "the integer program of a network",
    "generate": "the accelerator of a program: Verilog and C++",
    "simulate": "data through the Verilog of an accelerator, equal to its program",
    "synthesize": "what an accelerator takes of a device, and its clock",
}
_COMMANDS = _VERBS | {
    "fit": "which network fits which device, by estimates",
    "explore": "a design for a requirement: trials, hardware, and a page that gives the reasons",
    "report": "where the report of the last run is, and its designs",
    "completion": "completion for bash and zsh: `source <(ernn completion bash)`",
}
_CHECKOUT = ("dvc.yaml", "workflow/explore.py")  # what the folder of a checkout has
_OURS = ("ernn", "workflow", "components")
PIPELINE = "the pipeline is no part of the installed package: run this in a checkout of the repository"


def main(words: Sequence[str] | None = None) -> int:
    """Run a command; its exit code: 0, 1 for a no, 2 for a user's mistake, 3 for a failure."""
    given = list(sys.argv[1:] if words is None else words)
    if not given or given[0] in ("-h", "--help"):
        print(_help())
        return 0 if given else 2
    if given[0] == "--version":
        print(f"ernn {metadata.version('ernn')}")
        return 0
    if given[0] not in _COMMANDS:
        print(f"ernn: {given[0]} is no command; there are {', '.join(_COMMANDS)}", file=sys.stderr)
        return 2
    try:
        command = _command(given[0], given[1:])
    except ModuleNotFoundError as error:
        if str(error.name).split(".")[0] in _OURS:
            raise
        print(f"ernn {given[0]}: {error.name} is not installed: pip install 'ernn[all]'", file=sys.stderr)
        return 2
    return command(given[1:])


def parsers() -> dict[str, argparse.ArgumentParser]:
    """The command line of each command, for completion."""
    from ernn.cli import verbs
    from ernn.explore import fit, of_program

    return {name: verbs.parser(name) for name in _VERBS} | {"fit": fit.parser(), "explore": of_program.parser()}


def _help() -> str:
    width = max(map(len, _COMMANDS))
    lines = [f"  {name:{width}}  {text}" for name, text in _COMMANDS.items()]
    return "\n".join(["usage: ernn COMMAND ...", "", *lines, "", "ernn COMMAND --help says more; ernn --version."])


def _command(name: str, words: Sequence[str]) -> Callable[[Sequence[str]], int]:
    if name in _VERBS:
        verbs = import_module("ernn.cli.verbs")
        return lambda rest: int(verbs.main(name, rest))
    if name == "completion":
        return lambda rest: completion.main(parsers(), rest)
    if name == "fit":
        module = import_module("ernn.explore.fit")
    elif name == "report":
        module = import_module("ernn.cli.report")
    elif any(word.split("=")[0] == "--program" for word in words) or not in_checkout():
        module = import_module("ernn.explore.of_program")
    else:
        module = import_module("workflow.explore")
    found: Callable[[Sequence[str]], int] = module.main
    return found


def in_checkout() -> bool:
    """Whether this folder is one of a checkout: trainings need its stages, which the installed package has not."""
    here = Path.cwd()
    if not all((here / each).is_file() for each in _CHECKOUT):
        return False
    if str(here) not in sys.path:
        sys.path.insert(0, str(here))
    return util.find_spec("workflow") is not None


if __name__ == "__main__":
    sys.exit(main())
