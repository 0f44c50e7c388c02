"""Sends recorded commands once more, through the control path with its guard and its safety filters."""

from __future__ import annotations

import time
from collections import Counter
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace

import numpy as np
import numpy.typing as npt
from sinew_core.arbiter import REFUSED
from sinew_core.control import ControlPath
from sinew_core.errors import ConfigError, DeviceError
from sinew_core.hardware import Hardware
from sinew_core.protocols import MotionState, SafeCommand, SafetyFilter, Station
from sinew_core.robot import Robot
from sinew_core.safety import TOLERANCE, FilterChain, JointLimits, default_filter
from sinew_core.types import NANOSECONDS, ExecutedCommand, FloatArray, JointCommand, JointState
from sinew_core.watchdogs import StaleDevice

from sinew_data import reasons
from sinew_data.recorded_motion import ExecutedOffers, Offers

APPROACH = 0.1  # of the velocity limits, where the hardware file gives no blend_speed
NEAR = 1e-6  # rad or m, from the first command, where an approach has ended
PATIENCE = 3.0  # times that an approach may take longer than its way at its speed
OVER = "the replay is over"


@dataclass(frozen=True, slots=True)
class LimitsAsRecorded:
    """Passes what keeps to the joints' limits bit by bit; `JointLimits` has all else.

    `JointLimits` brakes for every command as if the arm were to stay there, since it does not know the
    next one, and would so lag behind commands that it had passed itself. These are within what it lets the
    target reach in one period, on its way to the end of the joint's range or back; or they brake harder,
    as the later filters do.
    """

    robot: Robot

    def filter(self, command: JointCommand, state: MotionState) -> SafeCommand:
        """Return the command, or what `JointLimits` makes of it."""
        limits = JointLimits(self.robot)
        lowest = limits.filter(replace(command, position=self.robot.lower), state).command.position
        highest = limits.filter(replace(command, position=self.robot.upper), state).command.position
        above = command.position >= np.minimum(lowest, state.target) - TOLERANCE
        below = command.position <= np.maximum(highest, state.target) + TOLERANCE
        inside = (command.position >= self.robot.lower) & (command.position <= self.robot.upper)
        return SafeCommand(command) if (above & below & inside).all() else limits.filter(command, state)


def replay_filter(hardware: Hardware) -> FilterChain:
    """Return the filters of a station, of which the first lets recorded commands pass."""
    first, *others = default_filter(hardware).filters
    assert isinstance(first, JointLimits)
    return FilterChain([LimitsAsRecorded(hardware.robot), *others])


@dataclass(frozen=True, slots=True)
class ReplayReport:
    """What came of a replay; arrays are (n,), in rad or m, NaN without a single period."""

    periods: int
    planned: int
    equal: int  # commands that are bit by bit the rows that were offered, or recorded with the chunks
    changed: int  # commands that safety changed
    reasons: Mapping[str, int]  # how often each limit or fault had its say
    mean_error: FloatArray  # of the measured joints from the command, one period later
    max_error: FloatArray
    outcome: str  # done | refused | interrupted
    message: str = ""
    success: bool | None = None  # by the simulator's word


@dataclass(slots=True)
class _Log:
    wanted: list[FloatArray] = field(default_factory=list)
    sent: list[FloatArray] = field(default_factory=list)
    reached: list[FloatArray] = field(default_factory=list)
    changed: int = 0
    reasons: Counter[str] = field(default_factory=Counter)


