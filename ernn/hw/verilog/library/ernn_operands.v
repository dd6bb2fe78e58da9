// Factors of a vector, block by block, in BANKS memories: block n stands in bank n % BANKS. WRITES blocks with
// consecutive numbers come in at a time, BANKS of them go out: the first two two cycles after their address, each other
// bank a cycle after the one before. TOTAL blocks make a vector; what comes in behind them is dropped.
module ernn_operands #(
    parameter BANKS = 1,
    parameter WRITES = 1,  // at most BANKS
    parameter TOTAL = 1,
    parameter WIDTH = 8,  // of the factors of a block
    parameter STEP_ADDRESS = 1,  // of a block in a bank
    parameter PAGES = 2,
    parameter PAGE_ADDRESS = 1,
    parameter KIND = "auto"  // of the memories, as ernn_ram has it
) (
    input wire clk,
    input wire rst,
    input wire write,
    input wire [PAGE_ADDRESS-1:0] write_page,
    input wire [WRITES*WIDTH-1:0] d,
    output reg [15:0] written,  // blocks, in the cycle after
    output wire last,  // the blocks that come in end a vector
    output reg ends,  // the same, in the cycle after
    input wire [PAGE_ADDRESS-1:0] read_page,
    input wire [STEP_ADDRESS-1:0] read_step,
    output wire [BANKS*WIDTH-1:0] q
);
    localparam DEPTH = PAGES << STEP_ADDRESS;
    localparam ADDRESS = PAGE_ADDRESS + STEP_ADDRESS;
    localparam BITS = $clog2(TOTAL + 2 * WRITES + 1);
    localparam BANK_BITS = $clog2(BANKS + WRITES + 1);
    localparam [BITS-1:0] ALL = TOTAL;
    localparam [BITS-1:0] STRIDE = WRITES;
    localparam [BITS-1:0] STRIDES = 2 * WRITES;
    localparam [BANK_BITS-1:0] BANK_STRIDE = WRITES;
    localparam [BANK_BITS-1:0] BANK_ALL = BANKS;

    reg [BITS-1:0] left;  // blocks of the vector that come in yet
    reg fills;  // the next ones are its last
    reg [BANK_BITS-1:0] offset;  // number of the next block % BANKS
    reg [STEP_ADDRESS-1:0] row;  // number of the next block / BANKS
    assign last = write && fills;
    wire [BANK_BITS-1:0] moved = offset + BANK_STRIDE;
    wire wraps = moved >= BANK_ALL;
    always @(posedge clk) begin
        written <= 16'd0;
        if (write) written[BITS-1:0] <= fills ? left : STRIDE;
        ends <= last;
        if (rst || last) begin
            left <= ALL;
            fills <= ALL <= STRIDE;
            offset <= {BANK_BITS{1'b0}};
            row <= {STEP_ADDRESS{1'b0}};
        end else if (write) begin
            left <= left - STRIDE;
            fills <= left <= STRIDES;
            offset <= wraps ? moved - BANK_ALL : moved;
            row <= row + {{STEP_ADDRESS - 1{1'b0}}, wraps};
        end
    end

    // A register before the banks.
    reg [WRITES*WIDTH-1:0] taken;
    reg [PAGE_ADDRESS-1:0] page;
    always @(posedge clk) begin
        taken <= d;
        page <= write_page;
    end
    genvar b;
    generate
        for (b = 0; b < BANKS; b = b + 1) begin : bank
            localparam [BANK_BITS-1:0] B = b;
            wire next_row = B < offset;  // this bank's block is in the next row
            wire [BANK_BITS-1:0] port_now = next_row ? B + BANK_ALL - offset : B - offset;
            reg mine;
            reg [BANK_BITS-1:0] port;
            reg [STEP_ADDRESS-1:0] step;
            always @(posedge clk) begin
                mine <= write && port_now < BANK_STRIDE && (!fills || {{BITS{1'b0}}, port_now} < {{BANK_BITS{1'b0}}, left});
                port <= port_now;
                step <= row + {{STEP_ADDRESS - 1{1'b0}}, next_row};
            end
            reg [WIDTH-1:0] chosen;
            integer w;
            always @(*) begin
                chosen = taken[0+:WIDTH];
                for (w = 1; w < WRITES; w = w + 1) if (port == w[BANK_BITS-1:0]) chosen = taken[w*WIDTH+:WIDTH];
            end
            wire [ADDRESS-1:0] read_address;
            ernn_delay #(
                .WIDTH(ADDRESS),
                .CYCLES(b > 1 ? b - 1 : 0)
            ) skewed (
                .clk(clk),
                .d({read_page, read_step}),
                .q(read_address)
            );
            ernn_ram #(
                .WIDTH(WIDTH),
                .DEPTH(DEPTH),
                .ADDRESS(ADDRESS),
                .KIND(KIND)
            ) memory (
                .clk(clk),
                .write(mine),
                .write_address({page, step}),
                .d(chosen),
                .read_address(read_address),
                .q(q[b*WIDTH+:WIDTH])
            );
        end
    endgenerate
endmodule
