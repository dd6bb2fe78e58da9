"""Sizes of all arrays of a network, as a person gives them or a few rules complete them."""

from collections.abc import Sequence
from dataclasses import dataclass, replace

from ernn.errors import UserError
from ernn.hw.layout.array import Array
from ernn.hw.layout.layer import projection_apart
from ernn.hw.layout.store import DENSE, Store, store_of
from ernn.program.matrices import Matrix, Sparse, shares_sums
from ernn.program.network import Layer, Program
from ernn.program.plans import plan_of

# Lanes, columns, blocks that leave at a time, and cells of a block that are updated in a cycle; of the last two, 0 or
# none: a rule chooses.
Size = tuple[int, int, int] | tuple[int, int, int, int]


def arrays(
    program: Program, of_layers: Size, of_output: Size, each: Sequence[Size] = (), logits: int = 1
) -> tuple[Array, ...]:
    """Arrays in the order of the data: of each layer, and the output's.

    Products of x and projections whose blocks differ from those of y have arrays of their own, before and after. Each
    layer of the head has one, too.

    Args:
        of_layers: of every recurrent layer.
        of_output: of the output layer, and of the layers of the head.
        each: of every array by itself, instead of the two.
        logits: a beat: where nobody says how many heads the output layer has, it has enough for them.

    Raises:
        UserError: sizes that a layer cannot be divided into, or a list of another length.
    """
    required = [each for number, layer in enumerate(program.layers) for each in requirements(number, layer)]
    forward = [*head_requirements(program), *output_requirements(program, logits)]
    sizes = list(each) or [*[of_layers] * len(required), *[of_output] * len(forward)]
    required += forward
    if len(sizes) != len(required):
        names = ", ".join(array.name for array in required)
        raise UserError(f"arrays has {len(sizes)} entries; this network has {len(required)} arrays: {names}")
    return tuple(array_of(array, size) for array, size in zip(required, sizes, strict=True))


@dataclass(frozen=True)
class Requirements:
    """What the sizes of an array depend on: its matrix, and how the layer uses its rows.

    Attributes:
        name: of the array, in messages.
        side_by_side: gates whose rows the array works on together; 0: one gate at a time.
        block_rows: of its matrix, one gate's.
        block_columns: blocks of its vector, or of a row where only some are stored.
        store: of the vector that its results are written to.
        cells: of a block, which can be updated one after the other.
        updates: whether cells are updated with what it sums.
        heads: the least number of heads that a rule chooses.
    """

    name: str
    side_by_side: int
    block_rows: int
    block_columns: int
    store: Store = DENSE
    cells: int = 1
    heads: int = 1
    updates: bool = False


def requirements(number: int, layer: Layer) -> list[Requirements]:
    """Those of the arrays of a recurrent layer, in the order of the data."""
    plan, projection, found = plan_of(layer.kind, layer), projection_apart(layer), []
    gates, k = len(plan.gates), layer.weight_hh.block_size
    if not shares_sums(layer.weight_ih, layer.weight_hh):
        found.append(Requirements(f"layer {number}, products of x", gates, *_blocks(layer.weight_ih)))
    side_by_side, store = gates if plan.together else 0, store_of(layer.weight_hh)
    found.append(Requirements(f"layer {number}", side_by_side, *_blocks(layer.weight_hh), store, k, updates=True))
    if projection is not None:
        found.append(Requirements(f"layer {number}, projection", 0, *_blocks(projection), store_of(projection)))
    return found


def head_requirements(program: Program) -> list[Requirements]:
    """Those of the arrays of the head's layers."""
    return [
        Requirements(f"head {number}", 0, *_blocks(layer.weight), store_of(layer.weight))
        for number, layer in enumerate(program.head)
    ]


def output_requirements(program: Program, logits: int) -> list[Requirements]:
    """That of the output layer's array, for so many logits a beat; none where there is no such layer."""
    if program.output is None:
        return []
    weight = program.output.weight
    return [Requirements("output", 0, *_blocks(weight), heads=-(-logits // weight.block_size))]


def _blocks(matrix: Matrix) -> tuple[int, int]:
    """Block rows, and blocks of a row."""
    columns = matrix.longest_row if isinstance(matrix, Sparse) else -(-matrix.cols // matrix.block_size)
    return -(-matrix.rows // matrix.block_size), columns


def array_of(required: Requirements, size: Size) -> Array:
    """An array of a size.

    Raises:
        UserError: sizes that its layer cannot be divided into.
    """
    lanes, banks, heads, pointwise = (*size, 0)[:4]
    gates = required.side_by_side
    if gates == 4 and lanes % 4:
        raise UserError(f"{required.name}: lanes={lanes} must be a multiple of 4, an LSTM's gates")
    lanes = -(-lanes // gates) * gates if gates else lanes
    most = required.store.writes(banks)
    if heads and (required.updates or not gates):
        each = lanes // (gates or 1)
        if heads & (heads - 1) or heads > most or each % heads:
            of_gate = f"the {each} of each gate of " if gates > 1 else ""
            raise UserError(
                f"{required.name}: heads={heads} must be a power of two, at most {most} here, and divide "
                f"{of_gate}lanes={lanes}"
            )
        return _with_beats(required, Array(lanes, banks, heads * (gates or 1)), pointwise)
    if gates:
        return _with_beats(required, Array(lanes, banks, gates), pointwise)
    heads, steps = 1, -(-required.block_columns // banks)
    if 0 < pointwise < required.cells:
        most = 1  # a block in several beats leaves room for no other
    while (lanes // heads > steps or heads < required.heads) and 2 * heads <= most and lanes % (2 * heads) == 0:
        heads *= 2
    return _with_beats(required, Array(lanes, banks, heads), pointwise)


def _with_beats(required: Requirements, array: Array, pointwise: int) -> Array:
    """As few cells at a time as keep up with the array, or as many as are given."""
    k, one_block = required.cells, array.heads == max(required.side_by_side, 1)
    if pointwise > 1 and required.name == "output":
        raise UserError(f"{required.name}: pointwise={pointwise} is for recurrent layers; logits leave by its heads")
    if pointwise & (pointwise - 1):
        raise UserError(f"{required.name}: pointwise={pointwise} must be a power of two")
    if 0 < pointwise < k and not one_block:
        raise UserError(f"{required.name}: pointwise={pointwise}, below the {k} cells of a block, takes heads=1")
    if pointwise:
        return replace(array, beats=max(1, k // pointwise))
    beats, steps = 1, -(-required.block_columns // array.columns)
    while one_block and 2 * beats <= k and 2 * beats * array.chain <= steps:
        beats *= 2
    return replace(array, beats=beats)
