"""An arm behind ros2_control, by topics: its joint states come in, positions go to its active controller."""

from __future__ import annotations

import importlib
import threading
import time
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from sensor_msgs.msg import JointState as JointStateMsg
from sinew_core.errors import DeviceError, did_you_mean
from sinew_core.hardware import Hardware
from sinew_core.robot import Robot
from sinew_core.types import NANOSECONDS, FloatArray, JointCommand, JointState

from sinew_nodes import convert, qos
from sinew_nodes.device_node import DeviceNode
from sinew_nodes.ros2_controller import Controller, Interface

MANAGER_INTERVAL = 0.5  # s between questions to the controller manager


@dataclass(frozen=True, slots=True)
class GripperTopicConfig:
    """A gripper with a controller of its own, which counts `scale` times the robot's position + `offset`."""

    controller: str
    interface: Interface = "forward"
    joint: str = ""  # its name in joint_states; the robot's own when empty
    scale: float = 1.0
    offset: float = 0.0


@dataclass(frozen=True, slots=True)
class Ros2ControlArmConfig:
    """The fields of `arm:`; names of controllers and topics are relative to the manager's `namespace`.

    `trajectory` suits a joint_trajectory_controller, `forward` a forward_command_controller of positions.
    """

    controller: str
    interface: Interface = "trajectory"
    namespace: str = "/"
    joint_states: str = "joint_states"
    reach: float = 1.5  # control periods until a target is to be reached: above 1, a late one is no halt
    first_reading: float = 5.0  # s
    gripper: GripperTopicConfig | None = None

    def __post_init__(self) -> None:
        """Check the signs."""
        if min(self.reach, self.first_reading) <= 0 or (self.gripper and self.gripper.scale == 0):
            raise ValueError("expected positive reach and first_reading, and a gripper.scale other than 0.")


class Readings:
    """What joint states have told of each joint; several publishers may each tell of some. For any thread."""

    def __init__(self, names: Sequence[str]) -> None:
        self._place = {name: index for index, name in enumerate(names)}
        self._lock = threading.Lock()
        self._numbers = np.full((3, len(names)), np.nan)  # position, velocity, effort
        self._stamps = np.zeros(len(names), dtype=np.int64)  # ns
        self._heard: set[str] = set()
        self._at = -np.inf  # s, monotonic, of the last message

    def take(self, message: Any) -> None:
        """Take in a sensor_msgs/JointState; one without a stamp counts as measured when it arrives."""
        stamp = convert.header_stamp(message) or time.time_ns()
        with self._lock:
            self._at = time.monotonic()
            self._heard.update(message.name)
            for row, name in enumerate(message.name):
                joint = self._place.get(name)
                if joint is not None and stamp > self._stamps[joint]:
                    columns = (message.position, message.velocity, message.effort)
                    told = [column[row] if row < len(column) else np.nan for column in columns]
                    if not np.isfinite(told[1]):  # the driver does not measure it
                        moved = told[0] - self._numbers[0, joint]
                        told[1] = np.nan_to_num(moved * NANOSECONDS / (stamp - self._stamps[joint]))
                    self._numbers[:, joint], self._stamps[joint] = told, stamp

    def missing(self) -> str:
        """Return which joints have not been told of, with those that have, or ''."""
        with self._lock:
            missing = [name for name, joint in self._place.items() if not self._stamps[joint]]
            return f"no {', '.join(missing)}.{did_you_mean(missing[0], self._heard)}" if missing else ""

    def state(self) -> tuple[int, FloatArray, float]:
        """Return the oldest joint's stamp, (3, n) numbers (NaN: not measured), s since the last message."""
        with self._lock:
            return int(self._stamps.min()), self._numbers.copy(), time.monotonic() - self._at


