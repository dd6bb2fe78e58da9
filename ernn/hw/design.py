"""What an accelerator is, for those who read its folder: types and names alone."""

TEST_BENCH = "ernn_tb"  # module of the Verilog test bench, and name of its file
