"""Simulation models of the families' cells."""

import re
from pathlib import Path


def without_delays(model: Path) -> str:
    """Cells of a family with the files that they include; without empty modules and delays of paths."""
    text = "`define NO_INCLUDES\n" + model.read_text()
    whole = re.sub(r'`include "(\w+_sim\.vh)"', lambda found: (model.parent / found[1]).read_text(), text)
    filled = re.sub(r"\(\* blackbox \*\)\s*module .*?\bendmodule\b", "", whole, flags=re.DOTALL)
    return re.sub(r"\bspecify\b.*?\bendspecify\b", "", filled, flags=re.DOTALL)
