"""Whether a robot is the one that an episode was recorded on, by its joints and their limits."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import yaml
from sinew_core.errors import ConfigError
from sinew_core.robot import Robot

ROBOT_FILE = "robot.yaml"
LIMITS = ("lower", "upper", "velocity", "acceleration")


def check_robot(where: str, attachments: Mapping[str, bytes], robot: Robot) -> None:
    """Raise ConfigError unless names, order and limits of the joints are those in the recorded robot.yaml.

    `where` names the episode in the sentence.
    """
    name, joints = _recorded(where, attachments)
    if tuple(joints) != robot.joint_names:
        raise ConfigError(
            f"{where}: recorded on {name}, whose joints are {', '.join(joints)}; "
            f"{robot.name} has {', '.join(robot.joint_names)}."
        )
    differences = [
        f"{joint}.{limit} was {joints[joint].get(limit)} and is {present}"
        for limit in LIMITS
        for joint, present in zip(robot.joint_names, getattr(robot, limit).tolist(), strict=True)
        if joints[joint].get(limit) != present
    ]
    if differences:
        raise ConfigError(
            f"{where}: recorded on {name}, and {robot.name} has other limits: {'; '.join(differences)}."
        )


def _recorded(where: str, attachments: Mapping[str, bytes]) -> tuple[str, dict[str, dict[str, Any]]]:
    """Return the recorded robot's name and its joints as they are in its file."""
    if ROBOT_FILE not in attachments:
        raise ConfigError(f"{where}: holds no {ROBOT_FILE}, so nobody knows which robot it was recorded on.")
    try:
        config = yaml.safe_load(attachments[ROBOT_FILE])
        joints = {str(name): dict(joint) for name, joint in config["joints"].items()}
        return str(config["name"]), joints
    except (yaml.YAMLError, KeyError, TypeError, ValueError, AttributeError) as error:
        raise ConfigError(f"{where}: its {ROBOT_FILE} cannot be read ({type(error).__name__}).") from error
