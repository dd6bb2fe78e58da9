"""From a program to the sources of an accelerator: kernels as graphs, scheduled, written as Verilog or C++."""
