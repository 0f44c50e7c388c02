"""the success rate of a policy over many seeds, in worker processes, with its Wilson interval"""

from __future__ import annotations

import argparse
import os
import statistics
from collections.abc import Sequence
from functools import partial
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
from sinew_eval.workers import run_all

PLAIN_EVERY = 10  # episodes between lines where there is no terminal


def main(argv: Sequence[str]) -> int:
    """Run `sinew bench success`: 0 when all episodes ran, whatever their success, else 1."""
    arguments = _parser().parse_args(argv)
    config = run_config(arguments, video=False)
    check_names(config, "process")
    seeds = range(arguments.seed, arguments.seed + arguments.episodes)
    results = measure(config, seeds, min(arguments.jobs, len(seeds)))
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


def measure(config: RunConfig, seeds: Sequence[int], jobs: int) -> list[EpisodeResult]:
    """Run every seed in worker processes and return the results in the order of the seeds."""
    results: dict[int, EpisodeResult] = {}
    console = Console(stderr=True, highlight=False)
    with Progress(console=console, transient=True, disable=not console.is_terminal) as bar:
        task = bar.add_task("starting", total=len(seeds))
        for result in run_all(partial(_run_seed, config), seeds, jobs, _broken):
            results[result.seed] = result
            score = score_text(sum(item.success for item in results.values()), len(results))
            bar.update(task, completed=len(results), description=f"success {score}")
            if not result.success:
                console.print(f"seed {result.seed}: {result.outcome}: {result.message}", markup=False)
            if not console.is_terminal and len(results) % PLAIN_EVERY == 0:
                console.print(f"[{len(results)}/{len(seeds)}] success {score}", markup=False)
    return [results[seed] for seed in seeds]


_graphs: dict[RunConfig, ProcessGraph] = {}  # of this worker process; opening one takes seconds


def _run_seed(config: RunConfig, seed: int) -> EpisodeResult:
    if config not in _graphs:
        _graphs[config] = ProcessGraph(config)
    return _graphs[config].run_episode(seed, _ignore)


def _broken(seed: int) -> EpisodeResult:
    return EpisodeResult(seed, "", "error", 0, "its worker process died")


def _ignore(_: StepRecord) -> None:
    """Keep nothing: only the outcome counts here."""
