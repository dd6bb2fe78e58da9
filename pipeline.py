"""`python pipeline.py COMMAND`: the stages of dvc.yaml as a pipeline of Kubeflow Pipelines.

compile writes it, diff compares it with a compiled file, plan says what a run takes, run runs it in local containers,
submit runs it on a cluster, and explore searches a design there. tag prints the tag that its images have. Adding a
stage to dvc.yaml needs no edit here.
"""

import argparse
import contextlib
import difflib
import os
import re
import sys
import tempfile
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from ernn import arguments
from ernn.artifacts import disk
from ernn.errors import UserError
from ernn.explore.options import EXITS
from workflow import checkout, compiler, declaration, explore, plan, rounds, submit

ROOT = Path(__file__).parent
TIMES = ROOT / "docs" / "benchmarks" / "stages.json"


def main(words: Sequence[str] | None = None) -> None:
    """Do what the command line asks; a user's mistake is one line and exit code 2, a difference or a failed run 1."""
    options = _parser().parse_args(words)
    try:
        sys.exit(options.do(options))
    except UserError as error:
        print(f"pipeline.py {options.command}: {error}", file=sys.stderr)
        sys.exit(2)
    except OSError as error:
        if not disk.is_full(error) and error.filename is None:
            raise
        text = disk.named(error) if disk.is_full(error) else f"{error.filename}: {(error.strerror or '').lower()}"
        print(f"pipeline.py {options.command}: {text}", file=sys.stderr)
        sys.exit(2)


def _parser() -> argparse.ArgumentParser:
    parser = arguments.Parser(prog="pipeline.py", description=__doc__.split("\n")[0])
    commands = parser.add_subparsers(dest="command", required=True)
    commands.add_parser("tag", help=(_print_tag.__doc__ or "").split("\n")[0]).set_defaults(do=_print_tag)
    for name, do in (("compile", _compile), ("diff", _diff), ("plan", _plan), ("run", _run), ("submit", _submit)):
        command = commands.add_parser(name, help=(do.__doc__ or "").split("\n")[0])
        command.set_defaults(do=do)
        checkout.add_preset(command)
        _add_target(command)
        if name in ("compile", "diff"):
            text = f"{'to write' if name == 'compile' else 'that was compiled'}; default: %(default)s"
            command.add_argument("file", type=Path, nargs="?", default=Path("pipeline.yaml"), help=text)
        if name == "plan":
            command.add_argument(
                "--times", type=Path, default=TIMES, help="of stages, measured by `python -m bench.stages`"
            )
            command.add_argument(
                "--price", type=arguments.number(0), help="of a CPU hour, in your currency; default: costs are left out"
            )
        if name == "run":
            command.add_argument("--root", type=Path, default=Path("build", "kubeflow"), help="folder of the outputs")
        if name == "submit":
            _add_cluster(command)
            command.add_argument("--name", default="", help="of the run; default: the tag of the images")
            command.add_argument(
                "--wait",
                type=arguments.number(above=0),
                metavar="SECONDS",
                help="for the run, at most; default: do not wait",
            )
    command = commands.add_parser(
        "explore",
        help=(_explore.__doc__ or "").split("\n")[0],
        epilog=EXITS,
        formatter_class=arguments.RawHelp,
    )
    command.set_defaults(do=_explore)
    explore.add_search(command)
    _add_target(command)
    _add_cluster(command)
    command.add_argument(
        "--side-by-side", type=arguments.whole(1), default=3, metavar="N", help="trainings that run at once"
    )
    command.add_argument(
        "--wait",
        type=arguments.number(above=0),
        default=86400.0,
        metavar="SECONDS",
        help="for a round of tasks at most; default: a day",
    )
    return parser


def _add_target(command: argparse.ArgumentParser) -> None:
    command.add_argument("--images", default=os.environ.get("ERNN_IMAGES", "ernn-"), help="what image names begin with")
    command.add_argument("--tag", help="of the images; default: what the command tag prints")
    command.add_argument("--gpu", action="store_true", help="give GPUs to the tasks that can use them")


def _add_cluster(command: argparse.ArgumentParser) -> None:
    command.add_argument("--host", required=True, help="address of Kubeflow Pipelines")
    command.add_argument("--namespace", default="kubeflow", help="of the run")
    command.add_argument("--experiment", default=compiler.NAME, help="of Kubeflow, that the run belongs to")


def _print_tag(options: argparse.Namespace) -> int:
    """Print the tag of images of this checkout: its commit, and a digest of edits."""
    print(checkout.tag(ROOT))
    return 0


def _compile(options: argparse.Namespace) -> int:
    """Write the pipeline as YAML."""
    if options.file.suffix not in (".yaml", ".yml"):
        raise UserError(f"{options.file}: a compiled pipeline is a file NAME.yaml; name one")
    compiler.compile_to(_declaration(options), _target(options), options.file)
    print(options.file)
    return 0


