// Between a DMA's packets of 32-bit words and the beats of a network's frames; see ernn_unpack.v and ernn_pack.v.
// `resets` says that a write waits that resets the network by its register `control`, and so is what is here.
module ernn_adapter #(
    parameter INPUTS = 1,  // features of a frame
    parameter FEATURES = 1,  // of a beat of the network
    parameter FEATURE_SLOT = 8,  // bits of a feature in a word: 8, 16 or 32
    parameter FEATURE_BITS = 8,  // of them, those of the network's port
    parameter CLASSES = 1,  // logits of a frame
    parameter LOGITS = 1,  // of a beat of the network
    parameter LOGIT_SLOT = 8,  // bits of a logit in a word
    parameter LOGIT_BITS = 8,  // of them, those of the network's port
    parameter STREAMS = 1,
    parameter STREAM = 1,  // bits of the number of a stream, and of one that is no stream's
    parameter FRAMES = 2,  // under way
    parameter FRAME = 1  // bits of their number
) (
    input wire clk,
    input wire aresetn,
    input wire resets,
    input wire in_valid,
    output wire in_ready,
    input wire [31:0] in_data,
    input wire in_last,
    output wire beat_valid,
    input wire beat_ready,
    output wire [FEATURES*FEATURE_BITS-1:0] beat,
    output wire [FEATURES*FEATURE_BITS/8-1:0] beat_keep,
    output wire beat_last,
    output wire beat_user,
    output wire [STREAM-1:0] beat_id,
    input wire logits_valid,
    output wire logits_ready,
    input wire [LOGITS*LOGIT_BITS-1:0] logits,
    input wire logits_last,
    output wire out_valid,
    input wire out_ready,
    output wire [31:0] out_data,
    output wire out_last
);
    localparam IN_WORDS = (INPUTS + FEATURES - 1) / FEATURES;
    localparam OUT_WORDS = (CLASSES + LOGITS - 1) / LOGITS;
    // Bytes of a beat, and of a frame's last one.
    localparam BYTES = FEATURES * FEATURE_BITS / 8;
    localparam LAST_BYTES = (INPUTS - (IN_WORDS - 1) * FEATURES) * FEATURE_BITS / 8;
    localparam [BYTES-1:0] LAST_KEEP = {BYTES{1'b1}} >> (BYTES - LAST_BYTES);

    // The network's reset begins some cycles after the write is taken. What comes before that would be lost.
    reg [4:0] resetting;
    wire rst = !aresetn || resetting != 5'd0;
    always @(posedge clk)
        if (!aresetn) resetting <= 5'd0;
        else if (resets) resetting <= 5'd31;
        else if (resetting != 5'd0) resetting <= resetting - 5'd1;

    wire x_valid, x_ready, x_last, x_user, x_end, x_packet_end, known_ready;
    wire [FEATURE_BITS-1:0] x;
    wire [STREAM-1:0] x_id;
    ernn_unpack #(
        .INPUTS(INPUTS),
        .SLOT(FEATURE_SLOT),
        .WIDTH(FEATURE_BITS),
        .STREAM(STREAM)
    ) unpack (
        .clk(clk),
        .rst(rst),
        .in_valid(in_valid),
        .in_ready(in_ready),
        .in_data(in_data),
        .in_last(in_last),
        .out_valid(x_valid),
        .out_ready(x_ready && known_ready),
        .out_data(x),
        .out_last(x_last),
        .out_user(x_user),
        .out_id(x_id),
        .frame_end(x_end),
        .packet_end(x_packet_end)
    );

    // For each frame under way: does its packet end with it? The network drops frames of a stream that does not exist.
    wire x_known = x_id < STREAMS[STREAM-1:0];
    wire y_end, known, packet_end;
    ernn_fifo #(
        .WIDTH(1),
        .DEPTH(FRAMES),
        .ADDRESS(FRAME)
    ) ends (
        .clk(clk),
        .rst(rst),
        .in_valid(x_end && x_known),
        .in_ready(known_ready),
        .in_data(x_packet_end),
        .out_valid(known),
        .out_ready(y_end),
        .out_data(packet_end)
    );

    // Beats of the network from single features.
    assign beat_keep = {BYTES{!beat_last}} | LAST_KEEP;
    generate
        if (FEATURES == 1) begin : single
            assign {beat_valid, beat, beat_last, beat_user, beat_id} = {x_valid && known_ready, x, x_last, x_user, x_id};
            assign x_ready = beat_ready;
        end else begin : collected
            reg word_last, word_user;
            reg [STREAM-1:0] word_id;
            wire x_take = x_valid && known_ready && x_ready;
            always @(posedge clk) begin
                if (x_take) begin
                    word_last <= x_last;
                    word_id <= x_id;
                end
                if (rst) word_user <= 1'b0;
                else if (x_take && x_user) word_user <= 1'b1;
                else if (beat_valid && beat_ready) word_user <= 1'b0;
            end
            /* verilator lint_off PINCONNECTEMPTY */
            ernn_gearbox #(
                .WIDTH(FEATURE_BITS),
                .IN(1),
                .OUT(FEATURES),
                .IN_WORDS(INPUTS),
                .OUT_WORDS(IN_WORDS)
            ) collect (
                .clk(clk),
                .rst(rst),
                .in_valid(x_valid && known_ready),
                .in_ready(x_ready),
                .in_data(x),
                .out_valid(beat_valid),
                .out_ready(beat_ready),
                .out_last(),
                .out_data(beat)
            );
            /* verilator lint_on PINCONNECTEMPTY */
            assign {beat_last, beat_user, beat_id} = {word_last, word_user, word_id};
        end
    endgenerate

    // Single logits from beats of the network.
    wire y_valid, y_ready, y_last;
    wire [LOGIT_BITS-1:0] y;
    generate
        if (LOGITS == 1) begin : one
            assign {y_valid, y, y_last} = {logits_valid, logits, logits_last};
            assign logits_ready = y_ready;
        end else begin : several
            /* verilator lint_off UNUSEDSIGNAL */
            wire unused = logits_last;  // a frame's last beat, not its last logit
            /* verilator lint_on UNUSEDSIGNAL */
            ernn_gearbox #(
                .WIDTH(LOGIT_BITS),
                .IN(LOGITS),
                .OUT(1),
                .IN_WORDS(OUT_WORDS),
                .OUT_WORDS(CLASSES)
            ) split (
                .clk(clk),
                .rst(rst),
                .in_valid(logits_valid),
                .in_ready(logits_ready),
                .in_data(logits),
                .out_valid(y_valid),
                .out_ready(y_ready),
                .out_last(y_last),
                .out_data(y)
            );
        end
    endgenerate
    ernn_pack #(
        .SLOT(LOGIT_SLOT),
        .WIDTH(LOGIT_BITS)
    ) pack (
        .clk(clk),
        .rst(rst),
        .in_valid(y_valid),
        .in_ready(y_ready),
        .in_data(y),
        .in_last(y_last),
        .packet_known(known),
        .packet_end(packet_end),
        .frame_end(y_end),
        .out_valid(out_valid),
        .out_ready(out_ready),
        .out_data(out_data),
        .out_last(out_last)
    );
endmodule
