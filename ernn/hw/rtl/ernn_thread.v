// The walk of one matrix through the lanes: GROUPS groups of block rows, each of `steps` steps of BANKS columns. Its order
// is that of the weights in memory. BY_STEP = 0 finishes a group before the next; BY_STEP = 1 does all groups with a
// column before the next, for vectors that come in slowly.
module ernn_thread #(
    parameter GROUPS = 1,
    parameter BANKS = 1,
    parameter COLUMNS = 1,
    parameter STEPS = 1,  // of the longest group
    parameter BY_STEP = 0,
    parameter BASE = 0,  // of its weights
    parameter ADDRESS = 8
) (
    input wire clk,
    input wire rst,
    input wire go,
    input wire [15:0] steps,  // of this group
    output wire [15:0] group,
    output wire [15:0] step,
    output wire [15:0] needed,  // columns that the vector must have
    output reg [ADDRESS-1:0] address,
    output wire opens,  // a frame
    output wire starts,  // a group
    output wire finishes,  // a group
    output wire ends  // a frame
);
    localparam GROUP_BITS = $clog2(GROUPS + 1);
    localparam STEP_BITS = $clog2(STEPS + 1);
    localparam NEED_BITS = $clog2(COLUMNS + 1);
    localparam [15:0] LAST_GROUP = GROUPS - 1;
    localparam [15:0] FIRST_NEED = BANKS < COLUMNS ? BANKS : COLUMNS;

    reg [GROUP_BITS-1:0] group_now;
    reg [STEP_BITS-1:0] step_now;
    reg [NEED_BITS-1:0] needed_now;
    assign group = {{16 - GROUP_BITS{1'b0}}, group_now};
    assign step = {{16 - STEP_BITS{1'b0}}, step_now};
    assign needed = {{16 - NEED_BITS{1'b0}}, needed_now};
    assign starts = step == 16'd0;
    assign finishes = step == steps - 16'd1;
    assign opens = starts && group == 16'd0;
    assign ends = finishes && group == LAST_GROUP;

    wire next_step = BY_STEP == 0 ? 1'b1 : group == LAST_GROUP;
    wire next_group = BY_STEP == 0 ? finishes : 1'b1;
    wire [15:0] more = needed + BANKS[15:0];
    always @(posedge clk) begin
        if (rst) begin
            group_now <= {GROUP_BITS{1'b0}};
            step_now <= {STEP_BITS{1'b0}};
            needed_now <= FIRST_NEED[NEED_BITS-1:0];
            address <= BASE[ADDRESS-1:0];
        end else if (go) begin
            address <= ends ? BASE[ADDRESS-1:0] : address + {{ADDRESS - 1{1'b0}}, 1'b1};
            if (next_group) group_now <= group == LAST_GROUP ? {GROUP_BITS{1'b0}} : group_now + 1'b1;
            if (next_step) begin
                step_now <= finishes ? {STEP_BITS{1'b0}} : step_now + 1'b1;
                needed_now <= finishes ? FIRST_NEED[NEED_BITS-1:0]
                    : more < COLUMNS[15:0] ? more[NEED_BITS-1:0] : COLUMNS[NEED_BITS-1:0];
            end
        end
    end
endmodule
