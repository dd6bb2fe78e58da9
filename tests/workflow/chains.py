"""Toy chains of DVC stages, run by `workflow.local`."""

from collections.abc import Mapping
from pathlib import Path

import yaml


def write(folder: Path, script: str, reads: Mapping[str, str]) -> None:
    """A folder with stages that each run `script` and write NAME.bin.

    Args:
        reads: the file that each stage reads, by its name.
    """
    (folder / "stages").mkdir()
    (folder / "stages" / "write.py").write_text(script)
    (folder / ".dvc").mkdir()
    (folder / ".dvc" / "config").write_text("[core]\n    no_scm = true\n    analytics = false\n")
    stages = {
        name: {
            "cmd": f"python -m stages.write --given {given} --out {name}.bin",
            "meta": {"image": "train"},
            "deps": [given],
            "outs": [f"{name}.bin"],
        }
        for name, given in reads.items()
    }
    (folder / "dvc.yaml").write_text(yaml.safe_dump({"stages": stages}, sort_keys=False))
    (folder / "params.yaml").write_text("version: 1\n")
