"""What a board needs around an accelerator: an adapter between DMA packets and frames, and scripts.

    board/ernn_board.v      the top module: 32-bit streams (ernn_unpack.v, ernn_pack.v), registers handed through
    board/package_ip.tcl    makes an IP of it
    board/block_design.tcl  processing system, DMA, IP and bitstream for a board

The driver is in `ernn.hw.board.driver`, since no source depends on it.
A packet is rows of whole words, one for each frame; see ernn_unpack.v and ernn_pack.v. It comes back as rows of logits.
"""

from importlib import resources

from ernn.hw.verilog.network import NetworkText

STATIC = ("ernn_pack.v", "ernn_unpack.v", "block_design.tcl", "package_ip.tcl")
SLOTS = (8, 16, 32)


def slot(bits: int) -> int:
    """Bits that a number takes in a word.

    >>> slot(8), slot(9), slot(24)
    (8, 16, 32)
    """
    return next(each for each in SLOTS if bits <= each)


def board_project(network: NetworkText) -> dict[str, str]:
    """All files, by their names."""
    folder = resources.files("ernn.hw.board") / "files"
    files = {name: (folder / name).read_text() for name in STATIC}
    files["ernn_board.v"] = top(network)
    files["settings.tcl"] = f"set clock_mhz {network.architecture.clock.mhz:g}\n"
    return dict(sorted(files.items()))


def top(network: NetworkText) -> str:
    """Module `ernn_board`."""
    a, t, f = network.address_bits, network.stream_bits, network.frame_bits
    wide = max(12, a)  # a range of addresses is 4 KiB at least
    features, logits = network.input.slot, network.output.slot
    keeps = ".s_axis_tkeep(beat_keep), " if network.input.count > 1 else ""
    return f"""// {network.program.name} behind a DMA: packets of 32-bit words; registers are those of `ernn`.
module ernn_board (
    (* X_INTERFACE_PARAMETER = "ASSOCIATED_BUSIF s_axis:m_axis:s_axil, ASSOCIATED_RESET aresetn" *)
    input wire aclk,
    input wire aresetn,
    input wire [31:0] s_axis_tdata,
    input wire [3:0] s_axis_tkeep,
    input wire s_axis_tvalid,
    output wire s_axis_tready,
    input wire s_axis_tlast,
    output wire [31:0] m_axis_tdata,
    output wire [3:0] m_axis_tkeep,
    output wire m_axis_tvalid,
    input wire m_axis_tready,
    output wire m_axis_tlast,
    input wire [{wide - 1}:0] s_axil_awaddr,
    input wire [2:0] s_axil_awprot,
    input wire s_axil_awvalid,
    output wire s_axil_awready,
    input wire [31:0] s_axil_wdata,
    input wire [3:0] s_axil_wstrb,
    input wire s_axil_wvalid,
    output wire s_axil_wready,
    output wire [1:0] s_axil_bresp,
    output wire s_axil_bvalid,
    input wire s_axil_bready,
    input wire [{wide - 1}:0] s_axil_araddr,
    input wire [2:0] s_axil_arprot,
    input wire s_axil_arvalid,
    output wire s_axil_arready,
    output wire [31:0] s_axil_rdata,
    output wire [1:0] s_axil_rresp,
    output wire s_axil_rvalid,
    input wire s_axil_rready
);
    // A reset by the register `control` is one of the adapter too. The network's begins two cycles after the write
    // and lasts longer than this one.
    reg [2:0] resetting;
    wire reset_written = s_axil_awvalid && s_axil_awready && s_axil_awaddr[{a - 1}:0] == {a}'d0 && s_axil_wstrb == 4'd15
        && s_axil_wdata[0];
    wire rst = !aresetn || resetting != 3'd0;
    always @(posedge aclk)
        if (!aresetn) resetting <= 3'd0;
        else if (reset_written) resetting <= 3'd7;
        else if (resetting != 3'd0) resetting <= resetting - 3'd1;

    wire x_valid, x_ready, x_last, x_user, x_end, x_packet_end, known_ready;
    wire [{features - 1}:0] x;
    wire [{t - 1}:0] x_id;
    ernn_unpack #(.INPUTS({network.input.elements}), .SLOT({slot(features)}), .WIDTH({features}), .STREAM({t})) unpack (
        .clk(aclk), .rst(rst), .in_valid(s_axis_tvalid), .in_ready(s_axis_tready), .in_data(s_axis_tdata),
        .in_last(s_axis_tlast), .out_valid(x_valid), .out_ready(x_ready && known_ready), .out_data(x),
        .out_last(x_last), .out_user(x_user), .out_id(x_id), .frame_end(x_end), .packet_end(x_packet_end));

    // For each frame under way: does its packet end with it?
    wire y_end, known, packet_end;
    ernn_fifo #(.WIDTH(1), .DEPTH({1 << f}), .ADDRESS({f})) ends (.clk(aclk), .rst(rst), .in_valid(x_end),
        .in_ready(known_ready), .in_data(x_packet_end), .out_valid(known), .out_ready(y_end), .out_data(packet_end));

    wire y_valid, y_ready, y_last, beat_valid, beat_ready, beat_last, beat_user;
    wire [{logits - 1}:0] y;
    wire [{t - 1}:0] beat_id, y_id;
    wire [{network.input.count * features - 1}:0] beat;
{_collected(network)}
{_split(network)}
    ernn_pack #(.SLOT({slot(logits)}), .WIDTH({logits})) pack (.clk(aclk), .rst(rst), .in_valid(y_valid),
        .in_ready(y_ready), .in_data(y), .in_last(y_last), .packet_known(known), .packet_end(packet_end),
        .frame_end(y_end), .out_valid(m_axis_tvalid), .out_ready(m_axis_tready), .out_data(m_axis_tdata),
        .out_last(m_axis_tlast));
    assign m_axis_tkeep = 4'd15;

    /* verilator lint_off UNUSEDSIGNAL */
    wire unused = &{{1'b0, s_axis_tkeep, s_axil_awaddr, s_axil_araddr, y_id}};
    /* verilator lint_on UNUSEDSIGNAL */
    /* verilator lint_off PINCONNECTEMPTY */
    ernn network (
        .aclk(aclk), .aresetn(aresetn), .s_axis_tdata(beat), .s_axis_tvalid(beat_valid), .s_axis_tready(beat_ready),
        {keeps}.s_axis_tlast(beat_last), .s_axis_tuser(beat_user), .s_axis_tid(beat_id), {_logits(network)},
        .m_axis_tid(y_id),
        .s_axil_awaddr(s_axil_awaddr[{a - 1}:0]), .s_axil_awprot(s_axil_awprot), .s_axil_awvalid(s_axil_awvalid),
        .s_axil_awready(s_axil_awready), .s_axil_wdata(s_axil_wdata), .s_axil_wstrb(s_axil_wstrb),
        .s_axil_wvalid(s_axil_wvalid), .s_axil_wready(s_axil_wready), .s_axil_bresp(s_axil_bresp),
        .s_axil_bvalid(s_axil_bvalid), .s_axil_bready(s_axil_bready), .s_axil_araddr(s_axil_araddr[{a - 1}:0]),
        .s_axil_arprot(s_axil_arprot), .s_axil_arvalid(s_axil_arvalid), .s_axil_arready(s_axil_arready),
        .s_axil_rdata(s_axil_rdata), .s_axil_rresp(s_axil_rresp), .s_axil_rvalid(s_axil_rvalid),
        .s_axil_rready(s_axil_rready));
    /* verilator lint_on PINCONNECTEMPTY */
endmodule
"""


