"""A stand-in for a robot's driver and its controllers under ros2_control, over real topics."""

from __future__ import annotations

import contextlib
import threading
import time
from collections.abc import Callable, Sequence
from typing import Any

import rclpy
from graphs import FAKE_WORLD
from rclpy.context import Context
from rclpy.executors import ExternalShutdownException, SingleThreadedExecutor
from sensor_msgs.msg import JointState as JointStateMsg
from sinew_core.hardware import load_hardware
from sinew_nodes import convert
from std_msgs.msg import Float64MultiArray
from trajectory_msgs.msg import JointTrajectory

HARDWARE = load_hardware(str(FAKE_WORLD))
ROBOT = HARDWARE.robot
NAMES = ROBOT.joint_names
ARM_JOINTS = [name for name in NAMES if name != ROBOT.gripper.joint]
SHUFFLED = [*reversed(NAMES), "rail"]  # as a broadcaster may name them: in its own order, and others, too


class Driver:
    """A node for each controller; targets are reached at once, and joint states say so."""

    def __init__(self, names: Sequence[str] = SHUFFLED, stamped: bool = True) -> None:
        self.context = Context()
        rclpy.init(args=[], context=self.context)
        self.position = dict.fromkeys(names, 0.25)
        self.commands: list[Any] = []
        self.stamps: list[int] = []
        self.stamped, self.talks = stamped, True
        self.executor = SingleThreadedExecutor(context=self.context)
        node = self.node("driver")
        self.states = node.create_publisher(JointStateMsg, "/robot/joint_states", 1)
        node.create_timer(0.01, self.tell)
        self.thread = threading.Thread(target=self.spin, daemon=True)
        self.thread.start()

    def spin(self) -> None:
        with contextlib.suppress(ExternalShutdownException):
            self.executor.spin()

    def node(self, name: str) -> Any:
        node = rclpy.create_node(name, context=self.context, namespace="/robot", use_global_arguments=False)
        self.executor.add_node(node)
        return node

    def tell(self) -> None:
        if self.talks:
            message = JointStateMsg(name=list(self.position), position=list(self.position.values()))
            if self.stamped:
                self.stamps.append(time.time_ns())
                message.header.stamp = convert.stamp_to_msg(self.stamps[-1])
            self.states.publish(message)

    def trajectory_controller(self, name: str, joints: Sequence[str] = NAMES) -> Any:
        def obey(message: JointTrajectory) -> None:
            self.commands.append(message)
            self.position.update(zip(message.joint_names, message.points[-1].positions, strict=True))

        return self.controller(name, joints, JointTrajectory, "joint_trajectory", obey)

    def forward_controller(self, name: str, joints: Sequence[str] = NAMES) -> Any:
        def obey(message: Float64MultiArray) -> None:
            self.commands.append(message)
            self.position.update(zip(joints, message.data, strict=True))

        return self.controller(name, joints, Float64MultiArray, "commands", obey)

    def controller(
        self, name: str, joints: Sequence[str], kind: Any, leaf: str, obey: Callable[[Any], None]
    ) -> Any:
        node = self.node(name)
        node.declare_parameter("joints", list(joints))
        node.create_subscription(kind, f"/robot/{name}/{leaf}", obey, 1)
        return node

    def close(self) -> None:
        self.executor.shutdown(timeout_sec=0.2)
        self.thread.join(timeout=2.0)
        rclpy.try_shutdown(context=self.context)
