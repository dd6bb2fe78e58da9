"""Resources of a design by synthesis: every unique module once, times its instances."""

from collections.abc import Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from importlib.resources import files as resources_of
from pathlib import Path
from typing import Any

from ernn import artifacts
from ernn.devices.catalogue import Flow, Resources
from ernn.synthesize import levels
from ernn.synthesize.cells import resources
from ernn.synthesize.sources import TOP, Sources
from ernn.tools import yosys

# The steps of synth_xilinx, with abc instead of abc9 and without the search for resources to share: a third of the time
# for a tenth fewer look-up tables.
_XILINX = """\
synth_xilinx -family {flow} -flatten -noiopad -noclkbuf -top {top} -run begin:coarse
techmap -map +/cmp2lut.v -map +/cmp2lcu.v -D LUT_WIDTH=6
alumacc
opt
memory -nomap
opt_clean
synth_xilinx -family {flow} -flatten -noiopad -noclkbuf -top {top} -run map_memory:map_luts
opt_expr -mux_undef -noclkinv
abc -luts 2:2,3,6:5
clean
xilinx_srl -fixed -minlen 3
techmap -map +/xilinx/lut_map.v -map +/xilinx/cells_map.v -D LUT_WIDTH=6
xilinx_dffopt
opt_lut_ins -tech xilinx
clean"""
# {pads}: what leaves out the pads and clock buffers that a part of a design has not. GateMate's script gives pads to
# every module that is kept, so copies of registers are none.
_GATEMATE = """\
setattr -mod -unset keep_hierarchy ernn_copy
synth_gatemate -luttree -nomx8 {pads}-top {top} -run begin:check"""
SCRIPTS: dict[Flow, str] = {
    "xc7": _XILINX,
    "xcu": _XILINX,
    "xcup": _XILINX,
    "ecp5": "synth_ecp5 -top {top} -run begin:check",
    "gowin": "synth_gowin -family gw5a -noiopads -top {top} -run begin:json",
    "gatemate": _GATEMATE,
}


_NO_PADS = "-noiopad -noclkbuf "
_MAPS: dict[Flow, str] = {"gatemate": "gatemate_map.v"}  # cells that count as so many others, by their parameters


def synthesis(flow: Flow, top: str, whole: bool = True) -> str:
    """The commands of a family for one module, `whole` with pads where its tools want them from Yosys."""
    return SCRIPTS[flow].format(flow=flow, top=top, pads="" if whole else _NO_PADS)


def read(files: Sequence[str]) -> str:
    """The command that reads sources."""
    return " ".join(["read_verilog", "-DERNN_UNSET", *sorted(files)])


@dataclass(frozen=True)
class Counted:
    """What a design takes; where a family has a rule for it, also its paths with most levels, the worst first.

    `plain` is what the Verilog takes as it was generated, where a family has modules of its own and it was asked for.
    """

    resources: Resources
    paths: tuple[levels.Path, ...] = ()
    plain: Resources | None = None


def count(sources: Sources, flow: Flow, folder: Path, processes: int = 2, plain: bool = False) -> Counted:
    """What a design takes and how deep its logic is, its hierarchy kept.

    The top and every layer are synthesized beside each other; lanes, and equal parts of kernels, once each.

    Args:
        folder: for scripts, logs, statistics and netlists.
        plain: count a second time without the modules that the family has of its own, if it has any.

    Raises:
        UserError: Yosys is missing or refuses the sources.
    """
    places, tops = [folder], (TOP, *sources.layers)
    _write(sources.of_flow(flow), flow, folder)
    if plain and sources.own(flow):
        places.append(folder / "plain")
        _write(sources.of_flow(flow, plain=True), flow, places[-1])

    def cells(place: Path, top: str) -> dict[str, dict[str, int]]:
        boxes = sources.layers if top == TOP else ()
        yosys.synthesize(place, f"{flow}-{top}", script(sources, flow, top, boxes))
        found = yosys.cells(place / f"{flow}-{top}.json")
        return {name: each for name, each in found.items() if name not in tops or name == top}

    jobs = [(place, top) for place in places for top in tops]
    with ThreadPoolExecutor(processes) as pool:
        found = dict(zip(jobs, pool.map(cells, *zip(*jobs, strict=True)), strict=True))
    merged = [{name: each for top in tops for name, each in found[place, top].items()} for place in places]
    own, *others = (total(modules, TOP, flow) for modules in merged)
    return Counted(own, tuple(_paths(folder, flow, tops)), *others)


def _paths(folder: Path, flow: Flow, tops: Sequence[str]) -> list[levels.Path]:
    """Levels of a netlist whose parts were synthesized apart."""
    if SCRIPTS[flow] != _XILINX:
        return []
    modules: dict[str, Any] = {}
    for top in tops:
        found = artifacts.read_json(folder / f"{flow}-{top}.netlist.json")["modules"]
        modules |= {name: each for name, each in found.items() if name not in tops or name == top}
    return levels.paths(modules, TOP)


def flat(sources: Sources, flow: Flow, folder: Path) -> Resources:
    """What a design takes, synthesized as one module: slow, but what the hierarchy cannot hide."""
    _write(sources.of_flow(flow), flow, folder)
    yosys.synthesize(folder, f"{flow}-flat", script(sources, flow, TOP, (), keep=False))
    return total(yosys.cells(folder / f"{flow}-flat.json"), TOP, flow)


def _write(sources: Sources, flow: Flow, folder: Path) -> None:
    sources.write(folder)
    if flow in _MAPS:
        text = (resources_of("ernn.synthesize") / "primitives" / flow / _MAPS[flow]).read_text()
        (folder / _MAPS[flow]).write_text(text)


def script(sources: Sources, flow: Flow, top: str, boxes: Sequence[str], keep: bool = True) -> list[str]:
    """Commands that write statistics of `top` with the modules below it, `boxes` left out."""
    name = f"{flow}-{top}" if keep else f"{flow}-flat"
    return [
        read(list(sources.verilog)),
        *(["setattr -mod -set keep_hierarchy 1 " + " ".join(sources.modules)] if keep else []),
        *(f"blackbox {box}" for box in boxes),
        synthesis(flow, top, whole=False),
        *([f"techmap -map {_MAPS[flow]}"] if flow in _MAPS else []),
        f"tee -q -o {name}.json stat -json",
        *(["blackbox =A:whitebox", f"write_json {name}.netlist.json"] if keep and SCRIPTS[flow] == _XILINX else []),
    ]


def total(cells: Mapping[str, Mapping[str, int]], top: str, flow: Flow) -> Resources:
    """Resources of a module and of all that it instantiates.

    >>> total({"top": {"LUT4": 2, "lane": 3}, "lane": {"TRELLIS_FF": 5}}, "top", "ecp5")
    Resources(lut=2, ff=15, dsp=0, bram=0)
    """
    own = resources({name: number for name, number in cells[top].items() if name not in cells}, flow)
    for name, number in cells[top].items():
        if name in cells:
            own += total(cells, name, flow) * number
    return own
