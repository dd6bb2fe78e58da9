"""Kernels as C++ against the same kernels on numpy, with random integers and the ends of ranges."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np
import pytest

from ernn.dataflow import cells, transforms
from ernn.dataflow.cells import LSTM_GATES, PEEPHOLES
from ernn.dataflow.formats import Format
from ernn.dataflow.transforms import Exact
from ernn.dataflow.value import Constant, Value
from ernn.devices.timing import TIMINGS
from ernn.golden.integers import Integers, Log
from ernn.hw.graph.graph import Graph
from ernn.hw.graph.kernel import Kernel
from ernn.hw.graph.schedule import Clock
from ernn.hw.hls import network
from ernn.hw.hls.kernel import call, function
from ernn.tools import csim
from ernn.tools.process import run
from tests import programs
from tests.dataflow.values import fourier_of

CLOCK = Clock(200, TIMINGS["xcup"])
VECTORS = 300


@dataclass(frozen=True)
class Case:
    """A kernel of inputs `x`, all of one format, and outputs `y`."""

    inputs: int
    format: Format
    compute: Callable[[Sequence[Value]], Sequence[Value]]

    def kernel(self, name: str) -> Kernel:
        graph = Graph(name)
        values = [graph.input(f"x.{n}", self.format) for n in range(self.inputs)]
        for n, value in enumerate(self.compute(values)):
            graph.output(f"y.{n}", value)
        return Kernel(graph, CLOCK, "a case")

    def vectors(self) -> np.ndarray:
        """Integers of the format, (inputs, vectors); a third of them its ends."""
        random, shape = np.random.default_rng(self.inputs), (self.inputs, VECTORS)
        ends = random.choice([self.format.low, self.format.high], shape)
        inside = random.integers(self.format.low, self.format.high, shape, endpoint=True)
        return np.where(np.arange(VECTORS) % 3 == 0, ends, inside)

    def expected(self) -> np.ndarray:
        """What the kernel makes of the vectors on numpy, (outputs, vectors)."""
        f = self.format
        values = [Integers(row, f.low, f.high, f.fraction, Log()) for row in self.vectors()]
        return np.stack([np.broadcast_to(value.array, VECTORS) for value in self.compute(values)])


def product(transform: transforms.Transform, k: int) -> Callable[[Sequence[Value]], Sequence[Value]]:
    """Blocks of weights and of a vector, one after the other."""

    def compute(values: Sequence[Value]) -> Sequence[Value]:
        weights, x = transforms.weight_factors(values[:k], transform), transforms.factors(values[k:], transform)
        return transforms.combine(transforms.products(weights, x, transform), k, transform, "s")

    return compute


def lstm(values: Sequence[Value]) -> Sequence[Value]:
    """A cell with peepholes from its pre-activations, biases and c."""
    names = [*(f"s_{gate}" for gate in LSTM_GATES), *(f"b_{gate}" for gate in LSTM_GATES)]
    names += [*(f"p_{gate}" for gate in PEEPHOLES), "c"]
    formats = {"cell": programs.CELL, "output": programs.ACTIVATIONS}
    made = cells.lstm_cell(dict(zip(names, values, strict=True)), programs.activations(), formats)
    return [made["c"], made["y"]]


def gru(values: Sequence[Value]) -> Sequence[Value]:
    """A cell that resets after its product, with sigma's table for tanh."""
    functions, formats = programs.activations(shared=True), {"cell": programs.CELL, "output": programs.CELL}
    n, bias, z, c, extra = values
    r = cells.gru_reset({"s": n, "b": bias}, functions, formats)["r"]
    given = {"s": n, "x": n, "r": r, "h": extra, "b": bias, "z": z, "c": c}
    made = cells.gru_cell_after(given, functions, formats)
    return [made["c"], cells.gru_reset_before({"s": n, "b": bias, "c": c}, functions, formats)["rc"]]


def corners(values: Sequence[Value]) -> Sequence[Value]:
    """Operators beyond 32 bits, shifts past the width, and constants of either sign."""
    a, b = values
    wide = a * b
    return [
        wide.requantize(Format(40, 20)),
        wide.requantize(Format(3, -20)),
        wide.to_fraction(24).plus(Constant(-(1 << 40), 20)),
        wide.magnitude().where_negative(a, -wide),
        a.times(Constant(-23, 3)) - b.times(Constant(0, 3)),
        a.times(Constant(1 << 20, 0)).requantize(Format(20, 12)),
        (a - b).halved(),
    ]


MAIN = """int main() {
    long long value;
    if (!std::freopen("vectors.txt", "r", stdin))
        return 1;"""
