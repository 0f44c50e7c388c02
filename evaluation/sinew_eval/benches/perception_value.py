"""perception judged by the plan: success that errors of keypoints cost, beside their error in pixels"""

from __future__ import annotations

import argparse
import os
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from functools import cache, partial
from typing import Any

import numpy as np
from rich.console import Console
from rich.progress import Progress
from sinew_core.hardware import Hardware, load_hardware
from sinew_core.protocols import Station
from sinew_core.runtime import Brain, run_episode
from sinew_core.types import CameraFrame, FloatArray, JointState, Keypoint, Percept, Task
from sinew_perception.geometry import posed_camera, project

from sinew_eval.benches.result import add_result_options, write_result
from sinew_eval.options import natural, positive
from sinew_eval.plan_value import Intent, disturbed, loss_by_keypoint, plan_loss
from sinew_eval.process_graph import make_brain
from sinew_eval.records import RunConfig
from sinew_eval.workers import run_all

TASKS = ("pick_place", "push", "stack")
SIZES = (0.005, 0.010, 0.020, 0.040)  # m, typical length of an injected error along each axis
CAMERA = "top"  # in whose image errors are counted in pixels
ATTEMPT = 160  # control periods: one attempt, and a second


@dataclass(frozen=True, slots=True)
class Trial:
    """One episode in which perception errs."""

    task: str
    seed: int
    lost: bool  # the episode was not a success
    plan: float  # chance of success lost by the plan
    pixels: float  # px, mean over all keypoints
    millimetres: float  # the same in space
    by_keypoint: Mapping[str, tuple[float, float, float]]  # role: plan loss, px, mm


def main(argv: Sequence[str]) -> int:
    """Run `sinew bench perception-value`: 0 when the plan tells more of lost success than pixels do."""
    arguments = _parser().parse_args(argv)
    seeds = range(arguments.seed, arguments.seed + arguments.episodes)
    items = [(TASKS[i % len(TASKS)], seed) for i, seed in enumerate(seeds)]
    console = Console(stderr=True, highlight=False)
    trials: list[Trial] = []
    work = partial(run_trial, arguments.hardware)
    with Progress(console=console, transient=True, disable=not console.is_terminal) as bar:
        task = bar.add_task("perception-value", total=len(items))
        for trial in run_all(work, items, min(arguments.jobs, len(items)), _broken):
            if trial is None:
                console.print("[red]a worker process died; its episodes do not count")
            else:
                trials.append(trial)
            bar.advance(task)
    figures = summarise(sorted(trials, key=lambda trial: trial.seed))
    payload = figures | {"hardware": arguments.hardware, "seed": arguments.seed}
    write_result("perception-value", payload, arguments.out, list(argv))
    return 0 if figures["corr_plan"] > figures["corr_pixel"] else 1


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="sinew bench perception-value", description=__doc__)
    parser.add_argument("--hardware", default="sim_mujoco", help="a simulated station")
    parser.add_argument("--episodes", type=positive, default=240, metavar="N", help="over all tasks (240)")
    parser.add_argument("--seed", type=natural, default=10_000, help="episode i uses seed + i (10000)")
    parser.add_argument("--jobs", type=positive, default=os.cpu_count() or 1, help="worker processes")
    add_result_options(parser)
    return parser


def _broken(_: tuple[str, int]) -> None:
    return None


def summarise(trials: Sequence[Trial]) -> dict[str, Any]:
    """Return the correlations with lost success, and what errors of each kind of keypoint cost."""
    lost = np.array([trial.lost for trial in trials], dtype=np.float64)
    plan = np.array([trial.plan for trial in trials])
    pixels = np.array([trial.pixels for trial in trials])
    millimetres = np.array([trial.millimetres for trial in trials])
    roles = sorted({role for trial in trials for role in trial.by_keypoint})
    return {
        "corr_plan": _correlation(plan, lost),
        "corr_pixel": _correlation(pixels, lost),
        "corr_mm": _correlation(millimetres, lost),
        "episodes": len(trials),
        "lost": int(lost.sum()),
        "foreseen": round(float(plan.mean()), 3),
        "by_keypoint": {
            role: _means([t.by_keypoint[role] for t in trials if role in t.by_keypoint]) for role in roles
        },
        "by_task": {
            task: {
                "lost": int(lost[chosen].sum()),
                "corr_plan": _correlation(plan[chosen], lost[chosen]),
                "corr_pixel": _correlation(pixels[chosen], lost[chosen]),
            }
            for task in TASKS
            if (chosen := np.array([trial.task == task for trial in trials], dtype=bool)).any()
        },
    }


def _correlation(a: FloatArray, b: FloatArray) -> float:
    """Return Pearson's correlation, 0 where one of both does not vary."""
    if len(a) < 2 or np.ptp(a) == 0 or np.ptp(b) == 0:
        return 0.0
    return round(float(np.corrcoef(a, b)[0, 1]), 3)


