"""Kernels as Verilog: new inputs every cycle through Verilator, equal to numpy in every output and every saturation."""

import os
import re
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from ernn.dataflow.formats import Format
from ernn.hw.graph.graph import Graph
from ernn.hw.graph.kernel import Kernel
from ernn.hw.project import library
from ernn.hw.verilog import kernel as verilog
from ernn.hw.verilog.kernel import literal
from ernn.hw.verilog.module import rendered
from ernn.tools import verilator
from tests import programs
from tests.dataflow.values import fourier_of
from tests.hw import cases
from tests.hw.cases import Case
from tests.hw.designs import CLOCK
from tests.hw.evaluate import evaluate
from tests.hw.graph.test_graph import product

VECTORS, SLOTS = 300, 420  # a slot is a cycle; in the others `valid` is low and the inputs are noise
MULTIPLIERS = {name: text for name, text in library().items() if name.startswith("ernn_multiply")}
GOLDEN = Path(__file__).parent / "golden"


def kernel_cases() -> dict[str, Case]:
    """Kernels of every kind, by a short name."""
    exact = product(8, programs.Exact())
    fourier = product(16, fourier_of(16, 9, (1, 0, 1, 2), (0, 1, 0, 0), Format(16, 5)))
    lstm = programs.build(block_sizes=(4, 4), peepholes=True)
    gru = programs.build(cell="gru", block_sizes=(2, 4), reset="after", shared=True)
    mixed = programs.build(block_sizes=(8, 8), transform="fourier", products=3, projection=8)
    return {
        "points": cases.of_factors(exact.matrix, exact.vector, 1, VECTORS),
        "spectrum": cases.of_factors(fourier.matrix, fourier.vector, 2, VECTORS),
        "lane": cases.of_lane([exact], 5, 3, VECTORS),
        "lstm": cases.of_update(lstm, "cell", 4, VECTORS),
        "gru": cases.of_update(gru, "n", 5, VECTORS),
        "projection": cases.of_update(mixed, "projection", 6, VECTORS),
    }


CASES = kernel_cases()


def valid_slots(number: int) -> np.ndarray:
    """Slots in which vectors come, most of them back to back."""
    random = np.random.default_rng(number)
    return np.sort(random.choice(SLOTS, VECTORS, replace=False))


def bus_bits(case: Case, bus: str, vector: int) -> int:
    """A bus of a vector as an integer without sign."""
    port, total = case.kernel.inputs[bus], 0
    for n in range(len(port.elements)):
        name = f"{bus}.{n}"
        total |= (int(case.inputs[name][vector]) & ((1 << port.width) - 1)) << n * port.width
    return total


