// ernn_multiply for Gowin GW5A, where Yosys infers no multipliers: counted as MULT12X12 or MULT27X36 with their registers.
module ernn_multiply #(
    parameter A_WIDTH = 12,
    parameter B_WIDTH = 12,
    parameter P_WIDTH = 24,
    parameter CYCLES = 2
) (
    input wire clk,
    input wire signed [A_WIDTH-1:0] a,
    input wire signed [B_WIDTH-1:0] b,
    output wire signed [P_WIDTH-1:0] p
);
    wire signed [P_WIDTH-1:0] first;
    generate
        if (A_WIDTH <= 12 && B_WIDTH <= 12) begin : block
            wire signed [11:0] x = a;
            wire signed [11:0] y = b;
            wire [23:0] product;
            assign first = product[P_WIDTH-1:0];
            MULT12X12 #(.AREG_CLK("CLK0"), .BREG_CLK("CLK0"), .OREG_CLK("CLK0")) multiplier (
                .CLK({1'b0, clk}), .CE(2'b01), .RESET(2'b00), .A(x), .B(y), .DOUT(product)
            );
        end else begin : wide
            wire signed [26:0] x = a;
            wire signed [35:0] y = b;
            wire [62:0] product;
            assign first = product[P_WIDTH-1:0];
            MULT27X36 #(.AREG_CLK("CLK0"), .BREG_CLK("CLK0"), .OREG_CLK("CLK0")) multiplier (
                .CLK({1'b0, clk}), .CE(2'b01), .RESET(2'b00), .A(x), .B(y), .D(26'd0), .PSEL(1'b0),
                .PADDSUB(1'b0), .DOUT(product)
            );
        end
    endgenerate

    // Further registers stand in the fabric.
    generate
        if (CYCLES == 2) begin : direct
            assign p = first;
        end else begin : later
            reg signed [P_WIDTH-1:0] line[0:CYCLES-3];
            integer i;
            always @(posedge clk) begin
                line[0] <= first;
                for (i = 1; i < CYCLES - 2; i = i + 1) line[i] <= line[i-1];
            end
            assign p = line[CYCLES-3];
        end
    endgenerate
endmodule
