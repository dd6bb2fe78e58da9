// First in, first out; `out_data` is there while `out_valid` is, without a cycle between.
module ernn_fifo #(
    parameter WIDTH = 8,
    parameter DEPTH = 16,
    parameter ADDRESS = 4
) (
    input wire clk,
    input wire rst,
    input wire in_valid,
    output wire in_ready,
    input wire [WIDTH-1:0] in_data,
    output reg out_valid,
    input wire out_ready,
    output reg [WIDTH-1:0] out_data
);
    localparam integer LAST_WORD = DEPTH - 1;
    localparam [ADDRESS-1:0] LAST = LAST_WORD[ADDRESS-1:0];
    /* verilator tracing_off */  // a memory is no register
    (* no_rw_check *) reg [WIDTH-1:0] memory[0:DEPTH-1];
    /* verilator tracing_on */
    reg [ADDRESS-1:0] head, tail;
    reg [ADDRESS:0] count;  // in memory
    wire push = in_valid && in_ready;
    reg fetched_valid;
    reg [WIDTH-1:0] fetched;  // behind a block RAM's slow output
    wire move = fetched_valid && (!out_valid || out_ready);
    wire pop = count != {ADDRESS + 1{1'b0}} && (!fetched_valid || move);

    assign in_ready = count != DEPTH[ADDRESS:0];
    always @(posedge clk) begin
        if (push) memory[head] <= in_data;
        if (pop) fetched <= memory[tail];
        if (move) out_data <= fetched;
        if (rst) begin
            head <= {ADDRESS{1'b0}};
            tail <= {ADDRESS{1'b0}};
            count <= {ADDRESS + 1{1'b0}};
            out_valid <= 1'b0;
            fetched_valid <= 1'b0;
        end else begin
            if (push) head <= head == LAST ? {ADDRESS{1'b0}} : head + 1'b1;
            if (pop) tail <= tail == LAST ? {ADDRESS{1'b0}} : tail + 1'b1;
            if (push != pop) count <= push ? count + 1'b1 : count - 1'b1;
            if (pop) fetched_valid <= 1'b1;
            else if (move) fetched_valid <= 1'b0;
            if (move) out_valid <= 1'b1;
            else if (out_ready) out_valid <= 1'b0;
        end
    end
endmodule
