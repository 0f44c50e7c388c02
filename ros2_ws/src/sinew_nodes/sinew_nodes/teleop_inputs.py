"""What teleoperation sources take from topics: gamepads, twists and trajectories of anybody."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
from geometry_msgs.msg import TwistStamped, Vector3
from sensor_msgs.msg import Joy
from sinew_core.types import NANOSECONDS, FloatArray
from sinew_teleop.source import JoyTaker, StreamTaker, TeleopSource
from trajectory_msgs.msg import JointTrajectory

from sinew_nodes import convert, qos
from sinew_nodes.component_node import ComponentNode

NEWEST = qos.command("realtime")
Refuse = Callable[[str], None]  # tells why a message was not understood


def open_inputs(node: ComponentNode[Any], source: TeleopSource, refuse: Refuse) -> None:
    """Subscribe to what a source wants; a message that cannot be understood moves nothing."""
    if isinstance(source, JoyTaker):
        take_joy = source.take_joy
        node.listen(Joy, "joy", lambda message: take_joy(message.axes, message.buttons), NEWEST)
    if isinstance(source, StreamTaker):
        streams = _Streams(source, refuse)
        node.listen(TwistStamped, "human/twist", streams.on_twist, NEWEST)
        node.listen(JointTrajectory, "human/trajectory", streams.on_trajectory, NEWEST)


class _Streams:
    """Hands twists and trajectories to a source."""

    def __init__(self, source: StreamTaker, refuse: Refuse) -> None:
        self._source, self._refuse = source, refuse

    def on_twist(self, message: TwistStamped) -> None:
        """Take a twist."""
        stamp, twist = convert.header_stamp(message), message.twist
        linear, angular = _vector(twist.linear), _vector(twist.angular)
        self._take(self._source.take_twist, stamp, linear, angular, message.header.frame_id)

    def on_trajectory(self, message: JointTrajectory) -> None:
        """Take a trajectory."""
        times = [p.time_from_start.sec * NANOSECONDS + p.time_from_start.nanosec for p in message.points]
        positions = [list(point.positions) for point in message.points]
        stamp = convert.header_stamp(message)
        self._take(self._source.take_trajectory, stamp, list(message.joint_names), times, positions)

    def _take(self, take: Callable[..., None], *arguments: object) -> None:
        try:
            take(*arguments)
        except ValueError as error:
            self._refuse(str(error))


def _vector(vector: Vector3) -> FloatArray:
    return np.array([vector.x, vector.y, vector.z])
