"""Benchmarks: `python -m bench.NAME` measures, prints a table and records it under docs/benchmarks/."""
