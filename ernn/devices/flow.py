"""How the open tools synthesize a family, and place and route it where they can. One entry of `FLOWS` a family."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Literal

from ernn.devices.catalogue import Family, Resources

Router = Literal["", "nextpnr-ecp5", "nextpnr-gatemate"]
_LUT, _FF, _DSP, _BRAM = Resources(lut=1), Resources(ff=1), Resources(dsp=1), Resources(bram=1)
_NOTHING = Resources()

# Carry chains, wide multiplexers and clock buffers take no look-up tables. An inverter that Yosys leaves counts as one,
# though vendors' tools often take it into the next one.
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
# Half a CPE is a tree of four inputs with a register. An adder takes both halves.
_GATEMATE = {
    **dict.fromkeys(("CC_LUT1", "CC_LUT2", "CC_L2T4", "CC_MX2", "CC_MULT_LUT"), _LUT),
    **dict.fromkeys(("CC_L2T5", "CC_MX4", "CC_ADDF"), _LUT * 2),
    **{"CC_DFF": _FF, "CC_BRAM_40K": _BRAM, "CC_BRAM_20K": _BRAM * 0.5},
}
# The steps of synth_xilinx, with abc instead of abc9 and without the search for resources to share: a third of the time
# for a tenth fewer look-up tables.
_XILINX_SCRIPT = """\
synth_xilinx -family {family} -flatten -noiopad -noclkbuf -top {top} -run begin:coarse
techmap -map +/cmp2lut.v -map +/cmp2lcu.v -D LUT_WIDTH=6
alumacc
opt
memory -nomap
opt_clean
synth_xilinx -family {family} -flatten -noiopad -noclkbuf -top {top} -run map_memory:map_luts
opt_expr -mux_undef -noclkinv
abc -luts 2:2,3,6:5
clean
xilinx_srl -fixed -minlen 3
techmap -map +/xilinx/lut_map.v -map +/xilinx/cells_map.v -D LUT_WIDTH=6
xilinx_dffopt
opt_lut_ins -tech xilinx
clean"""
# {pads}: what leaves out the pads and clock buffers that a part of an accelerator has not. GateMate's script gives pads
# to every module that is kept, so copies of registers are none.
_GATEMATE_SCRIPT = """\
setattr -mod -unset keep_hierarchy ernn_copy
synth_gatemate -luttree -nomx8 {pads}-top {top} -run begin:check"""


@dataclass(frozen=True)
class Flow:
    """The tools' knowledge of a family.

    Args:
        script: commands of Yosys, with the places `family`, `top` and `pads`.
        cells: resources of each cell of a netlist.
        primitives: folder of `ernn/synthesize/primitives` with modules of the family's own; empty: it has none.
        map: file of that folder by which cells count as others, by their parameters.
        memories: kind of the memories that the generator calls distributed.
        router: the place-and-route tool that times it; empty: synthesis counts only.
        places: resources of each place that the router counts.
        level_ns: delay of a level of logic with its wire, by speed grade; empty: no clock is estimated from levels.
        vendor: whether Vivado knows it.
    """

    script: str
    cells: Mapping[str, Resources]
    primitives: str = ""
    map: str = ""
    memories: str = "distributed"
    router: Router = ""
    places: Mapping[str, Resources] = field(default_factory=dict)
    level_ns: Mapping[str, float] = field(default_factory=dict)
    vendor: bool = False


FLOWS: dict[Family, Flow] = {
    "xc7": Flow(_XILINX_SCRIPT, _XILINX, level_ns={"-1": 0.85, "-2": 0.7}, vendor=True),
    "xcu": Flow(_XILINX_SCRIPT, _XILINX, "xcu", level_ns={"-2": 0.55}, vendor=True),
    "xcup": Flow(_XILINX_SCRIPT, _XILINX, "xcu", level_ns={"-2": 0.55}, vendor=True),
    "ecp5": Flow(
        "synth_ecp5 -top {top} -run begin:check",
        _ECP5,
        "ecp5",
        router="nextpnr-ecp5",
        places={"TRELLIS_COMB": _LUT, "TRELLIS_FF": _FF, "MULT18X18D": _DSP, "DP16KD": _BRAM},
    ),
    "gowin": Flow("synth_gowin -family gw5a -noiopads -top {top} -run begin:json", _GOWIN, "gowin"),
    "gatemate": Flow(
        _GATEMATE_SCRIPT,
        _GATEMATE,
        "gatemate",
        map="gatemate_map.v",
        memories="registers",  # its look-up tables hold none
        router="nextpnr-gatemate",
        places={"CPE_LT": _LUT, "CPE_FF": _FF, "RAM_HALF": _BRAM * 0.5},
    ),
}
