// The words of d, loaded together, come out one a cycle, the lowest first, WAIT + 1 cycles after the load.
module ernn_serial #(
    parameter WIDTH = 1,
    parameter WORDS = 2,
    parameter WAIT = 0
) (
    input wire clk,
    input wire load,
    input wire [WORDS*WIDTH-1:0] d,
    output wire [WIDTH-1:0] q
);
    reg [WORDS*WIDTH-1:0] left;
    always @(posedge clk) left <= load ? d : left >> WIDTH;
    ernn_delay #(.WIDTH(WIDTH), .CYCLES(WAIT)) waiting (.clk(clk), .d(left[WIDTH-1:0]), .q(q));
endmodule
