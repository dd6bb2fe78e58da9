// Begins sequences whose initial states are no zeros, as a host does: before a frame with tuser it waits until no other is
// under way, writes the states of the frame's stream, and then hands the frame on without tuser, so that they count. It lies
// between the bench and the network. begin.hex has the writes, WRITES for each stream: the number of a register, and below
// it the value in 32 bits.
/* verilator lint_off UNUSEDSIGNAL */
/* verilator lint_off WIDTH */
module ernn_begin #(
    parameter STREAMS = 1,
    parameter STREAM = 1,  // bits of the number of a stream
    parameter ADDRESS = 8,  // bits of AXI4-Lite addresses
    parameter WRITES = 1  // of a stream
) (
    input wire clk,
    input wire resetn,
    input wire tvalid,  // frames of the bench
    output wire tready,
    input wire tlast,
    input wire tuser,
    input wire [STREAM-1:0] tid,
    output wire frame_valid,  // the same for the network
    input wire frame_ready,
    output wire frame_user,
    input wire ended,  // the last logit of a frame goes out
    input wire [ADDRESS-1:0] awaddr,  // writes of the bench, which come before all frames
    input wire awvalid,
    input wire [31:0] wdata,
    output wire [ADDRESS-1:0] host_awaddr,  // these and its own
    output wire host_awvalid,
    output wire [31:0] host_wdata,
    input wire awready,
    input wire wready,
    input wire [1:0] bresp,
    input wire bvalid
);
    localparam WAITS = 2'd0, WRITES_ONE = 2'd1, ANSWERED = 2'd2, WRITTEN = 2'd3;
    localparam [3:0] EMPTY = 4'd8;  // cycles behind a frame's last logit until the network counts it as gone

    reg [63:0] writes[0:STREAMS*WRITES-1];
    initial $readmemh("begin.hex", writes);

    reg [1:0] phase;
    reg [3:0] calm;
    reg [31:0] under_way, place;
    reg first_beat;
    wire known = {{32 - STREAM{1'b0}}, tid} < STREAMS;
    wire opens = tvalid && tuser && first_beat && known;
    wire held = opens && phase != WRITTEN;
    wire [63:0] word = writes[tid*WRITES+place];
    assign frame_valid = tvalid && !held;
    assign tready = frame_ready && !held;
    assign frame_user = tuser && !known;
    assign host_awvalid = phase == WRITES_ONE || awvalid;
    assign host_awaddr = phase == WRITES_ONE ? {word[32+:ADDRESS-2], 2'b00} : awaddr;
    assign host_wdata = phase == WRITES_ONE ? word[31:0] : wdata;

    wire taken = tvalid && tready;
    wire begun = taken && first_beat && known;
    always @(posedge clk)
        if (!resetn) begin
            phase <= WAITS;
            calm <= 4'd0;
            under_way <= 32'd0;
            first_beat <= 1'b1;
        end else begin
            if (taken) first_beat <= tlast;
            under_way <= under_way + {31'd0, begun} - {31'd0, ended};
            calm <= under_way != 32'd0 ? 4'd0 : calm != EMPTY ? calm + 4'd1 : calm;
            case (phase)
                WAITS:
                if (opens && calm == EMPTY && under_way == 32'd0) begin
                    phase <= WRITES_ONE;
                    place <= 32'd0;
                end
                WRITES_ONE: if (awready && wready) phase <= ANSWERED;
                ANSWERED:
                if (bvalid) begin
                    if (bresp != 2'b00) $display("WRITE REFUSED %0d", word[63:32]);
                    place <= place + 32'd1;
                    phase <= place + 32'd1 == WRITES ? WRITTEN : WRITES_ONE;
                end
                default: if (begun) phase <= WAITS;
            endcase
        end
endmodule
/* verilator lint_on WIDTH */
/* verilator lint_on UNUSEDSIGNAL */
