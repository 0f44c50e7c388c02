"""that the same seeds give the same commands in one process and through the ROS graph"""

from __future__ import annotations

import argparse
from collections.abc import Sequence

import numpy as np
from rich.console import Console
from sinew_eval.benches.result import add_result_options, write_result
from sinew_eval.process_graph import ProcessGraph
from sinew_eval.records import Graph, RunConfig, StepRecord

from sinew_nodes.ros_graph import RosGraph


def main(argv: Sequence[str]) -> int:
    """Run the bench; 0 if not one step differs."""
    parser = argparse.ArgumentParser(prog="sinew bench parity", description=__doc__)
    parser.add_argument("--hardware", default="sim_mujoco")
    parser.add_argument("--task", default="pick_place")
    parser.add_argument("--policy", default="affordance_follower")
    parser.add_argument("--reward", default="affordance_path")
    parser.add_argument("--affordance", default="rule_grounding")
    parser.add_argument("--episodes", type=int, default=20)
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--max-steps", type=int, default=0)
    add_result_options(parser)
    options = parser.parse_args(argv)
    config = RunConfig(
        options.hardware,
        options.task,
        options.policy,
        options.reward,
        options.affordance,
        max_steps=options.max_steps,
        video_camera="",
    )
    seeds = range(options.seed, options.seed + options.episodes)
    console = Console(stderr=True, highlight=False, quiet=options.json)
    process = run_all(ProcessGraph(config), seeds, console, "process")
    ros = run_all(RosGraph(config), seeds, console, "ros")
    mismatches = [count_mismatches(a, b) for a, b in zip(process, ros, strict=True)]
    for seed, count in zip(seeds, mismatches, strict=True):
        if count:
            console.print(f"seed {seed}: {count} steps differ")
    steps = sum(len(episode) for episode in process)
    figures = {"episodes": len(mismatches), "steps": steps, "mismatches": sum(mismatches)}
    write_result("parity", figures, options.out)
    return 1 if figures["mismatches"] else 0


def run_all(graph: Graph, seeds: Sequence[int], console: Console, name: str) -> list[list[StepRecord]]:
    """Return the steps of each episode, and close the graph."""
    try:
        episodes = []
        for seed in seeds:
            steps: list[StepRecord] = []
            result = graph.run_episode(seed, steps.append)
            console.print(
                f"{name:8} seed {seed}: {result.outcome} after {result.steps} steps {result.message}"
            )
            episodes.append(steps)
        return episodes
    finally:
        graph.close()


def count_mismatches(a: Sequence[StepRecord], b: Sequence[StepRecord]) -> int:
    """Count the steps whose commands, reasons or rewards are not the same to the last bit."""
    differ = sum(not _same(x, y) for x, y in zip(a, b, strict=False))
    return differ + abs(len(a) - len(b))


def _same(a: StepRecord, b: StepRecord) -> bool:
    return (
        np.array_equal(a.position, b.position)
        and (a.source, a.reasons) == (b.source, b.reasons)
        and a.reward == b.reward
        and dict(a.terms) == dict(b.terms)
    )
