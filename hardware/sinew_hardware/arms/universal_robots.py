"""Arms of Universal Robots by RTDE, through `ur_rtde`: servoJ once a control period.

Tested against a stand-in with the interface of ur_rtde 1.6.5, not yet on an arm or in URSim.
"""

from __future__ import annotations

import logging
import threading
import time
from dataclasses import dataclass
from typing import Any

import numpy as np
from sinew_core.errors import ConfigError, DeviceError
from sinew_core.hardware import Hardware
from sinew_core.robot import Robot
from sinew_core.types import NANOSECONDS, FloatArray, JointCommand, JointState

from sinew_hardware.arms.robotiq import RobotiqConfig, RobotiqGripper

log = logging.getLogger(__name__)
JOINTS = 6
RETRY = 1.0  # s between attempts to connect, or to start the control program, again
NORMAL, REDUCED, RUNNING = 1, 2, 7
SAFETY_MODES = {  # RTDE's safety_mode, and what to do on the pendant
    3: "protective stop: see what it ran into, wait 5 s and press 'Enable robot'",
    4: "recovery: move the arm back within its limits by hand, in freedrive",
    5: "safeguard stop: close the safeguard, and reset it if it asks for that",
    6: "emergency stop of the cell: release its button, then switch the arm on again",
    7: "emergency stop: release the button on the pendant, then switch the arm on again",
    8: "a safety violation: restart the safety system in the pendant's dialogue",
    9: "a fault: restart the controller",
    10: "joints that were exchanged: confirm their ids",
    12: "safeguard stop of the automatic mode: close the safeguard",
    13: "the three-position switch is not held: hold it, or change the operational mode",
}
ROBOT_MODES = {  # RTDE's robot_mode, likewise
    -1: "no controller: wait until it has started",
    0: "disconnected: switch the arm on",
    1: "a safety message waits: confirm it",
    2: "starting: wait until it has",
    3: "switched off: switch it on (bottom left) and release the brakes",
    4: "switched on: release the brakes (bottom left)",
    5: "idle: release the brakes (bottom left)",
    6: "in freedrive: let go of the button",
    8: "updating its firmware: wait until it has",
}


@dataclass(frozen=True, slots=True)
class UniversalRobotsConfig:
    """The fields of `arm:`; the six joints are the robot's, in order, without the gripper.

    `lookahead` and `gain` are servoJ's: a longer one is smoother, a larger one stiffer.
    """

    host: str
    lookahead: float = 0.1  # s
    gain: float = 300.0
    deceleration: float = 10.0  # m/s^2 of the tool, when stopped
    gripper: RobotiqConfig | None = None  # None: the gripper's joint stays where it is at home

    def __post_init__(self) -> None:
        """Check the ranges that the controller takes."""
        if not 0.03 <= self.lookahead <= 0.2 or not 100 <= self.gain <= 2000 or self.deceleration <= 0:
            raise ValueError(
                "expected lookahead in 0.03 to 0.2, gain in 100 to 2000, a positive deceleration."
            )


