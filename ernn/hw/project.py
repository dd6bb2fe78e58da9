"""An accelerator as a project: a value: all of its texts by path."""

from collections.abc import Iterator
from importlib import resources

import numpy as np

from ernn.artifacts import Texts
from ernn.dataflow.formats import Format
from ernn.hw.board import host
from ernn.hw.board.adapter import board_project, slot
from ernn.hw.design import (
    ACCELERATOR,
    MODULES,
    REGISTERS,
    STATES,
    WEIGHTS,
    Accelerator,
    Digests,
    InitialState,
    Layer,
    Modules,
    Multipliers,
    UnitShape,
    VectorPort,
)
from ernn.hw.hls import network as hls
from ernn.hw.hls.parallel import Parallel
from ernn.hw.layout.registers import PROTOCOL, WRITTEN
from ernn.hw.layout.steps import Steps
from ernn.hw.verilog.frames import Beats
from ernn.hw.verilog.layer import LayerHardware
from ernn.hw.verilog.library_modules import LIBRARY
from ernn.hw.verilog.module import rendered
from ernn.hw.verilog.network import NetworkHardware
from ernn.hw.verilog.testbench import testbench
from ernn.hw.verilog.tracing import registers_alone
from ernn.hw.work import work
from ernn.program import files as program_file
from ernn.program import shape
from ernn.program.plans import plan_of

DIGEST = "digest.txt"


def rtl_project(network: NetworkHardware) -> Texts:
    """Verilog sources, memory images, test bench, constraints and a description, by path; every run gives the same."""
    files, described = Texts(library()).below("rtl"), description(network)
    modules = network.modules()
    files |= Texts({name: rendered(each) for name, each in modules.items()}).below("rtl")
    files |= Texts(network.images()).below("memory")
    begins = [host.begin(described, stream) for stream in range(described.streams)]
    files |= Texts(testbench(network, begins)).below("tb")
    files[REGISTERS] = registers_alone(modules)
    parts = LIBRARY | {each.name: each.contents for made in modules.values() for each in made}
    files[MODULES] = Modules(parts).text()
    files["constraints/ernn.xdc"] = (
        f"# Clock that the pipelines were scheduled for.\n"
        f"create_clock -name aclk -period {1000 / network.architecture.clock.mhz:.3f} [get_ports aclk]\n"
    )
    files["vivado/run.tcl"] = (resources.files("ernn.hw.board") / "vivado" / "run.tcl").read_text()
    files |= Texts(board_project(network)).below("board")
    files["registers.md"] = registers(network)
    files[ACCELERATOR], files[WEIGHTS] = described.text(), described.weight_images.text()
    return files


def whole_project(network: NetworkHardware, part: str) -> Texts:
    """Verilog and HLS C++ of an accelerator, each with its constants and a test bench, and the digest of all.

    Args:
        part: of the device, for the tools of its vendor.
    """
    sizes = {layer.name: layer.array.layout.array for layer in network.layers}
    arrays = {name: Parallel(array.lanes, array.columns) for name, array in sizes.items()}
    target = hls.Target(part, network.architecture.clock.mhz, arrays, network.architecture.streams)
    files = rtl_project(network).merged(hls.project(network.program, target).below("hls"))
    return files.merged(Texts({DIGEST: files.digest() + "\n"}))


def library() -> dict[str, str]:
    """Modules that every network instantiates."""
    folder = resources.files("ernn.hw.verilog") / "library"
    return {each.name: each.read_text() for each in sorted(folder.iterdir(), key=lambda each: each.name)}


def description(network: NetworkHardware) -> Accelerator:
    """What the project of a network is, for those who simulate, measure or drive it."""
    program, architecture = network.program, network.architecture
    return Accelerator(
        program=program.name,
        digests=Digests(shape.digest(program), program_file.digest(program)),
        weights=architecture.weights,
        clock_mhz=architecture.clock.mhz,
        delays=architecture.clock.timing.name,
        streams=architecture.streams,
        input=_port(network.input, program.input),
        logits=_port(network.output, program.logits),
        layers=tuple(_layer(layer) for layer in network.layers),
        protocol=PROTOCOL,
        registers=tuple(name for name, _, _ in network.registers),
        initial=tuple(_initial(network)),
    )


def _initial(network: NetworkHardware) -> Iterator[InitialState]:
    """States of all layers before a sequence, if those of one are no zeros: the hardware clears all or none."""
    layers, kept = network.program.layers, (each for each in network.layers if each.states)
    if all(layer.initial is None for layer in layers):
        return
    for layer, hardware in zip(layers, kept, strict=True):
        plan = plan_of(layer.kind, layer)
        for kind in STATES:
            if kind in plan.states:
                state = np.zeros(hardware.states[kind].size, np.int64)
                if layer.initial is not None:
                    state[: getattr(layer, plan.states[kind])] = getattr(layer.initial, kind)
                yield InitialState(hardware.name, kind, tuple(state.tolist()))


def _port(beats: Beats, numbers: Format) -> VectorPort:
    return VectorPort(beats.elements, numbers.bits, numbers.fraction, slot(beats.slot), beats.count)


def _layer(layer: LayerHardware) -> Layer:
    layout = layer.array.layout
    return Layer(
        name=layer.name,
        lanes=layout.array.lanes,
        columns=layout.array.columns,
        heads=layout.array.heads,
        beats=layout.array.beats,
        memories=layout.memories,
        weight_memory_bits=layer.weight_memory_bits,
        multipliers=Multipliers(**layer.multipliers()),
        steps={thread.name: thread.length for thread in layout.threads},
        products={thread.name: thread.products for thread in layout.threads},
        states=layer.states,
        units=tuple(_units(layer)),
        work=work(layer),
    )


def _units(layer: LayerHardware) -> Iterator[UnitShape]:
    """Units, each with the kernel in front of it behind it."""
    for unit in layer.units:
        yield _unit(unit, 1)
        if unit.before:
            yield _unit(unit.rows, unit.before.turns)


def _unit(steps: Steps, turns: int) -> UnitShape:
    return UnitShape(steps.name, steps.width, steps.real_steps, steps.block_size, steps.blocks, steps.elements, turns)


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
