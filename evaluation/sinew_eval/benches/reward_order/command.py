"""do rewards rank scripted behaviours rightly: success > near > wrong object > idle > loitering?"""

from __future__ import annotations

import argparse
import os
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from functools import partial
from itertools import combinations, pairwise
from typing import Any

from rich.console import Console
from rich.progress import Progress
from sinew_core.errors import ConfigError, InferenceError
from sinew_core.hardware import Hardware, load_hardware
from sinew_core.plugins import build
from sinew_core.protocols import RewardModel, Station

from sinew_eval.benches.result import add_result_options, write_result
from sinew_eval.benches.reward_order.behaviours import ORDER, UnfitSceneError, make_behaviour, shown
from sinew_eval.benches.reward_order.rollouts import check, discounted_return, roll_out, scenery_of
from sinew_eval.options import natural, positive
from sinew_eval.process_graph import make_brain
from sinew_eval.records import RunConfig
from sinew_eval.workers import run_all

TASKS = ("pick_place", "push", "stack", "reach")
PATH = "sinew_rewards.affordance_path:AffordancePath"
DEFAULT = "affordance_path"
FORMS: Mapping[str, Mapping[str, Any]] = {
    DEFAULT: {"plugin": PATH},
    "affordance_path, plain": {"plugin": PATH, "form": "plain"},
    "affordance_path, distance": {"plugin": PATH, "form": "distance"},
    "affordance_path, nothing taken back": {"plugin": PATH, "interest": 0.0, "idling": 0.0, "patience": 1e6},
    "gaussian": {"plugin": "sinew_rewards.gaussian:Gaussian"},
    "goal_distance": {"plugin": "sinew_rewards.goal_distance:GoalDistance"},
}
# What cannot hold by a form's own definition, and why.
KNOWN = {
    "affordance_path, plain": "success ends what is paid, so waiting at the path's end pays more, up to "
    "weight / (1 - discount)",
    "affordance_path, distance": "it pays for being near the next block: how near an idle or a wrong hand "
    "happens to be to one depends on the scene",
    "affordance_path, nothing taken back": "any progress pays more than none, for as long as it is kept: "
    "loitering comes before idling",
    "gaussian": "as above: a hand at the object is worth more than one at home, whatever it waits for",
    "goal_distance": "it sees the object only: whoever does not move it is paid like one that idles, and "
    "success, which ends at a distance of nearly 0, like any other place",
}


@dataclass(frozen=True, slots=True)
class Trial:
    """The returns of one scene, by form and behaviour; or why it is left out."""

    task: str
    seed: int
    returns: Mapping[str, Mapping[str, float]] = field(default_factory=dict)
    unfit: str = ""


@dataclass(frozen=True, slots=True)
class Plan:
    """How returns are computed."""

    hardware: str
    horizon: int  # control periods
    discount: float


def main(argv: Sequence[str]) -> int:
    """Run `sinew bench reward-order`: 0 when the default form has no pair out of order, else 1."""
    arguments = _parser().parse_args(argv)
    plan = Plan(arguments.hardware, arguments.horizon, arguments.discount)
    unknown = [task for task in arguments.tasks if task not in TASKS]
    if unknown:
        raise ConfigError(f"--tasks {' '.join(unknown)}: expected some of {', '.join(TASKS)}.")
    trials: list[Trial] = []
    unfit: Counter[str] = Counter()
    for task in arguments.tasks:
        fit, without = _measure(plan, task, arguments.seed, arguments.seeds, arguments.jobs)
        trials += fit
        unfit.update(without)
    payload = summarise(trials, arguments.tasks, arguments.seeds, plan, unfit)
    write_result("reward-order", payload, arguments.out, list(argv))
    return 1 if payload["violations"] or len(trials) < arguments.seeds * len(arguments.tasks) else 0


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="sinew bench reward-order",
        description="Compare the returns of scripted behaviours, best first: " + ", ".join(ORDER) + ".",
        epilog="A return is the discounted sum over the horizon; success ends the episode and nothing is "
        "paid after it. Scenes in which a behaviour cannot be shown are left out and counted.",
    )
    parser.add_argument("--hardware", default="sim_mujoco")
    parser.add_argument("--tasks", nargs="+", default=list(TASKS), metavar="TASK")
    parser.add_argument("--seeds", type=positive, default=50, metavar="N", help="scenes of each task (50)")
    parser.add_argument("--seed", type=natural, default=20_000, help="the first one (20000)")
    parser.add_argument("--horizon", type=positive, default=400, help="control periods (400)")
    parser.add_argument("--discount", type=float, default=0.99)
    parser.add_argument("--jobs", type=positive, default=os.cpu_count() or 1)
    add_result_options(parser)
    return parser


