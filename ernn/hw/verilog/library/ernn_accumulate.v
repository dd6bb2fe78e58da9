// Sums of many rows, a set of WORDS for each row in a memory: total = sums + (start ? 0 : what the row has).
// `total` is registered; sums of one row may follow each other without a pause. Up to SHALLOW rows are read in the cycle
// in which they are added to; more of them, for block RAMs, three cycles before.
module ernn_accumulate #(
    parameter WORDS = 1,
    parameter WIDTH = 32,
    parameter DEPTH = 1,
    parameter ADDRESS = 1,
    parameter SHALLOW = 64
) (
    input wire clk,
    input wire add,
    input wire [ADDRESS-1:0] row,
    /* verilator lint_off UNUSEDSIGNAL */
    input wire start,
    input wire start_in_1,  // of the next cycle
    input wire start_in_2,
    input wire [ADDRESS-1:0] row_in_1,
    input wire [ADDRESS-1:0] row_in_2,
    input wire [ADDRESS-1:0] row_in_3,
    /* verilator lint_on UNUSEDSIGNAL */
    input wire [WORDS*WIDTH-1:0] sums,
    output reg [WORDS*WIDTH-1:0] total
);
    wire [WORDS*WIDTH-1:0] previous, after;
    genvar n;
    generate
        for (n = 0; n < WORDS; n = n + 1) begin : word
            assign after[n*WIDTH+:WIDTH] = sums[n*WIDTH+:WIDTH] + previous[n*WIDTH+:WIDTH];
        end
        if (DEPTH <= SHALLOW) begin : shallow
            /* verilator tracing_off */  // a memory is no register
            (* ram_style = "distributed" *) reg [WORDS*WIDTH-1:0] memory[0:DEPTH-1];
            /* verilator tracing_on */
            integer i;
            initial for (i = 0; i < DEPTH; i = i + 1) memory[i] = {WORDS * WIDTH{1'b0}};
            assign previous = start ? {WORDS * WIDTH{1'b0}} : memory[row];
            always @(posedge clk) if (add) memory[row] <= after;
        end else begin : deep
            /* verilator tracing_off */  // a memory is no register
            (* ram_style = "block", no_rw_check *) reg [WORDS*WIDTH-1:0] memory[0:DEPTH-1];
            /* verilator tracing_on */
            reg [WORDS*WIDTH-1:0] first, second, ready, total_before;
            // Sums that a row got in one of the three cycles before are not read: they are in `total`, or were.
            reg added, from_total, from_before, from_nothing;
            reg [ADDRESS-1:0] row_before;
            wire again_in_1 = add && row == row_in_1 && !start_in_1;
            wire [WORDS-1:0] again;
            for (n = 0; n < WORDS; n = n + 1) begin : chosen
                ernn_copy copy (.clk(clk), .d(again_in_1), .q(again[n]));
                assign previous[n*WIDTH+:WIDTH] = again[n] ? total[n*WIDTH+:WIDTH] : ready[n*WIDTH+:WIDTH];
            end
            always @(posedge clk) begin
                first <= memory[row_in_3];
                second <= first;
                from_total <= add && row == row_in_2;
                from_before <= added && row_before == row_in_2;
                from_nothing <= start_in_2;
                ready <= from_nothing ? {WORDS * WIDTH{1'b0}} : from_total ? total
                    : from_before ? total_before : second;
                added <= add;
                row_before <= row;
                total_before <= total;
                if (add) memory[row] <= after;
            end
        end
    endgenerate
    always @(posedge clk) total <= after;
endmodule
