"""Sizes of all arrays of a network, as a person gives them or a few rules complete them."""

from collections.abc import Iterator, Sequence

from ernn.errors import UserError
from ernn.hw.architecture import Array
from ernn.hw.layer_parts import circulant, sums_of
from ernn.program import Lstm, Program

Size = tuple[int, int, int]  # lanes, columns, heads; heads 0 means that a rule chooses


def arrays(program: Program, of_layers: Size, of_output: Size, each: Sequence[Size] = ()) -> tuple[Array, ...]:
    """Arrays in the order of the data: of each layer, before it that of x where its blocks differ, and the output's.

    Args:
        of_layers: of every recurrent layer.
        of_output: of the output layer.
        each: of every array by itself, instead of the two.

    Raises:
        UserError: sizes that a layer cannot be divided into, or a list of another length.
    """
    wanted = list(_wanted(program))
    sizes = list(each) or [of_output if name == "output" else of_layers for name, _, _ in wanted]
    if len(sizes) != len(wanted):
        names = ", ".join(name for name, _, _ in wanted)
        raise UserError(f"arrays has {len(sizes)} entries; this network has {len(wanted)} arrays: {names}")
    return tuple(
        _array(name, side_by_side, columns, size)
        for (name, side_by_side, columns), size in zip(wanted, sizes, strict=True)
    )


def _wanted(program: Program) -> Iterator[tuple[str, int, int]]:
    """Name of each array, gates that it holds side by side (0: one at a time), and its columns of blocks."""
    for number, layer in enumerate(program.layers):
        gates = 4 if isinstance(layer, Lstm) else 3
        if sums_of(layer).apart is not None:
            yield f"layer {number}, products of x", gates, _columns(layer.weight_ih)
        yield f"layer {number}", 4 if isinstance(layer, Lstm) else 0, _columns(layer.weight_hh)
    yield "output", 0, _columns(program.output.weight)


def _columns(matrix: object) -> int:
    return circulant(matrix).words.integers.shape[2]


def _array(name: str, side_by_side: int, columns: int, size: Size) -> Array:
    lanes, banks, heads = size
    if side_by_side == 4 and lanes % 4:
        raise UserError(f"{name}: lanes={lanes} must be a multiple of 4, an LSTM's gates")
    if side_by_side:
        return Array(-(-lanes // side_by_side) * side_by_side, banks, side_by_side)
    if heads:
        if heads & (heads - 1) or heads > banks or lanes % heads:
            raise UserError(
                f"{name}: heads={heads} must be a power of two, at most columns={banks}, and divide lanes={lanes}"
            )
        return Array(lanes, banks, heads)
    heads, steps = 1, -(-columns // banks)
    while lanes // heads > steps and 2 * heads <= banks and lanes % (2 * heads) == 0:
        heads *= 2
    return Array(lanes, banks, heads)
