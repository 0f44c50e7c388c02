"""Both vocabularies with rclpy's messages: what sinew_data.messages says, bound to their classes."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from typing import Any

from builtin_interfaces.msg import Duration, Time
from geometry_msgs.msg import Point
from sensor_msgs.msg import CameraInfo, JointState
from sinew_data import messages
from sinew_data.messages import (
    affordance_from_msg,
    authority_from_msg,
    chunk_from_msg,
    depth_from_msg,
    depth_to_wire,
    event_from_msg,
    executed_from_msg,
    header_stamp,
    joints_from_msg,
    observed_from_msg,
    percept_from_msg,
    reward_from_msg,
    rgb_from_msg,
    rgb_to_wire,
    stamp_from_msg,
)
from sinew_msgs import msg
from std_msgs.msg import Header
from trajectory_msgs.msg import JointTrajectory, JointTrajectoryPoint

__all__ = [
    "affordance_from_msg",
    "affordance_to_msg",
    "authority_from_msg",
    "authority_to_msg",
    "camera_info_to_msg",
    "chunk_from_msg",
    "chunk_to_msg",
    "depth_from_msg",
    "depth_to_wire",
    "event_from_msg",
    "event_to_msg",
    "executed_from_msg",
    "executed_to_msg",
    "header",
    "header_stamp",
    "joints_from_msg",
    "joints_to_msg",
    "make",
    "observed_from_msg",
    "observed_to_msg",
    "percept_from_msg",
    "percept_to_msg",
    "reward_from_msg",
    "reward_to_msg",
    "rgb_from_msg",
    "rgb_to_wire",
    "stamp_from_msg",
    "stamp_to_msg",
]

make: dict[str, Callable[..., Any]] = {
    "builtin_interfaces/msg/Duration": Duration,
    "builtin_interfaces/msg/Time": Time,
    "geometry_msgs/msg/Point": Point,
    "sensor_msgs/msg/CameraInfo": CameraInfo,
    "sensor_msgs/msg/JointState": JointState,
    "std_msgs/msg/Header": Header,
    "trajectory_msgs/msg/JointTrajectory": JointTrajectory,
    "trajectory_msgs/msg/JointTrajectoryPoint": JointTrajectoryPoint,
    **{
        f"sinew_msgs/msg/{name}": getattr(msg, name)
        for name in (
            "Affordance",
            "Authority",
            "EpisodeEvent",
            "ExecutedCommand",
            "Feature",
            "Keypoint",
            "Keypoints",
            "Observed",
            "PolicyWeights",
            "RewardEstimate",
            "Transitions",
            "TransitionsAck",
        )
    },
}


stamp_to_msg = partial(messages.stamp_to_msg, make)
header = partial(messages.header, make)
joints_to_msg = partial(messages.joints_to_msg, make)
chunk_to_msg = partial(messages.chunk_to_msg, make)
executed_to_msg = partial(messages.executed_to_msg, make)
camera_info_to_msg = partial(messages.camera_info_to_msg, make)
percept_to_msg = partial(messages.percept_to_msg, make)
affordance_to_msg = partial(messages.affordance_to_msg, make)
reward_to_msg = partial(messages.reward_to_msg, make)
event_to_msg = partial(messages.event_to_msg, make)
authority_to_msg = partial(messages.authority_to_msg, make)
observed_to_msg = partial(messages.observed_to_msg, make)
