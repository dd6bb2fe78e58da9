// Factors of a vector, block by block, in BANKS memories: block n stands in bank n % BANKS. WRITES blocks with
// consecutive numbers come in at a time, BANKS of them go out two cycles after their address. TOTAL blocks make a
// vector; what comes in behind them is dropped.
module ernn_operands #(
    parameter BANKS = 1,
    parameter WRITES = 1,  // at most BANKS
    parameter TOTAL = 1,
    parameter WIDTH = 8,  // of the factors of a block
    parameter STEP_ADDRESS = 1,  // of a block in a bank
    parameter PAGES = 2,
    parameter PAGE_ADDRESS = 1
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

    reg [15:0] base;  // number of the first block that comes in next
    reg [15:0] offset;  // base % BANKS
    reg [STEP_ADDRESS-1:0] row;  // base / BANKS
    wire [15:0] left = TOTAL[15:0] - base;
    wire fills = left <= WRITES[15:0];
    assign last = write && fills;
    wire [15:0] moved = offset + WRITES[15:0];
    wire wraps = moved >= BANKS[15:0];
    always @(posedge clk) begin
        written <= write ? (fills ? left : WRITES[15:0]) : 16'd0;
        ends <= last;
        if (rst || last) begin
            base <= 16'd0;
            offset <= 16'd0;
            row <= {STEP_ADDRESS{1'b0}};
        end else if (write) begin
            base <= base + WRITES[15:0];
            offset <= wraps ? moved - BANKS[15:0] : moved;
            row <= row + {{STEP_ADDRESS - 1{1'b0}}, wraps};
        end
    end

    genvar b;
    generate
        for (b = 0; b < BANKS; b = b + 1) begin : bank
            localparam [15:0] B = b;
            wire next_row = B < offset;  // this bank's block is in the next row
            wire [15:0] port = next_row ? B + BANKS[15:0] - offset : B - offset;
            wire mine = port < WRITES[15:0] && port < left;
            wire [STEP_ADDRESS-1:0] step = row + {{STEP_ADDRESS - 1{1'b0}}, next_row};
            reg [WIDTH-1:0] chosen;
            integer w;
            always @(*) begin
                chosen = d[0+:WIDTH];
                for (w = 1; w < WRITES; w = w + 1) if (port == w[15:0]) chosen = d[w*WIDTH+:WIDTH];
            end
            ernn_ram #(
                .WIDTH(WIDTH),
                .DEPTH(DEPTH),
                .ADDRESS(ADDRESS)
            ) memory (
                .clk(clk),
                .write(write && mine),
                .write_address({write_page, step}),
                .d(chosen),
                .read_address({read_page, read_step}),
                .q(q[b*WIDTH+:WIDTH])
            );
        end
    endgenerate
endmodule
