"""What makes a phone error rate doubtful, in words: a network that learnt nothing, a decoder that drops phones."""

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from jaxtyping import Int
from numpy import ndarray

from ernn.scoring.phone_errors import Transcript, score

NOTHING = 99.95  # percent of the reference phones deleted: every output is empty
PLATEAU = 99.0  # percent that CTC leaves out by itself: what is said, the decoder says
MOSTLY = 2 / 3  # of all errors


@dataclass(frozen=True)
class Cures:
    """What to change, by what is doubtful: nothing learnt, a constant phone as good, phones dropped."""

    empty: str
    constant: str
    dropped: str


TRAINED = Cures(
    "nothing was learnt (CTC stays on its blank): raise training.epochs or training.learning_rate, or train on more "
    "speech",
    "nothing was learnt: raise training.epochs or training.learning_rate, or check the transcripts",
    "train longer, and for networks that were trained by frames lower scoring.insertion_penalty",
)
_THERE = "compare features, their normalisation and the order of phones with those that it was trained with"
IMPORTED = Cures(
    f"{_THERE}, or train it longer where it was trained",
    f"{_THERE}, or check the transcripts",
    "for networks that were trained by frames lower scoring.insertion_penalty",
)
QUANTIZED = Cures(*3 * ("see the float network's score; if that is right, give the program more bits (`programs`)",))


def constant_per(references: Sequence[Transcript], to_39: Int[ndarray, " classes"], silence: int) -> float:
    """Phone error rate in percent of the best output that is one phone, the same for every utterance.

    Args:
        references: class indices of each utterance.
        to_39: class index -> index among the 39 phones.
        silence: class index of silence.
    """
    holding = Counter(phone for reference in references for phone in {int(to_39[each]) for each in reference})
    best = max(sorted(holding), key=holding.__getitem__)
    phone = to_39.tolist().index(best)
    return score(references, [[phone]] * len(references), to_39, silence).per


def doubts(metrics: Mapping[str, float], cures: Cures = TRAINED) -> list[str]:
    """Sentences about a network's scores, none if they look as they should.

    Args:
        metrics: `per`, `deletions`, and `constant_per` and `greedy_deletions` if they are known, in percent.
        cures: what the sentences advise.
    """
    per, deletions = metrics["per"], metrics["deletions"]
    constant = metrics.get("constant_per", 100.0)
    if deletions >= NOTHING:
        return [f"every output is empty; {cures.empty}"]
    if metrics.get("greedy_deletions", 0.0) >= PLATEAU:
        return [f"the blank is likeliest in nearly every frame, and phones are the decoder's alone; {cures.empty}"]
    found = []
    if per >= constant:
        found.append(
            f"{per:.1f} % is no better than one phone for every utterance ({constant:.1f} %); {cures.constant}"
        )
    if deletions > MOSTLY * per:
        found.append(
            f"{100 * deletions / per:.0f} % of the errors are deletions: the decoder drops phones; {cures.dropped}"
        )
    return found


def of_integers(metrics: Mapping[str, float]) -> list[str]:
    """Sentences about the scores of an integer network, whose metrics are named `per_integer`, `deletions_integer`."""
    named = {"per": metrics["per_integer"], "deletions": metrics["deletions_integer"]}
    return doubts(named | {"constant_per": metrics["constant_per"]}, QUANTIZED)
