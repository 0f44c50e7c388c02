"""The seam of teleoperation: a policy behind which a person sits, and what that person can say besides."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from enum import Enum
from typing import Protocol, runtime_checkable

import numpy as np
import numpy.typing as npt
from sinew_core.hardware import Hardware
from sinew_core.plugins import build, plugin_spec
from sinew_core.types import ActionChunk, FloatArray, Observation, Task

TARGET = "target"  # feature of an observation: the last command that was really sent, (n,)

Clock = Callable[[], int]  # monotonic, ns: a dead-man is about the person's time, not the simulator's


class TeleopEvent(Enum):
    """What a person says by a key or a button, the arm's motion aside."""

    STOP = "stop"
    CLEAR = "clear"
    ARM = "arm"
    SUCCESS = "success"
    FAILURE = "failure"
    DISCARD = "discard"
    NEXT = "next episode"
    QUIT = "quit"
    HELP = "help"


@runtime_checkable
class TeleopSource(Protocol):
    """A person with a device, as a policy: `reset` and `infer` are those of `sinew_core.protocols.Policy`.

    `infer` returns a chunk of no rows, (0, n), whenever the dead-man is not held or nothing is wanted.
    Its first row after that is the present target, `present_target`: a takeover is bumpless. `infer` and
    `events` never wait for the device. One thread uses a source.
    """

    def reset(self, task: Task) -> None:
        """Begin an episode, or go on after a stop: let go of the arm."""

    def infer(self, observation: Observation) -> ActionChunk:
        """Return joint targets with the observation's stamp, or no rows."""

    def events(self) -> list[TeleopEvent]:
        """Return what the person has said since the last call, in order; works without observations."""

    @property
    def help(self) -> str:
        """What each key or button does, a line each: what to press, two spaces, what it does."""

    @property
    def status(self) -> str:
        """The device's state in one sentence: mode, speed, or why it does not move the arm."""

    def close(self) -> None:
        """Let go of the device; safe to call more than once."""


@runtime_checkable
class JoyTaker(Protocol):
    """A source that wants `sensor_msgs/Joy`."""

    def take_joy(self, axes: Sequence[float], buttons: Sequence[int]) -> None:
        """Take the state of a gamepad; sticks are positive to the left and up, as ROS's joy has them."""


@runtime_checkable
class StreamTaker(Protocol):
    """A source that wants motion from anybody; a message that cannot be understood is a ValueError."""

    def take_twist(self, stamp: int, linear: FloatArray, angular: FloatArray, frame: str) -> None:
        """Take a twist of the tip, m/s and rad/s; `frame` is the base or the tip link, empty for the base."""

    def take_trajectory(
        self, stamp: int, names: Sequence[str], times: Sequence[int], positions: Sequence[npt.ArrayLike]
    ) -> None:
        """Take joint positions (k, m) of the named joints, wanted `times` ns from now."""


@runtime_checkable
class KeyTaker(Protocol):
    """A source without a terminal of its own that nevertheless has keys."""

    def take_key(self, key: str) -> None:
        """Take a key that was typed at the terminal and means nothing to the desk."""


def make_source(name: str, hardware: Hardware) -> TeleopSource:
    """Build a source by short name, `module:Class` or YAML file; raises ConfigError."""
    spec = plugin_spec(name, "sinew_teleop", "teleop source")
    return build(spec, TeleopSource, f"teleop source {name}", hardware=hardware, robot=hardware.robot)


def present_target(observation: Observation) -> FloatArray:
    """Return a copy of the last command really sent (n,), or of the measured joints before there is one."""
    target = observation.features.get(TARGET)
    return np.array(observation.joints.position if target is None else target, dtype=np.float64)


def nothing(observation: Observation, dt: float) -> ActionChunk:
    """Return the chunk of no rows, which gives control back."""
    return ActionChunk(observation.stamp, dt, np.zeros((0, len(observation.joints.position))))
