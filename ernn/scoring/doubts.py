"""What makes a phone error rate doubtful, in words: a network that learnt nothing, a decoder that drops phones."""

from collections import Counter
from collections.abc import Mapping, Sequence

from jaxtyping import Int
from numpy import ndarray

from ernn.scoring.phone_errors import Transcript, score

NOTHING = 99.95  # percent of the reference phones deleted: every output is empty
PLATEAU = 99.0  # percent that CTC leaves out by itself: what is said, the decoder says
MOSTLY = 2 / 3  # of all errors


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


def doubts(metrics: Mapping[str, float], imported: bool = False) -> list[str]:
    """Sentences about a network's scores, none if they look as they should.

    Args:
        metrics: `per`, `deletions`, and `constant_per` and `greedy_deletions` if they are known, in percent.
        imported: it was trained elsewhere and is scored as it is: no parameter of a training changes it.
    """
    per, deletions = metrics["per"], metrics["deletions"]
    constant = metrics.get("constant_per", 100.0)
    trained, more = "raise training.epochs or training.learning_rate", "train on more speech"
    longer = "train longer, and "
    if imported:
        trained = "compare features, their normalisation and the order of phones with those that it was trained with"
        more, longer = "train it longer where it was trained", ""
    if deletions >= NOTHING:
        return [f"every output is empty, so nothing was learnt (CTC stays on its blank): {trained}, or {more}"]
    if metrics.get("greedy_deletions", 0.0) >= PLATEAU:
        return [
            "the blank is likeliest in nearly every frame, so nothing was learnt (CTC stays on its blank, and "
            f"phones are the decoder's): {trained}, or {more}"
        ]
    found = []
    if per >= constant:
        found.append(
            f"{per:.1f} % is no better than one phone for every utterance ({constant:.1f} %), so nothing was learnt: "
            f"{trained}, or check the transcripts"
        )
    if deletions > MOSTLY * per:
        found.append(
            f"{100 * deletions / per:.0f} % of the errors are deletions: the decoder drops phones; "
            f"{longer}for networks that were trained by frames lower scoring.insertion_penalty"
        )
    return found
