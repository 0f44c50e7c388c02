"""A station that misbehaves on order, around any other: what devices do when they fail."""

from __future__ import annotations

import time
from collections.abc import Mapping
from dataclasses import dataclass, field, replace

import numpy as np
from sinew_core.errors import DeviceError
from sinew_core.hardware import Hardware
from sinew_core.protocols import Arm, Attendant, Camera, Station, World, attendant_of
from sinew_core.sight import visible_motion
from sinew_core.types import NANOSECONDS, CameraFrame, CameraModel, FloatArray, JointCommand, JointState
from sinew_core.watchdogs import VISIBLE

REORDERED = ("joints_past", "joints_future")


@dataclass(frozen=True, slots=True)
class Fault:
    """One thing that is wrong; which fields matter depends on the kind."""

    kind: str
    amount: float = 0.0  # s, or how large
    joint: int = 0
    camera: str = ""
    rows: int = 1  # of the policy's chunks


@dataclass(slots=True)
class Culprit:
    """What is wrong at present and since when it is felt; those who misbehave look here at every turn."""

    fault: Fault | None = None
    felt: int | None = None  # ns, monotonic
    clock: int = 0  # ns, by which the station's clock has been set
    turn: bool = False  # of faults that spoil every other reading
    random: np.random.Generator = field(default_factory=lambda: np.random.default_rng(0))

    def does(self, *kinds: str) -> Fault | None:
        """Return the present fault if it is of one of these kinds."""
        fault = self.fault
        return fault if fault is not None and fault.kind in kinds else None

    def feel(self, at: int | None = None) -> None:
        """Note that the fault is felt from now on, or from `at` on, unless that is noted already."""
        if self.felt is None:
            self.felt = time.monotonic_ns() if at is None else at

    def every_other(self) -> bool:
        """Whether it is this one."""
        self.turn = not self.turn
        return self.turn

    def block(self, kind: str) -> None:
        """Keep the caller waiting, once."""
        fault = self.does(kind)
        if fault is not None and self.felt is None:
            self.feel()
            time.sleep(fault.amount)


class FaultyArm:
    """An arm that fails on order, and remembers what was written."""

    def __init__(self, arm: Arm, culprit: Culprit) -> None:
        self._arm, self._culprit = arm, culprit
        self._good: JointState | None = None
        self._good_at = 0  # ns, monotonic
        self.written: FloatArray | None = None  # since the last stop
        self.stops = 0

    @property
    def measured(self) -> FloatArray | None:
        """The last sound reading, (n,)."""
        return None if self._good is None else self._good.position

    def read(self) -> JointState:
        """Read, or fail."""
        culprit = self._culprit
        if culprit.does("joints_stale") and self._good is not None:
            culprit.feel(self._good_at)
            return self._good
        self._fail("joints_error", "arm_unplugged")
        culprit.block("joints_block")
        if fault := culprit.does("clock"):
            culprit.fault, culprit.clock = None, culprit.clock + round(fault.amount * NANOSECONDS)
            culprit.feel()
        state = self._arm.read()
        return self._spoilt(replace(state, stamp=state.stamp + culprit.clock))

    def _spoilt(self, state: JointState) -> JointState:
        culprit = self._culprit
        fault = culprit.does("joints_nan", "joints_short", "joints_past", "joints_future")
        if fault is None or (fault.kind in REORDERED and not culprit.every_other()):
            self._good, self._good_at = state, time.monotonic_ns()
            return state
        culprit.feel()
        if fault.kind == "joints_short":
            return replace(state, position=state.position[:-1], velocity=state.velocity[:-1])
        if fault.kind == "joints_nan":
            position = state.position.copy()
            position[fault.joint] = np.nan
            return replace(state, position=position)
        shift = fault.amount if fault.kind == "joints_future" else -fault.amount
        return replace(state, stamp=state.stamp + round(shift * NANOSECONDS))

    def write(self, command: JointCommand) -> None:
        """Write, or fail."""
        self._fail("write_error", "arm_unplugged")
        self._culprit.block("write_block")
        self._arm.write(command)
        self.written = np.array(command.position)

    def stop(self) -> None:
        """Stop, or fail."""
        self.stops, self.written = self.stops + 1, None
        self._fail("arm_unplugged")
        self._arm.stop()

    def close(self) -> None:
        """Release the device."""
        self._arm.close()

    def _fail(self, *kinds: str) -> None:
        if self._culprit.does(*kinds):
            self._culprit.feel()
            raise DeviceError("arm: the cable is unplugged")


