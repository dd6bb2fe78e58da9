// DSP48E2 of UltraScale as ernn's modules use it: A and B in one register each, an optional register behind the product,
// X and Y of the product, Z zero (OPMODE[6:4] = 0) or C (3), a register at the output (UG579).
module DSP48E2 #(
    parameter AREG = 1, ACASCREG = 1, BREG = 1, BCASCREG = 1, MREG = 1, PREG = 1, CREG = 1, DREG = 1, ADREG = 1,
    parameter ALUMODEREG = 1, CARRYINREG = 1, CARRYINSELREG = 1, INMODEREG = 1, OPMODEREG = 1
) (
    input wire CLK,
    input wire signed [29:0] A,
    input wire signed [17:0] B,
    input wire signed [47:0] C,
    output reg signed [47:0] P,
    input wire [8:0] OPMODE,
    input wire [29:0] ACIN,
    input wire [17:0] BCIN,
    input wire [47:0] PCIN,
    input wire [26:0] D,
    input wire CARRYIN, CARRYCASCIN, MULTSIGNIN,
    input wire [2:0] CARRYINSEL,
    input wire [3:0] ALUMODE,
    input wire [4:0] INMODE,
    input wire CEA1, CEA2, CEB1, CEB2, CEAD, CED, CEC, CEM, CEP, CEALUMODE, CECARRYIN, CECTRL, CEINMODE,
    input wire RSTA, RSTB, RSTC, RSTD, RSTM, RSTP, RSTALLCARRYIN, RSTALUMODE, RSTCTRL, RSTINMODE
);
    initial
        if (AREG != 1 || BREG != 1 || PREG != 1 || CREG != 0 || OPMODEREG != 0 || ALUMODEREG != 0 || INMODEREG != 0
            || CARRYINREG != 0 || CARRYINSELREG != 0)
            $display("NOT MODELLED");
    reg signed [26:0] a;
    reg signed [17:0] b;
    reg signed [44:0] m;
    wire signed [44:0] product = a * b;
    wire signed [44:0] multiplied = MREG == 1 ? m : product;
    wire signed [47:0] z = OPMODE[6:4] == 3'd3 ? C : 48'sd0;
    always @(posedge CLK) begin
        if (CEA2 && !RSTA) a <= A[26:0];
        if (CEB2 && !RSTB) b <= B;
        if (CEM && !RSTM) m <= product;
        if (CEP && !RSTP && OPMODE[3:0] == 4'b0101 && OPMODE[8:7] == 2'd0 && ALUMODE == 4'd0 && INMODE == 5'd0)
            P <= multiplied + z + $signed({47'd0, CARRYIN});
    end
endmodule
