// Weights from 32-bit writes: PARTS of them make a word, the lowest bits first; a whole word goes to `address` of
// `memory` of `layer`, and the address moves on.
module ernn_loader #(
    parameter PARTS = 1  // of the widest layer's word
) (
    input wire clk,
    input wire rst,
    input wire place,  // `value` is {layer, memory}, and the address begins at 0
    input wire part,  // `value` is the next part of a word
    input wire [31:0] value,
    input wire [15:0] parts,  // of a word of this layer
    output reg load,
    output reg [15:0] layer,
    output reg [15:0] memory,
    output reg [31:0] address,
    output reg [32*PARTS-1:0] data
);
    reg [15:0] number;
    reg [1:0] loaded;  // a memory writes two cycles after `load`: so long the address stays
    integer i;
    always @(posedge clk) begin
        loaded <= {loaded[0], load};
        load <= !rst && part && number == parts - 16'd1;
        if (rst || place) begin
            number <= 16'd0;
            address <= 32'd0;
            if (place) {layer, memory} <= value;
        end else begin
            if (part) begin
                for (i = 0; i < PARTS; i = i + 1) if (number == i[15:0]) data[32*i+:32] <= value;
                number <= number == parts - 16'd1 ? 16'd0 : number + 16'd1;
            end
            if (loaded[1]) address <= address + 32'd1;
        end
    end
endmodule
