// Groups of sums that one thread has made and another has not taken over yet: whether there are `any`, and whether the
// room for GROUPS of them is `full`. Each side counts what is certain for it: the one that makes them, its own at the
// entrance of its queue and the other's at the exit; the one that takes them, the other way round.
module ernn_ahead #(
    parameter GROUPS = 1
) (
    input wire clk,
    input wire rst,
    input wire enters,  // a group that is being made
    input wire made,
    input wire takes,  // a group that is being taken over
    input wire taken,
    output reg any,
    output reg full
);
    localparam BITS = $clog2(GROUPS + 1);
    localparam [BITS-1:0] ONE = 1;
    localparam integer ALMOST_ALL = GROUPS - 1;
    localparam [BITS-1:0] ALMOST = ALMOST_ALL[BITS-1:0];
    reg [BITS-1:0] ready, filled;
    always @(posedge clk)
        if (rst) begin
            ready <= {BITS{1'b0}};
            filled <= {BITS{1'b0}};
            any <= 1'b0;
            full <= 1'b0;
        end else begin
            if (made != takes) begin
                ready <= made ? ready + ONE : ready - ONE;
                any <= made || ready != ONE;
            end
            if (enters != taken) begin
                filled <= enters ? filled + ONE : filled - ONE;
                full <= enters && filled == ALMOST;
            end
        end
endmodule
