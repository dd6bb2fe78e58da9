"""Graphs on Python's integers, operator by operator: independent of the typed values that build them."""

from collections.abc import Mapping
from dataclasses import dataclass

from ernn.hw.graph.graph import Graph, Node, widths
from ernn.hw.graph.operators import INPUT


@dataclass(frozen=True)
class Evaluated:
    """Every node of a graph; those that nobody asks for are None where nodes are wrapped."""

    graph: Graph
    nodes: list[int | None]

    def outputs(self) -> dict[str, int | None]:
        """By their names."""
        return {name: self.nodes[place] for name, place in self.graph.outputs.items()}

    def saturated(self) -> dict[str, list[bool]]:
        """Which of the counted saturations changed something, by their names."""
        return {
            name: [self.nodes[self.graph.nodes[place].operands[0]] != self.nodes[place] for place in places]
            for name, places in self.graph.overflows.items()
        }


def evaluate(graph: Graph, inputs: Mapping[str, int], wrapped: bool = False) -> Evaluated:
    """All nodes for one set of inputs; `wrapped` cuts each to its width, as wires do."""
    bits, values, names = widths(graph), [], {place: name for name, place in graph.inputs.items()}
    for place, node in enumerate(graph.nodes):
        operands = [values[each] for each in node.operands]
        value = None
        if not wrapped or bits[place]:
            value = inputs[names[place]] if node.operator is INPUT else _result(node, operands)
            if wrapped:
                value = wrap(value, bits[place])
            else:
                assert node.low <= value <= node.high, (place, node, value)
        values.append(value)
    return Evaluated(graph, values)


def wrap(integer: int, bits: int) -> int:
    """Two's complement of some bits."""
    half = 1 << (bits - 1)
    return (integer + half) % (2 * half) - half


def _result(node: Node, operands: list[int]) -> int:
    first, second, third = (*operands, 0, 0, 0)[:3]
    match node.operator.name:
        case "constant":
            return node.data[0]
        case "add":
            return first + second
        case "subtract":
            return first - second
        case "negate":
            return -first
        case "multiply":
            return first * second
        case "multiply_add":
            return first * second + third
        case "plus":
            return first + node.data[0]
        case "shift_left":
            return first * 2 ** node.data[0]
        case "shift_right":
            return first // 2 ** node.data[0]
        case "saturate":
            return sorted((node.data[0], first, node.data[1]))[1]
        case "magnitude":
            return abs(first)
        case "select":
            return first if third < 0 else second
        case "narrow":
            return first
        case "search":
            return 2 * second + (first >= node.data[second])
        case "read":
            return node.data[first]
    raise AssertionError(node.operator.name)
