"""Perception judged by the plan: the chance of success that is lost by acting on what was perceived.

An error of perception costs nothing in itself; what counts is what a planner loses that acts on the
estimate instead of the truth: U(plan(truth), truth) - U(plan(estimate), truth) (Li and Yang 2023,
"Transcendental idealism of planner", ICML). U is here the chance that a grasp, a placing or a push
planned on one set of keypoints comes off in the world of another, from the room that its geometry leaves.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace

import numpy as np
from sinew_core.types import FloatArray, Keypoint
from sinew_perception.waypoints import extent, half_width

SPREAD = 0.003  # m, of what an arm makes of a planned position
Keypoints = Mapping[str, Keypoint]


@dataclass(frozen=True, slots=True)
class Intent:
    """What a plan is for."""

    moved: str  # keypoint that is to end at the target
    target: str
    kind: str = "place"  # place: grasped, carried, let go; push: pushed along the table


@dataclass(frozen=True, slots=True)
class Rooms:
    """The room that the geometry of gripper and task leaves; m."""

    clearance: float = 0.012  # between an object and each open jaw
    finger: float = 0.012  # half the breadth of a finger, along which an object may be off
    inside: float = 0.006  # that a placed object may be off beyond where its rim meets the target's
    behind: float = 0.020  # between the closed fingers and the object before a push
    on_pad: float = 0.035  # of a pushed object's centre from the target's
    above: float = 0.012  # by which an object may be let go too high
    below: float = 0.006  # or too low


def plan_loss(intent: Intent, estimate: Keypoints, truth: Keypoints, rooms: Rooms | None = None) -> float:
    """Return the chance of success lost, in [-1, 1], by planning on `estimate` where `truth` holds.

    A keypoint that is needed but missing from the estimate leaves no plan: all of the chance is lost.
    """
    rooms = rooms or Rooms()
    return utility(intent, truth, truth, rooms) - utility(intent, estimate, truth, rooms)


def loss_by_keypoint(intent: Intent, estimate: Keypoints, truth: Keypoints) -> dict[str, float]:
    """Return what each keypoint's error costs by itself, the others being as they truly are."""
    losses = {}
    for name in truth:
        mixed = {key: value for key, value in truth.items() if key != name}
        mixed |= {name: estimate[name]} if name in estimate else {}
        losses[name] = plan_loss(intent, mixed, truth)
    return losses


def utility(intent: Intent, planned: Keypoints, truth: Keypoints, rooms: Rooms) -> float:
    """Return the chance, 0 to 1, that a plan made on `planned` succeeds where `truth` holds."""
    if intent.moved not in planned or intent.target not in planned:
        return 0.0
    item, target = planned[intent.moved], planned[intent.target]
    if intent.kind == "push":
        return _push(item, target, truth[intent.moved], truth[intent.target], rooms)
    held, off = _grasp(item, truth[intent.moved], rooms)
    return held * _place(target, truth[intent.moved], truth[intent.target], off, rooms)


def _grasp(planned: Keypoint, true: Keypoint, rooms: Rooms) -> tuple[float, float]:
    """Return the chance of holding the object, and how far from the fingers' middle it is then, m."""
    axis = _closing_axis(planned)
    error = true.position - planned.position
    along, across = abs(float(error[:2] @ axis)), abs(float(error[0] * axis[1] - error[1] * axis[0]))
    opening = _width(planned, axis) + 2 * rooms.clearance
    beside = (opening - _width(true, axis)) / 2 - along
    over = rooms.finger + _width(true, np.array([-axis[1], axis[0]])) / 2 - across
    height = float(extent(true)[2]) / 2 - abs(float(error[2]))
    # The jaws bring the object to their middle along the closing axis; across it, it stays where it was.
    return _chance(beside) * _chance(over) * _chance(height), across


def _place(planned: Keypoint, item: Keypoint, target: Keypoint, off: float, rooms: Rooms) -> float:
    error = target.position - planned.position
    beside = float(np.hypot(np.linalg.norm(error[:2]), off))
    target_half, item_half = (float(min(extent(thing)[:2])) / 2 for thing in (target, item))
    room = max(target_half - item_half, 0.0) + rooms.inside
    # Let go too high, it falls; too low, it is pressed into what is below.
    high, low = rooms.above + max(room - item_half, 0.0) + error[2], rooms.below - error[2]
    return _chance(room - beside) * _chance(float(high)) * _chance(float(low))


def _push(item: Keypoint, target: Keypoint, true: Keypoint, true_target: Keypoint, rooms: Rooms) -> float:
    way = target.position[:2] - item.position[:2]
    length = float(np.linalg.norm(way))
    if length < 1e-6:
        return 0.0
    way = way / length
    error = true.position[:2] - item.position[:2]
    along, across = float(error @ way), abs(float(error[0] * way[1] - error[1] * way[0]))
    behind = rooms.behind + along  # nearer than planned, the fingers come down on it
    meets = _width(true, np.array([-way[1], way[0]])) / 2 - across
    # Pushed until the fingers are half the object's planned width before the planned target.
    end = target.position[:2] + way * (_width(true, way) - _width(item, way)) / 2
    end = end + across * np.array([-way[1], way[0]])
    beside = float(np.linalg.norm(end - true_target.position[:2]))
    return _chance(behind) * _chance(meets) * _chance(rooms.on_pad - beside)


def _closing_axis(item: Keypoint) -> FloatArray:
    """Return the direction (2,) in which jaws close on an object: across its longer side."""
    yaw = 0.0 if item.yaw is None else item.yaw
    return np.array([-np.sin(yaw), np.cos(yaw)])


def _width(item: Keypoint, direction: FloatArray) -> float:
    """Return how wide an object is along a horizontal unit vector (2,), m."""
    return 2 * half_width(item, direction)


def _chance(room: float) -> float:
    """Return the chance that a position off by SPREAD, typically, stays within `room` (m)."""
    return float(1.0 / (1.0 + np.exp(-np.clip(room / SPREAD, -50.0, 50.0))))


def disturbed(truth: Keypoint, offset: FloatArray) -> Keypoint:
    """Return a keypoint displaced by (3,) m."""
    return replace(truth, position=truth.position + offset)
