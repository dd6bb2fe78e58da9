"""The sources of a project as synthesis reads them: every lane alike, and which modules stay modules."""

import re
from collections.abc import Mapping
from dataclasses import dataclass, replace
from importlib import resources
from pathlib import Path

from ernn import artifacts
from ernn.hw.devices import Flow

TOP = "ernn"
_LIBRARY = re.compile(r"ernn_\w+\.v")
_LANE_IMAGE = re.compile(r'#\(\.IMAGE\("\w+_weights_\d+\.hex"\)\) (?=lane_\d+ \()')


@dataclass(frozen=True)
class Sources:
    """Verilog by file name, and memory images.

    Args:
        layers: modules that the top instantiates once each.
        modules: everything that the generator wrote for this network; general modules dissolve in them.
    """

    verilog: Mapping[str, str]
    memory: Mapping[str, str]
    layers: tuple[str, ...]
    modules: tuple[str, ...]
    clock_mhz: float

    def of_flow(self, flow: Flow) -> "Sources":
        """The same with the multiplier of a family that Yosys would map badly: all its registers in the fabric.

        Where look-up tables hold no memories, registers do.
        """
        if flow == "gatemate":
            texts = {name: text.replace('"distributed"', '"registers"') for name, text in self.verilog.items()}
            return replace(self, verilog=texts)
        multiplier = resources.files("ernn.synthesis") / "multipliers" / f"{flow}.v"
        if not multiplier.is_file():
            return self
        return replace(self, verilog={**self.verilog, "ernn_multiply.v": multiplier.read_text()})

    def write(self, folder: Path) -> None:
        """All files into one folder, images too."""
        folder.mkdir(parents=True, exist_ok=True)
        for name, text in (*self.verilog.items(), *self.memory.items()):
            (folder / name).write_text(text)


def sources(project: Path, images: bool = False) -> Sources:
    """Of a generated project.

    Args:
        images: lanes begin with their weights. Without, they are one module many times; what they take is the same,
            since weights can be loaded and so nothing of them is constant.

    Raises:
        UserError: the project is missing.
    """
    design = artifacts.read_json(project / "design.json")
    verilog = {path.name: path.read_text() for path in sorted((project / "rtl").glob("*.v"))}
    memory = {path.name: path.read_text() for path in sorted((project / "memory").glob("*.hex"))}
    own = [text for name, text in verilog.items() if not _LIBRARY.fullmatch(name)]
    modules = tuple(name for text in own for name in re.findall(r"^module (\w+)", text, re.MULTILINE))
    if not images:
        verilog = {name: _LANE_IMAGE.sub("", text) for name, text in verilog.items()}
        memory = {name: text for name, text in memory.items() if "_weights_" not in name}
    layers = tuple(layer["name"] for layer in design["layers"])
    return Sources(verilog, memory, layers, modules, design["clock_mhz"])
