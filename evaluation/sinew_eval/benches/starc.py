"""is a distance between rewards 0 for copies that mean the same, and does regret rise with it?"""

from __future__ import annotations

import argparse
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, get_args

import numpy as np
import numpy.typing as npt
from rich.console import Console
from rich.progress import Progress
from rich.table import Table
from sinew_core.types import FloatArray
from sinew_rewards.comparing.sampled import trajectory_distance
from sinew_rewards.comparing.starc import Canonical, distance
from sinew_rewards.comparing.tabular import Tabular, random_task, redistributed, regret, shaped
from sinew_rewards.report.ranks import rank_correlation

from sinew_eval.benches.result import add_result_options, write_result
from sinew_eval.options import natural, positive

MOST = 1e-3  # distance of a copy
LEAST = 0.8  # rank correlation of distance and regret
BINS = 5  # of as many tasks each, by distance
LARGEST = 10.0  # standard deviations of rewards that a copy's potential has
EPISODES, STEPS = 40, 50  # of the uniform policy, where distances are computed from episodes
Walk = tuple[npt.NDArray[np.int64], npt.NDArray[np.int64]]  # states (T + 1,), actions (T,)


@dataclass(frozen=True, slots=True)
class Trial:
    """One task with a true reward, copies of it, and a proxy."""

    copies: dict[str, float]  # the distance of each copy
    distance: float  # of the proxy
    sampled: float  # the same from episodes alone
    plain: float  # the same without taking anything out: what a distance of numbers would say
    regret: float  # share of the range of returns that is lost by optimising the proxy


def main(argv: Sequence[str]) -> int:
    """Run `sinew bench starc`: 0 if all copies are at 0 and regret rises with the distance."""
    arguments = _parser().parse_args(argv)
    console = Console(stderr=True, highlight=False)
    batches: list[list[Trial]] = []
    with Progress(console=console, transient=True, disable=not console.is_terminal) as bar:
        steps = bar.add_task("tasks", total=arguments.seeds * arguments.tasks)
        for seed in range(arguments.seed, arguments.seed + arguments.seeds):
            rng = np.random.default_rng(seed)
            batch = []
            for _ in range(arguments.tasks):
                batch.append(trial(random_task(rng, arguments.states, arguments.actions), rng))
                bar.advance(steps)
            batches.append(batch)
    figures = summarise(batches)
    if not arguments.json:
        console.print(_table(figures))
    sizes = {name: getattr(arguments, name) for name in ("tasks", "states", "actions", "seeds", "seed")}
    write_result("starc", {**figures, **sizes}, arguments.out, list(argv))
    return 0 if passes(figures) else 1


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="sinew bench starc", description=__doc__)
    parser.add_argument("--tasks", type=_bins, default=100, metavar="N", help="random ones a seed (100)")
    parser.add_argument("--states", type=_several, default=32, metavar="N", help="of each (32)")
    parser.add_argument("--actions", type=_several, default=4, metavar="N", help="in each state (4)")
    parser.add_argument("--seeds", type=positive, default=5, metavar="N", help="medians are over these (5)")
    parser.add_argument("--seed", type=natural, default=10_000, help="the first of them (10000)")
    add_result_options(parser)
    return parser


def _bins(text: str) -> int:
    """Read a number of tasks that fills every bin."""
    if (tasks := positive(text)) < BINS:
        raise argparse.ArgumentTypeError(f"expected at least {BINS}, got '{text}'")
    return tasks


def _several(text: str) -> int:
    """Read a number of states or actions among which there is something to choose."""
    if (number := positive(text)) < 2:
        raise argparse.ArgumentTypeError(f"expected at least 2, got '{text}'")
    return number


def trial(task: Tabular, rng: np.random.Generator) -> Trial:
    """Draw a true reward, copies of it and a proxy, and measure them.

    The proxy points anywhere from along the true reward to against it, and is shaped and rescaled.
    """
    shape = task.transitions.shape
    true, other, noise = rng.standard_normal((3, *shape))
    potential = rng.normal(0.0, rng.uniform(0.0, LARGEST), shape[:1])
    scale = rng.uniform(0.1, 10.0)
    copies = {
        "rescaled": scale * true,
        "shaped": shaped(task, true, potential),
        "redistributed": redistributed(task, true, noise),
        "all of these": scale * redistributed(task, shaped(task, true, potential), noise),
    }
    distances = {
        f"{name}, {how}": distance(task, true, copy, how)
        for name, copy in copies.items()
        for how in get_args(Canonical)
    }
    walks = _walks(task, rng)
    # Next states are drawn, so a redistributed reward is another one on any finite number of them.
    distances["shaped and rescaled, from episodes"] = _from_walks(task, true, scale * copies["shaped"], walks)
    angle = rng.uniform(0.0, np.pi)
    proxy = scale * shaped(task, np.cos(angle) * true + np.sin(angle) * other, potential)
    return Trial(
        distances,
        distance(task, true, proxy),
        _from_walks(task, true, proxy, walks),
        _plain(task.expected(true), task.expected(proxy)),
        regret(task, task.expected(true), task.expected(proxy)),
    )


