"""Accelerators that the search for hardware covers in a minute on one core."""

import time
from typing import Any

from ernn.devices.catalogue import DEVICES
from ernn.estimate.shapes import Shape
from ernn.explore.accelerators import Variant
from ernn.explore.hardware import search
from ernn.explore.space import Space
from ernn.params.requirement import Requirement

CASES = {
    "lstm 153-1024 k=8": (Shape(block_size=8), Requirement(per=20.0, latency_us=20.0)),
    "lstm 80-2x128 k=8": (Shape(layers=2, cells=128, inputs=80), Requirement(per=20.0, frames_per_s=1e5)),
    "gru 80-2x128 k=4": (
        Shape("gru", 2, 128, inputs=80, block_size=4),
        Requirement(per=20.0, latency_us=10.0, minimise="energy_uj"),
    ),
}


def candidates_a_minute(name: str, device: str = "xcku060") -> dict[str, Any]:
    """A row: what a search covers, what it builds and adds up for it, and how fast; processor time of one core."""
    shape, requirement = CASES[name]
    variants, space = [Variant(name, shape.program())], Space(clocks=(200.0,))
    begun = time.process_time()
    found = search(variants, requirement, DEVICES[device], space)
    seconds = time.process_time() - begun
    return {
        "network": name,
        "device": device,
        "space": found.space,
        "covered": found.covered,
        "modules_built": found.parts,
        "evaluated": found.evaluated,
        "seconds": round(seconds, 1),
        "covered_a_minute": round(60 * found.covered / seconds),
        "built_a_minute": round(60 * found.parts / seconds),
        "front": len(found.front),
        "best": str(found.best[0]) if found.best else "; ".join(found.binds),
    }
