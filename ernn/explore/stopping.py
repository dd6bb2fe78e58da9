"""When a training that can no longer keep a limit is stopped: a rule on the curve of the dev split.

Errors still fall while matrices have their final structure, and the later, the less. `GREATEST_FALLS` has the largest
falls of 20 recorded curves (LSTM and GRU, ADMM with k = 2 to 16 and mixed, pruned; 5 epochs in the final structure), by
the share of these epochs that is done. A training is stopped when not even twice that fall would do. Methods without
such a phase are never stopped.
"""

from collections.abc import Mapping, Sequence
from typing import Any

GREATEST_FALLS = ((0.2, 0.17), (0.4, 0.062), (0.6, 0.038), (0.8, 0.011))  # share of the epochs; of the errors after it
SAFETY = 2.0
_FINAL = "finetune"  # the phase in which matrices have their final structure


def least_reachable(rows: Sequence[Mapping[str, Any]], epochs: int) -> float | None:
    """The least phone error rate that a training can be expected to end with; None while nothing can be said.

    Args:
        rows: its curve so far: `epoch`, `phase`, `dev_per` in percent.
        epochs: that it takes in all.
    """
    final = [round(float(row["epoch"])) for row in rows if row["phase"] == _FINAL]
    if not final or final[-1] >= epochs:
        return None
    before = final[0] - 1
    done = (final[-1] - before) / (epochs - before)
    falls = [fall for share, fall in GREATEST_FALLS if share <= done + 1e-9]
    return float(rows[-1]["dev_per"]) / (1 + SAFETY * falls[-1]) if falls else None
