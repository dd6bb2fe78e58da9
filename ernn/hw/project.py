"""An accelerator as a project: a value: all of its texts by path."""

import json
from dataclasses import asdict
from importlib import resources

from ernn.artifacts import Texts
from ernn.hw.board.adapter import board_project, slot
from ernn.hw.design import MODULES, REGISTERS
from ernn.hw.layout.registers import PROTOCOL, WRITTEN
from ernn.hw.verilog.library_modules import LIBRARY
from ernn.hw.verilog.module import rendered
from ernn.hw.verilog.network import NetworkHardware
from ernn.hw.verilog.testbench import testbench
from ernn.hw.verilog.tracing import registers_alone
from ernn.hw.work import work

_LIBRARY = ("verilog", "rtl")


def rtl_project(network: NetworkHardware) -> Texts:
    """Verilog sources, memory images, test bench, constraints and a description, by path; every run gives the same."""
    files = Texts(library()).below("rtl")
    modules = network.modules()
    files |= Texts({name: rendered(each) for name, each in modules.items()}).below("rtl")
    files |= Texts(network.images()).below("memory")
    files |= Texts(testbench(network)).below("tb")
    files[REGISTERS] = registers_alone(modules)
    parts = LIBRARY | {each.name: each.parts for made in modules.values() for each in made}
    files[MODULES] = json.dumps({name: each.description() for name, each in parts.items()}, sort_keys=True) + "\n"
    files["constraints/ernn.xdc"] = (
        f"# Clock that the pipelines were scheduled for.\n"
        f"create_clock -name aclk -period {1000 / network.architecture.clock.mhz:.3f} [get_ports aclk]\n"
    )
    files["vivado/run.tcl"] = (resources.files("ernn.hw.board") / "vivado" / "run.tcl").read_text()
    files |= Texts(board_project(network)).below("board")
    files["registers.md"] = registers(network)
    files["design.json"] = json.dumps(description(network), indent=2, sort_keys=True) + "\n"
    return files


def library() -> dict[str, str]:
    """Modules that every network instantiates."""
    folder = resources.files("ernn.hw.verilog") / "library"
    return {each.name: each.read_text() for each in sorted(folder.iterdir(), key=lambda each: each.name)}


def description(network: NetworkHardware) -> dict[str, object]:
    """Sizes of a design, for whoever measures it."""
    layers = []
    for layer in network.layers:
        array = layer.array.layout.array
        layers.append(
            {
                "name": layer.name,
                "lanes": array.lanes,
                "columns": array.columns,
                "memories": layer.array.layout.memories,
                "heads": array.heads,
                "multipliers": layer.multipliers(),
                "steps": {t.name: t.length for t in layer.array.layout.threads},
                "products": {t.name: t.products for t in layer.array.layout.threads},
                "states": {kind: asdict(state) for kind, state in layer.states.items()},
                "beats": array.beats,
                "units": [
                    {
                        "name": steps.name,
                        "width": steps.width,
                        "steps": steps.real_steps,
                        "block_size": steps.block_size,
                        "blocks": steps.blocks,
                        "elements": steps.elements,
                        "turns": turns,
                    }
                    for unit in layer.units
                    for steps, turns in ((unit, 1), *([(unit.rows, unit.before.turns)] if unit.before else []))
                ],
                "weight_memory_bits": layer.weight_memory_bits,
                "work": work(layer).description(),
            }
        )
    input, logits = network.program.input, network.program.output.logits
    return {
        "program": network.program.name,
        "input": {
            "size": network.program.inputs,
            "bits": input.bits,
            "fraction": input.fraction,
            "slot_bits": slot(network.input.slot),
            "per_beat": network.input.count,
        },
        "logits": {
            "size": network.program.decoder.classes,
            "bits": logits.bits,
            "fraction": logits.fraction,
            "slot_bits": slot(network.output.slot),
            "per_beat": network.output.count,
        },
        "clock_mhz": network.architecture.clock.mhz,
        "streams": network.architecture.streams,
        "weights": network.architecture.weights,
        "layers": layers,
        "protocol": PROTOCOL.description(),
        "registers": [name for name, _, _ in network.registers],
    }


def registers(network: NetworkHardware) -> str:
    """The registers as a Markdown table."""
    rows = [
        f"| 0x{4 * number:03x} | {name} | {'read, write' if name in WRITTEN else 'read'} | {meaning} |"
        for number, (name, _, meaning) in enumerate(network.registers)
    ]
    head = [
        "# Registers",
        "",
        "32 bits each, by AXI4-Lite.",
        "",
        "| address | name | access | meaning |",
        "|---|---|---|---|",
    ]
    return "\n".join([*head, *rows, ""])
