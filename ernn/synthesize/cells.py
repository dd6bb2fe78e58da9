"""Cells of the families' netlists as resources of their devices: one table each."""

from collections.abc import Mapping

from ernn.devices.catalogue import Flow, Resources

_LUT, _FF, _DSP, _BRAM = Resources(lut=1), Resources(ff=1), Resources(dsp=1), Resources(bram=1)
_NOTHING = Resources()

# Carries, wide multiplexers and clock buffers stand beside look-up tables and take none. An inverter that Yosys leaves
# counts as a table, though vendors' tools often take it into the next one.
_XILINX = {
    **{f"LUT{inputs}": _LUT for inputs in range(1, 7)},
    **dict.fromkeys(("INV", "SRL16E", "SRLC32E"), _LUT),
    **{"RAM32X1S": _LUT, "RAM64X1S": _LUT, "RAM32X1D": _LUT * 2, "RAM64X1D": _LUT * 2, "RAM128X1D": _LUT * 4},
    **{"RAM32M": _LUT * 4, "RAM64M": _LUT * 4, "RAM32M16": _LUT * 8, "RAM64M8": _LUT * 8, "RAM256X1D": _LUT * 8},
    **dict.fromkeys(("FDRE", "FDSE", "FDCE", "FDPE"), _FF),
    **dict.fromkeys(("DSP48E1", "DSP48E2"), _DSP),
    **dict.fromkeys(("RAMB36E1", "RAMB36E2"), _BRAM),
    **dict.fromkeys(("RAMB18E1", "RAMB18E2"), _BRAM * 0.5),
    **dict.fromkeys(("CARRY4", "CARRY8", "MUXF7", "MUXF8", "MUXF9", "BUFG"), _NOTHING),
}
_ECP5 = {
    **{"LUT4": _LUT, "CCU2C": _LUT * 2, "TRELLIS_DPR16X4": _LUT * 6},  # four tables of a memory, two of its writes
    **{"TRELLIS_FF": _FF, "MULT18X18D": _DSP, "DP16KD": _BRAM, "PDPW16KD": _BRAM},
    **dict.fromkeys(("PFUMX", "L6MUX21"), _NOTHING),
}
_GOWIN = {
    **{f"LUT{inputs}": _LUT for inputs in range(1, 5)},
    **{"INV": _LUT, "ALU": _LUT, "RAM16SDP1": _LUT, "RAM16SDP2": _LUT * 2, "RAM16SDP4": _LUT * 4},
    **dict.fromkeys(("DFF", "DFFE", "DFFS", "DFFSE", "DFFR", "DFFRE", "DFFP", "DFFPE", "DFFC", "DFFCE"), _FF),
    "MULT12X12": _DSP,
    "MULT27X36": _DSP * 4,  # two blocks, of which each could be two small multipliers
    **dict.fromkeys(("SDPB", "SDPX9B", "DPB", "DPX9B", "SP", "SPX9", "pROM", "pROMX9"), _BRAM),
    **dict.fromkeys(("MUX2_LUT5", "MUX2_LUT6", "MUX2_LUT7", "MUX2_LUT8", "GSR", "GND", "VCC"), _NOTHING),
}
# Half a CPE is a tree of four inputs. An adder takes both halves; registers stand behind tables.
_GATEMATE = {
    **dict.fromkeys(("CC_LUT1", "CC_LUT2", "CC_L2T4", "CC_MX2", "CC_MULT_LUT"), _LUT),
    **dict.fromkeys(("CC_L2T5", "CC_MX4", "CC_ADDF"), _LUT * 2),
    **{"CC_DFF": _FF, "CC_BRAM_40K": _BRAM, "CC_BRAM_20K": _BRAM * 0.5},
}
TABLES: dict[Flow, dict[str, Resources]] = {
    "xc7": _XILINX,
    "xcu": _XILINX,
    "xcup": _XILINX,
    "ecp5": _ECP5,
    "gowin": _GOWIN,
    "gatemate": _GATEMATE,
}
# What nextpnr calls the places that cells occupy.
PLACES: dict[Flow, dict[str, Resources]] = {
    "ecp5": {"TRELLIS_COMB": _LUT, "TRELLIS_FF": _FF, "MULT18X18D": _DSP, "DP16KD": _BRAM},
    "gatemate": {"CPE_LT": _LUT, "CPE_FF": _FF, "RAM_HALF": _BRAM * 0.5},
}


def occupied(used: Mapping[str, int], flow: Flow) -> Resources:
    """Resources of a placed design, from nextpnr's utilization."""
    return sum((each * used[place] for place, each in PLACES[flow].items()), _NOTHING)


def resources(cells: Mapping[str, int], flow: Flow) -> Resources:
    """What cells of a netlist take.

    Raises:
        ValueError: a cell that its family's table lacks: nothing is left out silently.
    """
    table, total = TABLES[flow], Resources()
    for name, count in cells.items():
        if name.startswith("$"):  # notes of Yosys on the hierarchy
            continue
        if name not in table:
            raise ValueError(f"cell {name} of flow {flow} has no resources in ernn/synthesize/cells.py; add it")
        total += table[name] * count
    return total
