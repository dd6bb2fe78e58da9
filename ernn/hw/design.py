"""What an accelerator is, for those who read its folder: types and names alone."""

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from ernn import artifacts

TEST_BENCH = "ernn_tb"  # module of the Verilog test bench, and name of its file
MODULES = "modules.json"
REGISTERS = "tb/registers.vlt"  # a control file by which Verilator traces registers alone


@dataclass(frozen=True)
class Parts:
    """What a Verilog module consists of.

    Args:
        registers: names of what its clock changes, without memories and the registers of their read ports.
        instances: modules by the names of its instances; those in a generate block are there by their own names.
        generated: it was written for this network; else it is one of the library's.
    """

    registers: frozenset[str]
    instances: Mapping[str, str]
    generated: bool = False

    def description(self) -> dict[str, object]:
        """As JSON."""
        return vars(self) | {"registers": sorted(self.registers), "instances": dict(self.instances)}


def modules(project: Path) -> dict[str, Parts]:
    """Parts of all modules of a generated project, by the modules' names.

    Raises:
        UserError: the project is missing.
    """
    found = artifacts.read_json(project / MODULES)
    return {name: Parts(**each | {"registers": frozenset(each["registers"])}) for name, each in found.items()}
