"""Motion from anybody: a twist of the tip, or a joint trajectory, through a topic."""

from __future__ import annotations

import time
from collections.abc import Sequence
from dataclasses import dataclass, field

import numpy as np
import numpy.typing as npt
from sinew_core.errors import did_you_mean
from sinew_core.hardware import Hardware
from sinew_core.types import NANOSECONDS, ActionChunk, FloatArray, Observation, Task

from sinew_teleop.drive import RelativeDrive
from sinew_teleop.event_keys import help_text
from sinew_teleop.jog import JogConfig
from sinew_teleop.shaping import shortened
from sinew_teleop.source import Clock, TeleopEvent, nothing, present_target
from sinew_teleop.wishes import Frame, Wish

OVERTAKEN = 1.0  # s; a stamp further back is of another clock, not of a message on a slower way


@dataclass(frozen=True, slots=True)
class Config:
    """How long a message counts, and how fast it may be."""

    timeout: float = 0.2  # s that a twist counts, and that the last point of a trajectory is kept
    jog: JogConfig = field(default_factory=JogConfig)  # full speeds, which longer twists are cut down to

    def __post_init__(self) -> None:
        """Check the time."""
        if self.timeout <= 0:
            raise ValueError(f"timeout must be positive, got {self.timeout}.")


@dataclass(frozen=True, slots=True)
class _Trajectory:
    """Joint positions over time."""

    columns: tuple[int, ...]
    times: FloatArray  # (k,) s from its beginning
    positions: FloatArray  # (k, m)
    came: int  # ns, own clock

    def at(self, age: float, begun: FloatArray) -> FloatArray:
        """Return the joints (n,) at `age` s, on the way from the joints `begun` (n,)."""
        times = np.concatenate([[-1e-9], self.times])
        position = begun.copy()
        for place, column in enumerate(self.columns):
            values = np.concatenate([[begun[column]], self.positions[:, place]])
            position[column] = np.interp(age, times, values)
        return position


