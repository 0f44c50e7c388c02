"""Both vocabularies: Sinew's types and ROS messages, there and back without loss.

A message that cannot be understood is a ValueError. Stamps are integer nanoseconds on both sides. Depth
travels as 16UC1, in whole millimetres.
"""

from __future__ import annotations

import array
import math
from collections.abc import Mapping

import numpy as np
from builtin_interfaces.msg import Duration, Time
from geometry_msgs.msg import Point
from sensor_msgs.msg import CameraInfo, Image
from sensor_msgs.msg import JointState as JointStateMsg
from sinew_core.types import (
    NANOSECONDS,
    ActionChunk,
    Affordance,
    CameraModel,
    DepthArray,
    ExecutedCommand,
    FloatArray,
    ImageArray,
    JointState,
    Keypoint,
    Percept,
    Refusal,
    RewardEstimate,
)
from sinew_msgs import msg
from std_msgs.msg import Header
from trajectory_msgs.msg import JointTrajectory, JointTrajectoryPoint

from sinew_nodes.image_wire import ImageView, image_to_wire

DEPTH_MAX = 65.535  # m, the farthest that 16 bits of millimetres reach


def stamp_to_msg(stamp: int) -> Time:
    """Return a stamp as a ROS time."""
    return Time(sec=stamp // NANOSECONDS, nanosec=stamp % NANOSECONDS)


def stamp_from_msg(time: Time) -> int:
    """Return a ROS time in ns."""
    return int(time.sec) * NANOSECONDS + int(time.nanosec)


def header(stamp: int, frame: str = "") -> Header:
    """Return a header."""
    return Header(stamp=stamp_to_msg(stamp), frame_id=frame)


def header_stamp(message: object) -> int:
    """Return the stamp of any message with a header, in ns."""
    return stamp_from_msg(message.header.stamp)  # type: ignore[attr-defined]


def _floats(values: object) -> array.array[float]:
    return array.array("d", np.ascontiguousarray(values, dtype=np.float64).tobytes())


def joints_to_msg(joints: JointState, names: tuple[str, ...]) -> JointStateMsg:
    """Return joints as a message."""
    return JointStateMsg(
        header=header(joints.stamp),
        name=list(names),
        position=_floats(joints.position),
        velocity=_floats(joints.velocity),
        effort=_floats(joints.effort) if joints.effort is not None else array.array("d"),
    )


def joints_from_msg(message: JointStateMsg, names: tuple[str, ...]) -> JointState:
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
        np.array(message.effort) if message.effort else None,
    )


def _check_joints(given: list[str], expected: tuple[str, ...]) -> None:
    if tuple(given) != expected:
        raise ValueError(f"joints {', '.join(given)}; expected {', '.join(expected)}.")


def rgb_to_wire(stamp: int, rgb: ImageArray, frame: str) -> bytes:
    """Return a colour image (h, w, 3) as a serialised rgb8 Image."""
    return image_to_wire(stamp, rgb, frame, "rgb8")


def rgb_from_msg(message: Image | ImageView) -> ImageArray:
    """Return an rgb8 image, (h, w, 3), which may be read-only."""
    _check_encoding(message, "rgb8", 3)
    return np.frombuffer(message.data, np.uint8).reshape(message.height, message.width, 3)


def depth_to_wire(stamp: int, depth: DepthArray, frame: str) -> bytes:
    """Return a depth image (h, w), in m, as a serialised 16UC1 Image.

    What is not finite, negative or too far counts as no depth.
    """
    metres = depth
    if not float(metres.max(initial=0.0)) <= DEPTH_MAX or not float(metres.min(initial=0.0)) >= 0.0:
        metres = np.where((depth >= 0) & (depth <= DEPTH_MAX), depth, np.float32(0))
    millimetres = (metres * np.float32(1000) + np.float32(0.5)).astype(np.uint16)
    return image_to_wire(stamp, millimetres, frame, "16UC1")


