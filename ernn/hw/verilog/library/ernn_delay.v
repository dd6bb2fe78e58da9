// q follows d by CYCLES cycles; zeros come out first.
module ernn_delay #(
    parameter WIDTH = 1,
    parameter CYCLES = 1
) (
    /* verilator lint_off UNUSEDSIGNAL */
    input wire clk,
    /* verilator lint_on UNUSEDSIGNAL */
    input wire [WIDTH-1:0] d,
    output wire [WIDTH-1:0] q
);
    generate
        if (CYCLES == 0) begin : wired
            assign q = d;
        end else begin : registered
            reg [WIDTH-1:0] line[0:CYCLES-1];
            integer i;
            initial for (i = 0; i < CYCLES; i = i + 1) line[i] = {WIDTH{1'b0}};
            always @(posedge clk) begin
                line[0] <= d;
                for (i = 1; i < CYCLES; i = i + 1) line[i] <= line[i-1];
            end
            assign q = line[CYCLES-1];
        end
    endgenerate
endmodule
