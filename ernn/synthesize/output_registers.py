"""Registers behind block RAMs, moved into the blocks: a step on Yosys netlists, which leave them in the fabric.

A block's own output register is some 5 ns faster than its memory on ECP5 (nextpnr: 0.9 instead of 5.8 ns from the clock
to the output).
"""

import re
from collections import defaultdict
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from ernn import artifacts
from ernn.devices.catalogue import Family
from ernn.tools.yosys import Cell, Module, Netlist, Wire


@dataclass(frozen=True)
class _Block:
    """A family's block RAM, and the registers that its own can replace.

    Args:
        types: of the cell.
        outputs: pattern of the ports that are read.
        clock: that of the ports that are read.
        settings: parameters that switch the output registers on.
        enables: ports that enable them.
        reads: port that enables reading; a register must follow it or be always enabled, since the vendor does not say
            whether the output register loads while nothing is read.
        register: type of a register, its data ports, and the parameters that it must have.
    """

    types: frozenset[str]
    outputs: re.Pattern[str]
    clock: str
    settings: Mapping[str, str]
    enables: tuple[str, ...]
    reads: str
    register: str
    data: tuple[str, ...]
    wanted: Mapping[str, str]


_BLOCKS: dict[Family, _Block] = {
    "ecp5": _Block(
        frozenset({"DP16KD"}),
        re.compile(r"DO[AB]\d+"),
        "CLKB",
        {"REGMODE_A": "OUTREG", "REGMODE_B": "OUTREG"},
        ("OCEA", "OCEB"),
        "CEB",
        "TRELLIS_FF",
        ("DI", "M"),
        {"CLKMUX": "CLK", "REGSET": "RESET"},
    ),
}


def absorb(netlist: Netlist, family: Family) -> int:
    """Move registers into block RAMs where every bit that a block gives goes into one register and nowhere else.

    Args:
        netlist: as Yosys' write_json has it; it is changed.

    Returns:
        Blocks that registers were moved into.
    """
    if family not in _BLOCKS:
        return 0
    block = _BLOCKS[family]
    return sum(_absorb(module, block) for module in netlist["modules"].values())


def rewrite(file: Path, family: Family) -> int:
    """`absorb` on a file; what it returns."""
    netlist: Netlist = artifacts.read_json(file)
    moved = absorb(netlist, family)
    if moved:
        artifacts.write_json(file, netlist)
    return moved


def _absorb(module: Module, block: _Block) -> int:
    cells: dict[str, Cell] = module["cells"]
    users = _users(module)
    moved = 0
    for cell in [cell for cell in cells.values() if cell["type"] in block.types]:
        bits = {
            port: bit
            for port, wired in cell["connections"].items()
            if block.outputs.fullmatch(port)
            for bit in wired
            if users.get(bit)
        }
        names = [_only_register(users[bit], cells, block) for bit in bits.values()]
        if not names or None in names:
            continue
        registers = [cells[name] for name in names if name]
        enables = {_enable(register) for register in registers}
        clocks = {register["connections"]["CLK"][0] for register in registers}
        if enables != {cell["connections"][block.reads][0]} or clocks != {cell["connections"][block.clock][0]}:
            continue
        for port, register in zip(bits, registers, strict=True):
            cell["connections"][port] = register["connections"]["Q"]
        for name in names:
            del cells[str(name)]
        cell["parameters"].update(block.settings)
        for port in block.enables:
            cell["port_directions"][port], cell["connections"][port] = "input", list(enables)
        moved += 1
    return moved


def _users(module: Module) -> dict[Wire, list[tuple[str, str]]]:
    """Cells and ports that read each bit; a port of the module has no cell."""
    found: dict[Wire, list[tuple[str, str]]] = defaultdict(list)
    for name, cell in module["cells"].items():
        for port, bits in cell["connections"].items():
            if cell["port_directions"].get(port) == "input":
                for bit in bits:
                    found[bit].append((name, port))
    for port, each in module["ports"].items():
        for bit in each["bits"]:
            found[bit].append(("", port))
    return found


def _only_register(users: list[tuple[str, str]], cells: Mapping[str, Cell], block: _Block) -> str | None:
    """The register that alone reads a bit, if it does nothing that a block's cannot."""
    [(name, port), *others] = users
    if others or not name or cells[name]["type"] != block.register or port not in block.data:
        return None
    cell = cells[name]
    resets = cell["connections"].get("LSR", ["0"])
    plain = all(cell["parameters"].get(key, value) == value for key, value in block.wanted.items())
    return name if plain and resets[:1] in ([], ["0"], ["x"]) else None


def _enable(register: Cell) -> int | str:
    """The bit that enables a register; "1" where nothing does, empty where a bit stops it."""
    mode = register["parameters"].get("CEMUX", "CE").strip()  # Yosys puts a blank behind strings of digits
    if mode != "CE":
        return "1" if mode == "1" else ""
    bits: list[int | str] = register["connections"].get("CE", [])
    return bits[0] if bits and bits[0] != "x" else "1"
