"""`ernn explore` in a checkout: a design for a requirement, with its trials by DVC and a page that gives the reasons.

Without options the section `requirement` of params.yaml is searched for; options take the place of its keys. Trials are
ordinary designs in the working copy runs/explore-NAME: one that was trained is never trained again, and a
killed search resumes. The page is explored/NAME/explore.html.
"""

import argparse
import os
import signal
import sys
from collections.abc import Callable, Mapping, Sequence
from datetime import UTC, datetime
from pathlib import Path
from types import FrameType
from typing import Any

from components import tracking
from ernn import params
from ernn.arguments import Parser, RawHelp, number, whole
from ernn.artifacts import atomic, check_writable, write_record
from ernn.errors import UserError
from ernn.explore.candidates import name_of
from ernn.explore.costs import designs
from ernn.explore.options import add_hardware, epilog, otherwise
from ernn.explore.options import guarded as answered
from ernn.explore.search import VARIANTS, VERIFIED, Search, Settings
from ernn.params import Parameters, names
from ernn.params.methods import FAMILIES
from ernn.params.requirement import Requirement
from ernn.records.exploration import ExplorationRecord
from ernn.report import exploration
from ernn.report.exploration_words import duration
from workflow import checkout, digests, plan, presets
from workflow.alone import only
from workflow.clock import Clock
from workflow.trials import Chain, DvcChain, StageTrials

TIMES = Path("docs", "benchmarks", "stages.json")
SECTION = "requirement"
OF_PROGRAM = "ernn explore --program FILE searches the hardware of an integer network alone (--program FILE --help)."
TERMS = (
    "design",
    "trial",
    "dense",
    "k, block size",
    "PER",
    "dev split",
    "test split",
    "paired interval",
    "integer network",
)
KEPT = "times.json"
PAGES = ("explore.json", "explore.md", "explore.html")
_BOUND_S = 4.5  # of a design and a device, one core: 1.5 to 4.5 s for LSTM and GRU of 64 to 1024 cells
_START_S = 6.0  # of a stage, before it does anything
_HARDWARE_S = 60.0  # of an integer network, one core: 15 to 126 s, docs/benchmarks/explore.md has them
_DEFAULT_WEIGHTS, _DEFAULT_UTTERANCES, _DEFAULT_EPOCHS = 244_784, 1_848, 10  # of the networks and corpus of TIMES


def parser() -> argparse.ArgumentParser:
    """The command line."""
    made = Parser(
        prog="ernn explore",
        description=(__doc__ or "").split("\n")[0],
        epilog=f"{OF_PROGRAM}\n\n{epilog(*TERMS)}",
        formatter_class=RawHelp,
    )
    add_search(made)
    made.add_argument(
        "--jobs",
        type=whole(1),
        default=len(os.sched_getaffinity(0)),
        help="stages side by side; default: one a core, %(default)s here",
    )
    return made


def add_search(made: argparse.ArgumentParser) -> None:
    """Options of a search, wherever its trials run."""
    made.add_argument("--name", default="search", help="of the search and its folder in explored/")
    checkout.add_preset(made)
    made.add_argument("--networks", nargs="+", help="of params.yaml, the reference first; default: all")
    error = made.add_mutually_exclusive_group()
    error.add_argument("--per", type=number(), help=f"phone error rate, percent, at most; {otherwise('per', True)}")
    error.add_argument(
        "--per-loss", type=number(), help=f"points above the dense network, at most; {otherwise('per_loss', True)}"
    )
    add_hardware(made, True)
    made.add_argument(
        "--mixing",
        choices=("none", "kinds", "layers"),
        help=f"what may have block sizes of its own; {otherwise('mixing', True)}",
    )
    made.add_argument(
        "--methods", nargs="+", choices=FAMILIES, help=f"ways to compress that are tried; {otherwise('methods', True)}"
    )
    made.add_argument(
        "--trials",
        type=whole(1),
        help=f"trainings besides those of dense networks, at most; {otherwise('trials', True)}",
    )


