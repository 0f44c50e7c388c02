"""A robot: one URDF plus one YAML with the command order, limits, home pose, servo gains and gripper."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from sinew_core.config import from_mapping, load_yaml
from sinew_core.errors import ConfigError, did_you_mean
from sinew_core.kinematics import KinematicChain, UrdfJoint, read_urdf
from sinew_core.types import FloatArray


@dataclass(frozen=True, slots=True)
class JointConfig:
    """One commanded joint; rad (or m for a sliding joint), s, N m (or N)."""

    lower: float
    upper: float
    velocity: float
    acceleration: float
    effort: float
    stiffness: float  # N m/rad, of the simulated position servo
    damping: float  # N m s/rad
    home: float

    def __post_init__(self) -> None:
        """Check the order of the limits and the signs."""
        if not self.lower <= self.home <= self.upper or self.lower >= self.upper:
            raise ValueError(f"expected lower <= home <= upper, got {self.lower}, {self.home}, {self.upper}.")
        if min(self.velocity, self.acceleration, self.effort, self.stiffness) <= 0 or self.damping < 0:
            raise ValueError("velocity, acceleration, effort and stiffness must be positive.")


@dataclass(frozen=True, slots=True)
class GripperConfig:
    """Which joint is the gripper, and its positions when open and when closed on nothing."""

    joint: str
    open: float
    closed: float


@dataclass(frozen=True, slots=True)
class RobotConfig:
    """The fields of robot.yaml."""

    name: str
    urdf: Path
    base_link: str
    tip_link: str
    joints: Mapping[str, JointConfig]
    gripper: GripperConfig


@dataclass(frozen=True, slots=True)
class Robot:
    """A loaded robot; every array is (n,), in the order of `joint_names`."""

    name: str
    urdf: Path
    base_link: str
    tip_link: str
    joint_names: tuple[str, ...]
    lower: FloatArray
    upper: FloatArray
    velocity: FloatArray
    acceleration: FloatArray
    effort: FloatArray
    stiffness: FloatArray
    damping: FloatArray
    home: FloatArray
    gripper: GripperConfig
    chain: KinematicChain
    mimic: Mapping[str, tuple[str, float, float]]  # follower joint: (leader, multiplier, offset)

    @property
    def gripper_index(self) -> int:
        """The place of the gripper in the command order."""
        return self.joint_names.index(self.gripper.joint)

    def aperture(self, position: FloatArray) -> float:
        """Return how far the gripper is open, 0 (closed on nothing) to 1, at joint positions (n,)."""
        span = self.gripper.open - self.gripper.closed
        return float((position[self.gripper_index] - self.gripper.closed) / span)

    def gripper_position(self, aperture: float) -> float:
        """Return the gripper joint's position for an aperture, 0 (closed) to 1 (open)."""
        return self.gripper.closed + aperture * (self.gripper.open - self.gripper.closed)


def load_robot(path: Path) -> Robot:
    """Load `robot.yaml` (or the folder that holds one) and check it against its URDF."""
    path = path / "robot.yaml" if path.is_dir() else path
    config = from_mapping(RobotConfig, load_yaml(path), str(path))
    urdf = (path.parent / config.urdf).resolve()
    joints = read_urdf(urdf)
    _check(config, {joint.name: joint for joint in joints}, path, urdf)
    names = tuple(config.joints)

    def column(field: str) -> FloatArray:
        return np.array([getattr(config.joints[name], field) for name in names], dtype=np.float64)

    return Robot(
        name=config.name,
        urdf=urdf,
        base_link=config.base_link,
        tip_link=config.tip_link,
        joint_names=names,
        lower=column("lower"),
        upper=column("upper"),
        velocity=column("velocity"),
        acceleration=column("acceleration"),
        effort=column("effort"),
        stiffness=column("stiffness"),
        damping=column("damping"),
        home=column("home"),
        gripper=config.gripper,
        chain=KinematicChain(joints, names, config.base_link),
        mimic={joint.name: joint.mimic for joint in joints if joint.mimic is not None},
    )


def _check(config: RobotConfig, joints: Mapping[str, UrdfJoint], path: Path, urdf: Path) -> None:
    movable = {name for name, joint in joints.items() if joint.movable and joint.mimic is None}
    for name in config.joints:
        if name not in movable:
            raise ConfigError(
                f"{path}: joints: '{name}' is no movable joint of {urdf}.{did_you_mean(name, movable)}"
            )
    left_out = movable - set(config.joints)
    if left_out:
        raise ConfigError(f"{path}: joints: {urdf} has {', '.join(sorted(left_out))}, which is not listed.")
    if config.gripper.joint not in config.joints:
        raise ConfigError(
            f"{path}: gripper.joint: unknown joint '{config.gripper.joint}'."
            f"{did_you_mean(config.gripper.joint, config.joints)}"
        )
    links = {joint.child for joint in joints.values()} | {joint.parent for joint in joints.values()}
    for key in ("base_link", "tip_link"):
        link = getattr(config, key)
        if link not in links:
            raise ConfigError(f"{path}: {key}: {urdf} has no link '{link}'.{did_you_mean(link, links)}")
    for name, joint in config.joints.items():
        lower, upper = joints[name].limits
        if joint.lower < lower - 1e-6 or joint.upper > upper + 1e-6:
            raise ConfigError(
                f"{path}: joints.{name}: [{joint.lower}, {joint.upper}] leaves the URDF's "
                f"[{lower}, {upper}] in {urdf}."
            )
