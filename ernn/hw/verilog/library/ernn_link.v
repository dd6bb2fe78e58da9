// Words of a vector between two layers, two vectors deep. A layer takes room for a whole vector before it begins one,
// so that what comes out of its pipelines never has to wait. `room` follows `reserve` by two cycles: it is asked for no
// sooner again.
module ernn_link #(
    parameter WIDTH = 8,
    parameter WORDS = 1,
    parameter ADDRESS = 1
) (
    input wire clk,
    input wire rst,
    input wire reserve,
    output reg room,
    input wire in_valid,
    input wire [WIDTH-1:0] in_data,
    output wire out_valid,
    input wire out_ready,
    output wire [WIDTH-1:0] out_data
);
    localparam integer LAST_WORD = WORDS - 1;
    localparam BITS = WORDS > 1 ? $clog2(WORDS) : 1;
    localparam [BITS-1:0] LAST = LAST_WORD[BITS-1:0];
    reg reserves;
    reg [1:0] reserved;
    reg [BITS-1:0] word;
    wire give = out_valid && out_ready;
    wire release_one = give && word == LAST;

    wire [1:0] now = reserved + {1'b0, reserves};
    always @(posedge clk) begin
        room <= !now[1];
        reserves <= !rst && reserve;
        if (rst) begin
            reserved <= 2'd0;
            word <= {BITS{1'b0}};
        end else begin
            reserved <= now - {1'b0, release_one};
            if (give) word <= word == LAST ? {BITS{1'b0}} : word + 1'b1;
        end
    end
    /* verilator lint_off PINCONNECTEMPTY */
    ernn_fifo #(
        .WIDTH(WIDTH),
        .DEPTH(2 * WORDS),
        .ADDRESS(ADDRESS)
    ) fifo (
        .clk(clk),
        .rst(rst),
        .in_valid(in_valid),
        .in_ready(),
        .in_data(in_data),
        .out_valid(out_valid),
        .out_ready(out_ready),
        .out_data(out_data)
    );
    /* verilator lint_on PINCONNECTEMPTY */
endmodule