def depth_from_msg(message: Image | ImageView) -> DepthArray:
    """Return a 16UC1 image as depth, (h, w), in m."""
    _check_encoding(message, "16UC1", 2)
    millimetres = np.frombuffer(message.data, ">u2" if message.is_bigendian else "<u2")
    metres: DepthArray = np.divide(millimetres, np.float32(1000), dtype=np.float32)
    return metres.reshape(message.height, message.width)


def _check_encoding(message: Image | ImageView, encoding: str, pixel_bytes: int) -> None:
    if message.encoding != encoding or message.step != message.width * pixel_bytes:
        raise ValueError(
            f"image of encoding '{message.encoding}' with rows of {message.step} bytes; expected "
            f"'{encoding}' with {message.width * pixel_bytes}."
        )


def camera_info_to_msg(stamp: int, model: CameraModel, frame: str) -> CameraInfo:
    """Return a pinhole model without distortion."""
    fx, fy, cx, cy = model.fx, model.fy, model.cx, model.cy
    return CameraInfo(
        header=header(stamp, frame),
        width=model.width,
        height=model.height,
        distortion_model="plumb_bob",
        d=[0.0] * 5,
        k=[fx, 0.0, cx, 0.0, fy, cy, 0.0, 0.0, 1.0],
        r=[1.0, 0.0, 0.0, 0.0, 1.0, 0.0, 0.0, 0.0, 1.0],
        p=[fx, 0.0, cx, 0.0, 0.0, fy, cy, 0.0, 0.0, 0.0, 1.0, 0.0],
    )


def percept_to_msg(percept: Percept, frame: str) -> msg.Keypoints:
    """Return what was seen as a message."""
    return msg.Keypoints(
        header=header(percept.stamp, frame),
        keypoints=[_keypoint_to_msg(name, keypoint) for name, keypoint in percept.keypoints.items()],
        features=[msg.Feature(name=name, value=_floats(v)) for name, v in percept.features.items()],
    )


def percept_from_msg(message: msg.Keypoints) -> Percept:
    """Return a message as what was seen."""
    return Percept(
        header_stamp(message),
        {keypoint.name: _keypoint_from_msg(keypoint) for keypoint in message.keypoints},
        {feature.name: np.array(feature.value) for feature in message.features},
    )


def _keypoint_to_msg(name: str, keypoint: Keypoint) -> msg.Keypoint:
    return msg.Keypoint(
        name=name,
        position=_point(keypoint.position),
        pixel=np.zeros(2) if keypoint.pixel is None else np.asarray(keypoint.pixel, np.float64),
        has_pixel=keypoint.pixel is not None,
        confidence=float(keypoint.confidence),
        yaw=_or_nan(keypoint.yaw),
        extent=np.full(3, math.nan) if keypoint.extent is None else np.asarray(keypoint.extent, np.float64),
    )


def _keypoint_from_msg(message: msg.Keypoint) -> Keypoint:
    return Keypoint(
        _array(message.position),
        np.array(message.pixel) if message.has_pixel else None,
        message.confidence,
        _or_none(message.yaw),
        None if np.isnan(message.extent).all() else np.array(message.extent),
    )


def affordance_to_msg(answer: Affordance | Refusal, episode: int, frame: str) -> msg.Affordance:
    """Return an answer of an affordance model, or its refusal, as a message."""
    message = msg.Affordance(
        header=header(answer.stamp, frame),
        episode=episode,
        instruction=answer.instruction,
        source=answer.source,
    )
    if isinstance(answer, Refusal):
        message.refusal = answer.reason or "no reason given"
        message.saw = list(answer.saw)
        return message
    message.grasp, message.has_grasp_point, message.grasp_point = _place_to_msg(answer.grasp)
    message.target, message.has_target_point, message.target_point = _place_to_msg(answer.target)
    message.moves = answer.moves or ""
    message.waypoints = [_point(point) for point in answer.waypoints]
    message.closed = [bool(closed) for closed in answer.closed]
    return message


def affordance_from_msg(message: msg.Affordance) -> Affordance | Refusal:
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
        waypoints=np.array([_array(point) for point in message.waypoints]).reshape(-1, 3),
        target=_place_from_msg(message.target, message.has_target_point, message.target_point),
        source=message.source,
        closed=np.array(message.closed, dtype=np.bool_),
        moves=message.moves or None,
    )


