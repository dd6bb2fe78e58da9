// Feeds a network with vectors and compares what comes out. It is the network's only neighbour: it makes the clock and
// the reset, drives its ports, and ends the simulation. Vectors are files, so that one build runs any of them:
//     frames.txt  a line a frame: whether it opens an utterance, and its stream; of one that does not exist, no logits
//     x.hex       features, an integer a line
//     want.hex    the logits that must come out
//     writes.txt  register writes before the first frame: number and value
// `+gaps=N` and `+stalls=N` leave N of 256 cycles without a feature and without readiness for a logit, by `+seed=N`.
// After the last frame it prints all registers.
/* verilator lint_off BLKSEQ */  // a test bench goes on step by step
/* verilator lint_off UNUSEDSIGNAL */
module ernn_bench #(
    parameter INPUTS = 1,  // features of a frame
    parameter FEATURES = 1,  // of a beat
    parameter FEATURE_SLOT = 8,  // bits of a feature in a beat, in whole bytes
    parameter CLASSES = 1,  // logits of a frame
    parameter LOGITS = 1,  // of a beat
    parameter LOGIT_SLOT = 8,
    parameter LOGIT_BITS = 8,  // of a logit itself
    parameter STREAMS = 1,
    parameter STREAM = 1,  // bits of the number of a stream
    parameter ADDRESS = 8,  // bits of AXI4-Lite addresses
    parameter REGISTERS = 1  // that are printed
) (
    output reg clk,
    output reg resetn,
    output reg running,  // the first frame may come
    output reg [31:0] cycle,  // since then
    output reg [FEATURES*FEATURE_SLOT-1:0] tdata,
    output reg [FEATURES*FEATURE_SLOT/8-1:0] tkeep,
    output reg tvalid,
    input wire tready,
    output reg tlast,
    output reg tuser,
    output reg [STREAM-1:0] tid,
    input wire [LOGITS*LOGIT_SLOT-1:0] out_data,
    input wire [LOGITS*LOGIT_SLOT/8-1:0] out_keep,
    input wire out_valid,
    output reg out_ready,
    input wire out_last,
    output reg [ADDRESS-1:0] awaddr,
    output reg awvalid,
    input wire awready,
    output reg [31:0] wdata,
    input wire wready,
    input wire [1:0] bresp,
    input wire bvalid,
    output reg [ADDRESS-1:0] araddr,
    output reg arvalid,
    input wire arready,
    input wire [31:0] rdata,
    input wire rvalid
);
    localparam FEATURE_BYTES = FEATURE_SLOT / 8;
    localparam LOGIT_BYTES = LOGIT_SLOT / 8;
    integer frames_file, x_file, want_file, writes_file, found, seed, gaps, stalls, errors, limit;
    integer element, class_number, frame_in, frame_out, quiet, place, register;
    reg [31:0] next_x, want, number, value;
    reg first, in_done, x_there;
    reg [STREAM-1:0] stream;
    wire known = {{32 - STREAM{1'b0}}, tid} < STREAMS;  // frames of other streams are dropped
    reg [FEATURES*FEATURE_SLOT-1:0] next_data;
    reg [FEATURES*FEATURE_BYTES-1:0] next_keep;

    initial clk = 1'b0;
    always #5 clk = !clk;

    // Xorshift (Marsaglia 2003): the same numbers in every simulator.
    reg [31:0] state;
    function [31:0] random_byte(input unused);
        begin
            state = state ^ (state << 13);
            state = state ^ (state >> 17);
            state = state ^ (state << 5);
            random_byte = {24'd0, state[15:8]};
        end
    endfunction

    task next_frame;
        begin
            found = $fscanf(frames_file, "%d %d", first, stream);
            in_done = found != 2;
            element = 0;
        end
    endtask

    task next_beat;  // noise where there is no feature
        begin
            x_there = 1'b1;
            for (place = 0; place < FEATURES; place = place + 1) begin
                next_keep[place*FEATURE_BYTES+:FEATURE_BYTES] = {FEATURE_BYTES{element + place < INPUTS}};
                if (element + place < INPUTS) begin
                    found = $fscanf(x_file, "%h", next_x);
                    if (found != 1) x_there = 1'b0;
                end else next_x = ~next_x;
                next_data[place*FEATURE_SLOT+:FEATURE_SLOT] = next_x[FEATURE_SLOT-1:0];
            end
        end
    endtask

    initial begin
        resetn = 1'b0; tvalid = 1'b0; out_ready = 1'b0; awvalid = 1'b0; arvalid = 1'b0;
        errors = 0; cycle = 0; frame_in = 0; frame_out = 0; class_number = 0; quiet = 0; running = 1'b0;
        if (!$value$plusargs("gaps=%d", gaps)) gaps = 0;
        if (!$value$plusargs("stalls=%d", stalls)) stalls = 0;
        if (!$value$plusargs("seed=%d", seed)) seed = 1;
        if (!$value$plusargs("limit=%d", limit)) limit = 1000000;
        state = seed;
        frames_file = $fopen("frames.txt", "r");
        x_file = $fopen("x.hex", "r");
        want_file = $fopen("want.hex", "r");
        writes_file = $fopen("writes.txt", "r");
        repeat (4) @(posedge clk);
        resetn = 1'b1;
        repeat (2) @(posedge clk);
        while ($fscanf(writes_file, "%h %h", number, value) == 2) begin
            @(negedge clk);
            awaddr = {number[ADDRESS-3:0], 2'b00};
            wdata = value;
            awvalid = 1'b1;
            @(posedge clk);
            while (!(awready && wready)) @(posedge clk);
            @(negedge clk);
            awvalid = 1'b0;
            while (!bvalid) @(posedge clk);
            if (bresp != 2'b00) $display("WRITE REFUSED %0d", number);
        end
        next_frame;
        next_beat;
        running = 1'b1;
        wait (in_done && frame_in == frame_out && !tvalid);
        repeat (20) @(posedge clk);
        if ($fscanf(want_file, "%h", want) == 1) begin
            errors = errors + 1;
            $display("MISSING from frame %0d on", frame_out);
        end
        for (register = 0; register < REGISTERS; register = register + 1) begin
            @(negedge clk);
            araddr = {register[ADDRESS-3:0], 2'b00};
            arvalid = 1'b1;
            @(posedge clk);
            while (!arready) @(posedge clk);
            @(negedge clk);
            arvalid = 1'b0;
            while (!rvalid) @(posedge clk);
            $display("REGISTER %0d %0d", register, rdata);
        end
        $display("END frames %0d errors %0d", frame_out, errors);
        $finish;
    end

    // Features go in and logits come out; everything changes at the falling edge and counts at the rising one.
    always @(negedge clk)
        if (running) begin
            out_ready = random_byte(1'b0) >= stalls;
            if (!tvalid && !in_done && x_there && random_byte(1'b0) >= gaps) begin
                tvalid = 1'b1;
                tdata = next_data;
                tkeep = next_keep;
                tuser = first;
                tid = stream;
                tlast = element + FEATURES >= INPUTS;
            end
        end

    always @(posedge clk)
        if (running) begin
            cycle <= cycle + 1;
            quiet <= quiet + 1;
            if (quiet > limit) begin
                $display("STUCK in cycle %0d: %0d frames in, %0d out", cycle, frame_in, frame_out);
                $finish;
            end
            if (tvalid && tready) begin
                quiet <= 0;
                if (element == 0 && known) $display("IN %0d %0d", frame_in, cycle);
                element = element + FEATURES;
                if (tlast) begin
                    if (known) frame_in = frame_in + 1;
                    next_frame;
                end
                next_beat;
                tvalid <= 1'b0;
            end
            if (out_valid && out_ready) begin
                quiet <= 0;
                for (place = 0; place < LOGITS; place = place + 1)
                    if (out_keep[place*LOGIT_BYTES]) begin
                        found = $fscanf(want_file, "%h", want);
                        if (found != 1 || out_data[place*LOGIT_SLOT+:LOGIT_BITS] !== want[LOGIT_BITS-1:0]) begin
                            errors = errors + 1;
                            if (errors <= 10)
                                $display("MISMATCH frame %0d logit %0d expected %0d got %0d", frame_out, class_number,
                                    $signed(want[LOGIT_BITS-1:0]), $signed(out_data[place*LOGIT_SLOT+:LOGIT_BITS]));
                        end
                        class_number = class_number + 1;
                    end
                if (out_last) begin
                    $display("OUT %0d %0d", frame_out, cycle);
                    if (class_number != CLASSES) errors = errors + 1;
                    frame_out = frame_out + 1;
                    class_number = 0;
                end
            end
        end
endmodule
/* verilator lint_on UNUSEDSIGNAL */
/* verilator lint_on BLKSEQ */
