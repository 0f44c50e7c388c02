"""Events without the arm: objects moved by a script, passing each other, taken away and brought back."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
from sinew_core.types import FloatArray

from sinew_eval.benches.tracking.stage import AWAY, Stage

Script = Iterator[FloatArray]  # the joint targets (n,) of each control period

ROOM = 0.020  # m between what is moved and what stands; things of one colour closer by are one to a detector
SLOWEST, FASTEST = 0.05, 0.25  # m/s
BEFORE, AFTER = 6, 10  # control periods before and after an event


def wait(stage: Stage, steps: int) -> Script:
    """Let some control periods pass with the arm where it is told to be."""
    target = stage.joints.position.copy()
    for _ in range(steps):
        yield target


def moved(stage: Stage, rng: np.random.Generator) -> Script:
    """One object glides to three places, turning, each way at a speed of its own."""
    yield from wait(stage, BEFORE)
    name = str(rng.choice(stage.movable()))
    for _ in range(3):
        goal = free_place(stage, name, rng)
        yield from glide(stage, {name: goal}, rng.uniform(SLOWEST, FASTEST), rng.uniform(-1, 1))
        yield from wait(stage, 6)
    yield from wait(stage, AFTER)


def shoved(stage: Stage, rng: np.random.Generator) -> Script:
    """One object is somewhere else from one picture to the next, some centimetres off, several times."""
    yield from wait(stage, BEFORE)
    name = str(rng.choice(stage.movable()))
    for _ in range(5):
        stage.place(name, free_place(stage, name, rng, farthest=0.06))
        yield from wait(stage, 6)
    yield from wait(stage, AFTER)


def passing(stage: Stage, rng: np.random.Generator) -> Script:
    """Two alike glide past each other, so that the nearer one becomes the farther one; twice."""
    first, second = alike(stage)
    middle = (np.array(stage.area.lower) + np.array(stage.area.upper)) / 2
    for name in stage.movable():
        if name not in (first, second):
            stage.place(name, np.array([middle[0], stage.area.upper[1] + 0.02]))
    aside = rng.uniform(0.017, 0.025)  # m; faces of 28 mm pass at 6 mm and more
    near, far = (np.array([x, middle[1]]) for x in (stage.area.lower[0], stage.area.upper[0]))
    left, right = (np.array([0.0, side * aside]) for side in (1.0, -1.0))
    stage.place(first, near + left)
    stage.place(second, far + right)
    yield from wait(stage, BEFORE)
    speed = rng.uniform(SLOWEST, FASTEST)
    yield from glide(stage, {first: far + left, second: near + right}, speed, 0.0)
    yield from wait(stage, 6)
    yield from glide(stage, {first: near + left, second: far + right}, speed, 0.0)
    yield from wait(stage, AFTER)


def removed(stage: Stage, rng: np.random.Generator) -> Script:
    """One object is taken away, and brought back somewhere else a while later."""
    yield from wait(stage, BEFORE)
    name = str(rng.choice(stage.movable()))
    stage.world.place(name, np.array([*AWAY, 0.02]))
    for _ in range(int(rng.integers(10, 80))):
        stage.world.place(name, np.array([*AWAY, 0.02]))  # it must not fall out of the world
        yield stage.joints.position.copy()
    stage.place(name, free_place(stage, name, rng))
    yield from wait(stage, AFTER)


def glide(
    stage: Stage, goals: dict[str, FloatArray], speed: float, turn: float, arm: FloatArray | None = None
) -> Script:
    """Move objects in straight lines, all of them arriving together; speed m/s, turn rad on the way.

    `arm` (n,) are the joints that the arm keeps meanwhile, those that it has where none are given.
    """
    arm = stage.joints.position.copy() if arm is None else arm
    starts = {name: stage.ground(name) for name in goals}
    way = max(float(np.linalg.norm(goals[name] - starts[name])) for name in goals)
    steps = max(1, round(way / (speed * stage.hardware.config.control_period)))
    yaws = {name: stage.yaw(name) for name in goals}
    for share in np.arange(1, steps + 1) / steps:
        for name, goal in goals.items():
            stage.place(name, starts[name] + share * (goal - starts[name]), yaws[name] + share * turn)
        yield arm


def free_place(stage: Stage, name: str, rng: np.random.Generator, farthest: float = np.inf) -> FloatArray:
    """Return a place (2,) m for an object to which it can glide without meeting another."""
    start, room = stage.ground(name), ROOM
    while True:
        for _ in range(100):
            goal = rng.uniform(stage.area.lower, stage.area.upper)
            way = start + np.linspace(0, 1, 20)[:, None] * (goal - start)
            if np.linalg.norm(goal - start) <= farthest and stage.room(name, way).min() > room:
                return goal
        room -= 0.002  # it stands between others; less has to do


def alike(stage: Stage) -> tuple[str, str]:
    """Return the two of one colour."""
    names = stage.movable()
    first = next(name for name in names if any(other.startswith(name + " ") for other in names))
    return first, next(name for name in names if name.startswith(first + " "))
