"""A network as a Vitis HLS project: sources, test bench and script, as text.

    src/ernn.h, src/ernn.cpp     the top function: a frame of features in, its logits out
    src/layerN.h, src/headN.h,
    src/output.h                 constants, kernels and loops of a layer
    src/ernn_blocks.h            what they share
    tb/ernn_tb.cpp               runs tb/features.txt and compares with tb/logits.txt (ernn.simulate.vectors)
    sim/                         `hls::stream` and `ap_axis` for a simulation without the vendor's tools
    run.tcl, settings.tcl        `vitis_hls -f run.tcl`

Features and logits are AXI4-Streams, one integer a beat, sign-extended to whole bytes. TUSER with the first feature of
a frame resets its stream; TLAST ends a frame of logits, and isn't needed with features: a frame is as many as the
network takes. TID with the first feature is the number of the frame's stream; a frame of a stream that does not exist
is dropped. Control is AXI4-Lite: the function works on one frame each time it is started.

Loops are unrolled to the arrays of an accelerator (`ernn.hw.hls.parallel`): as many block rows and columns at a time.
Matrices that are pruned, or of which some blocks are kept, are read row by row whatever the array: their rows begin
where those before them end.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from importlib import resources

from ernn.artifacts import Texts
from ernn.devices.timing import TIMINGS
from ernn.hw.graph.schedule import Clock
from ernn.hw.hls import layers
from ernn.hw.hls.arrays import vector
from ernn.hw.hls.header import Header
from ernn.hw.hls.parallel import LayerParallel, Parallel
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
    """The device and clock that Vitis HLS synthesizes for, and the accelerator whose sizes its loops have.

    Args:
        arrays: by the names of the accelerator's modules; without one, a block of each gate a cycle.
        streams: that take turns.
    """

    part: str
    clock_mhz: float
    arrays: Mapping[str, Parallel] = field(default_factory=dict)
    streams: int = 1

    def of(self, layer: str) -> LayerParallel:
        """The arrays of a layer."""
        return LayerParallel.of(layer, self.arrays)


def project(program: Program, target: Target) -> Texts:
    """All files but the vectors: text by path."""
    headers = _headers(program, target)
    files = {path: static(path) for path in STATIC}
    files["settings.tcl"] = f"set part {target.part}\nset period_ns {1000 / target.clock_mhz:.3f}\n"
    files["src/ernn.h"] = _header(program, target.streams)
    files["src/ernn.cpp"] = _top(program, target.streams, _cycles(program, headers.values()))
    files |= {f"src/{name}.h": _guarded(name, header.text) for name, header in headers.items()}
    return Texts(sorted(files.items()))


def estimated_cycles(program: Program, target: Target) -> int:
    """About how many cycles a frame takes: trips of loops, and latencies of kernels as ours are scheduled.

    Frames do not overlap. It is no measurement: `csynth_design` has its own schedule.
    """
    return _cycles(program, _headers(program, target).values())


def _cycles(program: Program, headers: Iterable[Header]) -> int:
    return program.inputs + sum(header.cycles for header in headers) + program.outputs


def _headers(program: Program, target: Target) -> dict[str, Header]:
    """Those of all layers, by name."""
    clock, found = Clock(target.clock_mhz, TIMINGS["xcup"]), {}
    for number, layer in enumerate(program.layers):
        name = f"layer{number}"
        found[name] = layers.recurrent(number, layer, program.activations, clock, target.of(name), target.streams)
    for number, dense in enumerate(program.head):
        name = f"head{number}"
        found[name] = layers.dense(number, dense, program.activations, clock, target.of(name))
    if program.output is not None:
        y = program.stack[-1].output
        found["output"] = layers.output(program.output, y, clock, target.of("output_layer"))
    return found


def _header(program: Program, streams: int) -> str:
    beats = [whole_bytes(bits) for bits in (program.input.bits, program.logits.bits)]
    number = max(1, (streams - 1).bit_length())
    return f"""// {program.name}: a frame of features in, its logits out.
