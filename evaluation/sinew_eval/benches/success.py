"""the success rate of a policy over many seeds, in worker processes, with its Wilson interval"""

from __future__ import annotations

import argparse
import multiprocessing
import os
import signal
import statistics
from collections.abc import Iterator, Mapping, Sequence
from concurrent.futures import Future, ProcessPoolExecutor, as_completed
from concurrent.futures.process import BrokenProcessPool
from typing import Any

from rich.console import Console
from rich.progress import Progress
from sinew_core.runtime import EpisodeResult

from sinew_eval.benches.result import add_result_options, write_result
from sinew_eval.names import check_names
from sinew_eval.options import add_run_options, positive, run_config
from sinew_eval.process_graph import ProcessGraph
from sinew_eval.progress import score_text
from sinew_eval.records import RunConfig, StepRecord
from sinew_eval.statistics import wilson_interval

PLAIN_EVERY = 10  # episodes between lines where there is no terminal


def main(argv: Sequence[str]) -> int:
    """Run `sinew bench success`: 0 when all episodes ran, whatever their success, else 1."""
    arguments = _parser().parse_args(argv)
    config = run_config(arguments, video=False)
    check_names(config, "process")
    seeds = range(arguments.seed, arguments.seed + arguments.episodes)
    results = _measure(config, seeds, min(arguments.jobs, len(seeds)))
    write_result("success", summarise(config, arguments.seed, results), arguments.out, list(argv))
    return 1 if any(result.outcome == "error" for result in results) else 0


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="sinew bench success", description=__doc__)
    add_run_options(parser, episodes=100, seed=10_000)
    parser.add_argument(
        "--jobs", type=positive, default=os.cpu_count() or 1, help="worker processes, at most"
    )
    add_result_options(parser)
    return parser


def summarise(config: RunConfig, seed: int, results: Sequence[EpisodeResult]) -> dict[str, Any]:
    """Return the figures of finished episodes."""
    steps = [result.steps for result in results if result.success]
    failures = [
        {"seed": result.seed, "outcome": result.outcome, "message": result.message}
        for result in results
        if not result.success
    ]
    return {
        "hardware": config.hardware,
        "task": config.task,
        "episodes": len(results),
        "successes": len(steps),
        "success_rate": len(steps) / len(results),
        "wilson_95": list(wilson_interval(len(steps), len(results))),
        "seed": seed,
        "steps_median": statistics.median(steps) if steps else None,
        "failures": failures,
    }


def _measure(config: RunConfig, seeds: Sequence[int], jobs: int) -> list[EpisodeResult]:
    """Run every seed and return the results in the order of the seeds."""
    results: dict[int, EpisodeResult] = {}
    console = Console(stderr=True, highlight=False)
    with Progress(console=console, transient=True, disable=not console.is_terminal) as bar:
        task = bar.add_task("starting", total=len(seeds))
        for result in _run_all(config, seeds, jobs):
            results[result.seed] = result
            score = score_text(sum(item.success for item in results.values()), len(results))
            bar.update(task, completed=len(results), description=f"success {score}")
            if not result.success:
                console.print(f"seed {result.seed}: {result.outcome}: {result.message}", markup=False)
            if not console.is_terminal and len(results) % PLAIN_EVERY == 0:
                console.print(f"[{len(results)}/{len(seeds)}] success {score}", markup=False)
    return [results[seed] for seed in seeds]


def _run_all(config: RunConfig, seeds: Sequence[int], jobs: int) -> Iterator[EpisodeResult]:
    """Yield results as they come; a worker that dies costs the seeds that it had, and says so."""
    if jobs > 1:
        os.environ.setdefault("OMP_NUM_THREADS", "1")  # the workers are the parallelism
    context = multiprocessing.get_context("spawn")
    pool = ProcessPoolExecutor(jobs, context, initializer=_begin_worker)
    try:
        futures: Mapping[Future[EpisodeResult], int] = {
            pool.submit(_run_seed, config, seed): seed for seed in seeds
        }
        for future in as_completed(futures):
            try:
                yield future.result()
            except BrokenProcessPool:
                yield EpisodeResult(futures[future], "", "error", 0, "its worker process died")
    except BaseException:
        for process in multiprocessing.active_children():
            process.terminate()
        raise
    finally:
        pool.shutdown(wait=True, cancel_futures=True)


_graphs: dict[RunConfig, ProcessGraph] = {}  # of this worker process; opening one takes seconds


def _begin_worker() -> None:
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # the parent ends its workers


def _run_seed(config: RunConfig, seed: int) -> EpisodeResult:
    if config not in _graphs:
        _graphs[config] = ProcessGraph(config)
    return _graphs[config].run_episode(seed, _ignore)


def _ignore(_: StepRecord) -> None:
    """Keep nothing: only the outcome counts here."""