def lines(case: Case, slots: np.ndarray, cycles: int) -> str:
    """What stands at the inputs in every cycle: `valid` below the buses; a bus that is taken later comes later."""
    kernel, random = case.kernel, np.random.default_rng(0)
    rows = [0] * cycles
    for slot in slots:
        rows[slot] |= 1
    low = 1
    for bus, port in kernel.inputs.items():
        noise = [int.from_bytes(random.bytes(-(-port.bits // 8)), "little") % (1 << port.bits) for _ in rows]
        for vector, slot in enumerate(slots):
            noise[slot + kernel.taken(bus)] = bus_bits(case, bus, vector)
        rows = [row | each << low for row, each in zip(rows, noise, strict=True)]
        low += port.bits
    return "".join(f"{row:x}\n" for row in rows)


def bench(found: dict[str, Case], cycles: int) -> str:
    """Feeds all kernels with a line a cycle and prints their outputs."""
    text = ["module tb;", "reg clk = 1'b0;", "always #5 clk = !clk;", "integer cycle = 0;"]
    for name, case in found.items():
        kernel, low = case.kernel, 1
        width = 1 + sum(port.bits for port in kernel.inputs.values())
        text.append(f"reg [{width - 1}:0] {name}_lines[0:{cycles - 1}];")
        text.append(f'initial $readmemh("{name}.hex", {name}_lines);')
        text += [f"wire [{width - 1}:0] {name}_in = {name}_lines[cycle];", f"wire {name}_done;"]
        ports = [f".clk(clk), .valid({name}_in[0]), .valid_out({name}_done)"]
        for bus, port in kernel.inputs.items():
            ports.append(f".{bus}({name}_in[{low + port.bits - 1}:{low}])")
            low += port.bits
        shown = {bus: port.bits for bus, port in kernel.outputs.items()}
        shown |= {f"overflow_{flag}": len(places) for flag, places in kernel.overflows.items()}
        for bus, bits in shown.items():
            text.append(f"wire [{bits - 1}:0] {name}_{bus};")
            ports.append(f".{bus}({name}_{bus})")
        text.append(f"{kernel.name} {name} ({', '.join(ports)});")
        format = " ".join("%h" for _ in shown)
        values = ", ".join(f"{name}_{bus}" for bus in shown)
        text.append(f'always @(posedge clk) if ({name}_done) $display("{name} %0d {format}", cycle, {values});')
    text += [f"always @(posedge clk) if (cycle == {cycles - 1}) $finish; else cycle <= cycle + 1;", "endmodule", ""]
    return "\n".join(text)


@pytest.fixture(scope="module")
def printed(tmp_path_factory: pytest.TempPathFactory) -> str:
    """What the test bench of all kernels prints."""
    folder = tmp_path_factory.mktemp("kernels")
    cycles = SLOTS + max(case.kernel.latency for case in CASES.values()) + 2
    files = {"tb.v": bench(CASES, cycles)} | MULTIPLIERS
    for number, (name, case) in enumerate(CASES.items()):
        files[f"{name}.v"] = rendered(verilog.modules(case.kernel))
        (folder / f"{name}.hex").write_text(lines(case, valid_slots(number), cycles))
    for name, text in files.items():
        (folder / name).write_text(text)
    program = verilator.build(folder, "tb", sorted(files), optimize="-O0")
    return verilator.simulate(program, folder, folder / "run.log")


@pytest.mark.parametrize("name", CASES)
def test_kernels_equal_numpy_in_every_vector(name, printed):
    case, kernel = CASES[name], CASES[name].kernel
    rows = [match.split() for match in re.findall(rf"^{name} (.*)$", printed, re.MULTILINE)]
    cycles = [int(row[0]) for row in rows]
    assert cycles == (valid_slots(list(CASES).index(name)) + kernel.latency).tolist()
    column = 1
    for bus, port in kernel.outputs.items():
        words = [int(row[column], 16) for row in rows]
        for n in range(len(port.elements)):
            raw = [word >> n * port.width & ((1 << port.width) - 1) for word in words]
            signed = [each - (each >> (port.width - 1) << port.width) for each in raw]
            assert signed == case.outputs[f"{bus}.{n}"].tolist(), (bus, n)
        column += 1


@pytest.mark.parametrize("name", [name for name, case in CASES.items() if case.kernel.overflows])
def test_saturations_are_flagged_with_the_outputs(name, printed):
    case, kernel = CASES[name], CASES[name].kernel
    rows = [match.split() for match in re.findall(rf"^{name} (.*)$", printed, re.MULTILINE)]
    found = [evaluate(kernel.graph, case.vector(number)).nodes for number in range(VECTORS)]
    for column, (flag, places) in enumerate(kernel.overflows.items(), start=1 + len(kernel.outputs)):
        words = [int(row[column], 16) for row in rows]
        for bit, place in enumerate(places):
            before = kernel.graph.nodes[place].operands[0]
            assert [word >> bit & 1 for word in words] == [nodes[before] != nodes[place] for nodes in found]
        assert sum(word.bit_count() for word in words) == case.saturated[flag]
    assert any(case.saturated.values())


def test_kernels_are_lint_clean(tmp_path):
    for name, case in CASES.items():
        (tmp_path / f"{name}.v").write_text(rendered(verilog.modules(case.kernel)))
    for name, text in MULTIPLIERS.items():
        (tmp_path / name).write_text(text)
    for name, case in CASES.items():
        verilator.lint(tmp_path, case.kernel.name, [f"{name}.v", *MULTIPLIERS])


@given(integer=st.integers(-(1 << 70), 1 << 70), width=st.integers(1, 64))
def test_literals_are_the_integer_modulo_their_width(integer, width):
    sign, bits, base, digits = re.fullmatch(r"(-?)(\d+)'s([dh])([0-9a-f]+)", literal(integer, width)).groups()
    value = int(digits, 16 if base == "h" else 10)
    assert int(bits) == width
    assert value < 1 << width
    assert ((-value if sign else value) - integer) % (1 << width) == 0
    assert base == "h" or value < 1 << (width - 1) or width == 1  # what a signed decimal can be without a warning


def small() -> Kernel:
    """A multiplier, a rounding, a saturation that is counted, a late input."""
    graph = Graph("small")
    x, w, b = graph.input("x.0", Format(6, 4)), graph.input("w.0", Format(5, 3)), graph.input("b.0", Format(8, 5))
    graph.output("y.0", (x * w + b).requantize(Format(6, 3), "a.0"))
    return Kernel(graph, CLOCK, "an example", late=("b.",), wide={"y": 8})


def test_text_of_a_small_kernel():
    found, path = rendered(verilog.modules(small())), GOLDEN / "small.v"
    if os.environ.get("ERNN_RENEW"):
        path.write_text(found)
    assert found == path.read_text()


@pytest.mark.parametrize("name", CASES)
def test_text_is_the_same_every_time(name):
    assert verilog.modules(CASES[name].kernel) == verilog.modules(kernel_cases()[name].kernel)
