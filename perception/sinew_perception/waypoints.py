"""Ways of the gripper's tip for placing, pushing and reaching, from the keypoints of the objects."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

import numpy as np
from sinew_core.types import FloatArray, Keypoint

USUAL_EXTENT = (0.03, 0.03, 0.03)  # m, of an object whose size nobody knows


@dataclass(frozen=True, slots=True)
class Margins:
    """Distances that the ways keep; m."""

    travel: float = 0.015  # below a carried object, over everything that is seen
    release_inside: float = 0.010  # from a bowl's rim up to the object's underside
    release_on: float = 0.003  # from a top up to the object's underside
    finger: float = 0.012  # from the tip to the outside of the closed fingers
    behind: float = 0.020  # between the fingers and the object before a push
    push_height: float = 0.015  # of the tip, at least
    approach: float = 0.030  # from the highest top up to the tip before a push
    hover: float = 0.060  # from an object's top up to the tip
    touch: float = 0.010  # the same for a touch: the fingers end about there


def extent(keypoint: Keypoint) -> FloatArray:
    """Return the object's size (3,), m."""
    return np.array(USUAL_EXTENT) if keypoint.extent is None else keypoint.extent


def top(keypoint: Keypoint) -> float:
    """Return the height of the object's top, m."""
    return float(keypoint.position[2] + extent(keypoint)[2] / 2)


def holds(name: str) -> bool:
    """Tell from an object's name whether things are put into it: a bowl."""
    return "bowl" in name.split("_")


def place_waypoints(
    moved: Keypoint, target: Keypoint, seen: Iterable[Keypoint], inside: bool, margins: Margins
) -> FloatArray:
    """Return lift, above the target, and release (3, 3); the object's centre is at the tip."""
    half = extent(moved)[2] / 2
    highest = max(top(other) for other in (target, *seen) if other is not moved)
    carry = max(highest + margins.travel, top(moved)) + half
    gap = margins.release_inside if inside else margins.release_on
    x, y, _ = moved.position
    to_x, to_y, _ = target.position
    return np.array([[x, y, carry], [to_x, to_y, carry], [to_x, to_y, top(target) + gap + half]])


def push_waypoints(
    moved: Keypoint, target: Keypoint, seen: Iterable[Keypoint], margins: Margins
) -> FloatArray:
    """Return above behind the object, behind it, and where its centre is at the target's (3, 3).

    The objects must not be at one place.
    """
    way = target.position[:2] - moved.position[:2]
    way = way / np.linalg.norm(way)
    reach = half_width(moved, way) + margins.finger
    start = moved.position[:2] - way * (reach + margins.behind)
    end = target.position[:2] - way * reach
    height = max(float(moved.position[2]), margins.push_height)
    above = max(top(other) for other in (moved, *seen)) + margins.approach
    return np.array([[*start, above], [*start, height], [*end, height]])


def half_width(keypoint: Keypoint, direction: FloatArray) -> float:
    """Return how far the object reaches from its centre in a horizontal direction (2,), m."""
    along, across, _ = extent(keypoint)
    if keypoint.yaw is None:
        return float(max(along, across)) / 2
    c, s = np.cos(keypoint.yaw), np.sin(keypoint.yaw)
    turned = abs(direction @ [c, s]) * along + abs(direction @ [-s, c]) * across
    return float(turned) / 2


def above_waypoint(keypoint: Keypoint, height: float) -> FloatArray:
    """Return the point (3,) `height` m above the middle of the object's top."""
    return np.array([*keypoint.position[:2], top(keypoint) + height])
