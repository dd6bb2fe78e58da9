// A register of its own for a signal that goes to many places: q is d a cycle later. Equal registers are merged when a
// design is flattened, and one net to all of its places is slow; a module that is kept is not merged with another.
(* keep_hierarchy = "yes" *)
module ernn_copy (
    input wire clk,
    input wire d,
    output reg q
);
    always @(posedge clk) q <= d;
endmodule
