"""From a leader arm's joints to the follower's, by name."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from sinew_core.errors import ConfigError, did_you_mean
from sinew_core.robot import Robot
from sinew_core.types import FloatArray


@dataclass(frozen=True, slots=True)
class JointSource:
    """Where one joint of the follower comes from: scale * leader + offset; the sign is the scale's."""

    leader: str
    scale: float = 1.0
    offset: float = 0.0  # rad or m, of the follower

    def __post_init__(self) -> None:
        """Check that the joint would move."""
        if self.scale == 0:
            raise ValueError("scale must not be 0; a negative one turns the joint round.")


@dataclass(frozen=True, slots=True)
class GripperSource:
    """Which joint of the leader is its handle, and its positions when let go of and when squeezed."""

    leader: str
    open: float
    closed: float

    def __post_init__(self) -> None:
        """Check that the handle has a way to go."""
        if self.open == self.closed:
            raise ValueError("open and closed must differ.")


class LeaderMapping:
    """Joint targets of the follower from the leader's positions; immutable.

    Where a joint or the gripper is not mapped, the leader's joint of the same name counts.
    """

    def __init__(
        self,
        robot: Robot,
        names: Sequence[str],
        joints: Mapping[str, JointSource],
        gripper: GripperSource | None,
    ) -> None:
        self._robot, self._names = robot, tuple(names)
        arm = [name for name in robot.joint_names if name != robot.gripper.joint]
        for name in joints:
            if name not in arm:
                raise ConfigError(
                    f"leader arm: joints: the follower has no '{name}'.{did_you_mean(name, arm)}"
                )
        sources = {name: joints.get(name, JointSource(name)) for name in arm}
        self._arm = np.array([robot.joint_names.index(name) for name in arm])
        self._columns = np.array([self._column(source.leader) for source in sources.values()])
        self._scale = np.array([source.scale for source in sources.values()])
        self._offset = np.array([source.offset for source in sources.values()])
        same = GripperSource(robot.gripper.joint, robot.gripper.open, robot.gripper.closed)
        self._gripper = gripper or same
        self._handle = self._column(self._gripper.leader)

    @property
    def size(self) -> int:
        """How many joints the leader is expected to report."""
        return len(self._names)

    def aperture(self, leader: FloatArray) -> float:
        """Return how far the handle is open, 0 (squeezed) to 1, at the leader's positions (m,)."""
        g = self._gripper
        return float(np.clip((leader[self._handle] - g.closed) / (g.open - g.closed), 0.0, 1.0))

    def targets(self, leader: FloatArray) -> FloatArray:
        """Return the follower's joints (n,) for the leader's positions (m,), inside the robot's limits."""
        robot = self._robot
        position = robot.home.copy()
        position[self._arm] = self._scale * leader[self._columns] + self._offset
        position[robot.gripper_index] = robot.gripper_position(self.aperture(leader))
        return np.clip(position, robot.lower, robot.upper)

    def _column(self, name: str) -> int:
        if name not in self._names:
            raise ConfigError(
                f"leader arm: the leader has no joint '{name}'.{did_you_mean(name, self._names)}"
            )
        return self._names.index(name)
