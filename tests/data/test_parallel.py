import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from ernn.data.parallel import ordered_map
from ernn.errors import UserError


@pytest.mark.parametrize("workers", [1, 2])
def test_results_keep_the_order_of_the_items(workers):
    assert list(ordered_map(abs, range(-40, 0), workers)) == list(range(40, 0, -1))


def test_no_items_give_no_results():
    assert list(ordered_map(abs, [], 2)) == []


def test_errors_of_workers_arrive():
    with pytest.raises(ValueError, match="invalid literal"):
        list(ordered_map(int, ["1", "one", "3"], 2))


def test_a_killed_worker_is_one_clear_line():
    with pytest.raises(UserError, match=r"a worker process was killed, most likely for memory; set corpus.workers: 1"):
        list(ordered_map(os._exit, [9, 9], 2))


def test_workers_leave_with_a_parent_that_is_killed():
    code = "import time; from ernn.data.parallel import ordered_map; list(ordered_map(time.sleep, [60, 60], 2))"
    parent = subprocess.Popen([sys.executable, "-c", code])
    children: list[str] = []
    while len(children) < 3:  # two workers and multiprocessing's resource tracker
        time.sleep(0.1)
        children = Path(f"/proc/{parent.pid}/task/{parent.pid}/children").read_text().split()
    time.sleep(2)  # until the workers are at work
    parent.send_signal(signal.SIGKILL)
    parent.wait()
    for _ in range(100):
        if not any(Path(f"/proc/{child}").exists() for child in children):
            return
        time.sleep(0.1)
    pytest.fail("a worker outlived its parent")
