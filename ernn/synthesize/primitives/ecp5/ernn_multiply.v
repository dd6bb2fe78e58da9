// ernn_multiply for Lattice ECP5: its registers are those of the MULT18X18D, which Yosys would leave in the fabric.
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
        if (A_WIDTH <= 18 && B_WIDTH <= 18) begin : block
            wire signed [17:0] x = a;
            wire signed [17:0] y = b;
            wire signed [35:0] product;
            assign first = product[P_WIDTH-1:0];
            MULT18X18D #(
                .REG_INPUTA_CLK("CLK0"), .REG_INPUTA_CE("CE0"), .REG_INPUTA_RST("RST0"),
                .REG_INPUTB_CLK("CLK0"), .REG_INPUTB_CE("CE0"), .REG_INPUTB_RST("RST0"),
                .REG_OUTPUT_CLK("CLK0"), .REG_OUTPUT_CE("CE0"), .REG_OUTPUT_RST("RST0")
            ) multiplier (
                .CLK0(clk), .CE0(1'b1), .RST0(1'b0), .SIGNEDA(1'b1), .SIGNEDB(1'b1), .SOURCEA(1'b0), .SOURCEB(1'b0),
                .A0(x[0]), .A1(x[1]), .A2(x[2]), .A3(x[3]), .A4(x[4]), .A5(x[5]),
                .A6(x[6]), .A7(x[7]), .A8(x[8]), .A9(x[9]), .A10(x[10]), .A11(x[11]),
                .A12(x[12]), .A13(x[13]), .A14(x[14]), .A15(x[15]), .A16(x[16]), .A17(x[17]),
                .B0(y[0]), .B1(y[1]), .B2(y[2]), .B3(y[3]), .B4(y[4]), .B5(y[5]),
                .B6(y[6]), .B7(y[7]), .B8(y[8]), .B9(y[9]), .B10(y[10]), .B11(y[11]),
                .B12(y[12]), .B13(y[13]), .B14(y[14]), .B15(y[15]), .B16(y[16]), .B17(y[17]),
                .P0(product[0]), .P1(product[1]), .P2(product[2]), .P3(product[3]), .P4(product[4]), .P5(product[5]),
                .P6(product[6]), .P7(product[7]), .P8(product[8]), .P9(product[9]), .P10(product[10]), .P11(product[11]),
                .P12(product[12]), .P13(product[13]), .P14(product[14]), .P15(product[15]), .P16(product[16]), .P17(product[17]),
                .P18(product[18]), .P19(product[19]), .P20(product[20]), .P21(product[21]), .P22(product[22]), .P23(product[23]),
                .P24(product[24]), .P25(product[25]), .P26(product[26]), .P27(product[27]), .P28(product[28]), .P29(product[29]),
                .P30(product[30]), .P31(product[31]), .P32(product[32]), .P33(product[33]), .P34(product[34]), .P35(product[35])
            );
        end else begin : general
            reg signed [A_WIDTH-1:0] a_register;
            reg signed [B_WIDTH-1:0] b_register;
            reg signed [P_WIDTH-1:0] product;
            always @(posedge clk) begin
                a_register <= a;
                b_register <= b;
                product <= a_register * b_register;
            end
            assign first = product;
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
