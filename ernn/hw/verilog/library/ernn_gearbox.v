// Vectors from words of IN elements to words of OUT elements; both are powers of two. A vector is IN_WORDS words that
// come in and OUT_WORDS that go out: a last word is filled up with zeros, and what is too much is dropped.
module ernn_gearbox #(
    parameter WIDTH = 8,  // of an element
    parameter IN = 1,
    parameter OUT = 1,
    parameter IN_WORDS = 1,
    parameter OUT_WORDS = 1
) (
    input wire clk,
    input wire rst,
    input wire in_valid,
    output wire in_ready,
    input wire [IN*WIDTH-1:0] in_data,
    output wire out_valid,
    input wire out_ready,
    output wire out_last,  // of a vector
    output wire [OUT*WIDTH-1:0] out_data
);
    localparam RATIO = IN > OUT ? IN / OUT : OUT / IN;
    localparam integer LAST_IN_WORD = IN_WORDS - 1;
    localparam integer LAST_OUT_WORD = OUT_WORDS - 1;
    localparam IN_BITS = IN_WORDS > 1 ? $clog2(IN_WORDS) : 1;
    localparam OUT_BITS = OUT_WORDS > 1 ? $clog2(OUT_WORDS) : 1;
    localparam PART_BITS = RATIO > 1 ? $clog2(RATIO) : 1;
    localparam [IN_BITS-1:0] LAST_IN = LAST_IN_WORD[IN_BITS-1:0];
    localparam [OUT_BITS-1:0] LAST_OUT = LAST_OUT_WORD[OUT_BITS-1:0];
    localparam integer LAST_PART_NUMBER = RATIO - 1;
    localparam [PART_BITS-1:0] LAST_PART = LAST_PART_NUMBER[PART_BITS-1:0];

    reg [IN_BITS-1:0] in_word;
    reg [OUT_BITS-1:0] out_word;
    reg [PART_BITS-1:0] part;
    wire take = in_valid && in_ready;
    wire give = out_valid && out_ready;
    wire in_last = in_word == LAST_IN;
    reg last_out;
    assign out_last = last_out;

    always @(posedge clk) begin
        if (rst) begin
            in_word <= {IN_BITS{1'b0}};
            out_word <= {OUT_BITS{1'b0}};
            last_out <= OUT_WORDS == 1;
        end else begin
            if (take) in_word <= in_last ? {IN_BITS{1'b0}} : in_word + 1'b1;
            if (give) begin
                out_word <= out_last ? {OUT_BITS{1'b0}} : out_word + 1'b1;
                last_out <= OUT_WORDS == 1 || (out_last ? OUT_WORDS == 1 : out_word == LAST_OUT - 1'b1);
            end
        end
    end

    generate
        if (IN >= OUT) begin : split
            // The word that comes in is taken with its last part, or with the last part of the vector.
            assign out_valid = in_valid;
            if (RATIO == 1) begin : whole
                assign out_data = in_data;
            end else begin : chosen
                assign out_data = in_data[part*OUT*WIDTH+:OUT*WIDTH];
            end
            assign in_ready = out_ready && (part == LAST_PART || out_last);
            always @(posedge clk)
                if (rst || take) part <= {PART_BITS{1'b0}};
                else if (give) part <= part + 1'b1;
        end else begin : collect
            reg full;
            reg [OUT*WIDTH-1:0] word;
            integer n;
            wire complete = part == LAST_PART || in_last;
            assign out_valid = full;
            assign out_data = word;
            assign in_ready = !full || out_ready;
            always @(posedge clk) begin
                if (rst) begin
                    full <= 1'b0;
                    part <= {PART_BITS{1'b0}};
                end else begin
                    if (take) begin
                        part <= complete ? {PART_BITS{1'b0}} : part + 1'b1;
                        full <= complete;
                    end else if (give) full <= 1'b0;
                end
                for (n = 0; n < RATIO; n = n + 1)
                    if (take && part == n[PART_BITS-1:0]) word[n*IN*WIDTH+:IN*WIDTH] <= in_data;
                    else if (take && part == {PART_BITS{1'b0}}) word[n*IN*WIDTH+:IN*WIDTH] <= {IN * WIDTH{1'b0}};
            end
        end
    endgenerate
endmodule
