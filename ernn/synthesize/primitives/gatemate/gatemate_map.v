// A CC_MULT as the look-up tables that nextpnr makes of it, for counting: a rectangle of cells for pairs of bits, and
// what brings the bits to it. Widths are even and the first operand is the narrower one, as nextpnr makes them.
(* techmap_celltype = "CC_MULT" *)
module ernn_count_multiplier #(
    parameter A_WIDTH = 0,
    parameter B_WIDTH = 0,
    parameter P_WIDTH = 0
) (
    input wire [A_WIDTH-1:0] A,
    input wire [B_WIDTH-1:0] B,
    output wire [P_WIDTH-1:0] P
);
    localparam NARROW = (A_WIDTH < B_WIDTH ? A_WIDTH : B_WIDTH) + 1 >> 1;
    localparam WIDE = (A_WIDTH < B_WIDTH ? B_WIDTH : A_WIDTH) + 1 >> 1;
    generate
        genvar i;
        for (i = 0; i < 2 * NARROW * WIDE + 13 * NARROW + 6 * WIDE + 13; i = i + 1) begin : table_of
            (* keep *) CC_MULT_LUT half ();
        end
    endgenerate
endmodule
