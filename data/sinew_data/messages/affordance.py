"""Affordances and refusals as messages."""

from __future__ import annotations

from typing import Any

import numpy as np
from sinew_core.types import Affordance, FloatArray, Refusal

from sinew_data.messages.header import Make, header, header_stamp, point, point_array


def affordance_to_msg(make: Make, answer: Affordance | Refusal, episode: int, frame: str) -> Any:
    """Return an answer of an affordance model, or its refusal, as a message."""
    common = {
        "header": header(make, answer.stamp, frame),
        "episode": episode,
        "instruction": answer.instruction,
        "source": answer.source,
    }
    if isinstance(answer, Refusal):
        return make["sinew_msgs/msg/Affordance"](
            **common,
            refusal=answer.reason or "no reason given",
            saw=list(answer.saw),
        )
    return make["sinew_msgs/msg/Affordance"](
        **common,
        **_place_to_msg(make, "grasp", answer.grasp),
        **_place_to_msg(make, "target", answer.target),
        moves=answer.moves or "",
        waypoints=[point(make, position) for position in answer.waypoints],
        closed=[bool(closed) for closed in answer.closed],
    )


def affordance_from_msg(message: Any) -> Affordance | Refusal:
    """Return a message as an affordance or a refusal."""
    stamp = header_stamp(message)
    if message.refusal:
        return Refusal(stamp, message.instruction, message.refusal, tuple(message.saw), message.source)
    if len(message.closed) != len(message.waypoints):
        raise ValueError(
            f"affordance: {len(message.closed)} gripper states for {len(message.waypoints)} waypoints."
        )
    return Affordance(
        stamp=stamp,
        instruction=message.instruction,
        grasp=_place_from_msg(message.grasp, message.has_grasp_point, message.grasp_point),
        waypoints=np.array([point_array(position) for position in message.waypoints]).reshape(-1, 3),
        target=_place_from_msg(message.target, message.has_target_point, message.target_point),
        source=message.source,
        closed=np.array(message.closed, dtype=np.bool_),
        moves=message.moves or None,
    )


def _place_to_msg(make: Make, key: str, place: str | FloatArray | None) -> dict[str, Any]:
    """Return the fields of a place: the name of a keypoint, or a point (3,), or nothing."""
    if place is None or isinstance(place, str):
        return {key: place or ""}
    return {f"has_{key}_point": True, f"{key}_point": point(make, place)}


def _place_from_msg(name: str, has_point: bool, position: Any) -> str | FloatArray | None:
    return point_array(position) if has_point else name or None