def requirement(values: dict[str, Any], options: argparse.Namespace) -> dict[str, Any]:
    """The section with what the command line says in its place."""
    section = dict(values.get(SECTION) or {})
    given = {name: getattr(options, name) for name in Requirement.model_fields if getattr(options, name) is not None}
    if {"per", "per_loss"} & given.keys() or given.get("minimise") == "per":
        section.pop("per", None)
        section.pop("per_loss", None)
    return section | given


def settings(checked: Parameters) -> Settings:
    """What a search is given.

    Raises:
        UserError: no requirement.
    """
    wanted = checked.requirement
    if wanted is None:
        raise UserError(
            f"nothing is required: give --per-loss 0.5, or another option, or a section `{SECTION}` in params.yaml"
        )
    chosen = wanted.networks or tuple(checked.networks)
    if not chosen:
        raise UserError("networks: params.yaml has none; add one to compress")
    networks = {name: checked.networks[name] for name in chosen}
    taken = {names.folded(each): each for each in networks}
    for name, shape in networks.items():
        for each in (d for method in wanted.methods for d in designs(name, shape, method, checked.features.stacked)):
            if clash := taken.get(names.folded(name_of(each, shape))):
                raise UserError(f"networks.{clash}: a design of {name} has this name in a search; rename the network")
    corpus = checked.corpus
    text = f"{corpus.kind}, {corpus.train_speakers} speakers to train on" if corpus.kind == "synthetic" else corpus.kind
    return Settings(networks, wanted, checked.training.epochs, checked.scoring.bootstrap_samples, text)


def minutes(root: Path, checked: Parameters, given: Settings) -> dict[str, float]:
    """About how long the parts of a search take at most, on the machine that TIMES were measured on.

    Trainings are those of the default preset, in proportion to weights, epochs and utterances; bounds and the search
    for hardware take what they took for networks of several sizes; stages of hardware are those of the default preset.
    """
    times, corpus = plan.measured(root / TIMES), checked.corpus
    utterances = corpus.train_speakers * corpus.utterances_per_speaker / _DEFAULT_UTTERANCES
    epochs = checked.training.epochs / _DEFAULT_EPOCHS
    weights = [
        each.gates * 2 * sum(cells * y for cells, y in zip(each.sizes, each.widths, strict=True)) / _DEFAULT_WEIGHTS
        for each in given.networks.values()
    ]
    trained = times["pretrain"].wall_s * sum(weights)
    trained += times["compress"].wall_s * given.requirement.trials * max(weights)
    integers = VARIANTS * (_HARDWARE_S + times["quantize"].wall_s)
    built = VERIFIED * sum(times[stage].wall_s for stage in ("generate", "simulate", "synthesize", "benchmark"))
    stages = len(weights) + given.requirement.trials + 1
    seconds = {
        "bounds": _BOUND_S * _count(given, checked.features.stacked) * len(given.requirement.devices),
        "trainings": _START_S * stages + times["prepare"].wall_s * utterances + trained * epochs * utterances,
        "hardware": integers + built,
    }
    return {name: value / 60 for name, value in seconds.items()}


def _expected(parts: Mapping[str, float]) -> str:
    each = ", ".join(f"{value:.0f} for {name}" for name, value in parts.items())
    return f"about {sum(parts.values()):.0f} minutes at most ({each}), as measured on two cores"


def _count(given: Settings, inputs: int) -> int:
    """Designs that one bound is computed for each."""
    methods = given.requirement.methods
    return sum(len([*designs(n, shape, each, inputs)]) for n, shape in given.networks.items() for each in methods)


def say(line: str) -> None:
    """A line for the user, at once."""
    print(f"explore: {line}", flush=True)