def _means(rows: Sequence[tuple[float, float, float]]) -> dict[str, float]:
    plan, pixels, millimetres = np.mean(rows, axis=0)
    return {
        "plan": round(float(plan), 3),
        "pixel": round(float(pixels), 2),
        "mm": round(float(millimetres), 2),
        "episodes": len(rows),
    }


class Erring:
    """A perception model whose keypoints are displaced, each by its own constant offset."""

    def __init__(self, model: Any, rng: np.random.Generator) -> None:
        self._model, self._rng = model, rng
        self._offsets: dict[str, FloatArray] = {}

    def reset(self, task: Task) -> None:
        """Begin an episode."""
        self._model.reset(task)

    def process(self, frames: Mapping[str, CameraFrame], joints: JointState) -> Percept:
        """Return what is seen, displaced."""
        percept: Percept = self._model.process(frames, joints)
        seen = {name: disturbed(item, self.offset(name)) for name, item in percept.keypoints.items()}
        return Percept(percept.stamp, seen, percept.features, percept.lost)

    def offset(self, name: str) -> FloatArray:
        """Return the offset (3,) m of a keypoint, drawn when it is first asked for.

        Half of the keypoints err by nothing; the others by an offset of one of SIZES, sideways, in height,
        or both.
        """
        if name not in self._offsets:
            rng = self._rng
            size = float(rng.choice(SIZES)) if rng.uniform() < 0.5 else 0.0
            axes = [(1.0, 1.0, 0.0), (0.0, 0.0, 1.0), (1.0, 1.0, 1.0)][int(rng.integers(3))]
            self._offsets[name] = rng.normal(0.0, 1.0, 3) * np.array(axes) * size
        return self._offsets[name]


def run_trial(hardware_name: str, item: tuple[str, int]) -> Trial | None:
    """Run one episode with erring perception and judge the errors by the plan that they lead to."""
    task, seed = item
    hardware, station, brain = _open(hardware_name, task)
    erring = Erring(brain.perception, np.random.default_rng(seed))
    world: Any = station.world
    world.reset(seed)
    scene, truth = world.scene, true_keypoints(world)
    estimate = {name: disturbed(thing, erring.offset(name)) for name, thing in truth.items()}
    result = run_episode(station, hardware, replace(brain, perception=erring), seed=seed, max_steps=ATTEMPT)
    intent = Intent(_name(scene.moved), _name(scene.target), "push" if task == "push" else "place")
    losses = loss_by_keypoint(intent, estimate, truth)
    errors = _errors(hardware, estimate, truth)
    roles: dict[str, list[tuple[float, float, float]]] = {}
    for name, error in errors.items():
        role = "moved" if name == intent.moved else "target" if name == intent.target else "other"
        roles.setdefault(role, []).append((losses[name], *error))
    pixels, millimetres = np.mean(list(errors.values()), axis=0).tolist()
    means = {role: tuple(np.mean(rows, axis=0).tolist()) for role, rows in roles.items()}
    return Trial(
        task, seed, not result.success, plan_loss(intent, estimate, truth), pixels, millimetres, means
    )


@cache
def _open(hardware_name: str, task: str) -> tuple[Hardware, Station, Brain]:
    """Return the station of a worker process and what drives it; opening them takes seconds."""
    hardware = load_hardware(hardware_name).with_pace("lockstep")
    config = RunConfig(hardware_name, task, "affordance_follower", "affordance_path")
    return hardware, hardware.open_station(task), make_brain(config, hardware)


def _errors(
    hardware: Hardware, estimate: Mapping[str, Keypoint], truth: Mapping[str, Keypoint]
) -> dict[str, tuple[float, float]]:
    """Return how far each keypoint is from the truth, px in the image of CAMERA and mm."""
    home = hardware.robot.home
    camera = posed_camera(hardware, CAMERA, JointState(0, home, np.zeros_like(home)))
    errors = {}
    for name, true in truth.items():
        points = np.array([estimate[name].position, true.position])
        pixels = project(camera, points)
        errors[name] = (
            float(np.linalg.norm(pixels[0] - pixels[1])),
            1000 * float(np.linalg.norm(points[0] - points[1])),
        )
    return errors


def true_keypoints(world: Any) -> dict[str, Keypoint]:
    """Return the objects as the simulator knows them."""
    state, keypoints = world.state(), {}
    for placed in world.scene.objects:
        there = state.objects[placed.spec.name]
        w, x, y, z = there.quaternion
        yaw = float(np.arctan2(2 * (w * z + x * y), 1 - 2 * (y * y + z * z)))
        round_ = placed.spec.shape != "cube"
        keypoints[_name(placed.spec.name)] = Keypoint(
            there.position, yaw=None if round_ else yaw, extent=np.array(placed.spec.size)
        )
    return keypoints


def _name(name: str | None) -> str:
    """Return the keypoint's name of a simulated object."""
    return (name or "").replace(" ", "_")
