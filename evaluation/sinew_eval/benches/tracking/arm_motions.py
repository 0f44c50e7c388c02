"""Events with the arm: it covers objects, and it grasps, carries, pushes and lets go of them."""

from __future__ import annotations

import numpy as np
from sinew_core.models import make_affordance, make_policy
from sinew_core.types import FloatArray, Keypoint, Observation, Refusal

from sinew_eval.benches.tracking.motions import (
    AFTER,
    BEFORE,
    FASTEST,
    ROOM,
    Script,
    alike,
    free_place,
    glide,
    wait,
)
from sinew_eval.benches.tracking.stage import AWAY, Places, Stage

TRIES = 30
APPROACH = 14  # control periods of the arm's way
STAY = (4, 36)  # control periods over an object; with a part of the ways it is hidden for 0.3 to 2 s
SETTLE = 12  # control periods for it to come to rest
LONGEST = 200  # control periods of a policy


def covered(stage: Stage, rng: np.random.Generator) -> Script:
    """The arm comes between an object and both cameras, stays for up to 2 s, and goes."""
    return _cover(stage, rng, 0.0, 0.01)


def partly(stage: Stage, rng: np.random.Generator) -> Script:
    """The arm hides a part of an object from both cameras, stays for up to 2 s, and goes."""
    return _cover(stage, rng, 0.15, 0.6)


def rival(stage: Stage, rng: np.random.Generator) -> Script:
    """While the arm hides one of two alike, the other one glides away in plain sight."""
    name = alike(stage)[0]
    other = next(each for each in alike(stage) if each != name)
    over = _find_cover(stage, name, rng, 0.0, 0.01)
    yield from wait(stage, BEFORE)
    yield from _way(stage.robot.home, over)
    goal = _in_sight(stage, other, rng)
    if goal is not None:
        yield from glide(stage, {other: goal}, FASTEST, 0.0, over)
    yield from wait(stage, 2)
    yield from _way(over, stage.robot.home)
    yield from wait(stage, AFTER)


def _in_sight(stage: Stage, name: str, rng: np.random.Generator) -> FloatArray | None:
    """Return a place (2,) m to which an object can glide without being hidden from the cameras."""
    moment, start = stage.look(), stage.ground(name)
    for _ in range(TRIES):
        goal = free_place(stage, name, rng)
        way = start + np.linspace(0, 1, 10)[:, None] * (goal - start)
        if stage.shown(name, way, moment).min() > 0.7:
            return goal
    return None


def _cover(stage: Stage, rng: np.random.Generator, least: float, most: float) -> Script:
    name = str(rng.choice(stage.movable()))
    over = _find_cover(stage, name, rng, least, most)
    yield from wait(stage, BEFORE)
    yield from _there_and_back(stage, over, int(rng.integers(*STAY)))
    yield from wait(stage, AFTER)


def _there_and_back(stage: Stage, over: FloatArray, stay: int) -> Script:
    yield from _way(stage.robot.home, over)
    yield from (over for _ in range(stay))
    yield from _way(over, stage.robot.home)


def _way(start: FloatArray, end: FloatArray) -> Script:
    yield from (start + share * (end - start) for share in np.arange(1, APPROACH + 1) / APPROACH)


def _find_cover(stage: Stage, name: str, rng: np.random.Generator, least: float, most: float) -> FloatArray:
    """Put an object where an arm over the table would hide it; return the joints (n,) of that arm.

    With `least` to `most` of it shown to the camera that sees it best, and nothing touched on the way.
    The arm is back home afterwards; where nothing is found, it stays there.
    """
    home, places = stage.robot.home, stage.places()
    for _ in range(TRIES):
        over = _pose_over(stage, rng)
        stage.world.place(name, np.array([*AWAY, 0.02]))
        _go(stage, over)
        spots = rng.uniform(stage.area.lower, stage.area.upper, (400, 2))
        shown = stage.shown(name, spots, stage.look())
        fits = spots[(stage.room(name, spots) > ROOM) & (shown >= least) & (shown <= most)]
        _go(stage, home)
        if len(fits) and _untouched(stage, over, {**places, name: (fits[0], 0.0)}):
            return over
    stage.put(places)
    return home


def _untouched(stage: Stage, over: FloatArray, places: Places) -> bool:
    """Put the objects at their places and try the arm's way; tell whether it moves none of them."""
    stage.put(places)
    for target in _there_and_back(stage, over, SETTLE):
        stage.advance(target)
    _go(stage, stage.robot.home)
    moved = [np.linalg.norm(stage.ground(name) - ground) for name, (ground, _) in places.items()]
    stage.put(places)
    return bool(max(moved) < 0.003)


def _go(stage: Stage, joints: FloatArray) -> None:
    for _ in range(SETTLE):
        stage.advance(joints)


def _pose_over(stage: Stage, rng: np.random.Generator) -> FloatArray:
    """Return joints (n,) with the tip over the area, above everything on the table."""
    robot, area = stage.robot, stage.area
    while True:
        joints = np.clip(robot.home + rng.normal(0.0, 0.4, len(robot.home)), robot.lower, robot.upper)
        x, y, z = robot.chain.pose(robot.tip_link, joints)[:3, 3]
        over = area.lower[0] <= x <= area.upper[0] and area.lower[1] <= y <= area.upper[1]
        if over and 0.06 < z < 0.16:
            return joints


def carried_out(stage: Stage, rng: np.random.Generator) -> Script:
    """The scripted policy does the scene's task, told the truth, so that no perception is in it."""
    task = stage.task
    policy = make_policy("affordance_follower", stage.hardware, task.name)
    model = make_affordance("rule_grounding", stage.hardware, task.name)
    policy.reset(task)
    yield from wait(stage, BEFORE)
    affordance = None
    for _ in range(LONGEST):
        observation = _told(stage)
        if affordance is None:
            answer = model.propose(observation, task.instruction)
            if isinstance(answer, Refusal):
                raise ValueError(f"'{task.instruction}' was refused: {answer.reason}")
            affordance = answer
        observation = Observation(
            observation.stamp, observation.joints, {}, observation.keypoints, affordance, {}, task
        )
        yield policy.infer(observation).position[0]
        if stage.world.success():
            break
    yield from wait(stage, AFTER)


def _told(stage: Stage) -> Observation:
    """Return the observation of one who knows where everything is."""
    joints, state = stage.joints, stage.world.state()
    keypoints = {}
    for placed in stage.world.scene.objects:
        spec, position = placed.spec, state.objects[placed.spec.name].position
        yaw = (stage.yaw(spec.name) + np.pi / 4) % (np.pi / 2) - np.pi / 4
        keypoints[spec.name.replace(" ", "_")] = Keypoint(
            position.copy(), yaw=float(yaw) if spec.shape == "cube" else None, extent=np.array(spec.size)
        )
    return Observation(joints.stamp, joints, {}, keypoints, None, {}, stage.task)
