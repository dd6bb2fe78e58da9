"""Small mistakes in an accelerator never pass: each ends in a mismatch."""

import dataclasses
import re
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest

from ernn.dataflow.transforms import Fourier
from ernn.hw.project import rtl_project
from ernn.program.matrices import Circulant
from ernn.program.network import Program
from ernn.simulate.bench import Mismatch
from ernn.simulate.vectors import rtl_vectors
from tests import programs
from tests.hw import designs

Files = dict[str, str]


def replaced(files: Files, path: str, old: str, new: str) -> Files:
    """One place of a file changed."""
    assert files[path].count(old) == 1
    return files.merged({path: files[path].replace(old, new)})


def halves_down(program: Program) -> Files:
    """Pre-activations are rounded with a constant that is one too small: exact halves go down."""
    files, path, changed = rtl_project(designs.network(program)), "rtl/layer0_cell.v", 0
    text = files[path]
    for shift in re.finditer(r"= \$signed\((\w+)\[\d+:(\d+)\]\);", text):
        half = 1 << (int(shift[2]) - 1) if int(shift[2]) else 0
        text, count = re.subn(rf"( {shift[1]} = .* \+ \d+'sd){half};", rf"\g<1>{half - 1};", text)
        changed += count
    assert changed
    return files.merged({path: text})


def twiddles_swapped(program: Program) -> Files:
    """The first twiddle factor of the output layer and its last have changed places."""
    matrix = program.output.weight
    assert isinstance(matrix, Circulant)
    assert isinstance(matrix.transform, Fourier)
    first, *between, last = matrix.transform.twiddles
    swapped = dataclasses.replace(matrix.transform, twiddles=(last, *between, first))
    weight = dataclasses.replace(matrix, transform=swapped)
    output = dataclasses.replace(program.output, weight=weight)
    return rtl_project(designs.network(dataclasses.replace(program, output=output)))


def address_off_by_one(program: Program) -> Files:
    """The walk through the weights begins one too late from the second frame on."""
    old, files = "ends ? BASE[ADDRESS-1:0] :", rtl_project(designs.network(program))
    return replaced(files, "rtl/ernn_thread.v", old, "ends ? BASE[ADDRESS-1:0] + 1'b1 :")


@pytest.fixture(scope="module")
def program() -> Program:
    """Blocks of 16 in the output layer: the smallest with more than one twiddle factor."""
    program, random = programs.build(block_sizes=(4, 4)), np.random.default_rng(0)
    words = programs.numbers(random, programs.WEIGHTS, 1, 1, 1, 16)
    weight = Circulant(programs.PHONES, programs.CELLS, 16, programs.fourier(16), words)
    return dataclasses.replace(program, output=dataclasses.replace(program.output, weight=weight))


@pytest.mark.parametrize("mutated", [halves_down, twiddles_swapped, address_off_by_one])
def test_a_mistake_is_a_mismatch(program: Program, mutated: Callable[[Program], Files], tmp_path: Path):
    bench = designs.bench(designs.network(program), tmp_path, mutated(program))
    vectors = rtl_vectors(program, designs.utterances(program, [8, 8, 8]), 1)
    with pytest.raises(Mismatch, match=r"^frame \d+, logit \d+: expected -?\d+, got -?\d+$"):
        bench.run(vectors)
