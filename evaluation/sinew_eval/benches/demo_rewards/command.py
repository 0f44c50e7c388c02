"""rewards from a handful of demonstrations: order, cuts and pairs on unseen episodes of two tasks"""

from __future__ import annotations

import argparse
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, get_args

import numpy as np
import torch
from rich.console import Console
from rich.table import Table
from sinew_perception.encoders.frozen_features import FrozenFeatures
from sinew_perception.encoders.goal_encoder import SHIPPED, shipped_config

from sinew_eval.benches.demo_rewards.entrants import Entrant, Look, all_entrants, entrant, label
from sinew_eval.benches.demo_rewards.measuring import Figures, measure
from sinew_eval.benches.demo_rewards.splitting import Sizes, looked_at, split
from sinew_eval.benches.result import add_result_options, write_result
from sinew_eval.options import natural, positive

TASKS = ("pick_place", "push")
LESS_IS_BETTER = ("cut_error_frames", "cut_error_equal_frames", "fit_s")
HEADLINES = ("rank_corr", "cut_error_frames", "pair_accuracy")


def main(argv: Sequence[str]) -> int:
    """Run `sinew bench demo-rewards`: 0 if every claim holds, 1 if one does not."""
    arguments = _parser().parse_args(argv)
    torch.set_num_threads(arguments.threads)
    console = Console(stderr=True, highlight=False)
    sizes = Sizes(arguments.episodes, arguments.demonstrations, arguments.others)
    entrants = _entrants(arguments.learner, arguments.look)
    seeing = any(each.look == "pictures" for each in entrants.values())
    network = FrozenFeatures(shipped_config(arguments.encoder)) if seeing else None
    by_task: dict[str, dict[str, Figures]] = {}
    for task in arguments.task or TASKS:
        looks = looked_at(task, sizes, arguments.seed, network)
        by_task[task] = {}
        for name, each in entrants.items():
            measured = [
                measure(each.learner(), split(looks[each.look], sizes, seed), seed)
                for seed in range(arguments.seeds)
            ]
            by_task[task][name] = medians(measured)
            console.print(f"{task}: {name} done", markup=False)
    figures = summarise(by_task, entrants)
    if not arguments.json:
        _show(console, figures)
    settings = {name: getattr(arguments, name) for name in ("episodes", "demonstrations", "others", "seeds")}
    write_result("demo-rewards", {**figures, **settings, "seed": arguments.seed}, arguments.out, list(argv))
    return int(bool(figures["failed"]))


def _parser() -> argparse.ArgumentParser:
    sizes = Sizes()
    parser = argparse.ArgumentParser(
        prog="sinew bench demo-rewards",
        description=__doc__,
        epilog="Each seed draws another handful of demonstrations; all other episodes are tested on.",
    )
    add = parser.add_argument
    add("--task", action="append", help=f"may be given again ({', '.join(TASKS)})")
    add("--learner", action="append", help="a short name, module:Class, or a YAML file; may be given again")
    add("--look", choices=get_args(Look), action="append", help="what learners look at (both)")
    add("--encoder", type=Path, default=SHIPPED, metavar="FILE", help="a goal encoder (the shipped one)")
    add("--episodes", type=positive, default=sizes.episodes, metavar="N", help="of each task (80)")
    add("--demonstrations", type=positive, default=sizes.demonstrations, metavar="N", help="(5)")
    add("--others", type=natural, default=sizes.others, metavar="N", help="failures for inverse RL (15)")
    add("--seeds", type=positive, default=5, metavar="N", help="of which medians are taken (5)")
    add("--seed", type=natural, default=1000, help="episode i uses seed + i (1000)")
    add("--threads", type=positive, default=1, metavar="N", help="of the processor (1)")
    add_result_options(parser)
    return parser


def _entrants(names: Sequence[str] | None, looks: Sequence[Look] | None) -> dict[str, Entrant]:
    if names is None:
        return {n: each for n, each in all_entrants().items() if looks is None or each.look in looks}
    return {label(name, look): entrant(name, look) for name in names for look in looks or ("keypoints",)}


def medians(measured: Sequence[Figures]) -> Figures:
    """Return the median of each figure over seeds; None where no seed has it."""
    found: Figures = {}
    for name in measured[0]:
        known = [value for figures in measured if (value := figures[name]) is not None]
        found[name] = round(float(np.median(known)), 4) if known else None
    return found


def summarise(
    by_task: Mapping[str, Mapping[str, Figures]], entrants: Mapping[str, Entrant]
) -> dict[str, Any]:
    """Return of each learner its figures in the worse task, then those of each, and which claims fail."""
    learners: dict[str, dict[str, Any]] = {}
    failed = []
    for name, each in entrants.items():
        tasks = {task: dict(figures[name]) for task, figures in by_task.items()}
        worst = {figure: _worst(figure, tasks) for figure in next(iter(tasks.values()))}
        learners[name] = {**worst, "look": each.look, "tasks": tasks}
        for claim in each.claims:
            if not claim.holds(worst[claim.figure]):
                sentence = f"{claim.figure} {worst[claim.figure]}, expected {claim.side} {claim.limit}"
                failed.append(f"{name}: {sentence}")
    return {"learners": learners, "failed": failed}


def _worst(figure: str, tasks: Mapping[str, Figures]) -> float | None:
    known = [value for figures in tasks.values() if (value := figures[figure]) is not None]
    if not known:
        return None
    return max(known) if figure in LESS_IS_BETTER else min(known)


def _show(console: Console, figures: Mapping[str, Any]) -> None:
    table = Table("learner", *HEADLINES, "equal parts", "fit, s", title="in the worse task")
    for name, each in figures["learners"].items():
        shown = [each[figure] for figure in (*HEADLINES, "cut_error_equal_frames", "fit_s")]
        table.add_row(name, *("-" if value is None else f"{value:.3g}" for value in shown))
    console.print(table)
    for sentence in figures["failed"]:
        console.print(f"failed: {sentence}", markup=False)
