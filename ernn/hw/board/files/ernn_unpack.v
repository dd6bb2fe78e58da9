// Rows of a DMA packet become frames: a header word (bit 0: an utterance opens, from bit 16 on: its stream), then
// features, as many as fit into a word, the first lowest; every row begins with a new word. A stream whose number needs
// more bits becomes the highest number that STREAM bits have, which is no stream's.
// A packet that ends within a row is filled up with zeros, without tlast: the network counts it as misplaced.
module ernn_unpack #(
    parameter INPUTS = 1,
    parameter SLOT = 8,  // bits of a feature in a word: 8, 16 or 32
    parameter WIDTH = 8,  // of them, those of the network's port
    parameter STREAM = 1
) (
    input wire clk,
    input wire rst,
    input wire in_valid,
    output wire in_ready,
    input wire [31:0] in_data,
    input wire in_last,
    output wire out_valid,
    input wire out_ready,
    output wire [WIDTH-1:0] out_data,
    output wire out_last,
    output wire out_user,
    output reg [STREAM-1:0] out_id,
    output wire frame_end,  // with the last feature of a frame
    output wire packet_end  // the packet ends with this frame
);
    localparam integer IN_WORD = 32 / SLOT;
    localparam integer LAST = INPUTS - 1;
    localparam [16:0] LIMIT = 17'd1 << STREAM;
    reg body, first, ended;
    reg [31:0] word;
    reg [2:0] left;  // features in `word`
    reg [15:0] element;
    wire take = in_valid && in_ready;
    wire give = out_valid && out_ready;
    wire last = element == LAST[15:0];

    // The next word comes with the last feature of the one before, so that features follow each other.
    assign in_ready = !rst && (!body || (!ended && (left == 3'd0 || (left == 3'd1 && give && !last))));
    assign out_valid = body && (left != 3'd0 || ended);
    assign out_data = word[WIDTH-1:0];
    assign out_last = last && left != 3'd0;
    assign out_user = first;
    assign frame_end = give && last;
    assign packet_end = ended;
    always @(posedge clk)
        if (rst) begin
            body <= 1'b0;
            left <= 3'd0;
            ended <= 1'b0;
        end else if (!body) begin
            if (take) begin
                body <= 1'b1;
                first <= in_data[0];
                out_id <= {1'b0, in_data[31:16]} < LIMIT ? in_data[16+:STREAM] : {STREAM{1'b1}};
                ended <= in_last;
            end
            word <= 32'd0;
            left <= 3'd0;
            element <= 16'd0;
        end else begin
            if (give) begin
                first <= 1'b0;
                element <= element + 16'd1;
                if (last) body <= 1'b0;
            end
            if (take) begin
                word <= in_data;
                left <= IN_WORD[2:0];
                ended <= in_last;
            end else if (give) begin
                word <= word >> SLOT;
                if (left != 3'd0) left <= left - 3'd1;
            end
        end
endmodule
