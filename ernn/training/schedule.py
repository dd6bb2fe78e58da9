"""The learning rate: one curve over all epochs of a network, whatever the phases it is made of."""

import math

WARM_UP_STEPS = 100  # Adam's second moment starts empty at the beginning of each phase


def learning_rate(peak: float, progress: float, step: int, steps: int) -> float:
    """Half a cosine from `peak` to zero over `progress` in 0..1, times a linear warm-up at the start of a phase.

    Args:
        peak: the highest learning rate.
        progress: how far the training of the network has come, all phases together.
        step: of this phase, from 0.
        steps: of this phase; a tenth of them warms up at most.
    """
    warm_up = max(1, min(WARM_UP_STEPS, steps // 10))
    return peak * 0.5 * (1 + math.cos(math.pi * min(progress, 1.0))) * min(1.0, (step + 1) / warm_up)
