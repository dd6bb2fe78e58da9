"""The stages: one file reads files, calls the library and writes files."""

import os

# Threads of a training that spin at their barriers can make it ten times slower when another program runs (OpenMP reads
# this once, when torch is loaded).
os.environ.setdefault("OMP_WAIT_POLICY", "PASSIVE")
