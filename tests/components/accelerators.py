"""A small program, a small data set and their parameters, for the stages behind quantization."""

from pathlib import Path

import numpy as np
import yaml

from ernn.data import dataset
from ernn.data.dataset import Example
from ernn.program import files
from tests import programs, toy

STRUCTURE = {"block_sizes": (4, 4)}
PARAMS = {
    "version": 1,
    "hardware": {"clock_mhz": 150.0, "device": "xcku060"},
    "simulation": {"utterances": 2, "gaps": 90, "stalls": 90},
    "accelerators": {
        "small": {
            "program": "small",
            "array": {"lanes": 4, "columns": 2},
            "output": {"lanes": 2, "columns": 2},
            "streams": 2,
        },
        "odd": {"program": "small", "array": {"lanes": 6, "columns": 2}},
    },
}


def example(name: str, random: np.random.Generator) -> Example:
    """Six frames of noise."""
    features = random.standard_normal((6, programs.INPUTS)).astype(np.float32) * 3
    return Example(name, f"speaker-{name}", features, np.zeros(6, np.int64), np.zeros(1, np.int64), 0.12)


def make(folder: Path) -> None:
    """`params.yaml`, `program` and `data` in a folder."""
    (folder / "params.yaml").write_text(yaml.safe_dump(PARAMS))
    files.save(programs.build(**STRUCTURE), folder / "program")
    random = np.random.default_rng(3)
    shards = [(split, [example(f"{split}{n}", random) for n in range(3)]) for split in ("train", "dev", "test")]
    speech = {"dimension": programs.INPUTS, "phones": list(programs.decoder().phones)}
    dataset.write(folder / "data", toy.HEADER | speech, shards)