class Replay:
    """One replay on an open station. Whatever ends it, the arm is held before `run` returns."""

    def __init__(self, station: Station, hardware: Hardware, offers: Offers, *, approach: bool) -> None:
        config = hardware.config.authority
        speed = (config.blend_speed or APPROACH) if approach else 0.0
        self._station, self._hardware, self._offers, self._speed = station, hardware, offers, speed
        chain: SafetyFilter = (
            replay_filter(hardware) if isinstance(offers, ExecutedOffers) else default_filter(hardware)
        )
        self.path = ControlPath(station, hardware, chain, replace(config, blend_speed=speed))
        self._clock = _Clock(hardware.period, real=station.world is None)
        self._watch = StaleDevice("the arm", hardware.config.max_age)
        self._log = _Log()
        self._outcome, self._message = "interrupted", "interrupted by the user"

    def run(self, on_period: Callable[[int], None] = lambda _: None) -> None:
        """Replay to the end; ConfigError if the arm is too far away to begin."""
        try:
            state = self._read()
            self.path.reset(state)
            if self._speed > 0:
                self._approach(state)
            for index in range(len(self._offers.rows)):
                if not self._period(index):
                    return
                on_period(index + 1)
            self._log.reached.append(self._read().position)
            self._outcome, self._message = "done", ""
        finally:
            self.path.hold(OVER)

    def report(self) -> ReplayReport:
        """Return what has come of it so far."""
        log, world = self._log, self._station.world
        sent, wanted = np.array(log.sent), np.array(log.wanted)
        error = np.abs(np.array(log.reached) - sent[: len(log.reached)])
        nothing = np.full(self._offers.rows.shape[1], np.nan)
        return ReplayReport(
            periods=len(sent),
            planned=len(self._offers.rows),
            equal=int(_rows_equal(sent, wanted).sum()),
            changed=log.changed,
            reasons=dict(log.reasons.most_common()),
            mean_error=error.mean(axis=0) if len(error) else nothing,
            max_error=error.max(axis=0) if len(error) else nothing,
            outcome=self._outcome,
            message=self._message,
            success=None if world is None else world.success(),
        )

    def _period(self, index: int) -> bool:
        """Send one command; return whether the replay may go on."""
        state = self._next()
        if index:
            self._log.reached.append(state.position)
        self._offers.offer(index, self.path, state)
        executed = self.path.execute(state)
        self._log.wanted.append(self._offers.rows[index])
        self._log.sent.append(executed.position)
        self._log.reasons.update(reasons.names(executed.reasons))
        self._log.changed += reasons.changed(executed.reasons)
        return self._accepted(index, executed)

    def _accepted(self, index: int, executed: ExecutedCommand) -> bool:
        refusal = next((why for why in executed.reasons if why.startswith(REFUSED)), None)
        if refusal is None:
            return True
        sentence = refusal.removeprefix(REFUSED).split(": ", 1)[-1]
        if index == 0:
            raise ConfigError(
                f"the first command is too far away: {sentence}. --approach leads the arm there slowly."
            )
        self._outcome, self._message = "refused", f"command {index}: {sentence}"
        return False

    def _approach(self, state: JointState) -> None:
        """Lead the arm to the first command; ConfigError if it does not get there."""
        robot, goal = self._hardware.robot, self._offers.rows[:1]
        way = np.abs(goal[0] - state.position) / (self._speed * robot.velocity)
        periods = int(PATIENCE * (way.max() * NANOSECONDS / self._hardware.period + 20))
        first = ExecutedOffers(np.repeat(goal, periods, axis=0), self._hardware.period)
        for index in range(periods):
            now = self._next()
            first.offer(index, self.path, now)
            executed = self.path.execute(now)
            if np.abs(executed.position - goal[0]).max() <= NEAR:
                return
        raise ConfigError(
            f"the arm did not get to the first command within {periods} control periods: "
            f"{', '.join(executed.reasons) or 'without a reason'}."
        )

    def _next(self) -> JointState:
        """Wait for the next control period on hardware, and return the joints in it."""
        self._clock.wait()
        state = self._read()
        _, fault = self._watch.look(state.stamp, time.monotonic_ns())
        if fault:
            raise DeviceError(fault)
        return state

    def _read(self) -> JointState:
        state = self._station.arm.read()
        if not np.isfinite(state.position).all():
            raise DeviceError("the arm: non-finite joint positions")
        return state


class _Clock:
    """Paces control periods on hardware; a simulator sets its own time."""

    def __init__(self, period: int, *, real: bool) -> None:
        self._period, self._real = period / NANOSECONDS, real
        self._due: float | None = None

    def wait(self) -> None:
        """Return when the next control period begins; one that is late does not hurry the others."""
        if not self._real:
            return
        now = time.monotonic()
        self._due = now if self._due is None else max(self._due + self._period, now)
        time.sleep(max(0.0, self._due - now))


def _rows_equal(one: FloatArray, other: FloatArray) -> npt.NDArray[np.bool_]:
    return (one == other).all(axis=1) if len(one) else np.zeros(0, dtype=bool)
