"""`python -m bench.pipeline`: how long pipelines of many designs take to compile; YAML's own dump for reference."""

import copy
import tempfile
import time
from pathlib import Path
from typing import Any

import yaml

from bench.record import record
from workflow import compiler, declaration, presets

ROOT = Path(__file__).parents[1]
MEASURES = ("workflow",)
NOTE = """\
`seconds` from dvc.yaml to the written file, kfp's import not counted. `ratio` is to PyYAML's dump of the same
document."""


def measure(designs: int) -> dict[str, Any]:
    """The default chain over a number of designs."""
    values = presets.parameters(ROOT, "default")
    design = next(iter(values["designs"].values()))
    values["designs"] |= {f"design-{n}": copy.copy(design) for n in range(designs - len(values["designs"]))}
    with tempfile.TemporaryDirectory() as folder:
        file = Path(folder) / "pipeline.yaml"
        started = time.perf_counter()
        declared = declaration.load(ROOT, values)
        target = compiler.Target(compiler.images(declared, "ernn-", "tag"))
        compiler.compile_to(declared, target, file)
        seconds = time.perf_counter() - started
        documents = list(yaml.safe_load_all(file.read_text()))
        started = time.perf_counter()
        yaml.safe_dump_all(documents)
        dumped = time.perf_counter() - started
        size = file.stat().st_size
    return {
        "designs": designs,
        "tasks": len(declared.tasks),
        "seconds": round(seconds, 2),
        "yaml_kb": round(size / 1000),
        "ratio": round(seconds / dumped, 2),
    }


def main() -> None:
    """Measure and record."""
    measure(6)  # kfp's imports
    record("pipeline", [measure(designs) for designs in (6, 100)], note=NOTE)


if __name__ == "__main__":
    main()
