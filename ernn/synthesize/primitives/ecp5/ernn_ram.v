// ernn_ram for Lattice ECP5: a deep memory is made of slices so narrow that each is one block, since Yosys would put a
// multiplexer behind blocks on top of each other. With SLICED = 0 it may, and takes fewer blocks. Slice n of an image is the file IMAGE.nnn, in three hexadecimal digits.
module ernn_ram #(
    parameter WIDTH = 8,
    parameter DEPTH = 16,
    parameter ADDRESS = 4,
    parameter IMAGE = "",
    parameter KIND = "auto",
    parameter SLICED = 1
) (
    input wire clk,
    input wire write,
    input wire [ADDRESS-1:0] write_address,
    input wire [WIDTH-1:0] d,
    input wire [ADDRESS-1:0] read_address,
    output reg [WIDTH-1:0] q
);
    localparam WHOLE = SLICED == 0 || DEPTH <= 512 ? WIDTH : DEPTH <= 1024 ? 18 : DEPTH <= 2048 ? 9 : DEPTH <= 4096 ? 4 : DEPTH <= 8192 ? 2 : 1;
    localparam SLICES = (WIDTH + WHOLE - 1) / WHOLE;
    genvar n;
    generate
        for (n = 0; n < SLICES; n = n + 1) begin : slice
            localparam LOW = n * WHOLE;
            localparam BITS = LOW + WHOLE > WIDTH ? WIDTH - LOW : WHOLE;
            localparam integer D2 = n / 256, D1 = n / 16 % 16, D0 = n % 16;
            localparam [7:0] DIGIT_2 = D2 < 10 ? "0" + D2 : "a" + D2 - 10;
            localparam [7:0] DIGIT_1 = D1 < 10 ? "0" + D1 : "a" + D1 - 10;
            localparam [7:0] DIGIT_0 = D0 < 10 ? "0" + D0 : "a" + D0 - 10;
            (* ram_style = KIND, no_rw_check *) reg [BITS-1:0] words[0:DEPTH-1];
            reg [BITS-1:0] first;
            if (IMAGE != "" && SLICES > 1) begin : sliced
                initial $readmemh({IMAGE, ".", DIGIT_2, DIGIT_1, DIGIT_0}, words);
            end else if (IMAGE != "") begin : one
                initial $readmemh(IMAGE, words);
            end
            always @(posedge clk) begin
                if (write) words[write_address] <= d[LOW+:BITS];
                first <= words[read_address];
                q[LOW+:BITS] <= first;
            end
        end
    endgenerate
endmodule
