// Finished sums on their way from the lanes to the kernels behind them. `load` takes those of all lanes; after it, HEADS
// of them come out for HOLD cycles each, STEPS times: lane h * STEPS + s at head h in step s. The first of a head's lanes
// goes straight to it, the others wait in registers that it chooses from.
module ernn_drain #(
    parameter HEADS = 1,
    parameter STEPS = 1,
    parameter BITS = 8,
    parameter TAG = 1
) (
    input wire clk,
    input wire load,
    input wire [TAG-1:0] tag,
    input wire [7:0] hold,
    input wire [HEADS*STEPS*BITS-1:0] lanes,
    output wire valid,
    output reg [7:0] beat,  // 0 .. hold - 1
    output reg [TAG-1:0] tag_out,
    output reg [HEADS*BITS-1:0] heads
);
    localparam integer LAST_STEP = STEPS - 1;
    localparam PLACE_BITS = STEPS > 1 ? $clog2(STEPS) : 1;
    localparam [PLACE_BITS-1:0] LAST = LAST_STEP[PLACE_BITS-1:0];
    reg [7:0] held;
    reg [15:0] left;
    reg shift;  // beat == held - 1
    reg [PLACE_BITS-1:0] next;  // lane of each head that comes out next; 0 where all have

    assign valid = left != 16'd0;
    initial begin
        beat = 8'd0;
        held = 8'd0;
        shift = 1'b0;
        left = 16'd0;
        next = {PLACE_BITS{1'b0}};
    end
    wire moves = load || (valid && shift);
    wire [PLACE_BITS-1:0] after = STEPS == 1 || next == LAST ? {PLACE_BITS{1'b0}}
        : load || next != {PLACE_BITS{1'b0}} ? next + 1'b1 : next;
    always @(posedge clk) begin
        if (load) begin
            left <= STEPS[15:0];
            held <= hold;
            beat <= 8'd0;
            shift <= hold == 8'd1;
            tag_out <= tag;
        end else if (valid) begin
            beat <= shift ? 8'd0 : beat + 8'd1;
            shift <= shift ? held == 8'd1 : beat + 8'd2 == held;
            if (shift) left <= left - 16'd1;
        end
        if (moves) next <= after;
    end
    genvar h, b;
    generate
        for (h = 0; h < HEADS; h = h + 1) begin : head
            localparam LOW = h * STEPS * BITS;
            if (STEPS == 1) begin : direct
                always @(posedge clk) if (load) heads[h*BITS+:BITS] <= lanes[LOW+:BITS];
            end else begin : chosen
                wire [PLACE_BITS-1:0] place;  // `next` for this head
                for (b = 0; b < PLACE_BITS; b = b + 1) begin : bit_of_place
                    ernn_copy copy (.clk(clk), .d(moves ? after[b] : next[b]), .q(place[b]));
                end
                reg [STEPS*BITS-1:0] waiting;
                always @(posedge clk) begin
                    if (load) waiting <= lanes[LOW+:STEPS*BITS];
                    if (moves) heads[h*BITS+:BITS] <= place == {PLACE_BITS{1'b0}} ? lanes[LOW+:BITS] : waiting[place*BITS+:BITS];
                end
            end
        end
    endgenerate
endmodule
