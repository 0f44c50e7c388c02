"""What is known of an episode when it starts and when it ends, as it is kept in the file's metadata."""

from __future__ import annotations

import dataclasses
import json
import platform
from collections.abc import Mapping
from dataclasses import dataclass, field
from importlib.metadata import PackageNotFoundError, version
from typing import Any, TypeVar, get_type_hints

from sinew_core.hardware import Hardware
from sinew_core.types import Task

FORMAT = "sinew-episode/1"
START, END = "sinew", "sinew/end"  # names of the metadata records
OUTCOMES = ("success", "failure", "timeout", "refused", "stopped", "error", "interrupted", "discarded")
PACKAGES = ("sinew", "numpy", "mujoco", "pybullet", "rclpy", "torch")
T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class EpisodeStart:
    """What an episode is about; `attachments` are files by name, kept beside the messages."""

    task: str
    instruction: str
    seed: int
    hardware: str
    robot: str
    joints: tuple[str, ...]
    control_period: float  # s
    max_age: float  # s after which an observation's parts are left out
    max_steps: int = 0  # control periods
    episode: int = 1  # the number that its messages carry
    pace: str = "lockstep"
    base_frame: str = ""
    policy: str = ""
    reward: str = ""
    affordance: str = ""
    weights: str = ""  # hash of the policy's weights
    versions: Mapping[str, str] = field(default_factory=dict)
    extra: Mapping[str, str] = field(default_factory=dict)
    attachments: Mapping[str, bytes] = field(default_factory=dict, compare=False)


@dataclass(frozen=True, slots=True)
class EpisodeEnd:
    """How an episode ended; `discarded` moves it to discarded/."""

    outcome: str
    message: str = ""
    steps: int = 0
    interventions: int = 0
    marks: tuple[str, ...] = ()
    repaired: bool = False
    dropped: Mapping[str, int] = field(
        default_factory=dict
    )  # messages lost by topic; the writer adds its own
    extra: Mapping[str, str] = field(default_factory=dict)

    @property
    def success(self) -> bool:
        """Whether the task was done."""
        return self.outcome == "success"


def start_of(hardware: Hardware, task: Task, seed: int, **given: Any) -> EpisodeStart:
    """Return what a hardware file and a task say about an episode; `given` are further fields."""
    config, robot = hardware.config, hardware.robot
    robot_file = (hardware.path.parent / config.robot).resolve()
    files = {"hardware.yaml": hardware.path, "robot.yaml": robot_file, "robot.urdf": robot.urdf}
    if robot_file.is_dir():
        files["robot.yaml"] = robot_file / "robot.yaml"
    return EpisodeStart(
        task=task.name,
        instruction=task.instruction,
        seed=seed,
        hardware=hardware.name,
        robot=robot.name,
        joints=robot.joint_names,
        control_period=config.control_period,
        max_age=config.max_age,
        max_steps=task.max_steps,
        pace=config.pace,
        base_frame=robot.base_link,
        versions=versions(),
        attachments={name: path.read_bytes() for name, path in files.items()},
        **given,
    )


def versions() -> dict[str, str]:
    """Return the versions of Python and of the packages that matter, where installed."""
    found = {"python": platform.python_version()}
    for name in PACKAGES:
        try:
            found[name] = version(name)
        except PackageNotFoundError:
            continue
    return found


def to_metadata(record: EpisodeStart | EpisodeEnd) -> dict[str, str]:
    """Return the fields as strings; what is no string is JSON."""
    fields = [item.name for item in dataclasses.fields(record) if item.name != "attachments"]
    values = {name: getattr(record, name) for name in fields}
    texts = {name: value if isinstance(value, str) else json.dumps(value) for name, value in values.items()}
    if isinstance(record, EpisodeEnd):
        texts["success"] = json.dumps(record.success)
    return {"format": FORMAT, **texts}


def from_metadata(cls: type[T], texts: Mapping[str, str]) -> T:
    """Return what `to_metadata` wrote; unknown keys are of a newer format and left out.

    A missing or wrong one is a ValueError.
    """
    hints = get_type_hints(cls)
    values: dict[str, Any] = {}
    for name, hint in hints.items():
        if name not in texts:
            continue
        value = texts[name] if hint is str else json.loads(texts[name])
        values[name] = tuple(value) if isinstance(value, list) else value
    try:
        return cls(**values)
    except TypeError as error:
        raise ValueError(f"metadata of {cls.__name__}: {error}") from error