def _measure(plan: Plan, task: str, first: int, wanted: int, jobs: int) -> tuple[list[Trial], dict[str, int]]:
    """Return the trials of the first `wanted` seeds whose scenes are fit, and what the others lacked."""
    console = Console(stderr=True, highlight=False)
    trials: dict[int, Trial] = {}
    begin = first
    with Progress(console=console, transient=True, disable=not console.is_terminal) as bar:
        row = bar.add_task(task, total=wanted)
        while sum(not trial.unfit for trial in trials.values()) < wanted and begin < first + 6 * wanted:
            missing = wanted - sum(not trial.unfit for trial in trials.values())
            batch = [(task, seed) for seed in range(begin, begin + max(missing, jobs))]
            begin += len(batch)
            for trial in run_all(partial(run_trial, plan), batch, min(jobs, len(batch)), _broken):
                trials[trial.seed] = trial
                bar.update(row, completed=sum(not trial.unfit for trial in trials.values()))
                if trial.unfit and "no other object" not in trial.unfit:
                    console.print(f"{task} {trial.seed}: left out: {trial.unfit}", markup=False)
    ordered = [trials[seed] for seed in sorted(trials)]
    fit = [trial for trial in ordered if not trial.unfit][:wanted]
    last = fit[-1].seed if fit else begin
    return fit, dict(Counter(trial.unfit for trial in ordered if trial.unfit and trial.seed < last))


_stations: dict[tuple[str, str], tuple[Hardware, Station]] = {}  # of this worker process


def run_trial(plan: Plan, item: tuple[str, int]) -> Trial:
    """Show every behaviour in one scene and compute its return under every form."""
    task, seed = item
    if (plan.hardware, task) not in _stations:
        hardware = load_hardware(plan.hardware).with_pace("lockstep")
        _stations[plan.hardware, task] = hardware, hardware.open_station(task)
    hardware, station = _stations[plan.hardware, task]
    try:
        return Trial(task, seed, _returns(plan, hardware, station, task, seed))
    except (UnfitSceneError, InferenceError) as error:
        return Trial(task, seed, unfit=str(error))


def _returns(
    plan: Plan, hardware: Hardware, station: Station, task: str, seed: int
) -> dict[str, dict[str, float]]:
    brain = make_brain(RunConfig(plan.hardware, task, "hold", DEFAULT), hardware)
    models = {name: build(spec, RewardModel, name, hardware=hardware) for name, spec in FORMS.items()}
    returns: dict[str, dict[str, float]] = {name: {} for name in models}
    scenery = scenery_of(station, task, seed)
    # The wrong object first: it is what a scene most often has no room for.
    for name in ("wrong_object", "near", "success", "loitering", "idle"):
        if name not in shown(task):
            continue
        policy = make_behaviour(name, scenery, hardware, seed)
        rollout = roll_out(station, hardware, brain, policy, seed, plan.horizon)
        check(name, scenery, station, rollout)
        for form, model in models.items():
            returns[form][name] = discounted_return(
                rollout, model, hardware.period, plan.horizon, plan.discount
            )
    return returns


def _broken(item: tuple[str, int]) -> Trial:
    return Trial(item[0], item[1], unfit="its worker process died")


def out_of_order(returns: Mapping[str, float]) -> list[tuple[str, str]]:
    """Return the pairs (better, worse) of behaviours of which the better one is not paid more."""
    present = [name for name in ORDER if name in returns]
    return [(a, b) for a, b in combinations(present, 2) if returns[a] <= returns[b]]


def summarise(
    trials: Sequence[Trial], tasks: Sequence[str], seeds: int, plan: Plan, unfit: Mapping[str, int]
) -> dict[str, Any]:
    """Return the figures."""
    forms = {form: _figures(trials, form) for form in FORMS}
    for form, why in KNOWN.items():
        forms[form]["known"] = why
    return {
        "tasks": list(tasks),
        "seeds": seeds,
        "violations": forms[DEFAULT]["violations"],
        "comparisons": forms[DEFAULT]["comparisons"],
        "return": f"sum of {plan.discount}^t r_t over {plan.horizon} control periods; success ends the "
        "episode, and nothing is paid after it; a behaviour at rest goes on resting",
        "order": list(ORDER),
        "forms": forms,
        "trials": len(trials),
        "left_out": dict(unfit),
        "hardware": plan.hardware,
    }


def _figures(trials: Sequence[Trial], form: str) -> dict[str, Any]:
    wrong = [(trial, pair) for trial in trials for pair in out_of_order(trial.returns[form])]
    compared = sum(len(list(combinations(trial.returns[form], 2))) for trial in trials)
    margins: dict[str, float] = {}
    for trial in trials:
        paid = trial.returns[form]
        for better, worse in pairwise(name for name in ORDER if name in paid):
            pair = f"{better} > {worse}"
            margins[pair] = min(margins.get(pair, float("inf")), paid[better] - paid[worse])
    return {
        "violations": len(wrong),
        "comparisons": compared,
        "pairs": dict(Counter(f"{better} > {worse}" for _, (better, worse) in wrong).most_common()),
        "by_task": dict(Counter(trial.task for trial, _ in wrong)),
        "smallest_margins": {pair: round(margin, 4) for pair, margin in margins.items()},
        "examples": [
            f"{trial.task} {trial.seed}: {better} > {worse}" for trial, (better, worse) in wrong[:5]
        ],
    }
