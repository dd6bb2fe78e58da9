"""The sources of a project as synthesis reads them: every lane alike, and which modules stay modules."""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from importlib import resources
from pathlib import Path

from ernn.artifacts import Texts
from ernn.devices.catalogue import Family
from ernn.devices.flow import FLOWS
from ernn.hw import design
from ernn.hw.design import Layer

TOP = "ernn"
_SLICES = ((512, 36), (1024, 18), (2048, 9), (4096, 4), (8192, 2), (16384, 1))  # words of a block, and bits of each


@dataclass(frozen=True)
class Sources:
    """Verilog by file name, and memory images.

    Args:
        layers: modules that the top instantiates once each.
        modules: everything that the generator wrote for this network; general modules dissolve in them.
        commands: of Yosys, behind the one that reads the sources.
    """

    verilog: Mapping[str, str]
    memory: Mapping[str, str]
    layers: tuple[str, ...]
    modules: tuple[str, ...]
    clock_mhz: float
    commands: tuple[str, ...] = ()

    def own(self, family: Family) -> dict[str, str]:
        """Modules of the library that Yosys would map badly, as a family has them of its primitives; by file name."""
        if not FLOWS[family].primitives:
            return {}
        folder = resources.files("ernn.synthesize") / "primitives" / FLOWS[family].primitives
        return {name: (folder / name).read_text() for name in self.verilog if (folder / name).is_file()}

    def of_family(self, family: Family, plain: bool = False) -> "Sources":
        """The same as a family has it.

        The family's own modules replace the library's; images of its deep memories are in slices. Where look-up
        tables hold no memories, registers do.

        Args:
            plain: without the family's own modules: the Verilog as it was generated.
        """
        kind = FLOWS[family].memories
        verilog = {name: text.replace('"distributed"', f'"{kind}"') for name, text in self.verilog.items()}
        own = {} if plain else self.own(family)
        memory = dict(self.memory)
        if "ernn_ram.v" in own:
            for name, text in self.memory.items():
                memory |= {f"{name}.{n:03x}": part for n, part in enumerate(_slices(text))}
        return replace(self, verilog=verilog | own, memory=memory)

    def write(self, folder: Path) -> None:
        """All files into one folder, images too."""
        Texts({**self.verilog, **self.memory}).write(folder)


def read(project: Path, images: bool = False) -> Sources:
    """Verilog and memory images of a generated project.

    Args:
        images: lanes begin with their weights. Without, they are one module many times; what they take is the same,
            since weights can be loaded and so nothing of them is constant.

    Raises:
        UserError: the project is missing or damaged.
    """
    accelerator = design.read(project)
    verilog = {path.name: path.read_text() for path in sorted((project / "rtl").glob("*.v"))}
    memory = {path.name: path.read_text() for path in sorted((project / "memory").glob("*.hex"))}
    modules = tuple(name for name, parts in design.modules(project).items() if parts.generated)
    commands: tuple[str, ...] = ()
    if not images:
        commands = tuple(_without_images(layer) for layer in accelerator.layers)
        memory = {name: text for name, text in memory.items() if "_weights_" not in name}
    layers = tuple(layer.name for layer in accelerator.layers)
    return Sources(verilog, memory, layers, modules, accelerator.clock_mhz, commands)


def _without_images(layer: Layer) -> str:
    """The command by which all lanes of a layer have the parameters of their module, and what reads blocks for them."""
    each, shared = divmod(layer.memories, layer.lanes)
    unset = " ".join(f"-unset IMAGE_{number}" for number in range(each))
    lanes = f"setparam {unset} {layer.name}/lane_*"
    return f"{lanes}; setparam -unset IMAGE {layer.name}/fetch_*" if shared else lanes


def _slices(image: str) -> list[str]:
    """A deep memory's image in slices, the lowest bits first, as primitives/ecp5/ernn_ram.v reads them."""
    words = image.split()
    fitting = [width for depth, width in _SLICES if len(words) <= depth]
    if len(words) <= _SLICES[0][0]:
        return []
    width = fitting[0] if fitting else 1
    integers, digits = [int(word, 16) for word in words], -(-width // 4)
    return [
        "".join(f"{integer >> low & (1 << width) - 1:0{digits}x}\n" for integer in integers)
        for low in range(0, 4 * len(words[0]), width)
    ]
