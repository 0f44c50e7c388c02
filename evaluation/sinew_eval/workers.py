"""Work spread over processes: results as they come, and a worker that dies costs only what it had."""

from __future__ import annotations

import multiprocessing
import os
import signal
from collections.abc import Callable, Iterator, Mapping, Sequence
from concurrent.futures import Future, ProcessPoolExecutor, as_completed
from concurrent.futures.process import BrokenProcessPool
from typing import TypeVar

Item = TypeVar("Item")
Result = TypeVar("Result")


def run_all(
    work: Callable[[Item], Result],
    items: Sequence[Item],
    jobs: int,
    broken: Callable[[Item], Result],
) -> Iterator[Result]:
    """Yield `work(item)` of every item, in the order in which they are done.

    `work` is a module's function, called in `jobs` processes that are started anew; `broken(item)` stands
    in for the results of a process that died. Ctrl-C ends the workers.
    """
    if jobs > 1:
        os.environ.setdefault("OMP_NUM_THREADS", "1")  # the workers are the parallelism
    context = multiprocessing.get_context("spawn")
    pool = ProcessPoolExecutor(jobs, context, initializer=_begin_worker)
    try:
        futures: Mapping[Future[Result], Item] = {pool.submit(work, item): item for item in items}
        for future in as_completed(futures):
            try:
                yield future.result()
            except BrokenProcessPool:
                yield broken(futures[future])
    except BaseException:
        for process in multiprocessing.active_children():
            process.terminate()
        raise
    finally:
        pool.shutdown(wait=True, cancel_futures=True)


def _begin_worker() -> None:
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # the parent ends its workers
