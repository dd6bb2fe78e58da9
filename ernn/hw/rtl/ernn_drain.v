// Shift chains between the lanes and the kernels behind them. `load` takes the sums of all lanes; after it, HEADS of
// them come out for HOLD cycles each, STEPS times: lane h * STEPS + s at head h in step s.
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
    output wire [HEADS*BITS-1:0] heads
);
    reg [HEADS*STEPS*BITS-1:0] chain;
    reg [7:0] held;
    reg [15:0] left;
    reg shift;  // beat == held - 1

    assign valid = left != 16'd0;
    initial begin
        beat = 8'd0;
        held = 8'd0;
        shift = 1'b0;
        left = 16'd0;
    end
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
    end
    genvar h;
    generate
        for (h = 0; h < HEADS; h = h + 1) begin : head
            localparam LOW = h * STEPS * BITS;
            assign heads[h*BITS+:BITS] = chain[LOW+:BITS];
            always @(posedge clk)
                if (load) chain[LOW+:STEPS*BITS] <= lanes[LOW+:STEPS*BITS];
                else if (STEPS > 1 && shift) chain[LOW+:STEPS*BITS] <= chain[LOW+:STEPS*BITS] >> BITS;
        end
    endgenerate
endmodule
