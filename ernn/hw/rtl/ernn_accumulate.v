// Sums of many rows, a set of WORDS for each row in a memory: total = sums + (start ? 0 : what the row has).
// `total` is registered; sums of one row may follow each other without a pause. Up to SHALLOW rows are read in the cycle
// in which they are added to; more of them, for block RAMs, two cycles before.
module ernn_accumulate #(
    parameter WORDS = 1,
    parameter WIDTH = 32,
    parameter DEPTH = 1,
    parameter ADDRESS = 1,
    parameter SHALLOW = 64
) (
    input wire clk,
    input wire add,
    input wire start,
    input wire [ADDRESS-1:0] row,
    /* verilator lint_off UNUSEDSIGNAL */
    input wire [ADDRESS-1:0] next_row,  // of the next cycle
    input wire [ADDRESS-1:0] later_row,  // of the one after
    /* verilator lint_on UNUSEDSIGNAL */
    input wire [WORDS*WIDTH-1:0] sums,
    output reg [WORDS*WIDTH-1:0] total
);
    wire [WORDS*WIDTH-1:0] previous, after;
    genvar n;
    generate
        for (n = 0; n < WORDS; n = n + 1) begin : word
            assign after[n*WIDTH+:WIDTH] = sums[n*WIDTH+:WIDTH] + (start ? {WIDTH{1'b0}} : previous[n*WIDTH+:WIDTH]);
        end
        if (DEPTH <= SHALLOW) begin : shallow
            (* ram_style = "distributed" *) reg [WORDS*WIDTH-1:0] memory[0:DEPTH-1];
            integer i;
            initial for (i = 0; i < DEPTH; i = i + 1) memory[i] = {WORDS * WIDTH{1'b0}};
            assign previous = memory[row];
            always @(posedge clk) if (add) memory[row] <= after;
        end else begin : deep
            (* ram_style = "block", no_rw_check *) reg [WORDS*WIDTH-1:0] memory[0:DEPTH-1];
            reg [WORDS*WIDTH-1:0] stored, ready;
            // A row's last sums are not read if they were written in the cycle before, or in the one before that: then
            // they are in `total`.
            reg again, added;
            reg [ADDRESS-1:0] last_row;
            assign previous = again ? total : ready;
            always @(posedge clk) begin
                stored <= memory[later_row];
                ready <= added && last_row == next_row ? total : stored;
                again <= add && row == next_row;
                added <= add;
                last_row <= row;
                if (add) memory[row] <= after;
            end
        end
    endgenerate
    always @(posedge clk) total <= after;
endmodule
