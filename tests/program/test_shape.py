"""The digest of a program's shape: blind for weights and for what the host reads, and for nothing else."""

import itertools
from collections.abc import Iterator
from contextlib import suppress
from dataclasses import fields, is_dataclass, replace

import numpy as np
import pytest

from ernn.program import files, shape
from ernn.program.matrices import Circulant, Matrix, Numbers, Pruned, Sparse
from ernn.program.network import Decoder, Frontend, Program
from tests import programs

ALL = sorted(programs.STRUCTURES)


def built(name: str) -> Program:
    return programs.build(**programs.STRUCTURES[name])


def changes(value, seen: str = "") -> Iterator[tuple[str, object]]:
    """The same with one integer more or less, for every number that is built in, by its place."""
    if isinstance(value, np.ndarray):
        changed = value.copy()
        changed.flat[-1] ^= 1
        yield seen, changed
    elif isinstance(value, tuple):
        for place, each in enumerate(value):
            for inner, changed in changes(each, f"{seen}.{place}"):
                yield inner, (*value[:place], changed, *value[place + 1 :])
    elif is_dataclass(value) and not isinstance(value, Frontend | Decoder | Pruned):
        names = ["transform"] if isinstance(value, Circulant | Sparse) else [each.name for each in fields(value)]
        for name in names:
            for inner, changed in changes(getattr(value, name), f"{seen}.{name}"):
                with suppress(ValueError):  # parts that no longer fit each other
                    yield inner, replace(value, **{name: changed})
    elif type(value) is int:
        yield from ((seen, value + step) for step in (1, -1))


@pytest.mark.parametrize("name", ALL)
def test_weights_alone_do_not_change_it(name):
    program = built(name)
    changed = programs.other_words(program)
    assert files.digest(changed) != files.digest(program)
    assert shape.digest(changed) == shape.digest(program)


@pytest.mark.parametrize("name", ALL)
def test_what_the_host_reads_does_not_change_it(name):
    program = built(name)
    found = [replace(program, name="other"), replace(program, frontend=replace(program.frontend, window_ms=30.0))]
    if program.decoder is None:
        found.append(replace(program, last=True))
    else:
        found.append(replace(program, decoder=replace(program.decoder, log_priors=program.decoder.log_priors - 1)))
    for changed in found:
        assert files.digest(changed) != files.digest(program)
        assert shape.digest(changed) == shape.digest(program)


@pytest.mark.parametrize("name", ALL)
def test_initial_states_do_not_change_it(name):
    program = built(name)
    assert shape.digest(programs.begun(program)) == shape.digest(program)


@pytest.mark.parametrize("name", ALL)
def test_every_number_that_is_built_in_changes_it(name):
    program = built(name)
    found = list(changes(program))
    assert {place.rpartition(".")[2] for place, _ in found} >= {"integers", "bits", "fraction", "slope_fraction"}
    assert any("twiddles" in place for place, _ in found) == ("fourier" in name or name == "gru reset after")
    unseen = {place for place, changed in found if shape.digest(changed) == shape.digest(program)}
    assert unseen == {".version"}


def test_a_constant_that_an_array_holds_is_seen_in_every_place():
    program = built("lstm projected")
    digests = {shape.digest(program)}
    layer = program.layers[0]
    for field in ("bias", "peephole"):
        numbers = getattr(layer, field)
        for place in range(numbers.integers.size):
            integers = numbers.integers.copy()
            integers.flat[place] ^= 1
            changed = replace(layer, **{field: Numbers(numbers.format, integers)})
            digests.add(shape.digest(replace(program, layers=(changed,))))
    assert len(digests) == 1 + layer.bias.integers.size + layer.peephole.integers.size


@pytest.mark.parametrize("name", ALL)
def test_the_format_of_every_matrix_changes_it(name):
    program = built(name)
    digests = {shape.digest(program)}
    for place in range(len(program.matrices)):
        digests.add(shape.digest(with_wider(program, place)))
    assert len(digests) == 1 + len(program.matrices)


