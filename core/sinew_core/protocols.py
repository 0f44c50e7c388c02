"""The seams: what a station, a perception, affordance and reward model, a policy and a filter must offer.

Observations that an implementation receives are not to be changed by it; what it returns is its caller's.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Protocol, runtime_checkable

from sinew_core.types import (
    ActionChunk,
    Affordance,
    CameraFrame,
    CameraModel,
    FloatArray,
    ImageArray,
    JointCommand,
    JointState,
    Observation,
    Percept,
    Refusal,
    RewardEstimate,
    Task,
)


@runtime_checkable
class Arm(Protocol):
    """A robot arm, its gripper being one more joint."""

    def read(self) -> JointState:
        """Return the present joints, as a copy."""

    def write(self, command: JointCommand) -> None:
        """Send a position target for every joint."""

    def stop(self) -> None:
        """Stay where the arm is; safe to call at any time and more than once."""

    def close(self) -> None:
        """Release the device."""


@runtime_checkable
class Camera(Protocol):
    """A colour or RGB-D camera."""

    @property
    def model(self) -> CameraModel:
        """The intrinsics and the mounting."""

    def read(self) -> CameraFrame:
        """Return the newest frame, as a copy."""

    def close(self) -> None:
        """Release the device."""


@runtime_checkable
class Attendant(Protocol):
    """Whoever lays out the scene, and knows whether the task is done."""

    def reset(self, seed: int, instruction: str = "") -> Task:
        """Lay out a new scene; an empty instruction draws one from the task."""

    def ask(self, instruction: str = "") -> Task:
        """Ask for something else in the scene as it lies; an empty instruction undoes the present one.

        Nothing moves and no time passes. What cannot be read, or is not there, never becomes a success.
        """

    def success(self) -> bool:
        """Tell whether the task is done, by what is true and not by what is seen."""


@runtime_checkable
class World(Attendant, Protocol):
    """The simulated side of a station: what a real one does not offer. Its reset puts the arm home."""

    @property
    def stamp(self) -> int:
        """The simulated time, in ns; it never runs backwards, not even over a reset."""

    def step(self, duration: int) -> None:
        """Advance the physics by `duration` ns."""


@runtime_checkable
class Station(Protocol):
    """An arm and its cameras, which in a simulator share one physics."""

    @property
    def arm(self) -> Arm:
        """The arm."""

    @property
    def cameras(self) -> Mapping[str, Camera]:
        """The cameras by name."""

    @property
    def world(self) -> World | None:
        """The simulator, or None on hardware."""

    def close(self) -> None:
        """Stop the arm and release every device."""


@runtime_checkable
class Attended(Protocol):
    """A station without a world that may have an attendant nevertheless: a person, or an emulator's."""

    @property
    def attendant(self) -> Attendant | None:
        """The attendant, if there is one."""


def attendant_of(station: Station) -> Attendant | None:
    """Return who lays out a station's scenes: its world, or else its attendant, if it has one."""
    if station.world is not None:
        return station.world
    return station.attendant if isinstance(station, Attended) else None


@runtime_checkable
class PerceptionModel(Protocol):
    """Finds keypoints and features in camera frames."""

    def reset(self, task: Task) -> None:
        """Begin an episode."""

    def process(self, frames: Mapping[str, CameraFrame], joints: JointState) -> Percept:
        """Return what is known from frames captured together: what is seen, and what is believed to be."""


@runtime_checkable
class AffordanceModel(Protocol):
    """Answers a sentence about a scene with where to act; slow: a vision-language model may sit behind."""

    def propose(self, observation: Observation, instruction: str) -> Affordance | Refusal:
        """Return an affordance, or a refusal that names what was seen."""


@runtime_checkable
class Illustrated(Protocol):
    """A model that can show what it looked at, and what came of it."""

    def picture(self) -> ImageArray | None:
        """Return the picture (h, w, 3) of the last call, drawn when it is asked for; None before any."""


@runtime_checkable
class RewardModel(Protocol):
    """Grades observations."""

    def reset(self, task: Task) -> None:
        """Begin an episode."""

    def estimate(self, observation: Observation) -> RewardEstimate:
        """Return the reward of this observation, with its stamp."""


@runtime_checkable
class Policy(Protocol):
    """Chooses joint targets; a person with a teleoperation device is one, too."""

    def reset(self, task: Task) -> None:
        """Begin an episode."""

    def infer(self, observation: Observation) -> ActionChunk:
        """Return joint targets, (horizon, n), with the observation's stamp."""


@dataclass(frozen=True, slots=True)
class MotionState:
    """What a safety filter judges a command against."""

    joints: JointState
    target: FloatArray  # (n,) last position sent
    velocity: FloatArray  # (n,) of the target over the last control period
    dt: float  # s, one control period


@dataclass(frozen=True, slots=True)
class SafeCommand:
    """A command that may be sent, and the names of the limits that changed it."""

    command: JointCommand
    reasons: tuple[str, ...] = ()


@runtime_checkable
class SafetyFilter(Protocol):
    """Turns a wanted command into a safe one; pure, so that filters chain and their order is visible."""

    def filter(self, command: JointCommand, state: MotionState) -> SafeCommand:
        """Return the nearest command that is safe to send."""


@runtime_checkable
class AdjustableFilter(SafetyFilter, Protocol):
    """A filter some of whose numbers may be changed while it runs."""

    def parameters(self) -> dict[str, float]:
        """Return the present values by name."""

    def set_parameter(self, name: str, value: float) -> None:
        """Change one, from any thread; ValueError with a sentence if it is out of range."""
