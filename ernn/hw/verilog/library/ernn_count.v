// Counts the ones of `bits`, up to 2^32 - 1. They are added in a tree with a register behind every sum: a result is
// there some cycles after its bits.
module ernn_count #(
    parameter BITS = 1,
    parameter COUNT = 1  // bits of their number
) (
    input wire clk,
    input wire rst,
    input wire [BITS-1:0] bits,
    output reg [31:0] total
);
    wire [COUNT-1:0] ones;
    ernn_ones #(
        .BITS(BITS),
        .COUNT(COUNT)
    ) tree (
        .clk(clk),
        .bits(bits),
        .ones(ones)
    );
    reg [31:0] sum;
    reg carry;
    always @(posedge clk) begin
        {carry, sum} <= rst ? 33'd0 : carry ? 33'h1ffffffff : {1'b0, sum} + {{33 - COUNT{1'b0}}, ones};
        total <= rst ? 32'd0 : sum | {32{carry}};
    end
endmodule