def with_wider(program: Program, place: int) -> Program:
    """The format of one matrix has a bit more."""
    name = list(program.matrices)[place]
    if name == "output.weight":
        return replace(program, output=replace(program.output, weight=wider(program.output.weight)))
    part, number, field = name.split(".")
    layers = list(getattr(program, part))
    layers[int(number)] = replace(layers[int(number)], **{field: wider(getattr(layers[int(number)], field))})
    return replace(program, **{part: tuple(layers)})


def wider(matrix: Matrix) -> Matrix:
    field = "values" if isinstance(matrix, Pruned) else "words"
    numbers = getattr(matrix, field)
    return replace(matrix, **{field: Numbers(replace(numbers.format, bits=numbers.format.bits + 1), numbers.integers)})


def test_structures_differ():
    assert len({shape.digest(built(name)) for name in ALL}) == len(ALL)
    sizes = ({"cell": "gru", "layers": 2}, {"cell": "gru"}, {"cell": "gru", "inputs": 7}, {"block_sizes": (2, 2)})
    assert len({shape.digest(programs.build(**each)) for each in sizes}) == len(sizes)


def test_rows_of_a_pruned_matrix_are_counted_without_the_zeros_that_it_stores():
    """A value of 0 takes no step, so that the sources of both differ."""
    program = built("gru pruned")
    layer = program.layers[0]
    matrix = layer.weight_hh
    integers = matrix.values.integers.copy()
    place = int(np.flatnonzero(integers)[0])
    integers[place] = 0
    changed = replace(layer, weight_hh=replace(matrix, values=Numbers(matrix.values.format, integers)))
    assert shape.digest(replace(program, layers=(changed,))) != shape.digest(program)
    columns = matrix.columns.copy()
    free = next(r for r in range(len(matrix.starts) - 1) if 0 < matrix.starts[r + 1] - matrix.starts[r] < matrix.cols)
    first, last = matrix.starts[free], matrix.starts[free + 1]
    columns[first:last] = np.arange(last - first)
    moved = replace(layer, weight_hh=replace(matrix, columns=columns))
    assert shape.digest(replace(program, layers=(moved,))) == shape.digest(program)


def test_blocks_of_a_sparse_matrix_are_counted_whatever_is_in_them():
    """Which blocks there are, and what is in them, is loaded; how many a block row has is built in."""
    program = built("lstm sparse")
    layer = program.layers[0]
    matrix = layer.weight_hh

    def digest(**changes: object) -> str:
        changed = replace(layer, weight_hh=replace(matrix, **changes))
        return shape.digest(replace(program, layers=(changed,)))

    blank = Numbers(matrix.words.format, np.zeros_like(matrix.words.integers))
    columns = matrix.columns.copy()
    for first, last in itertools.pairwise(matrix.starts):
        columns[first:last] = np.arange(last - first)
    assert (columns != matrix.columns).any()
    assert digest(words=blank, columns=columns) == shape.digest(program)
    shorter = Numbers(matrix.words.format, matrix.words.integers[:-1])
    starts = np.minimum(matrix.starts, len(matrix.columns) - 1)
    assert digest(words=shorter, columns=matrix.columns[:-1], starts=starts) != shape.digest(program)


def test_whether_gates_share_their_blocks_is_built_in():
    """Lanes of all gates read one block: a pattern that differs by gate cannot be loaded."""
    program = built("lstm sparse, cells")
    layer = program.layers[0]
    matrix = layer.weight_hh
    columns = matrix.columns.copy()
    last = next(b - 1 for a, b in itertools.pairwise(matrix.starts) if b > a and columns[b - 1] < 3)
    columns[last] += 1
    moved = replace(matrix, columns=columns)
    assert (matrix.shared, moved.shared, moved.filled().shared) == (True, False, False)
    changed = replace(program, layers=(replace(layer, weight_hh=moved),))
    assert shape.digest(changed) != shape.digest(program)
    whole = programs.other_words(program)
    assert whole.layers[0].weight_hh.shared
    assert shape.digest(whole) == shape.digest(program)
