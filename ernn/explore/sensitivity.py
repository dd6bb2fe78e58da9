"""How sensitive a network's errors are to the block size of each matrix: one projection and one evaluation each."""

import copy
import logging

from ernn.data.dataset import Split
from ernn.nn.acoustic import AcousticModel
from ernn.nn.matrices import CirculantWeight, PrunedWeight, SparseWeight
from ernn.params import Scoring
from ernn.records.sensitivity import SensitivityRecord, SensitivityRow
from ernn.training.evaluate import evaluate

log = logging.getLogger(__name__)
FACTOR = 2  # next block size over that of the matrix


def measure(model: AcousticModel, dev: Split, scoring: Scoring) -> SensitivityRecord:
    """Errors with each matrix alone projected to blocks of twice its size, without any training.

    A pruned matrix has no blocks and no row; neither has one with some of its blocks, which others would join.
    """
    before = evaluate(model, dev, scoring)[1].per
    rows = []
    for place, matrix in model.matrices():
        if isinstance(matrix, PrunedWeight | SparseWeight):
            continue
        size = FACTOR * (matrix.block_size if isinstance(matrix, CirculantWeight) else 1)
        changed = copy.deepcopy(model)
        changed.replace(place, CirculantWeight.nearest(matrix, size))
        per = evaluate(changed, dev, scoring)[1].per
        log.info("%s alone with k = %d: dev PER %.2f %% (%+.2f)", place, size, per, per - before)
        rows.append(SensitivityRow(place.layer, place.kind, size, per))
    return SensitivityRecord(before, tuple(rows))
