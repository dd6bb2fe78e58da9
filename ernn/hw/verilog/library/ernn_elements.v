// Numbers the elements of a vector as they come in, one at a time.
module ernn_elements #(
    parameter TOTAL = 1,
    parameter ADDRESS = 1
) (
    input wire clk,
    input wire rst,
    input wire write,
    output reg [ADDRESS-1:0] element,
    output reg [15:0] written,  // in the cycle after
    output wire last,  // the element that comes in ends the vector
    output reg ends  // the same, in the cycle after
);
    localparam integer LAST_ELEMENT = TOTAL - 1;
    localparam [ADDRESS-1:0] LAST = LAST_ELEMENT[ADDRESS-1:0];
    assign last = write && element == LAST;
    always @(posedge clk) begin
        written <= {15'd0, write};
        ends <= last;
        if (rst || last) element <= {ADDRESS{1'b0}};
        else if (write) element <= element + 1'b1;
    end
endmodule
