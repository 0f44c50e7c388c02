"""Reading a station: joints and due cameras, with the watchdogs that hold or stop the arm."""

from __future__ import annotations

import time

from sinew_core.authority import Action, AuthorityLatch
from sinew_core.errors import DeviceError
from sinew_core.hardware import Hardware
from sinew_core.protocols import Station
from sinew_core.types import NANOSECONDS, CameraFrame, JointState
from sinew_core.watchdogs import ClockJump, FrozenCamera, StaleDevice

CLOCK = "clock"


class DeviceReader:
    """Reads a station's devices and tells the authority of those that stand still, are frozen or jump.

    In lockstep a simulator's frames carry the stamp of its joints, or the period could not be put
    together elsewhere; and its time stands still while it waits, so that only its pictures are watched.
    """

    def __init__(self, station: Station, hardware: Hardware, authority: AuthorityLatch) -> None:
        self._station, self._hardware, self._authority = station, hardware, authority
        self._actions = hardware.config.authority.watchdogs
        self._lockstep = hardware.config.pace == "lockstep"
        self._watched = {name for name, camera in hardware.config.cameras.items() if camera.every}
        robot = hardware.robot
        # A gripper may well close unseen.
        self._seen = [i for i in range(len(robot.joint_names)) if i != robot.gripper_index]
        self.forgive()

    def forgive(self) -> None:
        """Begin anew, after a pause in which nothing was read."""
        config = self._hardware.config
        self._arm = StaleDevice("arm", config.max_age)
        self._clock = ClockJump(config.authority.clock_jump)
        names = config.cameras
        self._stale = {name: StaleDevice(f"camera {name}", config.max_age) for name in names}
        self._frozen = {
            name: FrozenCamera(f"camera {name}", config.authority.frozen_motion) for name in names
        }
        self._joints: JointState | None = None

    def joints(self) -> JointState:
        """Read the joints."""
        joints = self._joints = self._station.arm.read()
        if not self._lockstep:
            now = time.monotonic_ns()
            new, sentence = self._arm.look(joints.stamp, now)
            self._judge("arm", self._actions.stale_joints, sentence)
            if new and self._station.world is None:  # a simulator's clock is its own
                self._judge(CLOCK, self._actions.clock_jump, self._clock.look(joints.stamp, now))
        return joints

    def frame(self, name: str, now: int) -> CameraFrame | None:
        """Read a camera; None if its frame is the one that was returned before."""
        frame = self._station.cameras[name].read()
        if self._lockstep and frame.stamp != now:
            behind = (now - frame.stamp) / NANOSECONDS
            raise DeviceError(f"camera {name}: its frame is {behind:.3f} s behind the joints, in lockstep")
        new, stale = (
            (True, "") if self._lockstep else self._stale[name].look(frame.stamp, time.monotonic_ns())
        )
        if new:
            assert self._joints is not None
            frozen = self._frozen[name].look(frame, self._joints.position)
            self._judge(f"camera {name}", self._actions.frozen_camera, frozen)
            return frame
        if stale:
            self._judge(f"camera {name}", self._actions.stale_camera, stale)
        return None

    def _judge(self, name: str, action: Action, sentence: str) -> None:
        """Do a watchdog's action, or say that its cause is over."""
        state = self._authority.state
        if sentence:
            self._authority.trip(action, name, sentence, time.monotonic_ns())
        elif (state.holds or state.causes) and any(
            cause.name == name and cause.present for cause in (*state.holds, *state.causes)
        ):
            self._authority.release(name)
