"""Franka's arms through `franky-control`: a joint motion once a control period, replanned on the way.

Tested against a stand-in with the interface of franky 2.0; franky itself has driven it against franky-sim,
which speaks the arm's protocol (streaming, stop, hand, ended and lost motions). Not yet run on an arm, whose
reflexes are known from the maker's documents only.
"""

from __future__ import annotations

import contextlib
import logging
import time
from dataclasses import dataclass, field
from typing import Any, Literal

import numpy as np
from sinew_core.errors import ConfigError, DeviceError
from sinew_core.robot import Robot
from sinew_core.types import NANOSECONDS, JointCommand, JointState

from sinew_hardware.arms.franka_hand import FrankaHand, FrankaHandConfig

log = logging.getLogger(__name__)
JOINTS = 7
PAUSE = 1.0  # s between attempts: an arm that has told of a reflex to recover, a lost one to be found
REST = 2.0  # s that an arm may take to come to rest
MODES = {  # of the robot, and what to do
    "UserStopped": "the user stop is pressed: release it",
    "Guiding": "somebody guides the arm by hand: let go of its buttons",
    "AutomaticErrorRecovery": "it is recovering from an error",
    "Other": "it is not ready: unlock its joints and activate FCI in Desk",
}


@dataclass(frozen=True, slots=True)
class FrankaConfig:
    """The fields of `arm:`; the seven joints are the robot's, in order, without the gripper."""

    host: str
    dynamics: float = 0.5  # share of the arm's greatest velocity, acceleration and jerk
    realtime: Literal["enforce", "ignore"] = "enforce"  # whether the kernel must be a real-time one
    torque_threshold: float = 20.0  # N m, at a joint, that counts as a collision
    force_threshold: float = 30.0  # N, at the tip, likewise
    hand: FrankaHandConfig | None = field(default_factory=FrankaHandConfig)  # None: it stays as at home

    def __post_init__(self) -> None:
        """Check the ranges."""
        if not 0 < self.dynamics <= 1 or min(self.torque_threshold, self.force_threshold) <= 0:
            raise ValueError("expected dynamics in 0 to 1 (not 0), and positive thresholds.")


