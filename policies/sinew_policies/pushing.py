"""Push an object along the table to a target with the closed gripper, look, and push again."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from sinew_core.types import Affordance, FloatArray, Keypoint

from sinew_policies.grasping import UNKNOWN_WIDTH, best_yaw
from sinew_policies.memory import width_along
from sinew_policies.pick_and_place import CLOSED, at_target
from sinew_policies.skills import Script, TipSkills
from sinew_policies.straight_lines import TipGoal


@dataclass(frozen=True, slots=True)
class PushConfig:
    """How an object is pushed."""

    tolerance: float = 0.015  # m from the target, horizontally, at which pushing ends
    behind: float = 0.02  # m between gripper and object where a push begins
    height: float = 0.015  # m, of the tip


@dataclass(frozen=True, slots=True)
class Stroke:
    """One straight push; tip positions (3,) m."""

    start: FloatArray
    end: FloatArray
    yaw: float  # rad, of the closing axis


def push(skills: TipSkills, config: PushConfig, affordance: Affordance) -> Script[bool]:
    """Make one push; return whether the object is now at the target, as far as can be seen."""
    item = yield from skills.find(affordance.moves)
    target = yield from skills.find(affordance.target)
    if item is None or target is None:
        return False
    if at_target(skills.view, affordance, config.tolerance):
        return True
    stroke = plan_stroke(skills, config, item, target)
    above = stroke.start.copy()
    above[2] = skills.config.travel_height
    yield from skills.travel(above, stroke.yaw, CLOSED, passing=0.006)
    yield from skills.go(TipGoal(stroke.start, stroke.yaw, CLOSED, slow=True))
    yield from skills.go(TipGoal(stroke.end, stroke.yaw, CLOSED, slow=True))
    yield from skills.rise(CLOSED)
    yield from skills.wait(skills.here(CLOSED), skills.config.look_steps)
    yield from skills.find(affordance.moves)
    return at_target(skills.view, affordance, config.tolerance)


def plan_stroke(skills: TipSkills, config: PushConfig, item: Keypoint, target: Keypoint) -> Stroke:
    """Return the push that brings an object's centre onto the target.

    The closing axis lies across the push, so that both closed jaws meet the object side by side: a broad
    face, as upright as the gripper. It meets the object in the middle even where the closed jaws are
    beside the tip.
    """
    way = target.position[:2] - item.position[:2]
    heading = float(np.arctan2(way[1], way[0]))
    along = np.array([np.cos(heading), np.sin(heading), 0.0])
    half = width_along(item, heading, UNKNOWN_WIDTH) / 2
    height = max(config.height, skills.lowest)
    behind = np.array([item.position[0], item.position[1], height]) - (half + config.behind) * along
    there = np.array([target.position[0], target.position[1], height]) - half * along
    motion, (back, front) = skills.motion, skills.jaws.broadside
    reaches = {heading - np.pi / 2: front, heading + np.pi / 2: -back}  # the tip's x axis along, against
    yaw = best_yaw(motion.solver, behind, dict.fromkeys(reaches, 0.0), motion.joints, motion.yaw)
    axis = np.array([np.cos(yaw), np.sin(yaw), 0.0])
    shift = -reaches[yaw] * along - sum(skills.jaws.outside) / 2 * axis
    return Stroke(behind + shift, there + shift, yaw)
