// Control of a network: what a host reads and writes by AXI4-Lite, resets, and weights and states that are loaded.
// Weights and states are written between frames alone, and only where there are any: other such writes are refused.
// New frames wait from the announcement of a write (`guarded`) until its effects are over (`settled`), and from that of a
// reset. No other write holds frames back.
module ernn_control #(
    parameter READS = 1,  // registers
    parameter WRITES = 4,
    parameter ADDRESS = 8,
    parameter WRITE_CYCLES = 15,  // from a write to the last of its effects, but for states
    parameter CONTROL = 0,  // numbers of the registers that are written
    parameter LOAD_PLACE = 1,
    parameter LOAD_PART = 2,
    parameter STATE_STEP = 3,
    parameter RESET_BIT = 0,  // of CONTROL
    parameter CLEAR_BIT = 1,
    parameter FLUSH = 1,  // cycles in which all pipelines run empty
    parameter SETTLE = 1,  // cycles that frames wait behind a write of weights or states
    parameter PARTS = 1  // of the widest word that is loaded
) (
    input wire clk,
    input wire aresetn,
    input wire [ADDRESS-1:0] awaddr,
    input wire awvalid,
    output wire awready,
    input wire [31:0] wdata,
    input wire [3:0] wstrb,
    input wire wvalid,
    output wire wready,
    output wire [1:0] bresp,
    output wire bvalid,
    input wire bready,
    input wire [ADDRESS-1:0] araddr,
    input wire arvalid,
    output wire arready,
    output wire [31:0] rdata,
    output wire [1:0] rresp,
    output wire rvalid,
    input wire rready,
    input wire [32*READS-1:0] values,  // of the registers
    input wire [15:0] load_parts,  // of a word of the memory that is loaded
    input wire load_known,  // the memory or the state exists and has one more word
    output wire load,
    output wire [15:0] load_layer,
    output wire [15:0] load_memory,
    output wire [31:0] load_address,
    output wire [32*PARTS-1:0] load_data,
    output reg rst,
    output reg clear,  // the counters
    input wire idle,  // see ernn_registers.v
    output wire guarded,
    output reg settled,
    output reg [15:0] state_step  // of the state that is shown
);
    localparam [ADDRESS-3:0] CONTROL_NUMBER = CONTROL;
    localparam [ADDRESS-3:0] PLACE_NUMBER = LOAD_PLACE;
    localparam [ADDRESS-3:0] PART_NUMBER = LOAD_PART;
    localparam [ADDRESS-3:0] STEP_NUMBER = STATE_STEP;
    localparam [15:0] FLUSH_CYCLES = FLUSH;
    localparam [15:0] SETTLE_CYCLES = SETTLE;

    wire write;
    wire [ADDRESS-3:0] write_number;
    wire [31:0] write_data;
    reg resets, clears, places, loads;
    reg [31:0] load_value;
    wire loading = write && write_number == PART_NUMBER;
    wire ending = write && write_number == CONTROL_NUMBER && write_data[RESET_BIT];
    always @(posedge clk) begin
        resets <= aresetn && ending;
        clears <= aresetn && write && write_number == CONTROL_NUMBER && write_data[CLEAR_BIT];
        places <= aresetn && write && write_number == PLACE_NUMBER;
        loads <= aresetn && loading;
        load_value <= write_data;
    end

    // A reset lasts until all pipelines are empty; registers wait for it.
    reg [15:0] resetting;
    wire reset_begins = !aresetn || resets;
    initial rst = 1'b1;
    always @(posedge clk) begin
        resetting <= reset_begins ? FLUSH_CYCLES : resetting != 16'd0 ? resetting - 16'd1 : 16'd0;
        rst <= reset_begins || resetting != 16'd0;
        clear <= reset_begins || resetting != 16'd0 || clears;
    end
    ernn_registers #(
        .READS(READS),
        .WRITES(WRITES),
        .ADDRESS(ADDRESS),
        .SETTLE(WRITE_CYCLES),
        .GUARDED(LOAD_PART),
        .CONTROL(CONTROL),
        .RESET_BIT(RESET_BIT)
    ) registers (
        .clk(clk),
        .rst(!aresetn),
        .hold(rst),
        .permitted(idle && load_known),
        .awaddr(awaddr),
        .awvalid(awvalid),
        .awready(awready),
        .wdata(wdata),
        .wstrb(wstrb),
        .wvalid(wvalid),
        .wready(wready),
        .bresp(bresp),
        .bvalid(bvalid),
        .bready(bready),
        .araddr(araddr),
        .arvalid(arvalid),
        .arready(arready),
        .rdata(rdata),
        .rresp(rresp),
        .rvalid(rvalid),
        .rready(rready),
        .values(values),
        .guarded(guarded),
        .write(write),
        .write_number(write_number),
        .write_data(write_data)
    );

    // Frames wait while weights or states that were written are on their way.
    reg [15:0] settling;
    always @(posedge clk) begin
        if (rst) state_step <= 16'd0;
        else if (write && write_number == STEP_NUMBER) state_step <= write_data[15:0];
        if (rst) settling <= 16'd0;
        else if (loading) settling <= SETTLE_CYCLES;
        else if (settling != 16'd0) settling <= settling - 16'd1;
        settled <= settling == 16'd0 && !guarded && !loading && !ending && !resets;
    end
    ernn_loader #(
        .PARTS(PARTS)
    ) loader (
        .clk(clk),
        .rst(!aresetn),
        .place(places),
        .part(loads),
        .value(load_value),
        .parts(load_parts),
        .load(load),
        .layer(load_layer),
        .memory(load_memory),
        .address(load_address),
        .data(load_data)
    );
endmodule
