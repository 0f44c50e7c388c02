"""The joints of a robot's arm that match a human's: where its shoulder, elbow and wrist are."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from sinew_core.errors import ConfigError, did_you_mean
from sinew_core.robot import Robot
from sinew_core.types import FloatArray


@dataclass(frozen=True, slots=True)
class MatchingLinks:
    """Links whose origins lie in the joints that match."""

    shoulder: str
    elbow: str
    wrist: str


KNOWN = {
    "so101": MatchingLinks("upper_arm", "lower_arm", "wrist"),
    "fr3": MatchingLinks("fr3_link2", "fr3_link4", "fr3_link6"),
    "ur5e": MatchingLinks("upper_arm_link", "forearm_link", "wrist_1_link"),
    "widowx250": MatchingLinks("upper_arm_link", "upper_forearm_link", "wrist_link"),
}


@dataclass(frozen=True, slots=True)
class RobotArm:
    """A robot seen as an arm."""

    robot: Robot
    links: MatchingLinks

    @property
    def joints(self) -> tuple[int, ...]:
        """The places of the arm's joints in the command order: all but the gripper's."""
        return tuple(i for i in range(len(self.robot.joint_names)) if i != self.robot.gripper_index)

    @property
    def shoulder(self) -> FloatArray:
        """Where the shoulder is at home, (3,) m, base frame."""
        at: FloatArray = self.points(self.robot.home[None])[0, 0]
        return at

    @property
    def reach(self) -> float:
        """The length of the arm from shoulder to tip when it is stretched out, m."""
        return float(np.linalg.norm(np.diff(self.points(self.robot.home[None])[0], axis=0), axis=1).sum())

    def points(self, positions: FloatArray) -> FloatArray:
        """Return shoulder, elbow, wrist and tip (k, 4, 3) m, base frame, at joint positions (k, n)."""
        names = (self.links.shoulder, self.links.elbow, self.links.wrist, self.robot.tip_link)
        chain = self.robot.chain
        return np.stack([chain.poses(name, positions)[:, :3, 3] for name in names], 1)


def arm_of(robot: Robot, links: MatchingLinks | None = None) -> RobotArm:
    """Return a robot as an arm; ConfigError where it is not known and no links, or wrong ones, are named."""
    links = links or KNOWN.get(robot.name)
    if links is None:
        raise ConfigError(
            f"retargeting: nothing is known of the arm of '{robot.name}', only of {', '.join(KNOWN)}; name "
            "the links in its shoulder, elbow and wrist."
        )
    for name in (links.shoulder, links.elbow, links.wrist):
        if name not in robot.chain.links:
            raise ConfigError(
                f"retargeting: {robot.name} has no link '{name}'.{did_you_mean(name, robot.chain.links)}"
            )
    return RobotArm(robot, links)