class UniversalRobots:
    """A UR arm and its gripper; what is wrong is told by `read` until it is over."""

    def __init__(self, config: UniversalRobotsConfig, robot: Robot, hardware: Hardware) -> None:
        self._config, self._robot, self._period = config, robot, hardware.config.control_period
        self._hand = robot.gripper_index
        self._arm = [index for index in range(len(robot.joint_names)) if index != self._hand]
        if len(self._arm) != JOINTS:
            raise ConfigError(
                f"{robot.name}: a UR arm has {JOINTS} joints beside the gripper, not {len(self._arm)}."
            )
        self._last: JointState | None = None
        self._time = -1.0  # s, the controller's, of the last reading
        self._tried = -np.inf  # s, monotonic, when something was last mended
        self._refused = ""  # why the last command was not taken
        self._well, self._closed = True, False
        self._lock = threading.Lock()  # a stop may come from another thread
        self._receive, self._control = _connect(config.host)
        try:
            self._gripper = None if config.gripper is None else RobotiqGripper(config.host, config.gripper)
        except BaseException:
            self._disconnect()
            raise

    def read(self) -> JointState:
        """Return the present joints; raises DeviceError with what to do as long as the arm cannot move."""
        fault = self._fault()
        self._well = not fault
        if fault:
            raise DeviceError(f"{self._config.host}: {fault}.")
        now = self._receive.getTimestamp()
        if self._last is None or now != self._time:
            self._time, self._last = now, self._measure()
        last = self._last
        return JointState(last.stamp, last.position.copy(), last.velocity.copy())

    def write(self, command: JointCommand) -> None:
        """Servo to a target for one control period; why it was not taken is told by the next reading."""
        if not self._well or self._closed:
            return
        target = [float(command.position[index]) for index in self._arm]
        config = self._config
        with self._lock:
            try:
                taken = self._control.servoJ(target, 0.0, 0.0, self._period, config.lookahead, config.gain)
                self._refused = "" if taken else "the controller did not take the command"
            except RuntimeError as error:
                self._refused = f"the controller did not take the command ({error})"
        if self._gripper is not None:
            self._gripper.command(1.0 - self._robot.aperture(command.position))

    def stop(self) -> None:
        """Decelerate and stay; the gripper keeps its grip. Does not wait for a command that is under way."""
        mine = self._lock.acquire(timeout=self._period)
        try:
            if not self._closed and not self._control.servoStop(self._config.deceleration):
                self._control.stopJ()  # it was not servoing
        except RuntimeError as error:
            log.warning(
                "%s: cannot be told to stop (%s); without commands it stays", self._config.host, error
            )
        finally:
            if mine:
                self._lock.release()

    def close(self) -> None:
        """Stop the arm and end the control program."""
        if not self._closed:
            self.stop()
            self._closed = True
            if self._gripper is not None:
                self._gripper.close()
            self._disconnect()

    def _measure(self) -> JointState:
        stamp = time.time_ns()
        position, velocity = self._robot.home.copy(), np.zeros(len(self._robot.joint_names))
        position[self._arm], velocity[self._arm] = self._receive.getActualQ(), self._receive.getActualQd()
        if self._gripper is not None:
            position[self._hand] = self._robot.gripper_position(1.0 - self._gripper.closedness)
            velocity[self._hand] = self._hand_velocity(stamp, position)
        return JointState(stamp, position, velocity)

    def _hand_velocity(self, stamp: int, position: FloatArray) -> float:
        if self._last is None or stamp <= self._last.stamp:
            return 0.0
        moved = position[self._hand] - self._last.position[self._hand]
        return float(moved * NANOSECONDS / (stamp - self._last.stamp))

    def _fault(self) -> str:
        """Return why the arm cannot move, or ''; mends what can be mended without a person."""
        if not self._receive.isConnected():
            return self._mend("the connection is lost: look after the cable", self._reconnect)
        fault = _mode_fault(self._receive)
        if not fault and not self._control.isProgramRunning():
            fault = self._mend(
                "the control program does not run: is the arm in Remote Control (top right)",
                self._control.reuploadScript,
            )
        hand = "" if self._gripper is None else self._gripper.fault
        refused, self._refused = self._refused, ""
        return fault or hand or refused

    def _reconnect(self) -> bool:
        return bool(self._receive.reconnect()) and bool(self._control.reconnect())

    def _mend(self, fault: str, mend: Any) -> str:
        """Try now and then to mend a fault, which stands meanwhile."""
        if time.monotonic() - self._tried < RETRY:
            return fault
        self._tried = time.monotonic()
        log.warning("%s: %s", self._config.host, fault)
        try:
            return "" if mend() else fault
        except RuntimeError as error:
            return f"{fault} ({error})"

    def _disconnect(self) -> None:
        for end in (self._control.stopScript, self._control.disconnect, self._receive.disconnect):
            try:
                end()
            except RuntimeError as error:
                log.warning("%s: %s", self._config.host, error)


def _mode_fault(receive: Any) -> str:
    """Return why the arm cannot move, by its safety mode and its robot mode, or ''."""
    safety, mode = receive.getSafetyMode(), receive.getRobotMode()
    if safety not in {NORMAL, REDUCED}:
        return SAFETY_MODES.get(safety, f"safety mode {safety}: look at the pendant")
    return "" if mode == RUNNING else ROBOT_MODES.get(mode, f"robot mode {mode}: look at the pendant")


def _connect(host: str) -> tuple[Any, Any]:
    """Return ur_rtde's receive and control interfaces; raises ConfigError or DeviceError with what to do."""
    try:
        from rtde_control import RTDEControlInterface
        from rtde_receive import RTDEReceiveInterface
    except ImportError as error:
        raise ConfigError('arms of Universal Robots need ur_rtde: pip install "sinew[ur]"') from error
    try:
        receive = RTDEReceiveInterface(host)
    except RuntimeError as error:
        raise DeviceError(
            f"{host}: no controller of Universal Robots answers ({error}). Is it on, and is this its address "
            "(pendant: Settings, Network)?"
        ) from error
    fault = _mode_fault(receive)
    if fault:
        receive.disconnect()
        raise DeviceError(f"{host}: {fault}.")
    try:
        return receive, RTDEControlInterface(host)
    except RuntimeError as error:
        receive.disconnect()
        raise DeviceError(
            f"{host}: the controller takes no control program ({error}). Switch the pendant to Remote "
            "Control (top right), and switch off EtherNet/IP, PROFINET and other programs that use RTDE."
        ) from error
