"""Kernels as graphs of operators, and the cycles in which they work."""
