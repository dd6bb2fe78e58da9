"""Stages of a design search on a cluster: a round is a run of those tasks of the pipeline that the search waits for.

Its last task keeps the small files of all others in MLflow, under the name of the round, and they are fetched from
there: MLFLOW_TRACKING_URI must name the store that the tasks of the cluster publish to. A round that is on its way is
waited for and not started again, so that a search that was killed goes on where it was.
"""

import tempfile
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from components import tracking
from ernn import artifacts
from ernn.errors import UserError
from ernn.explore.options import FAILED
from workflow import compiler, declaration, digests, submit
from workflow.declaration import Declaration, Task
from workflow.trials import Curve, Failed

_READ = {  # flags of `components.deliver`, and folders of dvc.yaml
    "features": "data/features",
    "curves": "curves",
    "scores": "scores",
    "metrics-folder": "metrics",
    "sensitivities": "sensitivities",
    "programs-folder": "programs",
    "benchmarks": "benchmarks",
    "build": "build",
}


@dataclass
class ClusterChain:
    """Stages on a cluster, a round at a time; tasks of a round run side by side.

    Args:
        root: of the checkout.
        name: of the search; names of its runs begin with it.
        folder: where files that come back lie.
        target: what a part of the pipeline is compiled for.
        experiment: of Kubeflow.
        timeout_s: of a round.
        say: is told what happens, a line at a time.
    """

    root: Path
    name: str
    folder: Path
    cluster: submit.Cluster
    target: Callable[[Declaration], compiler.Target]
    experiment: str
    timeout_s: float
    say: Callable[[str], None]

    def make(
        self, values: Mapping[str, Any], targets: Sequence[str], hopeless: Callable[[Curve], bool] | None = None
    ) -> bool:
        """As `Chain.make`; every training runs to its end, since its curve comes back with its round."""
        whole = declaration.load(self.root, values)
        part = Declaration(tuple(task for task in whole.tasks if task.name in whole.needed(targets)), values)
        target = self.target(part)
        found = digests.of_tasks(part, target.images)
        wanted = {name: found[name] for name in targets}
        made = self._made()
        if not wanted.items() <= made.items():
            name = f"{self.name}-{digests.of(sorted(wanted.items()))[:12]}"
            if not self._fetched(name):
                self._run(name, _delivered(whole, part, name), target)
                if not self._fetched(name):
                    store = tracking.shown(tracking.uri())
                    raise UserError(
                        f"{store} has no run {name}; MLFLOW_TRACKING_URI must name the store of the cluster"
                    )
            artifacts.write_json(self.folder / "made.json", made | found)
        return True

    def _made(self) -> dict[str, str]:
        """Digests of tasks whose files are there; of none where what says so is damaged: they are fetched again."""
        try:
            found = artifacts.read_json(self.folder / "made.json")
        except UserError:
            return {}
        return dict(found) if isinstance(found, dict) else {}

    def _fetched(self, name: str) -> bool:
        self.folder.mkdir(parents=True, exist_ok=True)
        try:
            return tracking.fetch(tracking.ROUNDS, name, self.folder)
        except tracking.Unreachable as error:
            raise UserError(f"{tracking.shown(tracking.uri())}: {error}; set MLFLOW_TRACKING_URI") from None

    def _run(self, name: str, part: Declaration, target: compiler.Target) -> None:
        run = self.cluster.find(name)
        if run is not None and run.succeeded:
            if self._fetched(name):  # it has ended just now
                return
            run = None  # its files were removed, or never came; most tasks are served from the cluster's cache
        if run is None:
            with tempfile.TemporaryDirectory() as folder:
                file = Path(folder) / "pipeline.yaml"
                compiler.compile_to(part, target, file)
                run = self.cluster.submit(file, compiler.NAME, self.experiment, name, {})
        tasks = ", ".join(task.name for task in part.tasks[:-1])
        self.say(f"round {name}: {tasks}; {run.link}")
        try:
            self.cluster.wait(run, self.timeout_s)
        except UserError as error:
            raise Failed(FAILED, str(error)) from None


def _delivered(whole: Declaration, part: Declaration, name: str) -> Declaration:
    """A part of the pipeline with a last task that keeps its files; it is placed as `publish` is."""
    publish = next(task for task in whole.tasks if task.stage == "publish")
    deliver = Task(
        stage="deliver",
        key="",
        description="Small files of this round, to MLflow, where the search reads them.",
        flags={"round": name} | _READ,
        deps=tuple(_READ.values()),
        outs=(),
        metrics=(),
        sections=(),
        meta=publish.meta,
    )
    return Declaration((*part.tasks, deliver), part.params)
