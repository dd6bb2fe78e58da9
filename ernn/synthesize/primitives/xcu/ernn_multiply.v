// ernn_multiply for UltraScale: its registers are those of the DSP48E2, which Yosys would leave in the fabric.
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
    localparam WIDE = A_WIDTH > B_WIDTH ? A_WIDTH : B_WIDTH;
    localparam NARROW = A_WIDTH > B_WIDTH ? B_WIDTH : A_WIDTH;
    wire signed [P_WIDTH-1:0] first;
    generate
        if (WIDE <= 27 && NARROW <= 18) begin : block
            wire signed [29:0] wide = WIDE == A_WIDTH ? a : b;
            wire signed [17:0] narrow = WIDE == A_WIDTH ? b : a;
            wire [47:0] full;
            assign first = full[P_WIDTH-1:0];
            DSP48E2 #(
                .AREG(1), .ACASCREG(1), .BREG(1), .BCASCREG(1), .MREG(0), .PREG(1), .CREG(0), .DREG(0), .ADREG(0),
                .ALUMODEREG(0), .CARRYINREG(0), .CARRYINSELREG(0), .INMODEREG(0), .OPMODEREG(0)
            ) multiplier (
                .CLK(clk), .A(wide), .B(narrow), .C(48'd0), .P(full), .OPMODE(9'b000000101),
                .ACIN(30'd0), .BCIN(18'd0), .PCIN(48'd0), .D(27'd0), .CARRYIN(1'b0), .CARRYINSEL(3'd0), .CARRYCASCIN(1'b0),
                .MULTSIGNIN(1'b0), .ALUMODE(4'd0), .INMODE(5'd0), .CEA1(1'b0), .CEA2(1'b1), .CEB1(1'b0), .CEB2(1'b1),
                .CEAD(1'b0), .CED(1'b0), .CEC(1'b0), .CEM(1'b1), .CEP(1'b1), .CEALUMODE(1'b0), .CECARRYIN(1'b0),
                .CECTRL(1'b0), .CEINMODE(1'b0), .RSTA(1'b0), .RSTB(1'b0), .RSTC(1'b0), .RSTD(1'b0), .RSTM(1'b0), .RSTP(1'b0),
                .RSTALLCARRYIN(1'b0), .RSTALUMODE(1'b0), .RSTCTRL(1'b0), .RSTINMODE(1'b0)
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
        // Further registers stand in the fabric.
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
