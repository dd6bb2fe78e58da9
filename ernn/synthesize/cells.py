"""Cells of netlists, and places of placed designs, as resources of their devices."""

from collections.abc import Mapping

from ernn.devices.catalogue import Family, Resources
from ernn.devices.flow import FLOWS


def occupied(used: Mapping[str, int], family: Family) -> Resources:
    """Resources of a placed design, from nextpnr's utilization."""
    return sum((each * used[place] for place, each in FLOWS[family].places.items()), Resources())


def resources(cells: Mapping[str, int], family: Family) -> Resources:
    """What cells of a netlist take.

    Raises:
        ValueError: a cell that its family's table lacks: nothing is left out silently.
    """
    table, total = FLOWS[family].cells, Resources()
    for name, count in cells.items():
        if name.startswith("$"):  # notes of Yosys on the hierarchy
            continue
        if name not in table:
            raise ValueError(f"cell {name} of family {family} has no resources in ernn/devices/flow.py; add it")
        total += table[name] * count
    return total
