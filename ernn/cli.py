"""The console command `ernn`: `ernn explore` searches a design, `ernn fit` says what fits a device."""

import sys
from collections.abc import Callable, Sequence
from importlib import import_module, util
from pathlib import Path

_COMMANDS = {
    "explore": "a design for a requirement: trials, hardware, and a page that gives the reasons",
    "fit": "which network fits which device, by estimates",
}
_CHECKOUT = ("dvc.yaml", "workflow/explore.py")  # what the folder of a checkout has


def main(words: Sequence[str] | None = None) -> int:
    """Run a command; its exit code, 2 for a user's mistake."""
    given = list(sys.argv[1:] if words is None else words)
    if not given or given[0] in ("-h", "--help"):
        print(_help())
        return 0 if given else 2
    if given[0] not in _COMMANDS:
        print(f"ernn: {given[0]} is no command; there are {', '.join(_COMMANDS)}", file=sys.stderr)
        return 2
    return _command(given[0], given[1:])(given[1:])


def _help() -> str:
    lines = [f"  {name:8} {text}" for name, text in _COMMANDS.items()]
    return "\n".join(["usage: ernn COMMAND ...", "", *lines, "", "ernn COMMAND --help says more."])


def _command(name: str, words: Sequence[str]) -> Callable[[Sequence[str]], int]:
    if name == "fit":
        module = import_module("ernn.explore.fit")
    elif any(word.split("=")[0] == "--program" for word in words) or not _in_checkout():
        module = import_module("ernn.explore.of_program")
    else:
        module = import_module("workflow.explore")
    found: Callable[[Sequence[str]], int] = module.main
    return found


def _in_checkout() -> bool:
    """Whether this folder is one of a checkout: trainings need its stages, which the installed package has not."""
    here = Path.cwd()
    if not all((here / each).is_file() for each in _CHECKOUT):
        return False
    if str(here) not in sys.path:
        sys.path.insert(0, str(here))
    return util.find_spec("workflow") is not None


if __name__ == "__main__":
    sys.exit(main())
