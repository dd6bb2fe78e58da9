"""What a graph uses: its operators by their widths. Resources and energy are tables over it."""

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass

from ernn.hw.graph.graph import Graph
from ernn.hw.graph.operators import ADD, CONSTANT, INPUT, MULTIPLY, Operator

SOURCES = (CONSTANT, INPUT)


@dataclass(frozen=True)
class Use:
    """An operator as a graph uses it.

    Args:
        width: bits of its result.
        operands: bits of its operands.
        zeros: lowest bits of each operand that are always zero.
        entries: constants that it chooses from.
        places: lowest bits of its first constant that are zero.
        behind_product: it is a sum with a product that nothing else wants: a multiplier block may do both.
    """

    operator: Operator
    width: int
    operands: tuple[int, ...]
    zeros: tuple[int, ...]
    entries: int
    places: int
    behind_product: bool


def usage(graph: Graph, widths: Sequence[int]) -> Counter[Use]:
    """Operators of a graph whose results are used, without wires, each as often as it occurs.

    Args:
        widths: bits of each node that something wants.
    """
    moved, together = roots(graph), behind_products(graph)
    found: Counter[Use] = Counter()
    for place, node in enumerate(graph.nodes):
        if widths[place] and not node.operator.wiring:
            operands = tuple(widths[each] for each in node.operands)
            zeros = tuple(max(0, -moved[each][1]) for each in node.operands)
            places = (node.data[0] & -node.data[0]).bit_length() - 1 if node.data else 0
            uses = Use(node.operator, widths[place], operands, zeros, len(node.data), places, place in together)
            found[uses] += 1
    return found


def roots(graph: Graph) -> list[tuple[int, int]]:
    """For each node the operator whose bits it shows, and by how many places they are moved down."""
    found: list[tuple[int, int]] = []
    for place, node in enumerate(graph.nodes):
        if node.operator.wiring and node.operator not in SOURCES:
            root, moved = found[node.operands[0]]
            by = node.operator.moves
            found.append((root, moved + (by * node.data[0] if by else 0)))
        else:
            found.append((place, 0))
    return found


def behind_products(graph: Graph) -> set[int]:
    """Sums with a product that nothing else wants."""
    nodes = graph.nodes
    wanted = Counter(operand for node in nodes for operand in node.operands)
    wanted.update(graph.outputs.values())
    return {
        place
        for place, node in enumerate(nodes)
        if node.operator is ADD
        and any(nodes[each].operator is MULTIPLY and wanted[each] == 1 for each in node.operands)
    }
