// AXI4-Lite: READS registers that can be read, from address 0 on, and writes handed on as `write` with address and data.
// One access at a time; a read of anything else gives zero and an error response, and so does a write beyond WRITES.
module ernn_registers #(
    parameter READS = 1,
    parameter WRITES = 1,
    parameter ADDRESS = 12
) (
    input wire clk,
    input wire rst,
    input wire hold,  // writes wait
    input wire [ADDRESS-1:0] awaddr,
    input wire awvalid,
    output wire awready,
    input wire [31:0] wdata,
    input wire [3:0] wstrb,
    input wire wvalid,
    output wire wready,
    output reg [1:0] bresp,
    output reg bvalid,
    input wire bready,
    input wire [ADDRESS-1:0] araddr,
    input wire arvalid,
    output wire arready,
    output reg [31:0] rdata,
    output reg [1:0] rresp,
    output reg rvalid,
    input wire rready,
    input wire [32*READS-1:0] values,
    output reg write,
    output reg [ADDRESS-3:0] write_number,
    output reg [31:0] write_data
);
    localparam [1:0] OKAY = 2'b00;
    localparam [1:0] SLVERR = 2'b10;

    // Address and data of a write are taken together.
    wire take_write = awvalid && wvalid && !bvalid && !write && !hold;
    wire whole = wstrb == 4'b1111;
    wire known_write = awaddr[ADDRESS-1:2] < WRITES[ADDRESS-3:0] && awaddr[1:0] == 2'b00 && whole;
    assign awready = take_write;
    assign wready = take_write;
    always @(posedge clk) begin
        write <= !rst && take_write && known_write;
        write_number <= awaddr[ADDRESS-1:2];
        write_data <= wdata;
        if (rst) bvalid <= 1'b0;
        else if (take_write) begin
            bvalid <= 1'b1;
            bresp <= known_write ? OKAY : SLVERR;
        end else if (bready) bvalid <= 1'b0;
    end

    // A read waits until a write before it has come into effect, up to a memory's two registers.
    reg [1:0] settling;
    always @(posedge clk)
        if (rst) settling <= 2'd0;
        else if (take_write) settling <= 2'd3;
        else if (settling != 2'd0) settling <= settling - 2'd1;

    wire take_read = arvalid && !rvalid && settling == 2'd0;
    wire known_read = araddr[ADDRESS-1:2] < READS[ADDRESS-3:0] && araddr[1:0] == 2'b00;
    localparam NUMBER = READS > 1 ? $clog2(READS) : 1;
    wire [31:0] value = known_read ? values[{araddr[NUMBER+1:2], 5'd0}+:32] : 32'd0;
    assign arready = take_read;
    always @(posedge clk)
        if (rst) rvalid <= 1'b0;
        else if (take_read) begin
            rvalid <= 1'b1;
            rdata <= value;
            rresp <= known_read ? OKAY : SLVERR;
        end else if (rready) rvalid <= 1'b0;
endmodule
