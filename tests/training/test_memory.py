"""Freed memory stays."""

import platform
import subprocess
import sys

import pytest

# A process of its own: glibc's other arenas, those of further threads, cannot hold blocks of this size.
_PROGRAM = """
import resource
import torch
from ernn.training.memory import keep_freed_memory

if {keep}:
    keep_freed_memory()
for _ in range(3):
    before = resource.getrusage(resource.RUSAGE_SELF).ru_minflt
    torch.ones(20_000_000)  # 80 MB, 19,531 pages
    faults = resource.getrusage(resource.RUSAGE_SELF).ru_minflt - before
print(faults)
"""


@pytest.mark.skipif(platform.libc_ver()[0] != "glibc", reason="only glibc has these thresholds")
def test_using_a_large_block_again_costs_page_faults_only_without_it():
    with_it, without = (
        int(subprocess.run([sys.executable, "-c", _PROGRAM.format(keep=keep)], capture_output=True, check=True).stdout)
        for keep in (True, False)
    )
    assert with_it < 1000
    assert with_it < without / 10 or without < 1000  # huge pages make either cheap
