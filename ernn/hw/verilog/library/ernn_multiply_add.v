// Signed product and a sum behind it, with registers at the inputs, behind the product and at the output: p follows a and
// b by CYCLES + 1 cycles and c by one.
module ernn_multiply_add #(
    parameter A_WIDTH = 12,
    parameter B_WIDTH = 12,
    parameter C_WIDTH = 24,
    parameter P_WIDTH = 25,
    parameter CYCLES = 2
) (
    input wire clk,
    input wire signed [A_WIDTH-1:0] a,
    input wire signed [B_WIDTH-1:0] b,
    input wire signed [C_WIDTH-1:0] c,
    output reg signed [P_WIDTH-1:0] p
);
    localparam FULL = A_WIDTH + B_WIDTH;
    wire signed [FULL-1:0] product;
    ernn_multiply #(.A_WIDTH(A_WIDTH), .B_WIDTH(B_WIDTH), .P_WIDTH(FULL), .CYCLES(CYCLES)) multiply (
        .clk(clk), .a(a), .b(b), .p(product));
    /* verilator lint_off WIDTHEXPAND */
    /* verilator lint_off WIDTHTRUNC */
    always @(posedge clk) p <= product + c;
    /* verilator lint_on WIDTHTRUNC */
    /* verilator lint_on WIDTHEXPAND */
endmodule
