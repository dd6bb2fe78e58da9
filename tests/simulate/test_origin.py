"""A project that was generated from another program is refused, by the digest that differs."""

from dataclasses import replace
from pathlib import Path

import pytest

from ernn.errors import UserError
from ernn.hw.project import description
from ernn.program import files, shape
from ernn.program.matrices import Numbers
from ernn.simulate import origin
from tests import programs
from tests.hw import designs

PROGRAM = programs.build(block_sizes=(4, 4))
PROJECT = Path("hardware/small")
ACCELERATOR = description(designs.network(PROGRAM))


def with_other_weight():
    weight = PROGRAM.output.weight
    integers = weight.words.integers.copy()
    integers.flat[0] ^= 1
    words = Numbers(weight.words.format, integers)
    return replace(PROGRAM, output=replace(PROGRAM.output, weight=replace(weight, words=words)))


def with_other_bias():
    bias = PROGRAM.output.bias
    return replace(PROGRAM, output=replace(PROGRAM.output, bias=Numbers(bias.format, bias.integers ^ 1)))


def test_its_own_program_is_taken():
    origin.check(ACCELERATOR, PROGRAM, PROJECT)
    assert ACCELERATOR.digests.shape == shape.digest(PROGRAM)
    assert ACCELERATOR.digests.program == files.digest(PROGRAM)


@pytest.mark.parametrize(
    ("change", "digest", "of"),
    [
        (with_other_bias, "`shape` (sizes, formats and constants)", shape.digest),
        (with_other_weight, "`program` (weights and everything else)", files.digest),
    ],
)
def test_another_program_is_refused_by_the_digest_that_differs(change, digest, of):
    program = change()
    with pytest.raises(UserError) as refused:
        origin.check(ACCELERATOR, program, PROJECT)
    assert str(refused.value) == (
        f"hardware/small: its digest {digest} must be that of the program small, {of(program)[:12]}.., "
        f"got {of(PROGRAM)[:12]}..; generate it again (in the pipeline: `dvc repro`)"
    )
