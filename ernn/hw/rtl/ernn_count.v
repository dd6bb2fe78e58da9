// Counts the ones of `bits`, up to 2^32 - 1.
module ernn_count #(
    parameter BITS = 1,
    parameter COUNT = 1  // bits of their number
) (
    input wire clk,
    input wire rst,
    input wire [BITS-1:0] bits,
    output reg [31:0] total
);
    reg [COUNT-1:0] ones, now;
    integer i;
    always @(*) begin
        now = {COUNT{1'b0}};
        for (i = 0; i < BITS; i = i + 1) if (bits[i]) now = now + 1'b1;
    end
    wire [32:0] next = {1'b0, total} + {{33 - COUNT{1'b0}}, ones};
    always @(posedge clk) begin
        ones <= rst ? {COUNT{1'b0}} : now;
        total <= rst ? 32'd0 : next[32] ? 32'hffffffff : next[31:0];
    end
endmodule
