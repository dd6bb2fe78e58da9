"""Sizes of all arrays of a network, as a person gives them or a few rules complete them."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from ernn.errors import UserError
from ernn.hw.architecture import Array
from ernn.hw.layer_parts import circulant, gates_of, projection_apart, sums_of
from ernn.program import Lstm, Program
from ernn.program_matrices import Matrix, Pruned

Size = tuple[int, int, int]  # lanes, columns, heads; heads 0 means that a rule chooses


def arrays(program: Program, of_layers: Size, of_output: Size, each: Sequence[Size] = ()) -> tuple[Array, ...]:
    """Arrays in the order of the data: of each layer, and the output's.

    Products of x and projections whose blocks differ from those of y have arrays of their own, before and after.

    Args:
        of_layers: of every recurrent layer.
        of_output: of the output layer.
        each: of every array by itself, instead of the two.

    Raises:
        UserError: sizes that a layer cannot be divided into, or a list of another length.
    """
    wanted = list(_wanted(program))
    sizes = list(each) or [of_output if array.name == "output" else of_layers for array in wanted]
    if len(sizes) != len(wanted):
        names = ", ".join(array.name for array in wanted)
        raise UserError(f"arrays has {len(sizes)} entries; this network has {len(wanted)} arrays: {names}")
    return tuple(_array(array, size) for array, size in zip(wanted, sizes, strict=True))


@dataclass(frozen=True)
class _Wanted:
    """An array: gates that it holds side by side (0: one at a time), and the blocks of its vector."""

    name: str
    side_by_side: int
    columns: int
    pruned: bool = False  # and its vector is written element by element


def _wanted(program: Program) -> Iterator[_Wanted]:
    for number, layer in enumerate(program.layers):
        gates, projection = len(gates_of(layer)), projection_apart(layer)
        if sums_of(layer).apart is not None:
            yield _Wanted(f"layer {number}, products of x", gates, _columns(layer.weight_ih))
        pruned = isinstance(layer.weight_hh, Pruned)
        yield _Wanted(f"layer {number}", gates if isinstance(layer, Lstm) else 0, _columns(layer.weight_hh), pruned)
        if projection is not None:
            yield _Wanted(f"layer {number}, projection", 0, _columns(projection), isinstance(projection, Pruned))
    yield _Wanted("output", 0, _columns(program.output.weight))


def _columns(matrix: Matrix) -> int:
    return circulant(matrix).words.integers.shape[2]


def _array(wanted: _Wanted, size: Size) -> Array:
    lanes, banks, heads = size
    gates = wanted.side_by_side
    if gates == 4 and lanes % 4:
        raise UserError(f"{wanted.name}: lanes={lanes} must be a multiple of 4, an LSTM's gates")
    if gates:
        return Array(-(-lanes // gates) * gates, banks, gates)
    most = 1 if wanted.pruned else banks  # vectors of pruned matrices are written element by element
    if heads:
        if heads & (heads - 1) or heads > most or lanes % heads:
            raise UserError(
                f"{wanted.name}: heads={heads} must be a power of two, at most {most} here, and divide lanes={lanes}"
            )
        return Array(lanes, banks, heads)
    heads, steps = 1, -(-wanted.columns // banks)
    while lanes // heads > steps and 2 * heads <= most and lanes % (2 * heads) == 0:
        heads *= 2
    return Array(lanes, banks, heads)
