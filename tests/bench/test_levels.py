"""The table of levels of logic: a design that is counted again keeps its place, and no other loses a row."""

from bench import levels


def row(design, device, rank, commit="a"):
    return {"design": design, "device": device, "rank": rank, "commit": commit}


KNOWN = [row("lstm-k8", "xcku060", rank) for rank in (1, 2)] + [
    row("lstm-k8", "xc7vx690t", 1),
    row("gru-k8", "xcku060", 1),
]


def test_rows_of_a_design_that_is_counted_again_stand_where_its_old_rows_stood():
    found = [row("lstm-k8", "xc7vx690t", rank, "b") for rank in (1, 2)]
    assert levels.merged(KNOWN, found) == [*KNOWN[:2], *found, KNOWN[3]]
    fewer = [row("lstm-k8", "xcku060", 1, "b")]
    assert levels.merged(KNOWN, fewer) == [*fewer, *KNOWN[2:]]


def test_rows_of_a_new_design_are_the_last():
    found = [row("lstm-pruned", "xcku060", 1, "b")]
    assert levels.merged(KNOWN, found) == [*KNOWN, *found]
    assert levels.merged([], found) == found