class FaultyCamera:
    """A camera that fails on order."""

    def __init__(
        self, name: str, camera: Camera, culprit: Culprit, arm: FaultyArm, hardware: Hardware
    ) -> None:
        self._name, self._camera, self._culprit, self._arm = name, camera, culprit, arm
        self._motion, self._hardware = hardware.config.authority.frozen_motion, hardware
        self._body = np.arange(len(hardware.robot.home)) != hardware.robot.gripper_index
        self._good: CameraFrame | None = None
        self._good_at = 0  # ns, monotonic
        self._position: FloatArray | None = None  # (n,), at the last frame
        self._shown: FloatArray | None = None  # (n,), at the last sound one
        self._moved = 0.0  # rad or m, since then

    @property
    def model(self) -> CameraModel:
        """The intrinsics and the mounting."""
        return self._camera.model

    def read(self) -> CameraFrame:
        """Read, or fail."""
        culprit, fault = self._culprit, self._culprit.fault
        mine = fault is not None and fault.camera == self._name
        if mine and culprit.does("camera_stopped") and self._good is not None:
            culprit.feel(self._good_at)
            return self._good
        if mine and culprit.does("camera_error"):
            culprit.feel()
            raise DeviceError(f"camera {self._name}: the cable is unplugged")
        if mine:
            culprit.block("camera_block")
        frame = self._camera.read()
        frame = replace(frame, stamp=frame.stamp + culprit.clock)
        if mine and culprit.does("camera_frozen") and self._good is not None:
            return self._frozen(frame.stamp, self._good)
        spoilt = mine and culprit.does("camera_past", "camera_future")
        if fault is not None and spoilt and culprit.every_other():
            culprit.feel()
            shift = fault.amount if fault.kind == "camera_future" else -fault.amount
            return replace(frame, stamp=frame.stamp + round(shift * NANOSECONDS))
        self._good, self._good_at, self._moved = frame, time.monotonic_ns(), 0.0
        self._position = self._shown = self._arm.measured
        return frame

    def _frozen(self, stamp: int, picture: CameraFrame) -> CameraFrame:
        position = self._arm.measured
        if position is not None and self._position is not None and self._shown is not None:
            self._moved += float(np.abs(position - self._position)[self._body].sum())
            seen = visible_motion(self._hardware.robot, self.model, self._shown, position)
            if self._moved >= self._motion and seen >= VISIBLE:
                self._culprit.feel()
        self._position = position
        return replace(picture, stamp=stamp)

    def close(self) -> None:
        """Release the device."""
        self._camera.close()


class FaultyStation:
    """A station whose devices fail on order."""

    def __init__(self, station: Station, culprit: Culprit, hardware: Hardware) -> None:
        self._station = station
        self.culprit = culprit
        self._arm = FaultyArm(station.arm, culprit)
        self._cameras = {
            name: FaultyCamera(name, camera, culprit, self._arm, hardware)
            for name, camera in station.cameras.items()
        }

    @property
    def arm(self) -> FaultyArm:
        """The arm."""
        return self._arm

    @property
    def cameras(self) -> Mapping[str, FaultyCamera]:
        """The cameras by name."""
        return self._cameras

    @property
    def world(self) -> World | None:
        """The world, if the station has one."""
        return self._station.world

    @property
    def attendant(self) -> Attendant | None:
        """Who lays out the scene, if anybody."""
        return attendant_of(self._station)

    def close(self) -> None:
        """Close the station."""
        self._station.close()


@dataclass(frozen=True, slots=True)
class FaultyHardware(Hardware):
    """Hardware whose station misbehaves as its culprit says."""

    culprit: Culprit = field(default_factory=Culprit)
    opened: list[FaultyStation] = field(default_factory=list)  # what has been opened, the last one last

    def open_station(self, task: str) -> FaultyStation:
        """Open the station."""
        self.opened.append(FaultyStation(Hardware.open_station(self, task), self.culprit, self))
        return self.opened[-1]
