// ernn_multiply_add for UltraScale: product, sum and registers in one DSP48E2.
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
    output wire signed [P_WIDTH-1:0] p
);
    localparam WIDE = A_WIDTH > B_WIDTH ? A_WIDTH : B_WIDTH;
    localparam NARROW = A_WIDTH > B_WIDTH ? B_WIDTH : A_WIDTH;
    generate
        if (WIDE <= 27 && NARROW <= 18 && C_WIDTH <= 48 && P_WIDTH <= 48 && CYCLES == 2) begin : block
            wire signed [29:0] wide = WIDE == A_WIDTH ? a : b;
            wire signed [17:0] narrow = WIDE == A_WIDTH ? b : a;
            wire [47:0] full;
            wire signed [47:0] addend = c;
            assign p = full[P_WIDTH-1:0];
            DSP48E2 #(
                .AREG(1), .ACASCREG(1), .BREG(1), .BCASCREG(1), .MREG(1), .PREG(1), .CREG(0), .DREG(0), .ADREG(0),
                .ALUMODEREG(0), .CARRYINREG(0), .CARRYINSELREG(0), .INMODEREG(0), .OPMODEREG(0)
            ) multiplier (
                .CLK(clk), .A(wide), .B(narrow), .C(addend), .P(full), .OPMODE(9'b000110101),
                .ACIN(30'd0), .BCIN(18'd0), .PCIN(48'd0), .D(27'd0), .CARRYIN(1'b0), .CARRYINSEL(3'd0), .CARRYCASCIN(1'b0),
                .MULTSIGNIN(1'b0), .ALUMODE(4'd0), .INMODE(5'd0), .CEA1(1'b0), .CEA2(1'b1), .CEB1(1'b0), .CEB2(1'b1),
                .CEAD(1'b0), .CED(1'b0), .CEC(1'b0), .CEM(1'b1), .CEP(1'b1), .CEALUMODE(1'b0), .CECARRYIN(1'b0),
                .CECTRL(1'b0), .CEINMODE(1'b0), .RSTA(1'b0), .RSTB(1'b0), .RSTC(1'b0), .RSTD(1'b0), .RSTM(1'b0), .RSTP(1'b0),
                .RSTALLCARRYIN(1'b0), .RSTALUMODE(1'b0), .RSTCTRL(1'b0), .RSTINMODE(1'b0)
            );
        end else begin : general
            wire signed [A_WIDTH+B_WIDTH-1:0] product;
            ernn_multiply #(.A_WIDTH(A_WIDTH), .B_WIDTH(B_WIDTH), .P_WIDTH(A_WIDTH + B_WIDTH), .CYCLES(CYCLES)) multiply (
                .clk(clk), .a(a), .b(b), .p(product));
            reg signed [P_WIDTH-1:0] total;
            always @(posedge clk) total <= product + c;
            assign p = total;
        end
    endgenerate
endmodule
