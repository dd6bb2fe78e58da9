// Blocks of a vector that a thread may use. The thread takes BANKS of them a step, TOTAL a frame; START are there at the
// beginning. What comes in counts a cycle later. `complete` is a cycle late behind a frame's end.
module ernn_available #(
    parameter TOTAL = 1,
    parameter BANKS = 1,
    parameter STEPS = 1,  // of a group
    parameter BY_STEP = 0,  // as in ernn_thread
    parameter START = 0
) (
    input wire clk,
    input wire rst,
    /* verilator lint_off UNUSEDSIGNAL */
    input wire [15:0] came,
    /* verilator lint_on UNUSEDSIGNAL */
    input wire go,
    input wire before_last,  // what a step is, as ernn_thread says
    input wire last_group,
    input wire finishes,
    input wire ends,
    output wire has,  // the blocks of this step
    output wire complete  // the vectors of the frames before came in whole
);
    localparam BITS = $clog2(2 * TOTAL + 1) + 1;  // of two frames' blocks, and a sign
    localparam integer FIRST = BANKS < TOTAL ? BANKS : TOTAL;
    localparam integer LAST = STEPS > 1 ? TOTAL - (STEPS - 1) * BANKS : 0;  // more for a group's last step
    localparam signed [BITS:0] ALL = TOTAL;
    localparam signed [BITS:0] FIRST_NEED = FIRST[BITS:0];
    localparam signed [BITS:0] LAST_MORE = LAST[BITS:0];
    localparam signed [BITS:0] MORE = BANKS;
    localparam signed [BITS:0] BEGIN = START;
    localparam signed [BITS:0] NONE = 0;

    reg signed [BITS:0] available;  // beyond those of the frames before
    reg signed [BITS:0] slack;  // beyond those that this step needs
    reg signed [BITS:0] new_blocks;
    reg ended;
    wire signed [BITS:0] kept = slack + new_blocks;
    reg signed [BITS:0] moves;  // of the need, behind this step
    always @(*)
        if (FIRST == TOTAL) moves = ends ? ALL : NONE;
        else if (BY_STEP == 0)
            moves = ends ? FIRST_NEED : finishes ? FIRST_NEED - ALL : before_last ? LAST_MORE : MORE;
        else moves = !last_group ? NONE : finishes ? FIRST_NEED : before_last ? LAST_MORE : MORE;
    always @(posedge clk)
        if (rst) begin
            new_blocks <= NONE;
            ended <= 1'b0;
            available <= BEGIN;
            slack <= BEGIN - FIRST_NEED;
        end else begin
            new_blocks <= {1'b0, came[BITS-1:0]};
            ended <= go && ends;
            available <= available + new_blocks - (ended ? ALL : NONE);
            slack <= go ? kept - moves : kept;
        end
    assign has = !slack[BITS];
    assign complete = !available[BITS];
endmodule
