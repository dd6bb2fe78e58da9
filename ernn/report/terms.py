"""The terms of a design search, as docs/glossary.md explains them: a test holds that both say the same."""

import textwrap
from collections.abc import Iterable, Iterator

TERMS = {
    "PER": "phone error rate: wrong, missing and surplus phones for every 100 phones that were spoken, in percent",
    "points (of error rate)": "difference of two error rates in percent",
    "k, block size": (
        "side of a square block of a weight matrix; a block-circulant block stores k words in place of k x k"
    ),
    "block-circulant": (
        "of a matrix: cut into square blocks, of each of which the first column alone is stored; the other "
        "columns are its rotations"
    ),
    "dense": "of a network: not compressed",
    "ADMM": (
        "the method of E-RNN: a network is trained while its matrices are pulled towards block-circulant "
        "ones, and fine-tuned as one"
    ),
    "dev split": "speech that no network is trained on, and by which designs are chosen",
    "test split": "other speech, read once, for the chosen design",
    "paired interval": (
        "95 % interval of the difference of two networks on the same utterances: they are drawn again and "
        "again, and 95 % of the differences lie in it"
    ),
    "network": "cell type, number of layers and cells, before compression: an entry of `networks`",
    "design": "how a network is compressed: method, block sizes and densities; an entry of `designs`",
    "trial": "a design that a search trains, to learn its errors",
    "integer network": (
        "a network whose numbers are integers of a few bits each, as the FPGA computes with; also called a program"
    ),
    "narrow": (
        "of an integer network: its widths were searched, the fewest bits that lose next to nothing; `b12` has 12 bits"
    ),
    "accelerator": (
        "the hardware of a program on a device: array sizes, clock, streams; an entry of `accelerators`, a "
        "folder of `hardware/`"
    ),
    "front": "accelerators that no other one beats: none is at least as good in every quantity and better in one",
    "share": (
        "how much of the device's scarcest resource an accelerator takes: of LUT, FF, DSP and block RAM the "
        "one of which the largest part is used"
    ),
    "LUT, FF, DSP, block RAM": (
        "what an FPGA is made of: look-up tables for logic, flip-flops for registers, multiplier blocks, and memories"
    ),
    "array": (
        "the multipliers of one layer or of one matrix: `lanes` x `columns`; an array 3x2 multiplies 3 x 2 "
        "blocks in a cycle. `array 0`, `array 1` are those of the layers, `output` is that of the output "
        "layer"
    ),
    "lane": "works on one block row at a time",
    "column": "one of the blocks that a lane multiplies in a step",
    "head": "where finished sums leave an array, a block a cycle; more heads take more of the device and finish sooner",
    "cells a cycle": "cells of a layer whose states are updated at once; if nothing is said, those of a block",
    "weights=words, weights=transformed": (
        "what is stored of a matrix: its words, or their transforms, which need more memory and no transform each time"
    ),
    "memory=block, memory=distributed": (
        "where all weights are stored, in block RAMs or in look-up tables; if nothing is said, each in what "
        "suits its size"
    ),
    "latency": "time of a frame alone, from its first feature to its last logit; frames that follow each other overlap",
    "estimate": "computed by the generator's cost model, and not measured",
    "clock: assumed, levels, routed": (
        "assumed: what pipelines were scheduled for; estimated from levels: what the levels of logic between "
        "registers allow after synthesis; routed: what place and route has reached"
    ),
}


def items() -> Iterator[str]:
    """Lines of a list in Markdown."""
    for term, meaning in TERMS.items():
        yield f"- **{term}**: {meaning}."


def described(names: Iterable[str]) -> str:
    """Some of them for a terminal, each in its own lines."""
    lines = [f"{name}: {TERMS[name].replace('`', '')}" for name in names]
    return "\n".join(textwrap.fill(line, 80, initial_indent="  ", subsequent_indent="    ") for line in lines)
