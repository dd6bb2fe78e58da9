// Signed product with registers at the inputs and at the output: p follows a and b by CYCLES cycles.
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
    localparam FULL = A_WIDTH + B_WIDTH;

    reg signed [A_WIDTH-1:0] a_register;
    reg signed [B_WIDTH-1:0] b_register;
    reg signed [P_WIDTH-1:0] product[0:CYCLES-2];
    /* verilator lint_off UNUSEDSIGNAL */
    wire signed [FULL-1:0] full = a_register * b_register;
    /* verilator lint_on UNUSEDSIGNAL */

    integer i;
    always @(posedge clk) begin
        a_register <= a;
        b_register <= b;
        product[0] <= full[P_WIDTH-1:0];
        for (i = 1; i < CYCLES - 1; i = i + 1) product[i] <= product[i-1];
    end
    assign p = product[CYCLES-2];
endmodule
