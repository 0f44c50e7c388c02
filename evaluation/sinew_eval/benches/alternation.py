"""tasks and their ways back in turn: success of either way, and how often a person would be needed"""

from __future__ import annotations

import argparse
import os
from collections.abc import Sequence
from dataclasses import dataclass
from functools import partial
from typing import Any

from rich.console import Console
from rich.progress import Progress
from sinew_core.runtime import EpisodeResult

from sinew_eval.alternation import Alternation, Way
from sinew_eval.benches.result import add_result_options, write_result
from sinew_eval.names import check_names
from sinew_eval.options import natural, positive
from sinew_eval.process_graph import ProcessGraph
from sinew_eval.records import RunConfig, StepRecord
from sinew_eval.statistics import wilson_interval
from sinew_eval.workers import run_all

TASKS = ("pick_place", "push", "stack", "reach")


@dataclass(frozen=True, slots=True)
class Chain:
    """Episodes that begin with one scene, each in what the last one left."""

    task: str
    seed: int
    episodes: int


@dataclass(frozen=True, slots=True)
class Played:
    """How the episodes of a chain ended."""

    chain: Chain
    results: Sequence[tuple[Way, EpisodeResult]] = ()
    resets: int = 0
    longest: int = 0


def main(argv: Sequence[str]) -> int:
    """Run `sinew bench alternation`: 0 when all episodes ran, whatever their success, else 1."""
    arguments = _parser().parse_args(argv)
    for task in arguments.tasks:
        check_names(_config(arguments, task), "process")
    chains = [
        Chain(task, arguments.seed + scene, 2)
        for task in arguments.tasks
        for scene in range(arguments.scenes)
    ]
    if arguments.long:
        first = arguments.seed + arguments.scenes  # one that is not among the others
        chains = [Chain(task, first, arguments.long) for task in arguments.tasks] + chains
    played = _play(arguments, chains)
    payload = {
        "tasks": list(arguments.tasks),
        "scenes": arguments.scenes,
        "retries": arguments.retries,
        "by_task": {task: _figures([p for p in played if p.chain.task == task]) for task in arguments.tasks},
        "seed": arguments.seed,
        "hardware": arguments.hardware,
    }
    write_result("alternation", payload, arguments.out, list(argv))
    errors = any(result.outcome == "error" for p in played for _, result in p.results)
    return 1 if errors or len(played) < len(chains) else 0


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="sinew bench alternation",
        description="In every scene the task and its way back are run once each, and of each task one long "
        "chain in turn, without a reset for as long as nothing fails more often than --retries.",
    )
    parser.add_argument("--hardware", default="sim_mujoco")
    parser.add_argument("--affordance", default="rule_grounding")
    parser.add_argument("--tasks", nargs="+", default=list(TASKS), metavar="TASK")
    parser.add_argument("--scenes", type=positive, default=50, metavar="N")
    parser.add_argument("--long", type=natural, default=40, metavar="N", help="episodes of a long chain (40)")
    parser.add_argument("--retries", type=natural, default=2)
    parser.add_argument("--seed", type=natural, default=30_000)
    parser.add_argument("--jobs", type=positive, default=os.cpu_count() or 1)
    add_result_options(parser)
    return parser


def _config(arguments: argparse.Namespace, task: str) -> RunConfig:
    names = (arguments.hardware, task, "affordance_follower", "affordance_path", arguments.affordance)
    return RunConfig(*names, video_camera="")


def _play(arguments: argparse.Namespace, chains: Sequence[Chain]) -> list[Played]:
    console = Console(stderr=True, highlight=False)
    played: list[Played] = []
    work = partial(play, {task: _config(arguments, task) for task in arguments.tasks}, arguments.retries)
    with Progress(console=console, transient=True, disable=not console.is_terminal) as bar:
        row = bar.add_task("chains", total=len(chains))
        for done in run_all(work, chains, min(arguments.jobs, len(chains)), Played):
            played.append(done)
            bar.advance(row)
            for way, result in done.results:
                if not result.success:
                    said = f"{result.instruction}: {result.outcome}: {result.message}"
                    console.print(f"{done.chain.task} {result.seed} {way}: {said}", markup=False)
    return [p for p in played if p.results]


_graphs: dict[RunConfig, ProcessGraph] = {}  # of this worker process; opening one takes seconds


def play(configs: dict[str, RunConfig], retries: int, chain: Chain) -> Played:
    """Run the episodes of a chain; one of two episodes ends with its first failure."""
    config = configs[chain.task]
    if config not in _graphs:
        _graphs[config] = ProcessGraph(config)
    short = chain.episodes == 2
    alternation = Alternation(chain.seed, retries)
    results: list[tuple[Way, EpisodeResult]] = []
    for _ in range(chain.episodes):
        turn = alternation.turn
        result = _graphs[config].run_episode(turn.seed, _ignore, turn.again)
        results.append((turn.way, result))
        alternation.tell(result)
        if short and not result.success:
            break
    return Played(chain, results, alternation.resets, alternation.longest)


def _ignore(_: StepRecord) -> None:
    """Keep nothing: only the outcome counts here."""


def _figures(played: Sequence[Played]) -> dict[str, Any]:
    """Return either way's success over the scenes, and what became of the long chain."""
    figures: dict[str, Any] = {}
    for way in ("forward", "backward"):
        done = [r.success for p in played if p.chain.episodes == 2 for w, r in p.results if w == way]
        figures[way] = {
            "episodes": len(done),
            "success_rate": sum(done) / len(done) if done else None,
            "wilson_95": list(wilson_interval(sum(done), len(done))),
        }
    for p in played:
        if p.chain.episodes > 2:
            successes = sum(result.success for _, result in p.results)
            figures["long"] = {
                "episodes": len(p.results),
                "successes": successes,
                "person_resets": p.resets,
                "longest_without_reset": p.longest,
            }
    return figures
