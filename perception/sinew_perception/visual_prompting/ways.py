"""An answer's labels turned into an affordance: keypoint names, and a way in metres."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
from sinew_core.types import Affordance, FloatArray, Keypoint, Observation

from sinew_perception.visual_prompting.answer import Answer
from sinew_perception.visual_prompting.faults import Fault
from sinew_perception.visual_prompting.marks import Marks
from sinew_perception.waypoints import Margins, above_waypoint, holds, place_waypoints, push_waypoints

SAME_PLACE = 0.005  # m; nearer than this there is nothing to move
BESIDE = 0.04  # m, horizontally; nearer waypoints are the way's ends, which are known better than a cell


def make_affordance(
    answer: Answer,
    marks: Marks,
    observation: Observation,
    instruction: str,
    *,
    source: str,
    margins: Margins | None,
) -> Affordance:
    """Return the affordance that an answer means.

    With `margins` the ends of the way are those that the keypoints give, and what the answer named in
    between is kept, raised to where a carried object clears everything; a push has only its ends. Without,
    the way is as named. Raises Fault `declined` for a push to where the object is.
    """
    target = marks.candidate(answer.target)
    moved = None if answer.moves is None else marks.candidate(answer.moves)
    named = np.array([marks.place(item.at, marks.height(item.height)) for item in answer.waypoints])
    closed = np.array([item.closed for item in answer.waypoints], dtype=np.bool_)
    if target is None:
        end = Keypoint(marks.place(answer.target, 0.0), extent=np.zeros(3))
    else:
        end = observation.keypoints[target.object]
    if margins is not None:
        moving = None if moved is None else observation.keypoints[moved.object]
        if moving is not None and np.linalg.norm(moving.position[:2] - end.position[:2]) < SAME_PLACE:
            raise Fault("declined", f"{answer.moves} is at {answer.target} already.")
        named = _refined(answer.action, named, moving, end, observation.keypoints, margins)
        closed = np.full(len(named), answer.action != "reach")
    return Affordance(
        stamp=observation.stamp,
        instruction=instruction,
        grasp=moved.object if moved and answer.action == "place" else None,
        waypoints=named,
        target=target.object if target else end.position,
        source=source,
        closed=closed,
        moves=None if moved is None else moved.object,
    )


def _refined(
    action: str,
    named: FloatArray,
    moved: Keypoint | None,
    target: Keypoint,
    seen: Mapping[str, Keypoint],
    margins: Margins,
) -> FloatArray:
    if moved is None:
        heights = [margins.hover] if action == "reach" else [margins.hover, margins.touch]
        ends = np.array([above_waypoint(target, height) for height in heights])
        return np.vstack([_between(named, [target], ends[0][2]), ends])
    others = seen.values()
    if action == "place":
        inside = any(holds(name) for name, item in seen.items() if item is target)
        first, above, release = place_waypoints(moved, target, others, inside, margins)
        return np.vstack([first, _between(named, [moved, target], above[2]), above, release])
    return push_waypoints(moved, target, others, margins)


def _between(named: FloatArray, ends: list[Keypoint], lowest: float) -> FloatArray:
    """Return the named waypoints that are beside none of the ends, raised to `lowest` m."""
    away = [np.linalg.norm(named[:, :2] - item.position[:2], axis=1) > BESIDE for item in ends]
    kept = named[np.all(away, axis=0)].copy()
    kept[:, 2] = np.maximum(kept[:, 2], lowest)
    return kept
