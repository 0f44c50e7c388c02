"""A leader arm: another arm that a person moves by hand, and that the follower copies joint by joint."""

from __future__ import annotations

import time
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Literal

import numpy as np
from sinew_core.errors import DeviceError
from sinew_core.hardware import Hardware
from sinew_core.plugins import build
from sinew_core.protocols import Arm
from sinew_core.types import NANOSECONDS, ActionChunk, FloatArray, Observation, Task

from sinew_teleop.event_keys import help_text
from sinew_teleop.joint_mapping import GripperSource, JointSource, LeaderMapping
from sinew_teleop.source import Clock, TeleopEvent, nothing, present_target

SQUEEZED, LET_GO = 0.15, 0.5  # aperture of the handle
LEAD = 0.2  # s of travel at each joint's velocity limit that a command may be ahead of the follower


@dataclass(frozen=True, slots=True)
class Config:
    """Which arm leads, how its joints map onto the follower's, and how it is engaged."""

    arm: Mapping[str, Any]  # plugin of an Arm
    names: tuple[str, ...] = ()  # of the leader's joints, in its order; the follower's when empty
    joints: Mapping[str, JointSource] = field(default_factory=dict)  # by the follower's joint
    gripper: GripperSource | None = None
    engage: Literal["key", "squeeze"] = "key"
    key: str = "l"
    squeeze_time: float = 1.0  # s that the handle must be squeezed
    near: float = 0.15  # rad or m, of every joint, within which the leader may be engaged
    blend: float = 1.0  # s over which what is left of the distance is taken back
    gripper_time: float = 0.4  # s from open to closed, at most as fast
    stale: float = 0.3  # s without an answer of the leader until it counts as gone

    def __post_init__(self) -> None:
        """Check ranges."""
        if min(self.near, self.blend, self.gripper_time, self.stale, self.squeeze_time) <= 0:
            raise ValueError("near, blend, gripper_time, stale and squeeze_time must be positive.")


class LeaderArm:
    """Copies the leader once it is aligned and engaged; until then it says which joint is how far off."""

    def __init__(self, config: Config, hardware: Hardware, clock: Clock = time.monotonic_ns) -> None:
        self._config, self._clock, self._robot = config, clock, hardware.robot
        self._dt = hardware.config.control_period
        names = config.names or self._robot.joint_names
        self._mapping = LeaderMapping(self._robot, names, config.joints, config.gripper)
        robot = self._robot
        self._leader = build(config.arm, Arm, "leader arm: arm", hardware=hardware, robot=robot)
        self._offset: FloatArray | None = None  # (n,) what the follower lacked at engaging; None: let go
        self._age = 0.0  # s since engaging
        self._aperture = 0.0
        self._wants = False
        self._squeezed_since: int | None = None
        self._released = False  # the handle was seen open since the last reset
        self._heard = (-1, -(10**18))  # stamp of the leader's joints, and when it was new
        self._status = "not read yet"

    def reset(self, task: Task) -> None:
        """Let go of the arm; it must be engaged anew."""
        self._let_go()

    def take_key(self, key: str) -> None:
        """Engage or let go at the configured key."""
        if key == self._config.key:
            self._wants = self._offset is None
            if self._offset is not None:
                self._let_go()

    def infer(self, observation: Observation) -> ActionChunk:
        """Return the leader's joints once engaged, else none."""
        target = present_target(observation)
        leader = self._read()
        if leader is None or not np.isfinite(target).all():
            self._let_go()
            return nothing(observation, self._dt)
        wanted = self._mapping.targets(leader)
        if self._offset is None and not self._engages(leader, wanted, target):
            return nothing(observation, self._dt)
        return ActionChunk(observation.stamp, self._dt, self._follow(wanted, target)[None])

    def events(self) -> list[TeleopEvent]:
        """A leader arm says nothing: its marks are the keyboard's."""
        return []

    @property
    def help(self) -> str:
        """How to engage it."""
        how = f"{self._config.key}" if self._config.engage == "key" else "squeeze the handle"
        return help_text(((how, "engage, once aligned"), (self._config.key, "let go")))

    @property
    def status(self) -> str:
        """Whether the follower follows, or which joint is how far away."""
        return self._status

    def close(self) -> None:
        """Let go of the leader."""
        self._let_go()
        self._leader.close()

    def _let_go(self) -> None:
        self._offset, self._wants = None, False
        self._squeezed_since, self._released = None, False

    def _read(self) -> FloatArray | None:
        """Return the leader's positions (m,), or None, with the status saying why."""
        try:
            state = self._leader.read()
        except (DeviceError, OSError) as error:
            self._status = f"leader gone: {error}"
            return None
        if state.position.shape != (self._mapping.size,) or not np.isfinite(state.position).all():
            self._status = f"leader: expected {self._mapping.size} finite joints, got {state.position}"
            return None
        now = self._clock()
        if state.stamp != self._heard[0]:
            self._heard = (state.stamp, now)
        elif now - self._heard[1] > self._config.stale * NANOSECONDS:
            self._status = f"leader gone: nothing new for {self._config.stale:g} s"
            return None
        return state.position

    def _engages(self, leader: FloatArray, wanted: FloatArray, target: FloatArray) -> bool:
        """Engage if that is asked for and the leader is near; say what stands against it."""
        asked = self._wants if self._config.engage == "key" else self._is_squeezed(leader)
        distance = np.abs(wanted - target)
        distance[self._robot.gripper_index] = 0.0  # ramped
        worst = int(np.argmax(distance))
        if distance[worst] > self._config.near:
            self._wants, self._squeezed_since = False, None
            way = wanted[worst] - target[worst]
            self._status = (
                f"align {self._robot.joint_names[worst]}: the leader is {way:+.2f} away "
                f"({self._config.near:g} allowed)"
            )
            return False
        if not asked:
            how = f"press {self._config.key}" if self._config.engage == "key" else "squeeze the handle"
            self._status = f"aligned: {how} to engage"
            return False
        self._offset, self._age = target - wanted, 0.0
        self._aperture = self._robot.aperture(target)
        self._wants = False
        return True

    def _is_squeezed(self, leader: FloatArray) -> bool:
        """Whether the handle has been squeezed for long enough, after it was open."""
        now, aperture = self._clock(), self._mapping.aperture(leader)
        self._released = self._released or aperture > LET_GO
        if aperture > SQUEEZED or not self._released:
            self._squeezed_since = None
            return False
        since = self._squeezed_since = now if self._squeezed_since is None else self._squeezed_since
        return now - since >= self._config.squeeze_time * NANOSECONDS

    def _follow(self, wanted: FloatArray, target: FloatArray) -> FloatArray:
        """Return the leader's joints, what was lacking at engaging being taken back little by little."""
        assert self._offset is not None
        robot, gripper = self._robot, self._robot.gripper_index
        first = self._age == 0.0
        left = max(0.0, 1.0 - self._age / self._config.blend)
        self._age += self._dt
        self._status = "following"
        lead = LEAD * robot.velocity
        position = np.clip(wanted + left * self._offset, target - lead, target + lead)
        step = 0.0 if first else self._dt / self._config.gripper_time
        handle = robot.aperture(wanted)
        self._aperture += float(np.clip(handle - self._aperture, -step, step))
        position[gripper] = target[gripper] if first else robot.gripper_position(self._aperture)
        return np.clip(position, robot.lower, robot.upper)
