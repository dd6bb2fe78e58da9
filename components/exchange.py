"""Files of a task on a volume that the pods of its job share."""

import shutil
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from components.cluster import JobFailed
from ernn.errors import UserError
from ernn.records import times


@dataclass(frozen=True)
class Exchange:
    """The files of a task and their places in the folder that it shares with the pods.

    Args:
        folder: on the volume, of this task alone.
        inputs: places of the task's files, by their paths on the volume.
        outputs: where the task wants its files, by their paths on the volume.
        words: the stage's command line with paths on the volume.
    """

    folder: Path
    inputs: Mapping[Path, Path]
    outputs: Mapping[Path, Path]
    words: tuple[str, ...]

    @classmethod
    def of(cls, folder: Path, task: Mapping[str, Any], words: Sequence[str]) -> "Exchange":
        """Rewrite a command line; ports of Kubeflow are named after their flags.

        Args:
            task: ExecutorInput.
            words: `--flag value` pairs.
        """
        read = task.get("inputs", {}).get("artifacts", {})
        written = task["outputs"].get("artifacts", {})
        inputs: dict[Path, Path] = {}
        outputs: dict[Path, Path] = {}
        rewritten: list[str] = []
        for number, (flag, value) in enumerate(zip(words[::2], words[1::2], strict=True)):
            port = flag.removeprefix("--").replace("-", "_")
            head, _, path = value.partition("=") if port in ("gather", "page") else ("", "", value)
            if port == "executor_input":
                continue  # what the task has written is said here, once it is where Kubeflow expects it
            if port in read or port == "gather":
                place = folder / "inputs" / f"{number}-{port}"
                inputs[place] = Path(path)
            elif port in written or port == "page":
                place = folder / "outputs" / f"{number}-{port}"
                outputs[place] = Path(path)
            else:
                rewritten += [flag, value]
                continue
            rewritten += [flag, f"{head}={place}" if head else str(place)]
        return cls(folder, inputs, outputs, tuple(rewritten))

    def fill(self) -> None:
        """An empty folder with copies of the inputs.

        Raises:
            UserError: an input is missing.
        """
        self.remove()
        for name in ("inputs", "outputs"):
            (self.folder / name).mkdir(parents=True)
        for place, source in self.inputs.items():
            if not source.exists():
                raise UserError(f"{source}: no such file; the task that makes it must run before")
            _copy(source, place)

    @property
    def mistake(self) -> Path:
        """Where a pod writes a user's mistake."""
        return self.folder / "mistake"

    def told_mistake(self) -> str:
        """The user's mistake that ended the job, or nothing."""
        if not self.mistake.is_file():
            return ""
        return self.mistake.read_text(errors="replace") or "a mistake, which the logs of its pods name"

    @property
    def whole(self) -> bool:
        """Whether every output is there."""
        return all(place.exists() for place in self.outputs)

    def deliver(self) -> None:
        """Copy the outputs to where the task wants them.

        Raises:
            JobFailed: one is missing; none is copied then.
        """
        for place in self.outputs:
            if not place.exists():
                raise JobFailed(f"the job succeeded and {place} is missing: do its pods mount the claim ERNN_CLAIM?")
        for place, target in self.outputs.items():
            target.parent.mkdir(parents=True, exist_ok=True)
            _copy(place, target)
            if times.file_of(place).is_file():  # of a curve
                _copy(times.file_of(place), times.file_of(target))

    def remove(self) -> None:
        """Forget the folder."""
        shutil.rmtree(self.folder, ignore_errors=True)


def _copy(source: Path, target: Path) -> None:
    """Copy a file or a folder, up to the first that fails."""
    if source.is_dir():
        target.mkdir(exist_ok=True)
        for each in sorted(source.iterdir()):
            _copy(each, target / each.name)
    else:
        shutil.copyfile(source, target)
