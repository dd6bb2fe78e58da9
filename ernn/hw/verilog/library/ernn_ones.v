// The number of ones of `bits`: of up to six in a cycle, of more as the sum of two halves' in a further one.
module ernn_ones #(
    parameter BITS = 1,
    parameter COUNT = 1  // bits of their number
) (
    input wire clk,
    input wire [BITS-1:0] bits,
    output reg [COUNT-1:0] ones
);
    generate
        if (BITS <= 6) begin : few
            reg [COUNT-1:0] now;
            integer i;
            always @(*) begin
                now = {COUNT{1'b0}};
                for (i = 0; i < BITS; i = i + 1) now = now + {{COUNT - 1{1'b0}}, bits[i]};
            end
            always @(posedge clk) ones <= now;
        end else begin : many
            localparam LEVELS = $clog2((BITS + 5) / 6);
            localparam HALF = 6 << (LEVELS - 1);  // so that halves take equally long, or the second one is filled up
            localparam PART = $clog2(HALF + 1);
            wire [HALF-1:0] upper = {{2 * HALF - BITS{1'b0}}, bits[BITS-1:HALF]};
            wire [PART-1:0] low, high;
            ernn_ones #(
                .BITS(HALF),
                .COUNT(PART)
            ) first (
                .clk(clk),
                .bits(bits[HALF-1:0]),
                .ones(low)
            );
            ernn_ones #(
                .BITS(HALF),
                .COUNT(PART)
            ) second (
                .clk(clk),
                .bits(upper),
                .ones(high)
            );
            wire [PART:0] both = {1'b0, low} + {1'b0, high};
            always @(posedge clk) ones <= both[COUNT-1:0];
        end
    endgenerate
endmodule
