"""Resources of an accelerator by synthesis: every unique module once, times its instances."""

from collections.abc import Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from importlib.resources import files as resources_of
from pathlib import Path

from ernn import artifacts
from ernn.devices.catalogue import Family, Resources
from ernn.devices.flow import FLOWS
from ernn.records.synthesis import LogicPath
from ernn.synthesize import levels
from ernn.synthesize.cells import resources
from ernn.synthesize.sources import TOP, Sources
from ernn.tools import yosys

_NO_PADS = "-noiopad -noclkbuf "  # what leaves out the pads and clock buffers that a part of an accelerator has not


def synthesis(family: Family, top: str, whole: bool = True) -> str:
    """The commands of a family for one module, `whole` with pads where its tools want them from Yosys."""
    return FLOWS[family].script.format(family=family, top=top, pads="" if whole else _NO_PADS)


def read(files: Sequence[str]) -> str:
    """The command that reads sources."""
    return " ".join(["read_verilog", "-DERNN_UNSET", *sorted(files)])


@dataclass(frozen=True)
class Counted:
    """What an accelerator takes; where a family has a rule for it, also its paths with most levels, the worst first.

    `plain` is what the Verilog takes as it was generated, where a family has modules of its own and it was asked for.
    """

    resources: Resources
    paths: tuple[LogicPath, ...] = ()
    plain: Resources | None = None


def measure(sources: Sources, family: Family, folder: Path, processes: int = 2, plain: bool = False) -> Counted:
    """What an accelerator takes and how deep its logic is, its hierarchy kept.

    The top and every layer are synthesized in parallel; lanes, and equal parts of kernels, once each.

    Args:
        folder: for scripts, logs, statistics and netlists.
        plain: count a second time without the modules that the family has of its own, if it has any.

    Raises:
        UserError: Yosys is missing or refuses the sources.
    """
    places, tops = [folder], (TOP, *sources.layers)
    _write(sources.of_family(family), family, folder)
    if plain and sources.own(family):
        places.append(folder / "plain")
        _write(sources.of_family(family, plain=True), family, places[-1])

    def cells(place: Path, top: str) -> dict[str, dict[str, int]]:
        boxes = sources.layers if top == TOP else ()
        yosys.synthesize(place, f"{family}-{top}", script(sources, family, top, boxes))
        found = yosys.cells(place / f"{family}-{top}.json")
        return {name: each for name, each in found.items() if name not in tops or name == top}

    jobs = [(place, top) for place in places for top in tops]
    with ThreadPoolExecutor(processes) as pool:
        found = dict(zip(jobs, pool.map(cells, *zip(*jobs, strict=True)), strict=True))
    merged = [{name: each for top in tops for name, each in found[place, top].items()} for place in places]
    own, *others = (total(modules, TOP, family) for modules in merged)
    return Counted(own, tuple(_paths(folder, family, tops)), *others)


def _paths(folder: Path, family: Family, tops: Sequence[str]) -> list[LogicPath]:
    """Levels of a netlist whose parts were synthesized apart."""
    if not FLOWS[family].level_ns:
        return []
    modules: dict[str, yosys.Module] = {}
    for top in tops:
        found: yosys.Netlist = artifacts.read_json(folder / f"{family}-{top}.netlist.json")
        modules |= {name: each for name, each in found["modules"].items() if name not in tops or name == top}
    return levels.paths(modules, TOP)


def flat(sources: Sources, family: Family, folder: Path) -> Resources:
    """What an accelerator takes, synthesized as one module: slow, but what the hierarchy cannot hide."""
    _write(sources.of_family(family), family, folder)
    yosys.synthesize(folder, f"{family}-flat", script(sources, family, TOP, (), keep=False))
    return total(yosys.cells(folder / f"{family}-flat.json"), TOP, family)


def _write(sources: Sources, family: Family, folder: Path) -> None:
    sources.write(folder)
    if name := FLOWS[family].map:
        text = (resources_of("ernn.synthesize") / "primitives" / FLOWS[family].primitives / name).read_text()
        (folder / name).write_text(text)


def script(sources: Sources, family: Family, top: str, boxes: Sequence[str], keep: bool = True) -> list[str]:
    """Commands that write statistics of `top` with the modules below it, `boxes` left out."""
    name = f"{family}-{top}" if keep else f"{family}-flat"
    return [
        read(list(sources.verilog)),
        *sources.commands,
        *(["setattr -mod -set keep_hierarchy 1 " + " ".join(sources.modules)] if keep else []),
        *(f"blackbox {box}" for box in boxes),
        synthesis(family, top, whole=False),
        *([f"techmap -map {FLOWS[family].map}"] if FLOWS[family].map else []),
        f"tee -q -o {name}.json stat -json",
        *(["blackbox =A:whitebox", f"write_json {name}.netlist.json"] if keep and FLOWS[family].level_ns else []),
    ]


def total(cells: Mapping[str, Mapping[str, int]], top: str, family: Family) -> Resources:
    """Resources of a module and of all that it instantiates.

    >>> total({"top": {"LUT4": 2, "lane": 3}, "lane": {"TRELLIS_FF": 5}}, "top", "ecp5")
    Resources(lut=2, ff=15, dsp=0, bram=0)
    """
    own = resources({name: number for name, number in cells[top].items() if name not in cells}, family)
    for name, number in cells[top].items():
        if name in cells:
            own += total(cells, name, family) * number
    return own
