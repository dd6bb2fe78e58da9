// Memory with one port to write and one to read; q follows read_address by two cycles (a second register lets the
// memory run at the fabric's clock). IMAGE is a file of hexadecimal words; without one the memory starts with zeros.
// A word that is read while it is written is not defined. KIND is that of the synthesizer: auto, block or distributed.
// SLICED says whether the clock is too fast for a multiplexer behind the blocks of a deep memory.
// With ERNN_UNSET, for synthesis, a memory without an image is not set to zeros word by word, which takes long to read;
// block RAMs begin with zeros anyway.
module ernn_ram #(
    parameter WIDTH = 8,
    parameter DEPTH = 16,
    parameter ADDRESS = 4,
    parameter IMAGE = "",
    /* verilator lint_off UNUSEDPARAM */
    parameter KIND = "auto",
    parameter SLICED = 1
    /* verilator lint_on UNUSEDPARAM */
) (
    input wire clk,
    input wire write,
    input wire [ADDRESS-1:0] write_address,
    input wire [WIDTH-1:0] d,
    input wire [ADDRESS-1:0] read_address,
    output reg [WIDTH-1:0] q
);
    /* verilator tracing_off */  // a memory is no register
    (* ram_style = KIND, no_rw_check *) reg [WIDTH-1:0] words[0:DEPTH-1];
    /* verilator tracing_on */
    reg [WIDTH-1:0] first;
    integer i;
    initial
        if (IMAGE != "") $readmemh(IMAGE, words);
`ifndef ERNN_UNSET
        else for (i = 0; i < DEPTH; i = i + 1) words[i] = {WIDTH{1'b0}};
`endif
    always @(posedge clk) begin
        if (write) words[write_address] <= d;
        first <= words[read_address];
        q <= first;
    end
endmodule
