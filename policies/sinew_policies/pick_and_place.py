"""Grasp an object, carry it along the waypoints, let go, and see whether it is where it should be."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from sinew_core.types import Affordance, FloatArray

from sinew_policies.grasping import Grasp, best_yaw, plan_grasp
from sinew_policies.memory import ObjectView
from sinew_policies.skills import Script, TipSkills
from sinew_policies.straight_lines import TipGoal
from sinew_policies.waypoints import Anchors

OPEN, CLOSED = 1.0, 0.0


@dataclass(frozen=True, slots=True)
class PlaceConfig:
    """When an object counts as placed."""

    tolerance: float = 0.03  # m from the target, horizontally
    retreat: float = 0.06  # m straight up after letting go, where no waypoint says so


def pick_and_place(
    skills: TipSkills, config: PlaceConfig, affordance: Affordance, anchors: Anchors
) -> Script[bool]:
    """Make one attempt; return whether the object is now at the target, as far as can be seen."""
    grasp = yield from approach(skills, affordance)
    if grasp is None:
        return False
    held = yield from close_on(skills, grasp)
    if held:
        waypoints = anchors.follow(affordance, skills.view)
        held = yield from carry(skills, config, affordance, grasp, waypoints)
    yield from skills.rise(OPEN)
    if not held:
        return False
    yield from skills.wait(skills.here(OPEN), skills.config.look_steps)
    yield from skills.find(affordance.moves)
    return at_target(skills.view, affordance, config.tolerance)


def approach(skills: TipSkills, affordance: Affordance) -> Script[Grasp | None]:
    """Open the gripper and bring it above the object; aim again if the object moves on the way."""
    for _ in range(3):
        item = yield from skills.find(affordance.grasp)
        if item is None:
            return None
        c, motion = skills.config, skills.motion
        grasp = plan_grasp(
            item,
            skills.view.others(affordance.grasp),
            motion.solver,
            skills.jaws,
            motion.joints,
            motion.yaw,
            skills.lowest,
            c.clearance,
        )
        above = grasp.before()
        above[2] = max(c.travel_height, above[2] + 0.03)
        yield from skills.travel(above, grasp.yaw, grasp.aperture, passing=0.006)
        seen = skills.view.seen(affordance.grasp)
        if seen is None or np.linalg.norm(seen.position - item.position) < c.moved:
            return grasp
    return grasp


def close_on(skills: TipSkills, grasp: Grasp) -> Script[bool]:
    """Go down around the object, close, and lift; return whether something is held."""
    yield from skills.go(TipGoal(grasp.before(), grasp.yaw, grasp.aperture, slow=True))
    yield from skills.close(TipGoal(grasp.around(), grasp.yaw, CLOSED, slow=True))
    if skills.holds:
        lifted = grasp.around() + np.array([0.0, 0.0, 0.03])
        goal = TipGoal(lifted, grasp.yaw, skills.motion.aperture, slow=True, passing=0.01)
        return (yield from skills.carry(goal))
    return False


def carry(
    skills: TipSkills, config: PlaceConfig, affordance: Affordance, grasp: Grasp, waypoints: FloatArray
) -> Script[bool]:
    """Follow the waypoints and let go where they say; return False when the object was lost on the way."""
    closed = [bool(c) for c in affordance.closed]
    last = max((i for i, c in enumerate(closed) if c), default=-1)
    if last >= 0:
        yaws = {grasp.yaw + k * np.pi / 2: 0.0 for k in range(4)}
        release = grasp.carrying(waypoints[last])
        motion = skills.motion
        grasp = grasp.turned(best_yaw(motion.solver, release, yaws, motion.joints, motion.yaw))
    for i, point in enumerate(waypoints):
        if i == last + 1:
            yield from skills.open(grasp.aperture)
        goal = carried_goal(grasp, point, i - last, skills.motion.aperture)
        if i > last:
            yield from skills.go(goal)
        elif not (yield from skills.carry(goal)):
            return False
    if last + 1 == len(waypoints):
        yield from skills.open(grasp.aperture)
        up = skills.motion.position + np.array([0.0, 0.0, config.retreat])
        yield from skills.go(TipGoal(up, grasp.yaw, OPEN))
    return True


def carried_goal(grasp: Grasp, point: FloatArray, after_release: int, grip: float) -> TipGoal:
    """Return the tip goal of a waypoint: swift on the way, slow and to a standstill where to let go."""
    position = grasp.carrying(point)
    if after_release < 0:
        return TipGoal(position, grasp.yaw, grip, passing=0.015)
    if after_release == 0:
        return TipGoal(position, grasp.yaw, grip, slow=True)
    return TipGoal(position, grasp.yaw, OPEN, passing=0.01)


def at_target(view: ObjectView, affordance: Affordance, tolerance: float) -> bool:
    """Tell whether the object that was to move is at the target; unseen, it counts as there.

    It has to be over the target: what has slipped off beside it is not there.
    """
    item, target = view.seen(affordance.moves), view.known(affordance.target)
    if item is None or target is None:
        return True
    if target.extent is not None:
        tolerance = min(tolerance, float(min(target.extent[:2])) / 2)
    return float(np.linalg.norm(item.position[:2] - target.position[:2])) <= tolerance
