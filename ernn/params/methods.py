"""The ways to a network's weights: each once, with what parameters, report and figures say of it.

What a method does is in `ernn.compression.methods`.
"""

from dataclasses import dataclass


@dataclass(frozen=True)
class Method:
    """One way to a network's weights.

    Args:
        title: in legends.
        text: in the report.
        colour: in figures; Okabe and Ito's palette, safe for colour-blind readers.
        circulant: whether matrices become block-circulant.
        blocks: whether a block size says anything of its matrices.
        phase: what figures call the part of its training that shapes the matrices; empty: it has none of its own.
        of: the method that a design names to get it, with a density below 1; empty: its own name.
    """

    title: str
    text: str
    colour: str
    circulant: bool = False
    blocks: bool = True
    phase: str = ""
    of: str = ""


DENSE = "dense"  # the baseline, which no design is
STANDARD = "admm"  # of a design that names none
SPARSE, PRUNED_BY_ADMM = "sparse", "admm-pruned"  # what it makes with a density: of blocks, of single weights
METHODS = {
    DENSE: Method("dense", "the network as it is trained, uncompressed: the baseline", "#000000"),
    "admm": Method(
        "ADMM (E-RNN)",
        "trained dense while its weights are pulled towards block-circulant ones, then fine-tuned as "
        "block-circulant (E-RNN)",
        "#0072B2",
        circulant=True,
        phase="ADMM pull",
    ),
    "direct": Method(
        "direct (C-LSTM)", "block-circulant from the first step (C-LSTM)", "#D55E00", circulant=True, phase="direct"
    ),
    "prune": Method(
        "pruned (ESE)",
        "the smallest weights are set to zero in several steps, equally many in each processing element; the rest is "
        "retrained (ESE)",
        "#009E73",
        blocks=False,
        phase="pruning",
    ),
    "project": Method(
        "one projection",
        "the trained dense network replaced by its nearest block-circulant one, without training: the floor",
        "#CC79A7",
        circulant=True,
    ),
    SPARSE: Method(
        "sparse circulant (ADMM)",
        "as by ADMM, and of the circulant blocks of a block row only the largest are kept, equally many in each row",
        "#E69F00",
        circulant=True,
        of=STANDARD,
    ),
    PRUNED_BY_ADMM: Method(
        "pruned by ADMM",
        "trained dense while all but the largest weights of each row are pulled towards zero, then retrained",
        "#56B4E9",
        blocks=False,
        of=STANDARD,
    ),
}
FAMILIES = tuple(name for name in METHODS if name != DENSE)  # what a search chooses from
OF_DESIGNS = tuple(name for name in FAMILIES if not METHODS[name].of)


def known(name: str) -> str:
    """The name of a method that a design may have.

    Raises:
        ValueError: another name.
    """
    return _one_of(OF_DESIGNS, name)


def searched(name: str) -> str:
    """The name of a method that a search may try.

    Raises:
        ValueError: another name.
    """
    return _one_of(FAMILIES, name)


def _one_of(names: tuple[str, ...], name: str) -> str:
    if name not in names:
        raise ValueError(f"method={name} must be one of {', '.join(names)}")
    return name
