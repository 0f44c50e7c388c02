"""A small network from the pose of a human arm to the joints of a robot's that match it."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import torch
from sinew_core.types import FloatArray

from sinew_rewards.learned.network import Ensemble
from sinew_rewards.retargeting.robot_arm import RobotArm


@dataclass(frozen=True, slots=True)
class NetworkConfig:
    """The network, and how it is fitted."""

    hidden: tuple[int, ...] = (64, 64)
    poses: int = 4000  # of the robot, drawn within its joints' limits
    spread: float = 0.7  # share of the way from home to each limit that is drawn from
    batch: int = 256
    steps: int = 600
    rate: float = 3e-3


class MatchingNetwork:
    """Directions along upper arm, forearm and hand to joints.

    It needs no recordings of people: it is fitted to what the robot's own poses look like as an arm. What
    no direction tells, such as the turn of a wrist, is as it is on average.
    """

    def __init__(self, arm: RobotArm, network: Ensemble) -> None:
        self._arm, self._network = arm, network

    def poses(self, directions: FloatArray) -> FloatArray:
        """Return joints (T, n) for unit vectors (T, 3, 3) in the robot's base; the gripper is as at home."""
        robot, joints = self._arm.robot, list(self._arm.joints)
        out = self._network.of(directions.reshape(len(directions), -1))[0]
        found = np.repeat(robot.home[None], len(directions), 0)
        found[:, joints] = (
            _middle(robot.lower, robot.upper)[joints] + _half(robot.lower, robot.upper)[joints] * out
        )
        return found


def fit_matching(arm: RobotArm, seed: int, config: NetworkConfig | None = None) -> MatchingNetwork:
    """Return the network of a robot."""
    config, robot, joints = config or NetworkConfig(), arm.robot, list(arm.joints)
    rng = np.random.default_rng(seed)
    towards = rng.uniform(robot.lower, robot.upper, (config.poses, len(robot.home)))
    drawn = robot.home + config.spread * (towards - robot.home)
    along = np.diff(arm.points(drawn), axis=1)
    along /= np.linalg.norm(along, axis=2, keepdims=True)
    inputs = along.reshape(config.poses, -1)
    targets = (drawn - _middle(robot.lower, robot.upper)) / _half(robot.lower, robot.upper)
    network = Ensemble(inputs.shape[1], config.hidden, 1, len(joints), bound=1.0, seed=seed)
    network.look(inputs)
    _search(network, inputs, targets[:, joints], config, seed)
    return MatchingNetwork(arm, network)


def _search(
    network: Ensemble, inputs: FloatArray, targets: FloatArray, config: NetworkConfig, seed: int
) -> None:
    x, y = (torch.as_tensor(each, dtype=torch.float32) for each in (inputs, targets))
    search = torch.optim.Adam(network.parameters(), config.rate)
    slower = torch.optim.lr_scheduler.CosineAnnealingLR(search, config.steps)
    generator = torch.Generator().manual_seed(seed)
    for _ in range(config.steps):
        drawn = torch.randint(len(x), (config.batch,), generator=generator)
        loss = (network(x[drawn])[0] - y[drawn]).square().mean()
        search.zero_grad()
        loss.backward()
        search.step()
        slower.step()


def _middle(lower: FloatArray, upper: FloatArray) -> FloatArray:
    return (lower + upper) / 2


def _half(lower: FloatArray, upper: FloatArray) -> FloatArray:
    return (upper - lower) / 2