def _collected(network: NetworkText) -> str:
    """Beats of the network from single features."""
    x = network.input
    if x.count == 1:
        return """    assign {beat_valid, beat, beat_last, beat_user, beat_id}
        = {x_valid && known_ready, x, x_last, x_user, x_id};
    assign x_ready = beat_ready;"""
    return f"""    reg word_last, word_user;
    reg [{network.stream_bits - 1}:0] word_id;
    wire x_take = x_valid && known_ready && x_ready;
    always @(posedge aclk) begin
        if (x_take) begin
            word_last <= x_last;
            word_id <= x_id;
        end
        if (rst) word_user <= 1'b0;
        else if (x_take && x_user) word_user <= 1'b1;
        else if (beat_valid && beat_ready) word_user <= 1'b0;
    end
    /* verilator lint_off PINCONNECTEMPTY */
    ernn_gearbox #(.WIDTH({x.slot}), .IN(1), .OUT({x.count}), .IN_WORDS({x.elements}), .OUT_WORDS({x.words.words}))
        collect (.clk(aclk), .rst(rst), .in_valid(x_valid && known_ready), .in_ready(x_ready), .in_data(x),
        .out_valid(beat_valid), .out_ready(beat_ready), .out_last(), .out_data(beat));
    /* verilator lint_on PINCONNECTEMPTY */
    assign {{beat_last, beat_user, beat_id}} = {{word_last, word_user, word_id}};
    wire [{x.count * x.slot // 8 - 1}:0] beat_keep = {x.kept("beat_last")};"""


def _split(network: NetworkText) -> str:
    """Single logits from beats of the network."""
    y = network.output
    if y.count == 1:
        return ""
    return f"""    wire logits_valid, logits_ready;
    wire [{y.count * y.slot - 1}:0] logits;
    ernn_gearbox #(.WIDTH({y.slot}), .IN({y.count}), .OUT(1), .IN_WORDS({y.words.words}), .OUT_WORDS({y.elements}))
        split (.clk(aclk), .rst(rst), .in_valid(logits_valid), .in_ready(logits_ready), .in_data(logits),
        .out_valid(y_valid), .out_ready(y_ready), .out_last(y_last), .out_data(y));"""


def _logits(network: NetworkText) -> str:
    """Ports of the network's output."""
    if network.output.count == 1:
        return ".m_axis_tdata(y),\n        .m_axis_tvalid(y_valid), .m_axis_tready(y_ready), .m_axis_tlast(y_last)"
    return (
        ".m_axis_tdata(logits),\n        .m_axis_tvalid(logits_valid), .m_axis_tready(logits_ready), .m_axis_tlast(), "
        ".m_axis_tkeep()"
    )
