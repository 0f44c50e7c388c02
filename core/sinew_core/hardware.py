"""Hardware files: which station, robot and cameras a graph runs on, at what pace, inside which limits."""

from __future__ import annotations

import os
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from datetime import date
from pathlib import Path
from typing import Any, Literal

from sinew_core.authority import AuthorityConfig
from sinew_core.cameras import CameraConfig, Vector
from sinew_core.config import from_mapping, load_yaml
from sinew_core.errors import ConfigError, did_you_mean
from sinew_core.plugins import build
from sinew_core.protocols import Station
from sinew_core.robot import Robot, load_robot
from sinew_core.types import NANOSECONDS, CameraModel

Pace = Literal["realtime", "lockstep"]


@dataclass(frozen=True, slots=True)
class SafetyConfig:
    """The space that the gripper's tip may be in; m, base frame."""

    floor: float
    workspace_lower: Vector
    workspace_upper: Vector
    filters: tuple[Mapping[str, Any], ...] = ()  # plugins, run after the joint limits and this box

    def __post_init__(self) -> None:
        """Check that the box is one."""
        if not all(a < b for a, b in zip(self.workspace_lower, self.workspace_upper, strict=True)):
            raise ValueError("workspace_lower must lie below workspace_upper on every axis.")


@dataclass(frozen=True, slots=True)
class SceneConfig:
    """Where tasks may lay out objects; m, base frame, on the table."""

    lower: tuple[float, float]
    upper: tuple[float, float]


@dataclass(frozen=True, slots=True)
class HardwareConfig:
    """The fields of a hardware file."""

    robot: Path
    station: Mapping[str, Any]
    control_period: float  # s
    cameras: Mapping[str, CameraConfig]
    safety: SafetyConfig
    scene: SceneConfig
    perception: Mapping[str, Any]
    pace: Pace = "realtime"
    real: bool = False  # devices, for which there is no other pace
    command_timeout: float = 0.5  # s without a command until the arm holds
    max_age: float = 0.3  # s after which an observation is not acted on
    authority: AuthorityConfig = field(default_factory=AuthorityConfig)
    calibrated: Mapping[str, str] = field(default_factory=dict)  # arm or camera: day, as "2026-11-29"

    def __post_init__(self) -> None:
        """Check the days."""
        for name, day in self.calibrated.items():
            try:
                date.fromisoformat(day)
            except ValueError:
                raise ValueError(f"calibrated: {name}: expected a day as 2026-11-29, got {day}.") from None


@dataclass(frozen=True, slots=True)
class Hardware:
    """A loaded hardware file."""

    name: str
    path: Path
    robot: Robot
    config: HardwareConfig
    cameras: Mapping[str, CameraModel] = field(default_factory=dict)

    @property
    def period(self) -> int:
        """The control period, in ns."""
        return round(self.config.control_period * NANOSECONDS)

    def with_pace(self, pace: Pace) -> Hardware:
        """Return the same hardware at another pace."""
        return replace(self, config=replace(self.config, pace=pace))

    def with_control_period(self, seconds: float) -> Hardware:
        """Return the same hardware at another control period, in s."""
        return replace(self, config=replace(self.config, control_period=seconds))

    def open_station(self, task: str) -> Station:
        """Open the station of this hardware for a task; the caller closes it."""
        where = f"{self.path}: station"
        return build(self.config.station, Station, where, hardware=self, task=task)


def load_hardware(name: str) -> Hardware:
    """Load a hardware file by its name (`sim_mujoco`) or its path; raises ConfigError."""
    path = find_hardware(name)
    config = from_mapping(HardwareConfig, with_calibration(path), str(path))
    if config.control_period <= 0:
        raise ConfigError(f"{path}: control_period: expected a positive number of seconds.")
    robot = load_robot((path.parent / config.robot).resolve())
    if config.real and config.pace != "realtime":
        raise ConfigError(f"{path}: pace: real devices keep no other than realtime.")
    for camera in config.cameras.values():
        if camera.link:
            robot.chain.pose(camera.link, robot.home)
    models = {key: camera.model(key, robot.base_link) for key, camera in config.cameras.items()}
    return Hardware(path.stem, path, robot, config, models)


def calibration_of(path: Path) -> Path:
    """Return the file that calibrations of a hardware file are written to, and laid over it."""
    return path.parent / "calibration" / path.name


def with_calibration(path: Path) -> dict[str, Any]:
    """Return the fields of a hardware file, those of its calibration laid over them."""
    fields, calibration = load_yaml(path), calibration_of(path)
    return overlaid(fields, load_yaml(calibration)) if calibration.is_file() else fields


def overlaid(fields: Mapping[str, Any], others: Mapping[str, Any]) -> dict[str, Any]:
    """Return fields with others laid over them, mapping by mapping."""
    merged = dict(fields)
    for key, value in others.items():
        below = merged.get(key)
        if isinstance(below, Mapping) and isinstance(value, Mapping):
            merged[key] = overlaid(below, value)
        else:
            merged[key] = value
    return merged


def due_cameras(cameras: Mapping[str, CameraConfig], period_index: int) -> list[str]:
    """Return the cameras that deliver a frame in a control period, counted from the episode's start."""
    return [name for name, camera in cameras.items() if camera.every and period_index % camera.every == 0]


def find_hardware(name: str) -> Path:
    """Return the path of a hardware file; an unknown name is answered with the nearest one."""
    if name.endswith((".yaml", ".yml")):
        if not Path(name).is_file():
            raise ConfigError(f"hardware file {name} does not exist.")
        return Path(name).resolve()
    found = {
        path.stem: path for root in reversed(share_roots("hardware_configs")) for path in root.glob("*.yaml")
    }
    if name not in found:
        raise ConfigError(f"unknown hardware '{name}'.{did_you_mean(name, found)}")
    return found[name].resolve()


def share_roots(folder: str) -> list[Path]:
    """Return the places that hold `hardware_configs` or `launch`, the first one winning.

    $SINEW_SHARE, the working directory, the source tree, the installed wheel, a ROS 2 installation.
    """
    here = Path(__file__).resolve().parent
    prefixes = filter(None, os.environ.get("AMENT_PREFIX_PATH", "").split(os.pathsep))
    roots = [
        *([Path(os.environ["SINEW_SHARE"])] if "SINEW_SHARE" in os.environ else []),
        Path.cwd(),
        here.parents[1],
        here / "share",
        *(Path(prefix) / "share" / "sinew_bringup" for prefix in prefixes),
    ]
    return [root / folder for root in roots if (root / folder).is_dir()]
