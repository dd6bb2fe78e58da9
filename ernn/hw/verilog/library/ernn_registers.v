// AXI4-Lite: READS registers that can be read, from address 0 on, and writes handed on as `write` with address and data.
// One access at a time; a read of anything else gives zero and an error response, and so does a write beyond WRITES.
// Ready signals are registers. The next access waits until a write has come into effect: SETTLE cycles after `taking`.
// Two writes announce themselves by `guarded`, which keeps new frames out, and are decided three cycles later. That of
// register GUARDED changes what frames use: it takes effect if `permitted`, else it has an error response. A reset ends all
// frames; none that comes after its response is lost.
module ernn_registers #(
    parameter READS = 1,
    parameter WRITES = 1,
    parameter ADDRESS = 12,
    parameter SETTLE = 15,  // at most 15
    parameter GUARDED = 0,
    parameter CONTROL = 0,
    parameter RESET_BIT = 0
) (
    input wire clk,
    input wire rst,
    input wire hold,  // writes wait
    input wire permitted,  // no frame is under way, none has begun in the last two cycles, and what is written exists
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
    output wire guarded,
    output reg write,
    output reg [ADDRESS-3:0] write_number,
    output reg [31:0] write_data
);
    localparam [1:0] OKAY = 2'b00;
    localparam [1:0] SLVERR = 2'b10;

    wire taking;  // the cycle before `write`
    reg [3:0] settling;
    reg settled;
    always @(posedge clk) begin
        if (rst) settling <= 4'd0;
        else if (taking) settling <= SETTLE[3:0];
        else if (settling != 4'd0) settling <= settling - 4'd1;
        settled <= settling == 4'd0 && !taking;
    end

    // Address and data of a write come in any order and wait for each other.
    reg address_there, data_there, known_write, guarded_write, control_write, whole;
    reg [2:0] announced;
    reg [ADDRESS-3:0] write_to;
    reg [31:0] data;
    assign awready = !address_there;
    assign wready = !data_there;
    wire complete = address_there && data_there && settled && !bvalid && !hold;
    assign guarded = complete && (guarded_write || (control_write && data[RESET_BIT]));
    assign taking = complete && (!guarded || announced[2]);
    wire accepted = known_write && whole && (!guarded_write || permitted);
    always @(posedge clk) begin
        if (awvalid && awready) begin
            write_to <= awaddr[ADDRESS-1:2];
            known_write <= awaddr[ADDRESS-1:2] < WRITES[ADDRESS-3:0] && awaddr[1:0] == 2'b00;
            guarded_write <= awaddr[ADDRESS-1:2] == GUARDED[ADDRESS-3:0];
            control_write <= awaddr[ADDRESS-1:2] == CONTROL[ADDRESS-3:0];
        end
        if (wvalid && wready) begin
            data <= wdata;
            whole <= wstrb == 4'b1111;
        end
        address_there <= !rst && (awvalid || address_there) && !taking;
        data_there <= !rst && (wvalid || data_there) && !taking;
        announced <= guarded && !taking ? {announced[1:0], 1'b1} : 3'd0;
        write <= !rst && taking && accepted;
        write_number <= write_to;
        write_data <= data;
        if (rst) bvalid <= 1'b0;
        else if (taking) begin
            bvalid <= 1'b1;
            bresp <= accepted ? OKAY : SLVERR;
        end else if (bready) bvalid <= 1'b0;
    end

    // A read is chosen from in two cycles: one of eight in each group, and a group.
    localparam NUMBER = READS > 1 ? $clog2(READS) : 1;
    localparam GROUPS = (READS + 7) / 8;
    localparam GROUP = GROUPS > 1 ? $clog2(GROUPS) : 1;
    localparam PADDED = NUMBER < 4 ? 4 : NUMBER;
    wire [256*GROUPS-1:0] all = {{256 * GROUPS - 32 * READS{1'b0}}, values};
    reg asked, known_read, narrowed, found;
    reg [PADDED-1:0] number;
    reg [32*GROUPS-1:0] few;
    reg [31:0] value;
    wire [GROUP-1:0] group = number[3+:GROUP];
    wire take_read = asked && !narrowed && !found && !rvalid && settled;
    integer g, n;
    assign arready = !asked;
    always @(posedge clk) begin
        if (arvalid && arready) begin
            number <= araddr[2+:PADDED];
            known_read <= araddr[ADDRESS-1:2] < READS[ADDRESS-3:0] && araddr[1:0] == 2'b00;
        end
        for (g = 0; g < GROUPS; g = g + 1)
            for (n = 0; n < 8; n = n + 1) if (number[2:0] == n[2:0]) few[32*g+:32] <= all[32*(8*g+n)+:32];
        value <= 32'd0;
        for (g = 0; g < GROUPS; g = g + 1) if (group == g[GROUP-1:0]) value <= few[32*g+:32];
        narrowed <= !rst && take_read;
        found <= !rst && narrowed;
        asked <= !rst && (arvalid || asked) && !found;
        if (rst) rvalid <= 1'b0;
        else if (found) begin
            rvalid <= 1'b1;
            rdata <= known_read ? value : 32'd0;
            rresp <= known_read ? OKAY : SLVERR;
        end else if (rready) rvalid <= 1'b0;
    end
endmodule
