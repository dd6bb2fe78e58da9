"""A network as a Vitis HLS project: sources, test bench and script, as text.

    src/ernn.h, src/ernn.cpp     the top function: a frame of features in, its logits out
    src/layerN.h, src/headN.h,
    src/output.h                 constants, kernels and loops of a layer
    src/ernn_blocks.h            what they share
    tb/ernn_tb.cpp               runs tb/features.txt and compares with tb/logits.txt (ernn.simulate.vectors)
    sim/                         `hls::stream` and `ap_axis` for a simulation without the vendor's tools
    run.tcl, settings.tcl        `vitis_hls -f run.tcl`

Features and logits are AXI4-Streams, one integer a beat, sign-extended to whole bytes. TUSER with the first feature of
a frame resets the network; TLAST ends a frame of logits, and isn't needed with features: a frame is as many as the
network takes. Control is AXI4-Lite: the function works on one frame each time it is started.
"""

from dataclasses import dataclass
from importlib import resources

from ernn.artifacts import Texts
from ernn.devices.timing import TIMINGS
from ernn.hw.graph.schedule import Clock
from ernn.hw.hls import layers
from ernn.hw.hls.arrays import vector
from ernn.hw.layout.registers import whole_bytes
from ernn.program.network import Program

STATIC = {
    "run.tcl": "run.tcl",
    "sim/ap_axi_sdata.h": "sim/ap_axi_sdata.h",
    "sim/hls_stream.h": "sim/hls_stream.h",
    "src/ernn_blocks.h": "ernn_blocks.h",
    "tb/ernn_tb.cpp": "ernn_tb.cpp",
}


@dataclass(frozen=True)
class Target:
    """The device and clock that Vitis HLS synthesizes for."""

    part: str
    clock_mhz: float


def project(program: Program, target: Target) -> Texts:
    """All files but the vectors: text by path."""
    clock = Clock(target.clock_mhz, TIMINGS["xcup"])
    files = {path: static(path) for path in STATIC}
    files["settings.tcl"] = f"set part {target.part}\nset period_ns {1000 / target.clock_mhz:.3f}\n"
    files["src/ernn.h"] = _header(program)
    files["src/ernn.cpp"] = _top(program)
    for number, layer in enumerate(program.layers):
        files[f"src/layer{number}.h"] = _guarded(
            f"layer{number}", layers.recurrent(number, layer, program.activations, clock)
        )
    for number, dense in enumerate(program.head):
        files[f"src/head{number}.h"] = _guarded(
            f"head{number}", layers.dense(number, dense, program.activations, clock)
        )
    if program.output is not None:
        y = program.stack[-1].output
        files["src/output.h"] = _guarded("output", layers.output(program.output, y, clock))
    return Texts(sorted(files.items()))


def _header(program: Program) -> str:
    beats = [whole_bytes(bits) for bits in (program.input.bits, program.logits.bits)]
    return f"""// {program.name}: a frame of features in, its logits out.
#ifndef ERNN_H
#define ERNN_H

#include "ap_axi_sdata.h"
#include "ap_int.h"
#include "hls_stream.h"

const int ERNN_INPUTS = {program.inputs};
const int ERNN_CLASSES = {program.outputs};

typedef ap_axis<{beats[0]}, 1, 1, 1> ernn_feature; // user: the first feature of an utterance
typedef ap_axis<{beats[1]}, 1, 1, 1> ernn_logit;

void ernn(hls::stream<ernn_feature> &features, hls::stream<ernn_logit> &logits);

#endif
"""


def _top(program: Program) -> str:
    recurrent = [f"layer{number}" for number in range(len(program.layers))]
    headers = [*recurrent, *(f"head{number}" for number in range(len(program.head)))]
    output, included = program.output, headers
    readers = [layer.weight_ih.block_size for layer in program.layers[1:]]
    readers += [layer.weight.block_size for layer in program.head]
    readers.append(1 if output is None else output.weight.block_size)
    x = vector("x", program.input.bits, program.inputs, program.layers[0].weight_ih.block_size)
    states = "".join(
        vector(f"y{number}", layer.output.bits, layer.outputs, max(layers.banks(layer), reader), True)
        for number, (layer, reader) in enumerate(zip(program.layers, readers, strict=False))
    )
    states += "".join(
        vector(f"y{number}", layer.output.bits, layer.outputs, max(layer.weight.block_size, readers[number]))
        for number, layer in enumerate(program.head, len(recurrent))
    )
    values, logits = f"y{len(headers) - 1}", ""
    if output is not None:
        logits = vector("values", program.logits.bits, program.outputs, output.weight.block_size)
        logits += f"    output({values}, values);\n"
        values, included = "values", [*headers, "output"]
    vectors = ["x", *(f"y{number}" for number in range(len(headers)))]
    calls = "".join(
        f"    {name}({x_t}, {'first, ' * (name in recurrent)}{y_t});\n"
        for name, x_t, y_t in zip(headers, vectors, vectors[1:], strict=False)
    )
    includes = "".join(f'#include "{name}.h"\n' for name in sorted(included))
    return f"""#include "ernn.h"

{includes}
void ernn(hls::stream<ernn_feature> &features, hls::stream<ernn_logit> &logits) {{
#pragma HLS INTERFACE mode=axis port=features
#pragma HLS INTERFACE mode=axis port=logits
#pragma HLS INTERFACE mode=s_axilite port=return
{x}{states}    bool first = false;
    for (int n = 0; n < ERNN_INPUTS; n++) {{
#pragma HLS PIPELINE II=1
        const ernn_feature beat = features.read();
        x[n] = beat.data;
        if (n == 0)
            first = beat.user != 0;
    }}
{calls}{logits}    for (int n = 0; n < ERNN_CLASSES; n++) {{
#pragma HLS PIPELINE II=1
        ernn_logit beat;
        beat.data = {values}[n];
        beat.keep = beat.strb = -1;
        beat.user = first && n == 0;
        beat.last = n == ERNN_CLASSES - 1;
        beat.id = beat.dest = 0;
        logits.write(beat);
    }}
}}
"""


def _guarded(name: str, text: str) -> str:
    guard = f"ERNN_{name.upper()}_H"
    return f'#ifndef {guard}\n#define {guard}\n\n#include "ap_int.h"\n\n#include "ernn_blocks.h"\n\n{text}\n#endif\n'


def static(path: str) -> str:
    """A file that is the same in every project."""
    name = STATIC[path]
    return resources.files("ernn.hw.hls").joinpath("files", *name.split("/")).read_text()
