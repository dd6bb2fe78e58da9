"""Self-checking Verilog test bench of a network, and the vectors that it reads.

Vectors are files, so that one build runs any of them:

    frames.txt  a line a frame: whether it opens an utterance, and its stream
    x.hex       features, an integer a line
    want.hex    the logits that must come out
    writes.txt  register writes before the first frame: number and value

`+gaps=N` and `+stalls=N` leave N of 256 cycles without a feature and without readiness for a logit, by `+seed=N`.
Compiled with ERNN_WAVES, `+from=N` and `+to=N` write those cycles to ernn.vcd; compiled with ERNN_SAIF, a run
leaves in ernn.saif how often each signal toggled.
"""

from ernn.hw.design import TEST_BENCH
from ernn.hw.verilog.network import NetworkText


def testbench(network: NetworkText) -> str:
    """Source of the test bench."""
    a, t, x, y = network.address_bits, network.stream_bits, network.input, network.output
    x_keep = ".s_axis_tkeep(tkeep), " if x.count > 1 else ""
    y_keep = ".m_axis_tkeep(out_keep), " if y.count > 1 else ""
    return f"""// Feeds a network with vectors and compares what comes out; see the files it reads below.
`timescale 1ns / 1ps
module {TEST_BENCH};
    reg clk = 1'b0;
    reg resetn = 1'b0;
    always #5 clk = !clk;

    integer frames_file, x_file, want_file, writes_file, found, seed, gaps, stalls, errors, cycle, limit;
    integer element, class_number, frame_in, frame_out, quiet, place;
    reg [31:0] next_x, want, number, value;
    reg first, in_done, running, x_there;
    reg [{t - 1}:0] stream;

    reg tvalid = 1'b0;
    wire tready;
    reg [{x.count * x.slot - 1}:0] tdata, next_data;
    reg [{x.count * x.slot // 8 - 1}:0] tkeep, next_keep;
    reg tlast, tuser;
    reg [{t - 1}:0] tid;
    wire [{y.count * y.slot - 1}:0] out_data;
    wire [{y.count * y.slot // 8 - 1}:0] out_keep{"" if y.count > 1 else " = {" + str(y.slot // 8) + "{1'b1}}"};
    wire out_valid, out_last;
    wire [{t - 1}:0] out_id;
    reg out_ready = 1'b0;
    reg [{a - 1}:0] awaddr, araddr;
    reg [31:0] wdata;
    reg awvalid = 1'b0, arvalid = 1'b0;
    wire awready, wready, bvalid, arready, rvalid;
    wire [1:0] bresp, rresp;
    wire [31:0] rdata;

    ernn dut (
        .aclk(clk), .aresetn(resetn), .s_axis_tdata(tdata), .s_axis_tvalid(tvalid), .s_axis_tready(tready),
        {x_keep}.s_axis_tlast(tlast), .s_axis_tuser(tuser), .s_axis_tid(tid), .m_axis_tdata(out_data),
        {y_keep}.m_axis_tvalid(out_valid), .m_axis_tready(out_ready), .m_axis_tlast(out_last), .m_axis_tid(out_id),
        .s_axil_awaddr(awaddr), .s_axil_awprot(3'd0), .s_axil_awvalid(awvalid), .s_axil_awready(awready),
        .s_axil_wdata(wdata), .s_axil_wstrb(4'd15), .s_axil_wvalid(awvalid), .s_axil_wready(wready),
        .s_axil_bresp(bresp), .s_axil_bvalid(bvalid), .s_axil_bready(1'b1), .s_axil_araddr(araddr),
        .s_axil_arprot(3'd0), .s_axil_arvalid(arvalid), .s_axil_arready(arready), .s_axil_rdata(rdata),
        .s_axil_rresp(rresp), .s_axil_rvalid(rvalid), .s_axil_rready(1'b1));

    // Xorshift (Marsaglia 2003): the same numbers in every simulator.
    reg [31:0] state;
    function [31:0] random_byte(input unused);
        begin
            state = state ^ (state << 13);
            state = state ^ (state >> 17);
            state = state ^ (state << 5);
            random_byte = {{24'd0, state[15:8]}};
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
            for (place = 0; place < {x.count}; place = place + 1) begin
                next_keep[place*{x.slot // 8}+:{x.slot // 8}] = {{{x.slot // 8}{{element + place < {x.elements}}}}};
                if (element + place < {x.elements}) begin
                    found = $fscanf(x_file, "%h", next_x);
                    if (found != 1) x_there = 1'b0;
                end else next_x = ~next_x;
                next_data[place*{x.slot}+:{x.slot}] = next_x[{x.slot - 1}:0];
            end
        end
    endtask

`ifdef ERNN_SAIF
    initial begin
        $dumpfile("ernn.saif");
        $dumpvars(0, dut);
    end
`endif

`ifdef ERNN_WAVES
    integer wave_from, wave_to;
    initial begin
        if (!$value$plusargs("from=%d", wave_from)) wave_from = 0;
        if (!$value$plusargs("to=%d", wave_to)) wave_to = 1000;
        $dumpfile("ernn.vcd");
        wait (cycle >= wave_from && running);
        $dumpvars(0, dut);
        wait (cycle > wave_to);
        $dumpflush;
        $finish;
    end
`endif

    integer register;
    initial begin
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
            awaddr = {{number[{a - 3}:0], 2'b00}};
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
        for (register = 0; register < {len(network.registers)}; register = register + 1) begin
            @(negedge clk);
            araddr = {{register[{a - 3}:0], 2'b00}};
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
            out_ready = random_byte(0) >= stalls;
            if (!tvalid && !in_done && x_there && random_byte(0) >= gaps) begin
                tvalid = 1'b1;
                tdata = next_data;
                tkeep = next_keep;
                tuser = first;
                tid = stream;
                tlast = element + {x.count} >= {x.elements};
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
                if (element == 0) $display("IN %0d %0d", frame_in, cycle);
                element = element + {x.count};
                if (tlast) begin
                    frame_in = frame_in + 1;
                    next_frame;
                end
                next_beat;
                tvalid <= 1'b0;
            end
            if (out_valid && out_ready) begin
                quiet <= 0;
                for (place = 0; place < {y.count}; place = place + 1)
                    if (out_keep[place*{y.slot // 8}]) begin
                        found = $fscanf(want_file, "%h", want);
                        if (found != 1 || out_data[place*{y.slot}+:{y.bits}] !== want[{y.bits - 1}:0]) begin
                            errors = errors + 1;
                            if (errors <= 10)
                                $display("MISMATCH frame %0d logit %0d expected %0d got %0d", frame_out, class_number,
                                    $signed(want[{y.bits - 1}:0]), $signed(out_data[place*{y.slot}+:{y.bits}]));
                        end
                        class_number = class_number + 1;
                    end
                if (out_last) begin
                    $display("OUT %0d %0d", frame_out, cycle);
                    if (class_number != {network.program.decoder.classes}) errors = errors + 1;
                    frame_out = frame_out + 1;
                    class_number = 0;
                end
            end
        end
endmodule
"""
