"""Events with the arm: it covers objects, and it grasps, carries, pushes and lets go of them."""

from __future__ import annotations

import numpy as np
from sinew_core.models import make_affordance, make_policy
from sinew_core.types import FloatArray, Keypoint, Observation, Refusal

from sinew_eval.benches.tracking.motions import AFTER, BEFORE, ROOM, Script, wait, yaw_of
from sinew_eval.benches.tracking.stage import AWAY, Stage

TRIES = 30
APPROACH = 14  # control periods of the arm's way
LONGEST = 200  # control periods of a policy


def covered(stage: Stage, rng: np.random.Generator) -> Script:
    """The arm comes between an object and both cameras, stays up to 2 s, and goes."""
    return _cover(stage, rng, 0.0, 0.01)


def partly(stage: Stage, rng: np.random.Generator) -> Script:
    """The arm hides a part of an object from both cameras, stays up to 2 s, and goes."""
    return _cover(stage, rng, 0.15, 0.6)


def _cover(stage: Stage, rng: np.random.Generator, least: float, most: float) -> Script:
    name = str(rng.choice(stage.movable()))
    home, over = stage.robot.home, _find_cover(stage, name, rng, least, most)
    yield from wait(stage, BEFORE)
    for share in np.arange(1, APPROACH + 1) / APPROACH:
        yield home + share * (over - home)
    for _ in range(int(rng.integers(3, 24))):
        yield over
    for share in np.arange(1, APPROACH + 1) / APPROACH:
        yield over + share * (home - over)
    for _ in range(AFTER):
        yield home


def _find_cover(stage: Stage, name: str, rng: np.random.Generator, least: float, most: float) -> FloatArray:
    """Put an object where an arm over the table would hide it; return the joints (n,) of that arm.

    With `least` to `most` of it shown to the camera that sees it best. The arm is back home afterwards.
    """
    home, was = stage.robot.home, stage.ground(name)
    found: tuple[FloatArray, FloatArray] | None = None
    for _ in range(TRIES):
        stage.world.place(name, np.array([*AWAY, 0.02]))
        over = _pose_over(stage, rng)
        for share in (0.3, 0.6, *[1.0] * 8):
            stage.advance(home + share * (over - home))
        places = rng.uniform(stage.area.lower, stage.area.upper, (400, 2))
        clear = stage.room(name, places) > ROOM
        shown = stage.shown(name, places, stage.look())
        fits = places[clear & (shown >= least) & (shown <= most)]
        if len(fits):
            found = over, fits[0]
            break
    for _ in range(20):
        stage.advance(home)
    stage.place(name, was if found is None else found[1])
    for _ in range(4):
        stage.advance(home)
    return home if found is None else found[0]


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
        yaw = (yaw_of(stage, spec.name) + np.pi / 4) % (np.pi / 2) - np.pi / 4
        keypoints[spec.name.replace(" ", "_")] = Keypoint(
            position.copy(), yaw=float(yaw) if spec.shape == "cube" else None, extent=np.array(spec.size)
        )
    return Observation(joints.stamp, joints, {}, keypoints, None, {}, stage.task)
