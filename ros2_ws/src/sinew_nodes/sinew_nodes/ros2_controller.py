"""A controller of ros2_control as a driver sees it: the topic of its targets, its joints, its state."""

from __future__ import annotations

import logging
from collections.abc import Mapping, Sequence
from typing import Literal

from rcl_interfaces.srv import GetParameters
from sinew_core.errors import ConfigError, did_you_mean
from sinew_core.types import NANOSECONDS, FloatArray
from std_msgs.msg import Float64MultiArray
from trajectory_msgs.msg import JointTrajectory, JointTrajectoryPoint

from sinew_nodes import qos
from sinew_nodes.device_node import DeviceNode

log = logging.getLogger(__name__)
Interface = Literal["trajectory", "forward"]
PATIENCE = 1.0  # s that a controller may take to tell its joints


class Controller:
    """A controller and the topic of its targets, for the `joints` (by the driver's names) at `places`."""

    def __init__(
        self,
        device: DeviceNode,
        name: str,
        interface: Interface,
        joints: Sequence[str],
        places: Sequence[int],
    ) -> None:
        self._device, self._name = device, name
        self._joints, self._places = list(joints), list(places)
        self._trajectory = interface == "trajectory"
        kind = JointTrajectory if self._trajectory else Float64MultiArray
        topic = f"{name}/joint_trajectory" if self._trajectory else f"{name}/commands"
        self._publisher = device.node.create_publisher(kind, topic, qos.command("realtime"))

    def learn_order(self) -> None:
        """Take over the order that the controller has its joints in; ConfigError if they are others."""
        request = GetParameters.Request(names=["joints"])
        answer = self._device.ask(GetParameters, f"{self._name}/get_parameters", request, PATIENCE)
        theirs = list(answer.values[0].string_array_value) if answer is not None and answer.values else []
        if not theirs:
            log.warning("%s does not tell its joints: taken to be %s", self._name, ", ".join(self._joints))
            return
        if sorted(theirs) != sorted(self._joints):
            wanted = ", ".join(self._joints)
            raise ConfigError(f"controller {self._name} moves {', '.join(theirs)}; expected {wanted}.")
        self._places = [self._places[self._joints.index(joint)] for joint in theirs]
        self._joints = theirs

    def fault(self, states: Mapping[str, str] | None) -> str:
        """Return why commands would go nowhere, or ''; `states` is what the manager says, by name."""
        return controller_fault(self._name, states, bool(self._publisher.get_subscription_count()))

    def send(self, position: FloatArray, seconds: float) -> None:
        """Send this controller's part of the driver's positions (n,), to be reached in some seconds."""
        mine = [float(position[place]) for place in self._places]
        if not self._trajectory:
            self._publisher.publish(Float64MultiArray(data=mine))
            return
        point = JointTrajectoryPoint(positions=mine)
        point.time_from_start.sec, point.time_from_start.nanosec = divmod(round(seconds * 1e9), NANOSECONDS)
        # No stamp: it begins when it arrives, whatever the clock of the robot's computer says.
        self._publisher.publish(JointTrajectory(joint_names=self._joints, points=[point]))


def controller_fault(name: str, states: Mapping[str, str] | None, heard: bool) -> str:
    """Return why commands to a controller would go nowhere, or ''.

    Without the manager's word (`states` is None) it counts whether commands are `heard`: a controller that
    is loaded but inactive hears them, too.
    """
    cure = f"Activate it: ros2 control switch_controllers --activate {name}"
    if states is None:
        return "" if heard else f"controller {name} listens to no commands: it is not loaded. {cure}"
    if name not in states:
        return f"controller {name} is not loaded.{did_you_mean(name, states)} {cure}"
    return "" if states[name] == "active" else f"controller {name} is {states[name]}. {cure}"