class Franka:
    """A Franka arm and its hand.

    What is wrong is told by `read` until it is over. A reflex (a collision, a limit) is told, and recovered
    from by a later reading: the arm then stands still until it is commanded again.
    """

    def __init__(self, config: FrankaConfig, robot: Robot) -> None:
        self._config, self._robot, self._hand_index = config, robot, robot.gripper_index
        self._places = [index for index in range(len(robot.joint_names)) if index != self._hand_index]
        if len(self._places) != JOINTS:
            found = len(self._places)
            raise ConfigError(f"{robot.name}: a Franka arm has {JOINTS} joints beside the hand, not {found}.")
        self._franky = _binding()
        self._last: JointState | None = None
        self._time = -1  # ms, the arm's, of the last reading
        self._failure = ""  # what has ended the last motion
        self._told: float | None = None  # s, monotonic, since when a reflex is told
        self._tried = 0.0  # s, monotonic, when the connection was last tried
        self._well, self._closed = True, False
        self._hand: FrankaHand | None = None
        try:
            self._arm = self._connect()
            fault = self._fault(self._arm.state, at_once=True)
            if not fault and config.hand is not None:
                self._hand = FrankaHand(self._franky, config.host, config.hand)
        except self._franky.Exception as error:
            raise DeviceError(f"{config.host}: {_connection_fault(self._franky, error)}.") from error
        if fault:
            raise DeviceError(f"{config.host}: {fault}.")

    def read(self) -> JointState:
        """Return the present joints; raises DeviceError with what to do as long as the arm cannot move."""
        try:
            state = self._arm.state
            fault = self._fault(state)
        except self._franky.Exception as error:
            fault = self._lost(error)
        if not fault and self._hand is not None:
            fault = self._hand.fault
        self._well = not fault
        if fault:
            raise DeviceError(f"{self._config.host}: {fault}.")
        now = state.time.to_msec()
        if self._last is None or now != self._time:
            self._time, self._last = now, self._measure(state)
        last = self._last
        return JointState(last.stamp, last.position.copy(), last.velocity.copy())

    def write(self, command: JointCommand) -> None:
        """Move towards a target, from whatever motion is under way; a failure is told by the next reading."""
        if not self._well or self._closed:
            return
        target = [float(command.position[place]) for place in self._places]
        try:
            # It holds the last target when it has arrived: ending control would halt the arm each time.
            motion = self._franky.JointMotion(target, return_when_finished=False)
            self._arm.move(motion, asynchronous=True)
        except self._franky.Exception as error:
            self._failure = str(error)
        if self._hand is not None and self._config.hand is not None:
            self._hand.command(self._robot.aperture(command.position) * self._config.hand.width)

    def stop(self) -> None:
        """Come to rest as fast as the arm's dynamics allow, and end control; the hand keeps its grip."""
        try:
            if not self._closed and self._arm.is_in_control:
                self._arm.move(self._franky.JointStopMotion(), asynchronous=True)
        except self._franky.Exception as error:
            log.warning("%s: cannot be told to stop (%s): its motion has ended", self._config.host, error)

    def close(self) -> None:
        """Stop the arm, wait until it rests, and let go of it."""
        if not self._closed:
            self.stop()
            self._closed = True
            if self._hand is not None:
                self._hand.close()
            with contextlib.suppress(self._franky.Exception):  # it was told, or does not matter any more
                self._arm.join_motion(REST)

    def _connect(self) -> Any:
        config, franky = self._config, self._franky
        realtime = franky.RealtimeConfig
        return franky.Robot(
            config.host,
            relative_dynamics_factor=config.dynamics,
            default_torque_threshold=config.torque_threshold,
            default_force_threshold=config.force_threshold,
            realtime_config=realtime.Enforce if config.realtime == "enforce" else realtime.Ignore,
        )

    def _lost(self, error: Exception) -> str:
        """Return that the connection is lost, and try now and then to have it again by the next reading."""
        if time.monotonic() - self._tried > PAUSE:
            self._tried = time.monotonic()
            with contextlib.suppress(self._franky.Exception):
                self._arm = self._connect()
        return f"the connection is lost ({error}): look after the cable"

    def _measure(self, state: Any) -> JointState:
        stamp, index = time.time_ns(), self._hand_index
        position, velocity = self._robot.home.copy(), np.zeros(len(self._robot.joint_names))
        position[self._places], velocity[self._places] = state.q, state.dq
        if self._hand is not None and self._config.hand is not None:
            position[index] = self._robot.gripper_position(self._hand.width / self._config.hand.width)
            if self._last is not None and stamp > self._last.stamp:
                moved = position[index] - self._last.position[index]
                velocity[index] = moved * NANOSECONDS / (stamp - self._last.stamp)
        return JointState(stamp, position, velocity)

    def _fault(self, state: Any, *, at_once: bool = False) -> str:
        """Return why the arm cannot move, or ''; recovers from a reflex that was told, or at once."""
        mode, errors = state.robot_mode.name, repr(state.current_errors)
        if mode in MODES:
            return MODES[mode]
        try:
            self._arm.poll_motion()
        except self._franky.ControlException as error:
            self._failure = str(error)
        if mode != "Reflex" and errors == "[]" and not self._failure:
            self._told = None
            return ""
        fault = f"it has stopped by itself: {self._failure or errors}. See what it ran into, then arm again"
        now = time.monotonic()
        if self._told is None:
            self._told = now
            log.warning("%s: %s", self._config.host, fault)
        return self._recover(fault) if at_once or now - self._told > PAUSE else fault

    def _recover(self, fault: str) -> str:
        try:
            recovered = self._arm.recover_from_errors()
        except self._franky.CommandException as error:
            return f"{fault} ({error})"
        if not recovered:
            return fault
        log.warning("%s: recovered", self._config.host)
        self._failure, self._told = "", None
        return ""


def _binding() -> Any:
    try:
        import franky
    except ImportError as error:
        raise ConfigError('arms of Franka need franky: pip install "sinew[franka]"') from error
    return franky


def _connection_fault(franky: Any, error: Exception) -> str:
    """Return what to do about an arm that cannot be opened."""
    if isinstance(error, franky.RealtimeException):
        return f"{error}. Boot a real-time kernel, or say `realtime: ignore` (less smooth)"
    if isinstance(error, franky.IncompatibleVersionException):
        return f"{error}. Install the franky that is built for this version of the arm's system (its FAQ)"
    return f"{error}. Is this the arm's address, are its joints unlocked, and is FCI active in Desk?"
