// Two places for steps that wait for their turn. Neither `ready` nor `head` depends on `take` in the same cycle.
module ernn_queue #(
    parameter WIDTH = 1
) (
    input wire clk,
    input wire rst,
    input wire put,  // while `ready` alone
    output wire ready,
    input wire [WIDTH-1:0] d,
    output reg valid,
    input wire take,  // while `valid` alone
    output reg [WIDTH-1:0] head
);
    reg second_valid;
    reg [WIDTH-1:0] second;
    assign ready = !second_valid;
    always @(posedge clk) begin
        if (rst) begin
            valid <= 1'b0;
            second_valid <= 1'b0;
        end else begin
            valid <= put || second_valid || (valid && !take);
            second_valid <= valid && !take && (put || second_valid);
        end
        if (!valid || take) head <= second_valid ? second : d;
        if (!second_valid) second <= d;
    end
endmodule