def run(
    root: Path, options: argparse.Namespace, chain: Callable[[str], Chain], where: str = "", side_by_side: int = 1
) -> int:
    """Search, and write the page; the exit code: 0 for a design that keeps the requirement, 1 for none.

    Args:
        chain: who runs the stages, for the name of the search.
        where: that happens, if not on this machine.
        side_by_side: trainings that run at once.

    Raises:
        UserError: what a user must change.
    """
    try:
        name = names.check(options.name)
    except ValueError as error:
        raise UserError(f"--name: {error}") from None
    values = presets.parameters(root, options.preset, options.settings)
    values[SECTION] = requirement(values, options)
    if not values[SECTION]:
        del values[SECTION]
    checked = params.check(values, f"preset {options.preset}")
    given = settings(checked)
    values["networks"] = {each: values["networks"][each] for each in given.networks}
    values[SECTION]["networks"] = list(given.networks)
    folder = root / "explored" / name
    for file in (*PAGES, KEPT):
        check_writable(folder / file)
    folder.mkdir(parents=True, exist_ok=True)
    with only(folder / ".search.lock", f"search works in {folder}"):
        ahead = " and trainings ahead of their turn" if side_by_side > 1 else ""
        count = _count(given, checked.features.stacked)
        say(
            f"{count} designs (each network with each block size, density or pruning ratio), at most "
            f"{given.requirement.trials} trainings besides {len(given.networks)} dense ones{ahead}"
        )
        say(f"{_expected(minutes(root, checked, given))}{where}; docs/glossary.md and the page explain all terms")
        trials = StageTrials(chain(name), values)
        trials.clock = clock = Clock(folder / KEPT, digests.of(values))
        if clock.starts > 1:
            say(f"start {clock.starts} of this search; the earlier ones took {duration(clock.seconds)} together")
        search = Search(trials, given, say, side_by_side=side_by_side)
        date = datetime.now(UTC).date().isoformat()
        record = search.run(name, _commit(root), date, lambda: clock.seconds, clock.starts)
        clock.keep()
        write_record(folder / "explore.json", record)
        for file, text in (("explore.md", exploration.markdown(record)), ("explore.html", exploration.html(record))):
            with atomic(folder / file) as temporary:
                temporary.write_text(text)
        _mark(trials.publish(), record)
    say(f"the search took {exploration.taken(record)}")
    say(exploration.headline(record).replace("**", ""))
    print(f"Page: {folder / 'explore.html'}")
    return 0 if record.met else 1


def _commit(root: Path) -> str:
    try:
        return checkout.tag(root)
    except UserError:
        return "not known, since this folder is no git checkout"


def _mark(published: tracking.Receipt, record: ExplorationRecord) -> None:
    """Tag the trials' runs in MLflow with the search and why it made each; several searches may have asked for one."""
    key = f"search.{record.name}"
    reasons = {each.design: f"trial {number}: {each.reason}" for number, each in enumerate(record.trials, 1)}
    reasons |= dict.fromkeys(record.ahead, "trained ahead, not needed")
    reasons |= {each.network: "the dense network that trials begin with" for each in record.dense}
    tags = {run: {key: reasons[name]} for name, run in published.runs.items() if name in reasons}
    verified = {
        run: {key: "phase II"} for run in (*published.integer_runs.values(), *published.accelerator_runs.values())
    }
    try:
        if published.published:
            tracking.mark(tags | verified)
    except tracking.Unreachable as error:
        say(f"{tracking.shown(tracking.uri())}: runs have no tags of this search ({error})")


def local(root: Path, options: argparse.Namespace) -> int:
    """Search with trials by DVC on this machine; the exit code of `run`."""
    os.environ.setdefault("MLFLOW_TRACKING_URI", f"sqlite:///{root.absolute() / 'mlflow.db'}")
    return run(root, options, lambda name: DvcChain(root, f"explore-{name}", options.jobs))


def _terminated(number: int, frame: FrameType | None) -> None:
    raise SystemExit(128 + number)


def main(words: Sequence[str] | None = None) -> int:
    """Search; the exit code."""
    options = parser().parse_args(words)
    return guarded(lambda: local(Path.cwd(), options))


def guarded(search: Callable[[], int]) -> int:
    """The exit code of a search, as `ernn.explore.options` says; a user's mistake is one line."""
    for each in (signal.SIGTERM, signal.SIGHUP):
        if signal.getsignal(each) != signal.SIG_IGN:
            signal.signal(each, _terminated)
    return answered("explore", search, "interrupted; what is finished is kept, the same command goes on")


if __name__ == "__main__":
    sys.exit(main())
