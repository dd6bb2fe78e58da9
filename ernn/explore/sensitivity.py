"""How sensitive a network's errors are to the block size of each matrix: one projection and one evaluation each."""

import copy
import logging
from collections import defaultdict

from ernn.data.dataset import Split
from ernn.nn.acoustic import AcousticModel
from ernn.nn.matrices import CirculantWeight, PrunedWeight, SparseWeight, Weight
from ernn.nn.recurrent import Place, owner
from ernn.params import Scoring
from ernn.records.sensitivity import SensitivityRecord, SensitivityRow
from ernn.training.evaluate import evaluate

log = logging.getLogger(__name__)
FACTOR = 2  # next block size over that of the matrix


def measure(model: AcousticModel, dev: Split, scoring: Scoring) -> SensitivityRecord:
    """Errors with each matrix alone projected to blocks of twice its size, without any training.

    Matrices of the head have the block size of the last layer's input matrix and are projected with it. A pruned matrix
    has no blocks and no row; neither has one with some of its blocks, which others would join.
    """
    before = evaluate(model, dev, scoring)[1].per
    together: dict[tuple[int, str], list[tuple[Place, Weight]]] = defaultdict(list)
    for place, matrix in model.matrices():
        layer, kind = owner(place)
        if not isinstance(matrix, PrunedWeight | SparseWeight):
            together[layer % model.network.layers, kind].append((place, matrix))
    rows = []
    for (layer, kind), matrices in together.items():
        changed = copy.deepcopy(model)
        for place, matrix in matrices:
            size = FACTOR * (matrix.block_size if isinstance(matrix, CirculantWeight) else 1)
            changed.replace(place, CirculantWeight.nearest(matrix, size))
        per = evaluate(changed, dev, scoring)[1].per
        log.info("%s alone with k = %d: dev PER %.2f %% (%+.2f)", matrices[0][0], size, per, per - before)
        rows.append(SensitivityRow(layer, kind, size, per))
    return SensitivityRecord(before, tuple(rows))
