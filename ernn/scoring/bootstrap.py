"""Bootstrap intervals of a phone error rate over utterances (Bisani and Ney 2004)."""

import numpy as np
from jaxtyping import Int

Counts = Int[np.ndarray, " utterances"]
Interval = tuple[float, float]


def bootstrap(counts: Counts, lengths: Counts, samples: int, seed: int) -> Interval:
    """95 % interval in percent: percentiles over draws of utterances with replacement, widened to hold the estimate.

    Draws without a reference phone have no rate and are left out. The time is O(samples * utterances), the memory not.

    Args:
        counts: errors of each utterance, or a difference of errors.
        lengths: reference phones of each utterance.
        samples: number of draws.
        seed: of the draws.
    """
    random = np.random.default_rng(seed)
    estimate = rate(counts.sum(), lengths.sum())
    rates = [estimate]
    for _ in range(samples):
        drawn = np.bincount(random.integers(len(lengths), size=len(lengths)), minlength=len(lengths))
        if phones := drawn @ lengths:
            rates.append(rate(drawn @ counts, phones))
    low, high = np.percentile(rates, [2.5, 97.5])
    return min(float(low), estimate), max(float(high), estimate)


def rate(errors: np.int64, phones: np.int64) -> float:
    """Errors over phones, in percent."""
    return float(100 * errors / phones)
