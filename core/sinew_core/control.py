"""The only path to the arm: authority, arbiter, safety filters, then the write, once a control period."""

from __future__ import annotations

import numpy as np

from sinew_core.arbiter import Arbiter, Choice
from sinew_core.authority import HOLD, HUMAN, STOPPED, AuthorityConfig, AuthorityLatch
from sinew_core.errors import DeviceError
from sinew_core.hardware import Hardware
from sinew_core.protocols import MotionState, SafetyFilter, Station
from sinew_core.safety import FilterChain, default_filter
from sinew_core.types import NANOSECONDS, ActionChunk, ExecutedCommand, FloatArray, JointCommand, JointState
from sinew_core.watchdogs import joints_fault

TOOK_OVER = "a person has taken over"


class ControlPath:
    """Takes chunks from any source and sends one safe command per control period.

    One thread calls it; only `authority` may be used from others, and a stop that is set there is obeyed
    before the next write, even in the middle of `execute`. The same object serves the in-process loop and
    the station node, so that both send the same commands.
    """

    def __init__(
        self,
        station: Station,
        hardware: Hardware,
        safety: SafetyFilter | None = None,
        config: AuthorityConfig | None = None,
    ) -> None:
        robot, settings = hardware.robot, hardware.config
        self._station = station
        self._names = robot.joint_names
        self._period = hardware.period
        self.safety = default_filter(hardware) if safety is None else FilterChain([safety])
        self._config = config if config is not None else settings.authority
        self.authority = AuthorityLatch()
        velocity = robot.velocity.copy()
        velocity[robot.gripper_index] = np.inf  # a gripper is told to open or close at once, by its nature
        self.arbiter = Arbiter(
            robot.joint_names,
            velocity,
            self._config,
            timeout=round(settings.command_timeout * NANOSECONDS),
            max_age=round(settings.max_age * NANOSECONDS),
        )
        self._target: FloatArray | None = None
        self._velocity: FloatArray = np.zeros(len(robot.joint_names))
        self._staying = False  # stopped, and the arm told so

    def reset(self, state: JointState) -> None:
        """Begin from where the arm is: hold it there and forget every chunk. A stop stays a stop.

        Raises DeviceError for joints that are no sound reading, as `execute` does.
        """
        self._check(state)
        self.arbiter.reset()
        self._begin(state)

    def _begin(self, state: JointState) -> None:
        self._target = state.position.copy()
        self._velocity = np.zeros_like(self._target)

    def _check(self, state: JointState) -> None:
        """A target that is not a number would be sent on: what comes here is measured or nothing."""
        fault = joints_fault(state, self._names)
        if fault:
            raise DeviceError(fault)

    def offer(self, source: str, chunk: ActionChunk, now: int) -> str | None:
        """Hand in a chunk; return why it was refused, or None."""
        fault = self.arbiter.offer(source, chunk, now)
        stops = self._config.watchdogs.faulty_command == "stop"
        if fault is not None and stops and not fault.startswith("stamp"):
            self.authority.stop("command", f"{source}: {fault}")
        return fault

    def execute(self, state: JointState) -> ExecutedCommand:
        """Send the command of this control period; in a simulator, advance by that period."""
        self._check(state)
        if self._target is None or (self._staying and not self.authority.state.stopped):
            self._begin(state)
        self._staying = self._staying and self.authority.state.stopped
        if self.authority.state.stopped:
            return self._stay(state)
        assert self._target is not None
        motion = MotionState(state, self._target, self._velocity, self._period / NANOSECONDS)
        choice = self._choose(motion)
        wanted = self._target if choice.position is None else choice.position
        safe = self.safety.filter(JointCommand(state.stamp, wanted), motion)
        position = safe.command.position
        if position.shape != wanted.shape or not np.isfinite(position).all():
            self.authority.stop("safety", "the safety filters answered with a non-finite command")
        if self.authority.state.stopped:  # while the filters computed
            return self._stay(state)
        self._velocity = (position - self._target) / motion.dt
        self._target = position.copy()
        self._station.arm.write(safe.command)
        self._advance()
        reasons = choice.reasons + safe.reasons
        return ExecutedCommand(state.stamp, position.copy(), choice.source, reasons, choice.observation_stamp)

    def hold(self, reason: str = "nobody commands") -> None:
        """Drop every chunk and stop the arm where it is."""
        self.arbiter.reset()
        self._target = None
        self.authority.grant(HOLD, reason)
        self._station.arm.stop()

    def _choose(self, motion: MotionState) -> Choice:
        """Ask the arbiter, and the authority whether that may be."""
        now = motion.joints.stamp
        holds = self.authority.state.holds
        if holds:
            self.arbiter.reset()
        choice = self.arbiter.choose(now, motion.target, motion.dt)
        self._watch(choice)
        owner = self.authority.grant(choice.source, _why(choice)).owner
        if owner == choice.source and not holds:
            return choice
        # A stop that came just now is obeyed after the filters, as one that comes a little later.
        reasons = tuple(f"watchdog:{cause.name}: {cause.sentence}" for cause in self.authority.state.holds)
        return Choice(HOLD, None, choice.reasons + reasons, 0)

    def _watch(self, choice: Choice) -> None:
        """Stop for what is declared to stop; to hold is what the arbiter has done already."""
        watchdogs, lost = self._config.watchdogs, self.arbiter.lost
        if choice.fault and watchdogs.faulty_command == "stop":
            self.authority.stop("command", choice.fault)
        if lost and watchdogs.silent_human == "stop":
            self.authority.stop(HUMAN, f"{HUMAN}: {lost}")

    def _stay(self, state: JointState) -> ExecutedCommand:
        """Let a stopped arm be; tell it once, and let a simulator go on."""
        if not self._staying:
            self._staying = True
            self._station.arm.stop()
            self.reset(state)
        self._advance()
        assert self._target is not None
        reasons = tuple(f"stopped:{cause.name}: {cause.sentence}" for cause in self.authority.state.causes)
        return ExecutedCommand(state.stamp, self._target.copy(), STOPPED, reasons or ("stopped: not armed",))

    def _advance(self) -> None:
        if self._station.world is not None:
            self._station.world.step(self._period)


def _why(choice: Choice) -> str:
    """Return the reason of a change to this choice, should it be one."""
    if choice.source == HUMAN:
        return TOOK_OVER
    if choice.source != HOLD:
        return "the policy commands"
    return choice.reasons[0] if choice.reasons else "nobody commands"