class Ros2ControlArm:
    """An arm that a ROS 2 driver moves; `read` tells what is wrong, and old readings by their stamps."""

    def __init__(self, config: Ros2ControlArmConfig, robot: Robot, hardware: Hardware) -> None:
        self._config, self._settings = config, hardware.config
        self._gripper = robot.gripper_index
        self._target: FloatArray | None = None  # (n,) of the driver, the last one sent
        self._states: dict[str, str] | None = None  # of the controllers, by name, as the manager says
        self._closed = False
        names = list(robot.joint_names)
        self._scale, self._offset = np.ones(len(names)), np.zeros(len(names))
        arm, own = list(range(len(names))), config.gripper
        if own is not None:
            arm.remove(self._gripper)
            names[self._gripper] = own.joint or robot.gripper.joint
            self._scale[self._gripper], self._offset[self._gripper] = own.scale, own.offset
        self._readings = Readings(names)
        self._device = device = DeviceNode("sinew_arm", config.namespace)
        try:
            joints = [names[place] for place in arm]
            self._controllers = [Controller(device, config.controller, config.interface, joints, arm)]
            if own is not None:
                theirs, place = [names[self._gripper]], [self._gripper]
                self._controllers.append(Controller(device, own.controller, own.interface, theirs, place))
            self._open()
        except BaseException:
            device.close()
            raise

    def _open(self) -> None:
        """Wait until every joint is known and every controller active; DeviceError with what is not."""
        device, patience = self._device, self._config.first_reading
        device.listen(JointStateMsg, self._config.joint_states, self._readings.take, qos.sensor("realtime"))
        managed = self._ask_manager()
        device.start()
        if managed:  # the first answer is worth waiting for: inactive controllers listen, too
            device.wait(lambda: self._states is not None, 2 * MANAGER_INTERVAL)
        device.wait(lambda: not self._missing() and not self._fault(), patience)
        fault = self._missing() or self._fault() or self._off_time()
        if fault:
            raise DeviceError(f"arm: {fault}")
        for controller in self._controllers:
            controller.learn_order()

    def _missing(self) -> str:
        topic, patience = self._config.joint_states, self._config.first_reading
        if np.isinf(self._readings.state()[2]):
            return self._device.silence(topic, "sensor_msgs/msg/JointState", patience)
        missing = self._readings.missing()
        return f"{topic} tells of {missing}" if missing else ""

    def _off_time(self) -> str:
        """Return how far the driver's clock is from ours, or ''; frames and joints are matched by it."""
        ahead = (self._readings.state()[0] - time.time_ns()) / NANOSECONDS
        if abs(ahead) <= self._settings.max_age:
            return ""
        return (
            f"the stamps on {self._config.joint_states} are {ahead:+.2f} s off this machine's clock. Keep "
            "both machines' clocks together (chrony), and use_sim_time off."
        )

    def _fault(self) -> str:
        topic = self._config.joint_states
        if "station_node" in self._device.publishers(topic):
            return (
                f"station_node publishes {topic}, too, and the arm would hear itself. Start the robot's "
                "driver in a namespace of its own, and name that one in `namespace`."
            )
        faults = (controller.fault(self._states) for controller in self._controllers)
        return next(filter(None, faults), "") or self._device.failure

    def _ask_manager(self) -> bool:
        """Begin to ask the controller manager; False without its messages, which are not part of ROS 2."""
        try:
            kind = importlib.import_module("controller_manager_msgs.srv").ListControllers
        except ImportError:
            return False
        service = "controller_manager/list_controllers"
        self._device.ask_again(kind, service, MANAGER_INTERVAL, self._hear_manager)
        return True

    def _hear_manager(self, answer: Any) -> None:
        self._states = {controller.name: controller.state for controller in answer.controller}

    def read(self) -> JointState:
        """Return the last reading; raises DeviceError while commands would go nowhere."""
        fault = self._fault()
        if fault:
            raise DeviceError(f"arm: {fault}")
        stamp, (position, velocity, effort), _ = self._readings.state()
        known = bool(np.isfinite(effort).all())
        return JointState(
            stamp,
            (position - self._offset) / self._scale,
            velocity / self._scale,
            effort * self._scale if known else None,
        )

    def write(self, command: JointCommand) -> None:
        """Send a target for every joint; what keeps it from its controller is told by the next reading."""
        self._send(command.position * self._scale + self._offset, self._config.reach)

    def stop(self) -> None:
        """Command the arm to where it is; the gripper keeps its target, so that a grasp is not let go.

        Where nothing has come for a while, nobody knows where that is: the last target stands.
        """
        _, (position, _, _), age = self._readings.state()
        if age <= self._settings.max_age:
            if self._target is not None:
                position[self._gripper] = self._target[self._gripper]
            self._send(position, 1.0)

    def _send(self, position: FloatArray, periods: float) -> None:
        if not self._closed:
            self._target = position.copy()
            for controller in self._controllers:
                controller.send(position, periods * self._settings.control_period)

    def close(self) -> None:
        """Stop the arm and leave the graph."""
        if not self._closed:
            self.stop()
            self._closed = True
            self._device.close()