def _diff(options: argparse.Namespace) -> int:
    """Compare the pipeline with a compiled file; exit code 1 where they differ."""
    try:
        before = options.file.read_text().splitlines(keepends=True)
    except OSError as error:
        raise UserError(f"{options.file}: {os.strerror(error.errno or 0).lower()}; compile it first") from None
    except UnicodeDecodeError:
        raise UserError(f"{options.file}: not a compiled pipeline; compile it first") from None
    with tempfile.TemporaryDirectory() as folder:
        now = Path(folder) / "pipeline.yaml"
        compiler.compile_to(_declaration(options), _target(options), now)
        after = now.read_text().splitlines(keepends=True)
    sys.stdout.writelines(difflib.unified_diff(before, after, str(options.file), "dvc.yaml"))
    return int(before != after)


def _plan(options: argparse.Namespace) -> int:
    """Say how many pods, how much time, storage and money a run takes."""
    print(plan.text(plan.plan(_declaration(options), plan.measured(options.times)), options.price))
    return 0


def _run(options: argparse.Namespace) -> int:
    """Run the pipeline in containers on this machine."""
    from docker.errors import DockerException

    declared, target = _declaration(options), _target(options, local=True)
    _check_engine()
    from kfp import local

    os.umask(0)  # containers run as a user of their own, and write into folders of ours
    options.root.mkdir(parents=True, exist_ok=True)
    asked = {name for task in declared.tasks for name in task.meta.environment} & set(os.environ)
    asked |= {name for name in os.environ if name.startswith(("OPENBLAS_", "MKL_"))}  # or sums are rounded otherwise
    runner = local.DockerRunner(environment={name: os.environ[name] for name in asked}, network_mode="host")
    local.init(runner, pipeline_root=str(options.root.absolute()))
    made = compiler.pipeline(declared, target)
    try:
        made()
    except (RuntimeError, DockerException, OSError) as error:  # of kfp, of an engine that refuses, of one that is gone
        print(f"pipeline.py run: {' '.join(str(error).split())}", file=sys.stderr)
        return 1
    return _check_outputs(options.root, len(declared.tasks))


def _check_engine() -> None:
    import docker

    try:
        with contextlib.closing(docker.from_env(timeout=10)) as client:
            client.ping()
    except (docker.errors.DockerException, OSError) as error:
        cause = " ".join(str(error).split())
        raise UserError(f"no Docker engine answers ({cause}); start it, or let DOCKER_HOST name one") from None


def _check_outputs(root: Path, tasks: int) -> int:
    """A container that is gone when it is asked for counts as a success: count what tasks have said."""
    newest = max(root.iterdir(), key=lambda each: each.stat().st_mtime)
    found = len(list(newest.glob("*/executor_output.json")))
    if found == tasks:
        print(newest)
        return 0
    print(f"pipeline.py run: {found} of {tasks} tasks ended in {newest}; see the log above", file=sys.stderr)
    return 1


def _submit(options: argparse.Namespace) -> int:
    """Upload the pipeline and start a run on a cluster."""
    declared, target = _declaration(options), _target(options)
    cluster = submit.Cluster(options.host, options.namespace)
    with tempfile.TemporaryDirectory() as folder:
        file = Path(folder) / "pipeline.yaml"
        compiler.compile_to(declaration.load(ROOT, _values(options, settings=False)), target, file)
        name, given = options.name or _tag(options), compiler.parameters(declared)
        run = cluster.submit(file, compiler.NAME, options.experiment, name, given)
    print(run.link)
    if options.wait is not None:
        try:
            cluster.wait(run, options.wait)
        except UserError as error:
            print(f"pipeline.py submit: {error}", file=sys.stderr)
            return 1
        print(f"run {run.id} succeeded")
    return 0


def _explore(options: argparse.Namespace) -> int:
    """Search a design for a requirement, with trials as runs on a cluster; `ernn explore` does it here."""
    return explore.guarded(lambda: _searched(options))


def _searched(options: argparse.Namespace) -> int:
    cluster = submit.Cluster(options.host, options.namespace)

    def chain(name: str) -> rounds.ClusterChain:
        folder = ROOT / "explored" / name / "files"
        return rounds.ClusterChain(
            *(ROOT, f"explore-{name}", folder, cluster, lambda part: _target_of(part, options)),
            *(options.experiment, options.wait, explore.say),
        )

    return explore.run(ROOT, options, chain, ", one after the other", options.side_by_side)


def _declaration(options: argparse.Namespace) -> declaration.Declaration:
    return declaration.load(ROOT, _values(options))


def _values(options: argparse.Namespace, settings: bool = True) -> dict[str, Any]:
    """params.yaml with a preset and settings."""
    from workflow import presets

    return presets.parameters(ROOT, options.preset, options.settings if settings else [])


def _target(options: argparse.Namespace, local: bool = False) -> compiler.Target:
    return _target_of(_declaration(options), options, local)


def _target_of(declared: declaration.Declaration, options: argparse.Namespace, local: bool = False) -> compiler.Target:
    return compiler.Target(compiler.images(declared, options.images, _tag(options)), options.gpu, local)


def _tag(options: argparse.Namespace) -> str:
    if options.tag is None:
        return checkout.tag(ROOT)
    if not re.fullmatch(r"\w[\w.-]{0,127}", options.tag, re.ASCII):
        raise UserError(f"--tag: a tag has letters, digits and `_.-`, at most 128 of them, got {options.tag!r}")
    return str(options.tag)


if __name__ == "__main__":
    main()