#ifndef ERNN_H
#define ERNN_H

#include "ap_axi_sdata.h"
#include "ap_int.h"
#include "hls_stream.h"

const int ERNN_INPUTS = {program.inputs};
const int ERNN_CLASSES = {program.outputs};
const int ERNN_STREAMS = {streams};

typedef ap_axis<{beats[0]}, 1, {number}, 1> ernn_feature; // user: the first feature of an utterance; id: its stream
typedef ap_axis<{beats[1]}, 1, {number}, 1> ernn_logit;

void ernn(hls::stream<ernn_feature> &features, hls::stream<ernn_logit> &logits);

#endif
"""


def _top(program: Program, streams: int, cycles: int) -> str:
    recurrent = [f"layer{number}" for number in range(len(program.layers))]
    headers = [*recurrent, *(f"head{number}" for number in range(len(program.head)))]
    output, included = program.output, headers
    readers = [layer.weight_ih.block_size for layer in program.layers[1:]]
    readers += [layer.weight.block_size for layer in program.head]
    readers.append(1 if output is None else output.weight.block_size)
    x = vector("x", program.input.bits, program.inputs, program.layers[0].weight_ih.block_size)
    states = "".join(
        vector(f"y{number}", layer.output.bits, layer.outputs, max(layers.banks(layer), reader), True, streams)
        for number, (layer, reader) in enumerate(zip(program.layers, readers, strict=False))
    )
    states += "".join(
        vector(f"y{number}", layer.output.bits, layer.outputs, max(layer.weight.block_size, readers[number]))
        for number, layer in enumerate(program.head, len(recurrent))
    )
    last = len(headers) - 1
    values, logits = f"y{last}" + "[stream]" * (streams > 1 and last < len(recurrent)), ""
    if output is not None:
        logits = vector("values", program.logits.bits, program.outputs, output.weight.block_size)
        logits += f"    output({values}, values);\n"
        values, included = "values", [*headers, "output"]
    each = "[stream]" * (streams > 1)
    vectors = ["x", *(f"y{number}{each * (number < len(recurrent))}" for number in range(len(headers)))]
    given = "first, stream, " if streams > 1 else "first, "
    calls = "".join(
        f"    {name}({x_t}, {given * (name in recurrent)}{y_t});\n"
        for name, x_t, y_t in zip(headers, vectors, vectors[1:], strict=False)
    )
    of_stream, stream = ("stream", "        if (n == 0)\n            stream = beat.id;\n") if streams > 1 else ("0", "")
    dropped = "    if (stream >= ERNN_STREAMS)\n        return;\n" * (streams > 1)
    includes = "".join(f'#include "{name}.h"\n' for name in sorted(included))
    return f"""// A frame takes about {cycles:,} cycles: an estimate, by trips of loops and latencies of kernels.
#include "ernn.h"

{includes}
void ernn(hls::stream<ernn_feature> &features, hls::stream<ernn_logit> &logits) {{
#pragma HLS INTERFACE mode=axis port=features
#pragma HLS INTERFACE mode=axis port=logits
#pragma HLS INTERFACE mode=s_axilite port=return
{x}{states}    bool first = false;
{"    int stream = 0;" + chr(10) if streams > 1 else ""}    for (int n = 0; n < ERNN_INPUTS; n++) {{
#pragma HLS PIPELINE II=1
        const ernn_feature beat = features.read();
        x[n] = beat.data;
        if (n == 0)
            first = beat.user != 0;
{stream}    }}
{dropped}{calls}{logits}    for (int n = 0; n < ERNN_CLASSES; n++) {{
#pragma HLS PIPELINE II=1
        ernn_logit beat;
        beat.data = {values}[n];
        beat.keep = beat.strb = -1;
        beat.user = first && n == 0;
        beat.last = n == ERNN_CLASSES - 1;
        beat.id = {of_stream};
        beat.dest = 0;
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
