"""Reading a station: joints and due cameras, with the watchdogs that hold or stop the arm."""

from __future__ import annotations

import time
from functools import partial

import numpy as np
from sinew_core.authority import Action, AuthorityLatch
from sinew_core.errors import DeviceError
from sinew_core.hardware import Hardware
from sinew_core.protocols import Station
from sinew_core.sight import visible_motion
from sinew_core.types import NANOSECONDS, CameraFrame, FloatArray, JointState
from sinew_core.watchdogs import ClockJump, FrozenCamera, StaleDevice, joints_fault

ARM, CLOCK, DRIVER = "arm", "clock", "arm driver"


class DeviceReader:
    """Reads a station's devices and tells the authority of those that stand still, are frozen or jump.

    In lockstep a simulator's frames carry the stamp of its joints, or the period could not be put
    together elsewhere; and its time stands still while it waits, so that only its pictures are watched.
    """

    def __init__(self, station: Station, hardware: Hardware, authority: AuthorityLatch) -> None:
        self._station, self._hardware, self._authority = station, hardware, authority
        self._actions = hardware.config.authority.watchdogs
        self._lockstep = hardware.config.pace == "lockstep"
        robot = hardware.robot
        # A gripper may well close unseen.
        self._seen = [i for i in range(len(robot.joint_names)) if i != robot.gripper_index]
        self._joints: JointState | None = None  # the last sound ones
        self._joints_at = 0  # ns, monotonic
        self.waits_for = ""  # the device that is being read
        self.forgive()

    def forgive(self) -> None:
        """Begin anew, after a pause in which nothing was read."""
        config = self._hardware.config
        self._clock = ClockJump(config.authority.clock_jump)
        motion = config.authority.frozen_motion
        self._frozen = {
            name: FrozenCamera(f"camera {name}", motion, partial(self._shows, name))
            for name in config.cameras
        }
        self._expect_other_stamps()

    def _shows(self, name: str, before: FloatArray, after: FloatArray) -> float:
        """Return by how many px a camera sees the arm move between two positions without the gripper."""
        robot = self._hardware.robot
        whole = np.tile(robot.home, (2, 1))
        whole[:, self._seen] = before, after
        return visible_motion(robot, self._hardware.cameras[name], whole[0], whole[1])

    def _expect_other_stamps(self) -> None:
        config = self._hardware.config
        self._arm = StaleDevice(ARM, config.max_age)
        self._stale = {name: StaleDevice(f"camera {name}", config.max_age) for name in config.cameras}

    def joints(self) -> JointState:
        """Read the joints; where the reading is unusable and the watchdog told so, the last sound ones.

        Raises DeviceError for one that is unusable in lockstep, or before there was a sound one.
        """
        joints = self._read_arm()
        if joints is None:
            assert self._joints is not None
            return self._joints
        fault = joints_fault(joints, self._hardware.robot.joint_names) or self._off_time(joints.stamp)
        if fault and (self._lockstep or self._joints is None):
            raise DeviceError(fault)
        if fault:
            self._judge(ARM, self._actions.faulty_joints, fault)
            assert self._joints is not None
            return self._joints
        if not self._lockstep:
            self._look_at_time(joints.stamp)
        self._joints = joints
        return joints

    def _read_arm(self) -> JointState | None:
        """Read the arm; None if its driver says that it failed, and the watchdog was told.

        Raises DeviceError for that in lockstep, or before there was a sound reading.
        """
        self.waits_for = ARM
        try:
            joints = self._station.arm.read()
        except DeviceError as error:
            if self._lockstep or self._joints is None:
                raise
            self._judge(DRIVER, self._actions.failed_arm, str(error))
            return None
        finally:
            self.waits_for = ""
        self._judge(DRIVER, self._actions.failed_arm, "")
        return joints

    def _off_time(self, stamp: int) -> str:
        """Return how far joints are from a simulator's present time, in lockstep, or ''."""
        world = self._station.world
        if not self._lockstep or world is None or stamp == world.stamp:
            return ""
        return f"arm: its reading is {(world.stamp - stamp) / NANOSECONDS:.3f} s old, in lockstep"

    def _look_at_time(self, stamp: int) -> None:
        now = time.monotonic_ns()
        new = self._joints is None or stamp != self._joints.stamp
        if new:
            self._joints_at = now
        if new and self._station.world is None:  # a simulator's clock is its own
            jump = self._clock.look(stamp, now)
            self._judge(CLOCK, self._actions.clock_jump, jump)
            if jump:  # is not the devices' fault, too
                self._expect_other_stamps()
        self._judge(ARM, self._actions.stale_joints, self._arm.look(stamp, now)[1])

    def frame(self, name: str, now: int) -> CameraFrame | None:
        """Read a camera; None if its frame was returned before, or its stamp cannot be right.

        `now` is the stamp of the joints that were read last.
        """
        self.waits_for = f"camera {name}"
        frame = self._station.cameras[name].read()
        self.waits_for = ""
        if self._lockstep and frame.stamp != now:
            behind = (now - frame.stamp) / NANOSECONDS
            raise DeviceError(f"camera {name}: its frame is {behind:.3f} s behind the joints, in lockstep")
        new, stale = (True, "") if self._lockstep else self._look_at_frame(name, frame.stamp, now)
        if new:
            assert self._joints is not None
            frozen = self._frozen[name].look(frame, self._joints.position[self._seen])
            self._judge(f"camera {name}", self._actions.frozen_camera, frozen)
            return frame
        if stale:
            self._judge(f"camera {name}", self._actions.stale_camera, stale)
        return None

    def _look_at_frame(self, name: str, stamp: int, joints_stamp: int) -> tuple[bool, str]:
        """Return whether a frame is a new one, and what is wrong with its stamp, or ''."""
        now = time.monotonic_ns()
        ahead = (stamp - joints_stamp - (now - self._joints_at)) / NANOSECONDS
        if ahead > self._hardware.config.control_period:  # it would make every later one look old
            return False, f"camera {name}: its stamp lies {ahead:.3f} s ahead of the joints'"
        return self._stale[name].look(stamp, now)

    def _judge(self, name: str, action: Action, sentence: str) -> None:
        """Do a watchdog's action, or say that its cause is over."""
        state = self._authority.state
        if sentence:
            self._authority.trip(action, name, sentence, time.monotonic_ns())
        elif (state.holds or state.causes) and any(
            cause.name == name and cause.present for cause in (*state.holds, *state.causes)
        ):
            self._authority.release(name)
