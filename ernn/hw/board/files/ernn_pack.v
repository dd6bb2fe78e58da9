// Logits of a frame become a row of words, the first logit lowest, the last word filled up with zeros.
// `packet_end` is that of the oldest frame under way: its last word carries tlast.
module ernn_pack #(
    parameter SLOT = 8,  // bits of a logit in a word: 8, 16 or 32
    parameter WIDTH = 8  // of the network's port; logits are extended by their sign
) (
    input wire clk,
    input wire rst,
    input wire in_valid,
    output wire in_ready,
    input wire [WIDTH-1:0] in_data,
    input wire in_last,
    input wire packet_known,
    input wire packet_end,
    output wire frame_end,  // with the last logit of a frame
    output reg out_valid,
    input wire out_ready,
    output reg [31:0] out_data,
    output reg out_last
);
    localparam integer IN_WORD = 32 / SLOT;
    localparam integer LAST = IN_WORD - 1;
    reg [1:0] place;
    wire take = in_valid && in_ready;
    wire [31:0] extended = {{32 - WIDTH + 1{in_data[WIDTH-1]}}, in_data[WIDTH-2:0]};
    wire [31:0] slot = SLOT == 32 ? extended : extended & ((32'd1 << SLOT) - 32'd1);

    assign in_ready = !rst && packet_known && (!out_valid || out_ready);
    assign frame_end = take && in_last;
    always @(posedge clk)
        if (rst) begin
            out_valid <= 1'b0;
            place <= 2'd0;
        end else begin
            if (take) begin
                out_data <= place == 2'd0 ? slot : out_data | (slot << (place * SLOT));
                out_valid <= in_last || place == LAST[1:0];
                out_last <= in_last && packet_end;
                place <= in_last || place == LAST[1:0] ? 2'd0 : place + 2'd1;
            end else if (out_ready) out_valid <= 1'b0;
        end
endmodule
