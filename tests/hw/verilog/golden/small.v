// small: an example
// New inputs every cycle, 3 cycles, 1 multipliers.
// b is taken 2 cycles after `valid`.
/* verilator lint_off WIDTHEXPAND */  // narrow operands are sign-extended on purpose
/* verilator lint_off UNUSEDSIGNAL */  // some bits of an operand may have no use
module small (
    input wire clk,
    input wire valid,
    output wire valid_out,
    input wire [5:0] x,
    input wire [4:0] w,
    input wire [7:0] b,
    output wire [7:0] y,
    output reg [0:0] overflow_a
);
    reg [3:1] running;
    wire signed [5:0] in_x_0;
    wire signed [4:0] in_w_0;
    wire signed [7:0] in_b_0;
    wire signed [10:0] n3;
    wire signed [9:0] n4;
    wire signed [10:0] n5;
    wire signed [11:0] n6;
    wire signed [7:0] n7;
    wire signed [5:0] a_0;
    wire over_a_0;
    reg signed [5:0] a_0_d1;

    initial running = 3'd0;
    always @(posedge clk) running <= {running[2:1], valid};
    assign valid_out = running[3];
    assign in_x_0 = x[5:0];
    assign in_w_0 = w[4:0];
    assign in_b_0 = b[7:0];
    ernn_multiply #(.A_WIDTH(6), .B_WIDTH(5), .P_WIDTH(11), .CYCLES(2)) multiply_n3 (.clk(clk), .a(in_x_0), .b(in_w_0),
        .p(n3));
    assign n4 = in_b_0 <<< 2;
    assign n5 = n3 + n4;
    assign n6 = n5 + 12'sd8;
    assign n7 = $signed(n6[11:4]);
    assign a_0 = (!(&n7[7:5]) && |n7[7:5]) ? {n7[7], {5{!n7[7]}}} : $signed(n7[5:0]);
    assign over_a_0 = (!(&n7[7:5]) && |n7[7:5]);
    assign y[7:0] = {{2{a_0_d1[5]}}, a_0_d1};
    always @(posedge clk) begin
        overflow_a[0] <= over_a_0;
    end
    always @(posedge clk) begin
        a_0_d1 <= a_0;
    end
`ifdef ERNN_TRACE
    always @(posedge clk) begin
        if (running[2]) $display("TRACE %m a.0 %0d", a_0);
    end
`endif
endmodule
/* verilator lint_on UNUSEDSIGNAL */
/* verilator lint_on WIDTHEXPAND */
