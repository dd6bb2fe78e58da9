"""A map over worker processes, in order, that never outlives its parent."""

import multiprocessing
import os
import threading
from collections import deque
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ProcessPoolExecutor
from concurrent.futures.process import BrokenProcessPool
from typing import TypeVar

from ernn.errors import UserError

Item = TypeVar("Item")
Result = TypeVar("Result")


def ordered_map(function: Callable[[Item], Result], items: Sequence[Item], workers: int) -> Iterator[Result]:
    """`function` of every item, in the order of the items; `workers` 0 means one a core.

    Raises:
        UserError: a worker was killed.
    """
    workers = min(workers or len(os.sched_getaffinity(0)), len(items))
    if workers <= 1:
        yield from map(function, items)
        return
    context = multiprocessing.get_context("spawn")  # a fork would inherit locks of the parent's threads
    with ProcessPoolExecutor(workers, context, initializer=follow_parent) as pool:
        ahead = 4 * workers  # results wait for their turn: few, so that memory stays small
        futures = deque(pool.submit(function, item) for item in items[:ahead])
        try:
            for index in range(len(items)):
                result = futures.popleft().result()
                if index + ahead < len(items):
                    futures.append(pool.submit(function, items[index + ahead]))
                yield result
        except BrokenProcessPool:
            raise UserError(
                "a worker process was killed, most likely for memory; set corpus.workers: 1 or free some memory"
            ) from None
        finally:
            pool.shutdown(cancel_futures=True)


def follow_parent() -> None:
    """One BLAS thread, and leave when the parent is gone, however it died."""
    for library in ("OMP", "OPENBLAS", "MKL"):
        os.environ[f"{library}_NUM_THREADS"] = "1"  # numpy is imported with the first task
    threading.Thread(target=_leave_with_parent, daemon=True).start()


def _leave_with_parent() -> None:
    parent = multiprocessing.parent_process()
    if parent is not None:
        parent.join()
        os._exit(1)