def _plain(true: FloatArray, proxy: FloatArray) -> float:
    """Return half the distance of two rewards scaled to norm 1, and nothing else."""
    return float(np.linalg.norm(true / np.linalg.norm(true) - proxy / np.linalg.norm(proxy)) / 2)


def _walks(task: Tabular, rng: np.random.Generator) -> list[Walk]:
    """Return episodes of the uniform policy."""
    states, actions, _ = task.transitions.shape
    up_to = task.transitions.cumsum(-1)
    visited = np.empty((EPISODES, STEPS + 1), np.int64)
    visited[:, 0] = rng.choice(states, EPISODES, p=task.starts)
    acted = rng.integers(actions, size=(EPISODES, STEPS))
    for step in range(STEPS):
        below = rng.uniform(size=(EPISODES, 1)) > up_to[visited[:, step], acted[:, step]]
        visited[:, step + 1] = np.minimum(below.sum(1), states - 1)
    return list(zip(visited, acted, strict=True))


def _from_walks(task: Tabular, first: FloatArray, second: FloatArray, walks: Sequence[Walk]) -> float:
    """Return the distance of two rewards (S, A, S) from what they paid along the walks."""
    one_hot = np.eye(len(task.starts))
    paid = [[np.append(0.0, each[v[:-1], a, v[1:]]) for v, a in walks] for each in (first, second)]
    return trajectory_distance(paid[0], paid[1], [one_hot[visited] for visited, _ in walks], task.discount)


def summarise(batches: Sequence[Sequence[Trial]]) -> dict[str, Any]:
    """Return the figures of the trials of each seed: the worst copy of all, medians of the rest."""
    kinds = {name: max(each.copies[name] for batch in batches for each in batch) for name in _names(batches)}
    binned = np.median([_binned(batch) for batch in batches], axis=0)
    return {
        "shaped_copy_max": max(kinds.values()),
        "monotone_with_regret": _median_correlation(batches, "distance"),
        "bins_rise": bool((np.diff(binned) > 0).all()),
        "binned_regret": [round(float(mean), 4) for mean in binned],
        "sampled_with_regret": _median_correlation(batches, "sampled"),
        "plain_with_regret": _median_correlation(batches, "plain"),
        "copies": kinds,
    }


def passes(figures: dict[str, Any]) -> bool:
    """Tell whether the figures are as they must be."""
    rises = figures["monotone_with_regret"] > LEAST and figures["bins_rise"]
    return bool(figures["shaped_copy_max"] <= MOST and rises)


def _names(batches: Sequence[Sequence[Trial]]) -> list[str]:
    return list(batches[0][0].copies)


def _median_correlation(batches: Sequence[Sequence[Trial]], what: str) -> float:
    """Return the median over seeds of the rank correlation of a distance with regret."""
    found = [
        rank_correlation([getattr(each, what) for each in batch], [each.regret for each in batch])
        for batch in batches
    ]
    return round(float(np.median(found)), 4)


def _binned(batch: Sequence[Trial]) -> list[float]:
    """Return the mean regret of each bin, by rising distance."""
    ordered = sorted(batch, key=lambda each: each.distance)
    parts = np.array_split([each.regret for each in ordered], BINS)
    return [float(part.mean()) for part in parts]


def _table(figures: dict[str, Any]) -> Table:
    rises = {"exact": "monotone", "from episodes": "sampled", "with nothing taken out": "plain"}
    correlations = ", ".join(f"{name} {figures[f'{key}_with_regret']:.3f}" for name, key in rises.items())
    means = ", ".join(f"{mean:.2f}" for mean in figures["binned_regret"])
    table = Table(
        "copy of a reward",
        "greatest distance",
        title="STARC distances",
        caption=f"rank correlation with regret: {correlations}; mean regret by rising distance: {means}",
    )
    for name, most in figures["copies"].items():
        table.add_row(name, f"{most:.1e}")
    return table
