"""Verilog of a lane of an array."""

from ernn.hw.graph import kernels
from ernn.hw.verilog.array import ArrayText


def lane_module(array: ArrayText) -> str:
    """A lane: weights, operands, kernel, accumulators."""
    columns, bits, address = array.layout.array.columns, array.factor_bits, array.address_bits
    k, word = array.layout.block_words, array.layout.word_bits
    count, width = columns // array.layout.together, array.layout.column_bits
    blocks = "".join(
        f", .w{c}(kernel_weights[{(c + 1) * k * word - 1}:{c * k * word}]), "
        f".x{c}(operands_here[{(c + 1) * bits - 1}:{c * bits}])"
        for c in range(columns)
    )
    s = array.lane.outputs["s"].width
    assert array.lane.inputs["w0"].width == word
    extended = "\n".join(_aligned(array, n) for n in range(array.sums))
    memories = "\n".join(_memory(array, number) for number in range(count))
    images = ", ".join(f'parameter IMAGE_{number} = ""' for number in range(count))
    fetched = "\n".join(array.fetch())
    elements = f"{columns} processing element{'s' * (columns > 1)}"
    return f"""// A lane of {array.name}: {elements}, the weights of its block rows, and their sums.
module {array.name}_lane #({images}) (
    input wire clk,
    input wire [{count - 1}:0] load,
    input wire [{address - 1}:0] load_address,
    input wire [{array.weight_bits - 1}:0] load_data,
    input wire [{count * address - 1}:0] weight_address,
{array.operand_ports()}    input wire add,
    input wire start,
    input wire [{array.row_bits - 1}:0] row,
    input wire start_in_1,
    input wire start_in_2,
    input wire [{array.row_bits - 1}:0] row_in_1,
    input wire [{array.row_bits - 1}:0] row_in_2,
    input wire [{array.row_bits - 1}:0] row_in_3,
{_alignment_port(array)}    output wire [{array.lanes_bits - 1}:0] total
);
    /* verilator no_inline_module */
    wire [{columns * width - 1}:0] weights;
    reg [{count - 1}:0] load_here;
    always @(posedge clk) load_here <= load;
{memories}
{fetched}
{_alignment_register(array)}    /* verilator lint_off UNUSEDSIGNAL */
    wire [{array.sums * s - 1}:0] sums;  // their upper bits may be signs alone
    /* verilator lint_on UNUSEDSIGNAL */
    wire [{array.lanes_bits - 1}:0] aligned;
{extended}
{_registered(array)}    /* verilator lint_off PINCONNECTEMPTY */
    {array.lane.name} kernel (.clk(clk), .valid(1'b0), .valid_out(){blocks}, .s(sums));
    /* verilator lint_on PINCONNECTEMPTY */
    ernn_accumulate #(.WORDS({array.sums}), .WIDTH({array.sum_bits}), .DEPTH({array.layout.accumulators}),
        .ADDRESS({array.row_bits}), .SHALLOW({array.lane.clock.timing.shallow}))
        accumulate (.clk(clk), .add(add), .start(start), .row(row), .start_in_1(start_in_1),
        .start_in_2(start_in_2), .row_in_1(row_in_1), .row_in_2(row_in_2), .row_in_3(row_in_3),
        .sums(aligned_sums), .total(total));
endmodule
"""


def _memory(array: ArrayText, number: int) -> str:
    """Weights of a column, or of all columns side by side; then those of later columns wait for them."""
    bits, address = array.weight_bits, array.address_bits
    part = f"weights[{(number + 1) * bits - 1}:{number * bits}]"
    read = "words" if array.layout.together > 1 else part
    memory = f"""    ernn_ram #(.WIDTH({bits}), .DEPTH({array.layout.depth}), .ADDRESS({address}),
        .IMAGE(IMAGE_{number}), .KIND("{array.memory}"), .SLICED({int(not array.clock.relaxed)})) memory_{number} (
        .clk(clk), .write(load_here[{number}]), .write_address(load_address), .d(load_data),
        .read_address(weight_address[{(number + 1) * address - 1}:{number * address}]), .q({read}));"""
    if array.layout.together == 1:
        return memory
    width, lines = array.layout.column_bits, [f"    wire [{bits - 1}:0] words;", memory]
    for column in range(array.layout.together):
        here = f"[{(column + 1) * width - 1}:{column * width}]"
        lines.append(f"""    ernn_delay #(.WIDTH({width}), .CYCLES({kernels.skew(column)})) delay_words_{column} (
        .clk(clk), .d(words{here}), .q(weights{here}));""")
    return "\n".join(lines)


def _registered(array: ArrayText) -> str:
    """Sums as they are added."""
    if not array.align_cycles:
        return f"    wire [{array.lanes_bits - 1}:0] aligned_sums = aligned;\n"
    return f"""    reg [{array.lanes_bits - 1}:0] aligned_sums;
    always @(posedge clk) aligned_sums <= aligned;
"""


def _alignment_port(array: ArrayText) -> str:
    bits = len(array.shifts)
    return f"    input wire [{bits - 1}:0] alignment,  // of the next cycle's sums\n" if bits > 1 else ""


def _alignment_register(array: ArrayText) -> str:
    if len(array.shifts) == 1:
        return ""
    return f"""    (* keep *) reg [{len(array.shifts) - 1}:0] alignment_here;
    always @(posedge clk) alignment_here <= alignment;
"""


def _aligned(array: ArrayText, n: int) -> str:
    """A sum at the width of the accumulators, shifted as the thread's sums need it: `alignment` says which."""
    s, total = array.lane.outputs["s"].width, array.sum_bits
    word = f"sums[{n * s + min(s, total) - 1}:{n * s}]"
    if total > s:
        word = f"{{{{{total - s}{{sums[{(n + 1) * s - 1}]}}}}, {word}}}"
    shifted = [word if shift == 0 else f"({word} << {shift})" for shift in array.shifts]
    if len(shifted) > 1:
        shifted = [f"({{{total}{{alignment_here[{place}]}}}} & {each})" for place, each in enumerate(shifted)]
    return f"    assign aligned[{(n + 1) * total - 1}:{n * total}] = {' | '.join(shifted)};"
