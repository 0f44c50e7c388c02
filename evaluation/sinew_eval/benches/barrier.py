"""the barrier filter: random motions into table, obstacles, the arm itself and the walls, with and without"""

from __future__ import annotations

import argparse
from collections.abc import Sequence
from typing import Any

import numpy as np
from rich.console import Console
from rich.progress import Progress, TaskID
from rich.table import Table
from sinew_safety.config import CONSTRAINTS
from sinew_safety.trials import SLOWEST, Motion, Outcome, Trials

from sinew_eval.benches.result import add_result_options, write_result
from sinew_eval.options import natural, positive

ROBOTS = ("sim_mujoco", "sim_mujoco_fr3")
ROUNDING = 1e-6  # m
LIMIT = 1.0  # ms that the 99th percentile of a filter's call may take


def main(argv: Sequence[str]) -> int:
    """Run `sinew bench barrier`: 0 if nothing was touched with the filter on and it was quick enough."""
    arguments = _parser().parse_args(argv)
    console = Console(stderr=True, highlight=False)
    robots: dict[str, dict[str, Any]] = {}
    with Progress(console=console, transient=True, disable=not console.is_terminal) as bar:
        for name in arguments.hardware or ROBOTS:
            task = bar.add_task(name, total=2 * arguments.motions)
            robots[name] = _measure(name, arguments, bar, task)
            if not arguments.json:
                bar.console.print(_table(name, robots[name]))
    figures = summarise(robots)
    write_result("barrier", figures | {"seed": arguments.seed}, arguments.out, list(argv))
    return 1 if figures["penetrations_on"] or figures["solve_ms"] > LIMIT else 0


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="sinew bench barrier", description=__doc__)
    parser.add_argument(
        "--hardware", action="append", help=f"a MuJoCo station; may be given again ({', '.join(ROBOTS)})"
    )
    parser.add_argument("--motions", type=positive, default=1000, metavar="N", help="of each robot (1000)")
    parser.add_argument("--seed", type=natural, default=10_000, help="motion i uses seed + i (10000)")
    parser.add_argument(
        "--fastest", type=_share, default=1.0, metavar="SHARE", help="of the velocity limits (1.0)"
    )
    parser.add_argument(
        "--limited-torque",
        action="store_true",
        help="keep the servos' effort limits: an arm that they cannot hold falls, whatever its target",
    )
    add_result_options(parser)
    return parser


def _share(text: str) -> float:
    """Read a share of the velocity limits; motions have between the slowest one and this."""
    share = float(text)
    if not SLOWEST <= share <= 1:
        raise argparse.ArgumentTypeError(f"expected a share from {SLOWEST} to 1, got '{text}'")
    return share


def _measure(name: str, arguments: argparse.Namespace, bar: Progress, task: TaskID) -> dict[str, Any]:
    trials = Trials(name, arguments.limited_torque)
    off: list[Outcome] = []
    on: list[Outcome] = []
    try:
        for motion in trials.motions(arguments.motions, arguments.seed, arguments.fastest):
            for filtered, outcomes in ((False, off), (True, on)):
                outcomes.append(trials.run(motion, filtered))
                bar.advance(task)
                if filtered and touched(outcomes[-1]):
                    bar.console.print(_sentence(name, motion, outcomes[-1]), markup=False)
    finally:
        trials.close()
    return {
        "motions": len(on),
        "penetrations_on": sum(bool(touched(outcome)) for outcome in on),
        "penetrations_off": sum(bool(touched(outcome)) for outcome in off),
        "on": _by_constraint(on),
        "off": _by_constraint(off),
        "filter_ms": filter_ms([call for outcome in on for call in outcome.seconds]),
        "filter_cpu_ms": filter_ms([call for outcome in on for call in outcome.cpu_seconds]),
        "braked": sum(reason.startswith("barrier:brake") for outcome in on for reason in outcome.reasons),
        "torque": "limited" if arguments.limited_torque else "unlimited",
        "fastest": arguments.fastest,
    }


def touched(outcome: Outcome) -> list[str]:
    """Return the constraints that the target or the measured arm broke."""
    return [name for name in CONSTRAINTS if min(outcome.target[name], outcome.arm[name]) < -ROUNDING]


def _by_constraint(outcomes: Sequence[Outcome]) -> dict[str, dict[str, float]]:
    """Return of each constraint how many motions broke it, and the smallest distances, in mm."""
    return {
        name: {
            "penetrations": sum(name in touched(outcome) for outcome in outcomes),
            "smallest_target_mm": round(1000 * min(outcome.target[name] for outcome in outcomes), 2),
            "smallest_arm_mm": round(1000 * min(outcome.arm[name] for outcome in outcomes), 2),
        }
        for name in CONSTRAINTS
    }


def filter_ms(seconds: Sequence[float]) -> dict[str, float]:
    """Return median, 99th percentile and maximum of some times, in ms."""
    ms = 1000 * np.array(seconds)
    figures = {"median": np.median(ms), "p99": np.percentile(ms, 99), "max": ms.max()}
    return {name: round(float(value), 3) for name, value in figures.items()}


def summarise(robots: dict[str, dict[str, Any]]) -> dict[str, Any]:
    """Return the figures over all robots, those of the slowest filter, and then those of each robot."""
    slowest = max((figures["filter_ms"] for figures in robots.values()), key=lambda times: times["p99"])
    sides = [side for figures in robots.values() for side in figures["on"].values()]
    return {
        "motions": sum(figures["motions"] for figures in robots.values()),
        "penetrations_on": sum(figures["penetrations_on"] for figures in robots.values()),
        "penetrations_off": sum(figures["penetrations_off"] for figures in robots.values()),
        "solve_ms": slowest["p99"],
        "solve_ms_median": slowest["median"],
        "solve_ms_max": max(figures["filter_ms"]["max"] for figures in robots.values()),
        "solve_cpu_ms": max(figures["filter_cpu_ms"]["p99"] for figures in robots.values()),
        "smallest_distance_mm": min(side["smallest_arm_mm"] for side in sides),
        "robots": robots,
    }


def _sentence(name: str, motion: Motion, outcome: Outcome) -> str:
    depths = [
        f"{each} (target {1000 * outcome.target[each]:.1f} mm, arm {1000 * outcome.arm[each]:.1f} mm)"
        for each in touched(outcome)
    ]
    return f"{name}, seed {motion.seed}, at {motion.speed:.2f} of full speed: {', '.join(depths)}"


def _table(name: str, figures: dict[str, Any]) -> Table:
    times = figures["filter_ms"]
    table = Table(
        "",
        "off: broken",
        "smallest",
        "on: broken",
        "smallest",
        title=f"{name}: {figures['motions']} motions",
        caption=f"filter: {times['median']:.2f} ms, p99 {times['p99']:.2f} ms, max {times['max']:.2f} ms",
    )
    for constraint in CONSTRAINTS:
        off, on = figures["off"][constraint], figures["on"][constraint]
        table.add_row(
            constraint,
            str(off["penetrations"]),
            f"{off['smallest_arm_mm']:.1f} mm",
            str(on["penetrations"]),
            f"{on['smallest_arm_mm']:.1f} mm",
        )
    return table
