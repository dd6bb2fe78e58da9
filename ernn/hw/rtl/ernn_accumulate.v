// Sums of many rows, a set of WORDS for each row in a small memory: total = sums + (start ? 0 : what the row has).
// `total` is registered; sums of one row may follow each other without a pause.
module ernn_accumulate #(
    parameter WORDS = 1,
    parameter WIDTH = 32,
    parameter DEPTH = 1,
    parameter ADDRESS = 1
) (
    input wire clk,
    input wire add,
    input wire start,
    input wire [ADDRESS-1:0] row,
    input wire [WORDS*WIDTH-1:0] sums,
    output reg [WORDS*WIDTH-1:0] total
);
    (* ram_style = "distributed" *) reg [WORDS*WIDTH-1:0] memory[0:DEPTH-1];
    integer i;
    initial for (i = 0; i < DEPTH; i = i + 1) memory[i] = {WORDS * WIDTH{1'b0}};

    wire [WORDS*WIDTH-1:0] previous = memory[row];
    wire [WORDS*WIDTH-1:0] after;
    genvar n;
    generate
        for (n = 0; n < WORDS; n = n + 1) begin : word
            assign after[n*WIDTH+:WIDTH] = sums[n*WIDTH+:WIDTH] + (start ? {WIDTH{1'b0}} : previous[n*WIDTH+:WIDTH]);
        end
    endgenerate
    always @(posedge clk) begin
        total <= after;
        if (add) memory[row] <= after;
    end
endmodule