def _place_to_msg(place: str | FloatArray | None) -> tuple[str, bool, Point]:
    if place is None or isinstance(place, str):
        return place or "", False, Point()
    return "", True, _point(place)


def _place_from_msg(name: str, has_point: bool, point: Point) -> str | FloatArray | None:
    return _array(point) if has_point else name or None


def _point(position: FloatArray) -> Point:
    return Point(x=float(position[0]), y=float(position[1]), z=float(position[2]))


def _array(point: Point) -> FloatArray:
    return np.array([point.x, point.y, point.z])


def reward_to_msg(reward: RewardEstimate, episode: int) -> msg.RewardEstimate:
    """Return a reward estimate as a message."""
    return msg.RewardEstimate(
        header=header(reward.stamp),
        episode=episode,
        value=float(reward.value),
        success=_or_nan(reward.success),
        progress=_or_nan(reward.progress),
        uncertainty=_or_nan(reward.uncertainty),
        term_names=list(reward.terms),
        term_values=_floats(list(reward.terms.values())),
    )


def reward_from_msg(message: msg.RewardEstimate) -> RewardEstimate:
    """Return a message as a reward estimate."""
    terms: Mapping[str, float] = dict(zip(message.term_names, message.term_values, strict=True))
    return RewardEstimate(
        header_stamp(message),
        message.value,
        _or_none(message.success),
        _or_none(message.progress),
        _or_none(message.uncertainty),
        terms,
    )


def _or_nan(value: float | None) -> float:
    return math.nan if value is None else float(value)


def _or_none(value: float) -> float | None:
    return None if math.isnan(value) else value


def chunk_to_msg(chunk: ActionChunk, names: tuple[str, ...]) -> JointTrajectory:
    """Return an action chunk as a trajectory: row i, sent at i dt, is to be reached at (i + 1) dt."""
    dt = round(chunk.dt * NANOSECONDS)
    return JointTrajectory(
        header=header(chunk.stamp),
        joint_names=list(names),
        points=[
            JointTrajectoryPoint(positions=_floats(row), time_from_start=_duration((i + 1) * dt))
            for i, row in enumerate(chunk.position)
        ],
    )


def chunk_from_msg(message: JointTrajectory, names: tuple[str, ...]) -> ActionChunk:
    """Return a trajectory as an action chunk; its points must be spaced evenly, from one dt on."""
    _check_joints(message.joint_names, names)
    if not message.points or any(len(point.positions) != len(names) for point in message.points):
        lengths = [len(point.positions) for point in message.points]
        raise ValueError(f"trajectory rows of {lengths} positions, expected {len(names)} in each.")
    times = [
        point.time_from_start.sec * NANOSECONDS + point.time_from_start.nanosec for point in message.points
    ]
    if times[0] <= 0 or times != [(i + 1) * times[0] for i in range(len(times))]:
        raise ValueError("trajectory points must lie at dt, 2 dt, 3 dt, ... after the stamp.")
    position = np.array([point.positions for point in message.points], dtype=np.float64)
    return ActionChunk(header_stamp(message), times[0] / NANOSECONDS, position)


def _duration(nanoseconds: int) -> Duration:
    return Duration(sec=nanoseconds // NANOSECONDS, nanosec=nanoseconds % NANOSECONDS)


def executed_to_msg(
    executed: ExecutedCommand, written: int, episode: int, names: tuple[str, ...]
) -> msg.ExecutedCommand:
    """Return an executed command as a message; `written` is when it was sent, in ns."""
    return msg.ExecutedCommand(
        header=header(written),
        episode=episode,
        joint_names=list(names),
        position=_floats(executed.position),
        source=executed.source,
        reasons=list(executed.reasons),
        observation_stamp=stamp_to_msg(executed.observation_stamp),
    )


def executed_from_msg(message: msg.ExecutedCommand) -> ExecutedCommand:
    """Return a message as an executed command; its stamp is the time of writing."""
    return ExecutedCommand(
        header_stamp(message),
        np.array(message.position),
        message.source,
        tuple(message.reasons),
        stamp_from_msg(message.observation_stamp),
    )
