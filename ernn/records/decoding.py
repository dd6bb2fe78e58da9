"""How the phones of CTC are decoded: chosen on the dev split, kept in models and programs."""

from dataclasses import dataclass


@dataclass(frozen=True)
class Decoding:
    """How a phone bigram takes part.

    Args:
        bigram_scale: factor of its logarithms.
        insertion_penalty: taken from the score of every phone.
    """

    bigram_scale: float
    insertion_penalty: float
