// The walk of one matrix through the lanes: GROUPS groups of block rows, each of several steps. Its order is that of the
// weights in memory. BY_STEP = 0 finishes a group before the next; BY_STEP = 1 does all groups with a column before the
// next, for vectors that come in slowly. What a step is, is known in registers: they are set a step ahead.
module ernn_thread #(
    parameter GROUPS = 1,
    parameter STEPS = 1,  // of the longest group
    parameter VARIABLE = 0,  // groups differ in their steps
    parameter BY_STEP = 0,
    parameter BASE = 0,  // of its weights
    parameter ADDRESS = 8
) (
    input wire clk,
    input wire rst,
    input wire go,
    input wire [15:0] steps,  // of this group, with VARIABLE
    output wire [15:0] group,
    output wire [15:0] step,
    output reg [ADDRESS-1:0] address,
    output wire opens,  // a frame
    output reg starts,  // a group
    output wire finishes,  // a group
    output wire ends,  // a frame
    output reg before_last,  // the next step is the last of a group, without VARIABLE
    output reg last_group
);
    localparam GROUP_BITS = $clog2(GROUPS + 1);
    localparam STEP_BITS = $clog2(STEPS + 1);
    localparam [15:0] BEFORE_LAST_GROUP = GROUPS - 2;
    localparam [15:0] TWO_BEFORE_LAST = STEPS - 3;

    reg [GROUP_BITS-1:0] group_now;
    reg [STEP_BITS-1:0] step_now;
    reg first_group, last_step;
    assign group = {{16 - GROUP_BITS{1'b0}}, group_now};
    assign step = {{16 - STEP_BITS{1'b0}}, step_now};
    assign finishes = VARIABLE == 0 ? last_step : step == steps - 16'd1;
    assign opens = starts && first_group;
    assign ends = finishes && last_group;

    wire next_step = BY_STEP == 0 ? 1'b1 : last_group;
    wire next_group = BY_STEP == 0 ? finishes : 1'b1;
    always @(posedge clk) begin
        if (rst) begin
            group_now <= {GROUP_BITS{1'b0}};
            step_now <= {STEP_BITS{1'b0}};
            address <= BASE[ADDRESS-1:0];
            starts <= 1'b1;
            last_step <= STEPS == 1;
            before_last <= STEPS == 2;
            first_group <= 1'b1;
            last_group <= GROUPS == 1;
        end else if (go) begin
            address <= ends ? BASE[ADDRESS-1:0] : address + {{ADDRESS - 1{1'b0}}, 1'b1};
            if (next_group) begin
                group_now <= last_group ? {GROUP_BITS{1'b0}} : group_now + 1'b1;
                first_group <= last_group;
                last_group <= GROUPS == 1 || (GROUPS > 1 && group == BEFORE_LAST_GROUP);
            end
            if (next_step) begin
                step_now <= finishes ? {STEP_BITS{1'b0}} : step_now + 1'b1;
                starts <= finishes;
                last_step <= STEPS == 1 || before_last;
                before_last <= STEPS == 2 ? finishes : STEPS > 2 && step == TWO_BEFORE_LAST;
            end
        end
    end
endmodule