class Topic:
    """Follows the newest message; when none comes any more, it lets go of the arm."""

    def __init__(self, config: Config, hardware: Hardware, clock: Clock = time.monotonic_ns) -> None:
        self._config, self._clock, self._robot = config, clock, hardware.robot
        self._dt, self._period = hardware.config.control_period, hardware.period
        self._drive = RelativeDrive(hardware, config.jog)
        self._frames: dict[str, Frame] = {"": "base", "base": "base", "tip": "tip"}
        self._frames |= {hardware.robot.base_link: "base", hardware.robot.tip_link: "tip"}
        self._last_stamp = {"twist": 0, "trajectory": 0}
        self._forget()

    def _forget(self) -> None:
        self._wish: tuple[Wish, int] | None = None  # and when it came
        self._trajectory: _Trajectory | None = None
        self._begun: tuple[int, FloatArray] | None = None  # stamp and joints (n,) where it began
        self._row: FloatArray | None = None  # (n,) last one given

    def reset(self, task: Task) -> None:
        """Let go of the arm and forget what came."""
        self._forget()
        self._drive.release()

    def take_twist(self, stamp: int, linear: FloatArray, angular: FloatArray, frame: str) -> None:
        """Take a twist; raises ValueError for an unknown frame or a value that is not finite."""
        if frame not in self._frames:
            known = filter(None, self._frames)
            raise ValueError(f"twist: unknown frame '{frame}'.{did_you_mean(frame, known)}")
        if not (np.isfinite(linear).all() and np.isfinite(angular).all()):
            raise ValueError(f"twist: not finite: {linear}, {angular}.")
        self._check_stamp("twist", stamp)
        jog = self._config.jog
        wish = Wish(
            linear=shortened(np.asarray(linear, dtype=np.float64), jog.linear),
            angular=shortened(np.asarray(angular, dtype=np.float64), jog.angular),
            frame=self._frames[frame],
        )
        self._forget()
        self._wish = (wish, self._clock())

    def take_trajectory(
        self, stamp: int, names: Sequence[str], times: Sequence[int], positions: Sequence[npt.ArrayLike]
    ) -> None:
        """Take a trajectory, to begin now; no points let go of the arm. Raises ValueError with the reason.

        Joints that are not named stay. Points at 0 ns are wanted at once.
        """
        self._check_stamp("trajectory", stamp)
        if not times:
            self.reset(Task("", ""))
            return
        for name in names:
            if name not in self._robot.joint_names:
                known = self._robot.joint_names
                raise ValueError(f"trajectory: the robot has no joint '{name}'.{did_you_mean(name, known)}")
        if len(set(names)) != len(names) or any(np.shape(point) != (len(names),) for point in positions):
            raise ValueError(f"trajectory: expected {len(names)} different joints in every point.")
        if len(positions) != len(times) or list(times) != sorted(set(times)) or times[0] < 0:
            raise ValueError("trajectory: the times of its points must rise from 0 on, one a point.")
        rows = np.array(positions, dtype=np.float64)
        if not np.isfinite(rows).all():
            raise ValueError("trajectory: not finite.")
        self._drive.release()
        self._wish, self._begun = None, None  # but the last row stays: a stream of points goes on from it
        columns = tuple(self._robot.joint_names.index(name) for name in names)
        self._trajectory = _Trajectory(columns, np.array(times) / NANOSECONDS, rows, self._clock())

    def infer(self, observation: Observation) -> ActionChunk:
        """Return the next joint targets while there is something fresh to follow, else none."""
        if self._trajectory is not None:
            return self._follow(self._trajectory, observation)
        wish = self._wish
        if wish is not None and self._clock() - wish[1] > self._config.timeout * NANOSECONDS:
            wish = self._wish = None
        return self._drive.chunk(observation, None if wish is None else wish[0])

    def events(self) -> list[TeleopEvent]:
        """A topic says nothing: its marks are the station's services."""
        return []

    @property
    def help(self) -> str:
        """Which topics it follows."""
        return help_text((("twist", "human/twist"), ("trajectory", "human/trajectory")))

    @property
    def status(self) -> str:
        """What it follows."""
        if self._trajectory is not None:
            return "following a trajectory"
        return "following a twist" if self._wish is not None else "nothing fresh on human/twist or trajectory"

    def close(self) -> None:
        """Let go of the arm."""
        self.reset(Task("", ""))

    def _check_stamp(self, kind: str, stamp: int) -> None:
        """Refuse a message that a newer one has overtaken; without a stamp it always counts."""
        behind = (self._last_stamp[kind] - stamp) / NANOSECONDS
        if stamp and 0 < behind < OVERTAKEN:
            raise ValueError(f"{kind}: stamp {stamp} lies {behind:.3f} s before the last one.")
        self._last_stamp[kind] = stamp or self._last_stamp[kind]

    def _follow(self, trajectory: _Trajectory, observation: Observation) -> ActionChunk:
        """Return the trajectory's next row; the first one is the present target."""
        target, late = present_target(observation), self._clock() - trajectory.came
        if self._begun is None and late <= self._config.timeout * NANOSECONDS and np.isfinite(target).all():
            begun = target if self._row is None else self._row
            # What goes on from a row that was sent already moves on at once.
            since = observation.stamp - (0 if self._row is None else self._period)
            self._begun = since, begun
        if self._begun is None:
            self._forget()
            return nothing(observation, self._dt)
        age = (observation.stamp - self._begun[0]) / NANOSECONDS
        if age > trajectory.times[-1] + self._config.timeout or age < 0:
            self._forget()
            return nothing(observation, self._dt)
        row = self._begun[1] if self._row is None else trajectory.at(age, self._begun[1])
        self._row = np.clip(row, self._robot.lower, self._robot.upper)
        return ActionChunk(observation.stamp, self._dt, self._row[None].copy())
