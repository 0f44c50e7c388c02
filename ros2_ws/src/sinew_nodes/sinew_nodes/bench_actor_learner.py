"""what a kill of actor or learner costs: transitions lost, and the time until it works again

A graph with a synthetic station runs episode after episode. At random moments the actor or the learner is
killed with SIGKILL and started again. In the end every transition that the actor's spool ever gave a number
is looked for, by its content, in the files of the learner.
"""

from __future__ import annotations

import argparse
import os
import statistics
import tempfile
import time
from collections.abc import Sequence
from pathlib import Path

import numpy as np
from rich.console import Console
from sinew_eval.benches.result import add_result_options, write_result

from sinew_nodes.domain import free_domain
from sinew_nodes.learning_rig import LearningRig

AT_WORK = (0.5, 2.5)  # s between the moment when a part works again and the next kill


def main(argv: Sequence[str]) -> int:
    """Run the bench; 1 if a transition was lost."""
    options = _parser().parse_args(argv)
    console = Console(stderr=True, highlight=False, quiet=options.json)
    os.environ.setdefault("ROS_DOMAIN_ID", str(free_domain()))
    with tempfile.TemporaryDirectory(prefix="sinew-bench-") as name:
        rig = LearningRig(Path(name), options.pace)
        try:
            rig.open()
            times = _kill(rig, options.kills, np.random.default_rng(options.seed), console)
            rig.rest()
            rig.until(rig.delivered)
        finally:
            rig.close()
        figures = {"kills": options.kills, **losses(rig), **resumes(times)}
    for key, value in figures.items():
        console.print(f"  {key:<24} {value}")
    write_result("actor-learner", {**figures, "pace": options.pace}, options.out)
    return 1 if figures["lost_transitions"] else 0


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="sinew bench actor-learner",
        description=__doc__,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument("--kills", type=int, default=20, help="in all (20)")
    parser.add_argument("--seed", type=int, default=0, help="of the moments and of who is killed (0)")
    parser.add_argument("--pace", choices=("realtime", "lockstep"), default="realtime")
    add_result_options(parser)
    return parser


def _kill(
    rig: LearningRig, kills: int, rng: np.random.Generator, console: Console
) -> list[tuple[str, float]]:
    times = []
    for number in range(kills):
        time.sleep(rng.uniform(*AT_WORK))
        name = ("actor", "learner")[int(rng.integers(2))]
        took = rig.kill(name)
        times.append((name, took))
        console.print(f"  {number + 1}: the {name} works again after {took:.2f} s")
    return times


def losses(rig: LearningRig) -> dict[str, int]:
    """Return how many transitions there were, and how many of them the learner does not have."""
    learnt = rig.learnt()
    there = set(learnt)
    missing = [number for number, content in rig.sent.items() if content not in there]
    return {
        "lost_transitions": max(len(missing), rig.produced() - len(there)),
        "acknowledged_lost": sum(number <= rig.acknowledged for number in missing),
        "taken_twice": len(learnt) - len(there),
        "transitions": rig.produced(),
    }


def resumes(times: Sequence[tuple[str, float]]) -> dict[str, float]:
    """Return how long it took until a killed part worked again."""
    figures = {"resume_s_max": round(max(took for _, took in times), 2)}
    for name in ("actor", "learner"):
        own = [took for which, took in times if which == name]
        if own:
            figures[f"{name}_resume_s_median"] = round(statistics.median(own), 2)
            figures[f"{name}_resume_s_max"] = round(max(own), 2)
    return figures