CASES = {
    "exact": Case(16, Format(7, 3), product(Exact(), 8)),
    "dense": Case(2, Format(7, 3), product(Exact(), 1)),
    "fourier": Case(16, Format(9, 5), product(fourier_of(8, 8, (1, 0, 1), (0, 1, 0), Format(12, 8)), 8)),
    "fourier3": Case(32, Format(8, 5), product(fourier_of(16, 7, (1,) * 4, (1,) * 4, Format(14, 7), 3), 16)),
    "lstm": Case(12, Format(11, 7), lstm),
    "gru": Case(5, Format(10, 6), gru),
    "corners": Case(2, Format(27, 12), corners),
}


@pytest.fixture(scope="module")
def outputs(tmp_path_factory: pytest.TempPathFactory) -> dict[str, np.ndarray]:
    """What all kernels print, compiled together: (outputs, vectors) by the case."""
    folder = tmp_path_factory.mktemp("kernels")
    kernels = {name: case.kernel(name) for name, case in CASES.items()}
    source = ['#include "ernn_blocks.h"', "#include <cstdio>", *(function(kernel) for kernel in kernels.values())]
    source.append(MAIN)
    for kernel in kernels.values():
        x, y = kernel.inputs["x"], kernel.outputs["y"]
        source.append(f"""    for (int vector = 0; vector < {VECTORS}; vector++) {{
        ap_int<{x.width}> x[{len(x.elements)}];
        ap_int<{y.width}> y[{len(y.elements)}];
        for (int n = 0; n < {len(x.elements)}; n++) {{
            std::scanf("%lld", &value);
            x[n] = value;
        }}
        {call(kernel, {"x": "x", "y": "y"})}
        for (int n = 0; n < {len(y.elements)}; n++)
            std::printf("%lld ", y[n].to_int64());
    }}""")
    (folder / "kernels.cpp").write_text("\n".join([*source, "}", ""]))
    (folder / "ernn_blocks.h").write_text(network.static("src/ernn_blocks.h"))
    given = " ".join(str(each) for case in CASES.values() for each in case.vectors().T.ravel())
    (folder / "vectors.txt").write_text(given)
    printed = run([csim.compiled(folder, ["kernels.cpp"], "-O0")], folder, folder / "kernels.log")
    numbers, found = np.array(printed.split(), np.int64), {}
    for name, kernel in kernels.items():
        count = VECTORS * len(kernel.outputs["y"].elements)
        found[name], numbers = numbers[:count].reshape(VECTORS, -1).T, numbers[count:]
    return found


@pytest.mark.parametrize("name", CASES)
def test_cplusplus_equals_the_integer_model(name, outputs):
    assert outputs[name].tolist() == CASES[name].expected().tolist()


def test_a_function_reads_like_its_equations():
    graph = Graph("gate")
    a, bias = graph.input("s.0", Format(12, 6)), graph.input("b.0", Format(6, 4))
    graph.output("y.0", (a + bias).requantize(Format(8, 4), "a_i.0"))
    assert function(Kernel(graph, CLOCK, "gate of one cell", wide={"y": 10}), "PIPELINE II=1") == EXAMPLE


EXAMPLE = """\
// Gate of one cell; 0 products of two values.
static void gate(const ap_int<12> s[1], const ap_int<6> b[1], ap_int<10> y[1]) {
#pragma HLS PIPELINE II=1
    const ap_int<12> in_s_0 = s[0];
    const ap_int<6> in_b_0 = b[0];
    const ap_int<8> n2 = ap_int<8>(in_b_0) << 2;
    const ap_int<13> n3 = in_s_0 + n2;
    const ap_int<13> n4 = n3 + 2;
    const ap_int<11> n5 = n4 >> 2;
    const ap_int<8> a_i_0 = n5 < -128 ? ap_int<8>(-128) : n5 > 127 ? ap_int<8>(127) : ap_int<8>(n5);
    y[0] = a_i_0;
}
"""


@pytest.mark.parametrize("name", CASES)
def test_text_is_the_same_every_time(name):
    assert function(CASES[name].kernel(name)) == function(CASES[name].kernel(name))


def test_a_call_names_every_bus_once():
    kernel = CASES["gru"].kernel("gru")
    assert call(kernel, {"y": "b", "x": "a[0]"}) == "gru(a[0], b);"
    with pytest.raises(ValueError, match=r"gru has buses \['x', 'y'\], got \['x', 'z'\]"):
        call(kernel, {"x": "a", "z": "b"})
