"""Joints, action chunks and executed commands as messages."""

from __future__ import annotations

import array
from collections.abc import Sequence
from typing import Any

import numpy as np
from sinew_core.types import NANOSECONDS, ActionChunk, ExecutedCommand, JointState

from sinew_data.messages.header import Make, floats, header, header_stamp, stamp_from_msg, stamp_to_msg


def joints_to_msg(make: Make, joints: JointState, names: tuple[str, ...]) -> Any:
    """Return joints as a sensor_msgs/JointState."""
    return make["sensor_msgs/msg/JointState"](
        header=header(make, joints.stamp),
        name=list(names),
        position=floats(joints.position),
        velocity=floats(joints.velocity),
        effort=floats(joints.effort) if joints.effort is not None else array.array("d"),
    )


def joints_from_msg(message: Any, names: tuple[str, ...]) -> JointState:
    """Return a message as joints; it must name the robot's joints in their order."""
    _check_joints(message.name, names)
    if len(message.position) != len(names) or len(message.velocity) != len(names):
        raise ValueError(
            f"joint_states: {len(message.position)} positions and {len(message.velocity)} velocities "
            f"for {len(names)} joints."
        )
    return JointState(
        header_stamp(message),
        np.array(message.position),
        np.array(message.velocity),
        np.array(message.effort) if len(message.effort) else None,
    )


def _check_joints(given: Sequence[str], expected: tuple[str, ...]) -> None:
    if tuple(given) != expected:
        raise ValueError(f"joints {', '.join(given)}; expected {', '.join(expected)}.")


def chunk_to_msg(make: Make, chunk: ActionChunk, names: tuple[str, ...]) -> Any:
    """Return an action chunk as a JointTrajectory: row i, sent at i dt, is to be reached at (i + 1) dt."""
    dt = round(chunk.dt * NANOSECONDS)
    return make["trajectory_msgs/msg/JointTrajectory"](
        header=header(make, chunk.stamp),
        joint_names=list(names),
        points=[
            make["trajectory_msgs/msg/JointTrajectoryPoint"](
                positions=floats(row),
                time_from_start=_duration(make, (i + 1) * dt),
            )
            for i, row in enumerate(chunk.position)
        ],
    )


def chunk_from_msg(message: Any, names: tuple[str, ...]) -> ActionChunk:
    """Return a trajectory as an action chunk; its points must be spaced evenly, from one dt on.

    Without points it is the chunk (0, n), which gives control back; its dt is 0.
    """
    _check_joints(message.joint_names, names)
    if not message.points:
        return ActionChunk(header_stamp(message), 0.0, np.empty((0, len(names))))
    if any(len(point.positions) != len(names) for point in message.points):
        lengths = [len(point.positions) for point in message.points]
        raise ValueError(f"trajectory rows of {lengths} positions, expected {len(names)} in each.")
    times = [
        point.time_from_start.sec * NANOSECONDS + point.time_from_start.nanosec for point in message.points
    ]
    if times[0] <= 0 or times != [(i + 1) * times[0] for i in range(len(times))]:
        raise ValueError("trajectory points must lie at dt, 2 dt, 3 dt, ... after the stamp.")
    position = np.array([point.positions for point in message.points], dtype=np.float64)
    return ActionChunk(header_stamp(message), times[0] / NANOSECONDS, position)


def _duration(make: Make, nanoseconds: int) -> Any:
    return make["builtin_interfaces/msg/Duration"](
        sec=nanoseconds // NANOSECONDS,
        nanosec=nanoseconds % NANOSECONDS,
    )


def executed_to_msg(
    make: Make, executed: ExecutedCommand, written: int, episode: int, names: tuple[str, ...]
) -> Any:
    """Return an executed command as a message; `written` is when it was sent, in ns."""
    return make["sinew_msgs/msg/ExecutedCommand"](
        header=header(make, written),
        episode=episode,
        joint_names=list(names),
        position=floats(executed.position),
        source=executed.source,
        reasons=list(executed.reasons),
        observation_stamp=stamp_to_msg(make, executed.observation_stamp),
    )


def executed_from_msg(message: Any) -> ExecutedCommand:
    """Return a message as an executed command; its stamp is the time of writing."""
    return ExecutedCommand(
        header_stamp(message),
        np.array(message.position),
        message.source,
        tuple(message.reasons),
        stamp_from_msg(message.observation_stamp),
    )
