"""The settings of CTC decoding with the fewest phone errors on a dev split.

Posteriors of CTC are peaked, and their blanks make every phone cost a little: what suits networks that were trained by
frames deletes most phones of a CTC network. All designs of a network are decoded as their dense one is.
"""

from collections.abc import Callable, Iterator, Sequence
from itertools import product

from jaxtyping import Float
from torch import Tensor

from ernn.records.decoding import Decoding
from ernn.scoring.decoding import LogPosteriors, ctc_viterbi

BIGRAM_SCALES = (0.25, 0.5, 0.75, 1.0)
INSERTION_PENALTIES = (0.0, -1.0, -2.0, -3.0, -4.0, 1.0)


def grid() -> Iterator[Decoding]:
    """All settings that are tried; of equals, the first is taken."""
    for scale, penalty in product(BIGRAM_SCALES, INSERTION_PENALTIES):
        yield Decoding(bigram_scale=scale, insertion_penalty=penalty)


def best(
    log_posteriors: Sequence[LogPosteriors],
    bigram: Float[Tensor, "before classes"],
    per: Callable[[list[list[int]]], float],
    names: Sequence[str] | None = None,
) -> tuple[Decoding, float]:
    """The settings with the least phone error rate, and that rate in percent.

    Args:
        log_posteriors: one (frames, classes) an utterance, the blank last.
        bigram: see `decoding.bigram`.
        per: phone error rate of the hypotheses of all utterances, in percent.
        names: the utterances' names, for messages.

    Raises:
        UserError: as `ctc_viterbi`.
    """
    rates = {options: per(ctc_viterbi(log_posteriors, bigram, options, names)) for options in grid()}
    found = min(rates, key=lambda options: rates[options])
    return found, rates[found]
