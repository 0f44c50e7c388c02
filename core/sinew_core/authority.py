"""Who moves the arm: a pure state machine of hold, policy, human and a stop that stays.

| owner | what happens | next owner |
|---|---|---|
| any | `stop` | stopped, with the cause |
| stopped | `grant` to anybody | stopped |
| stopped | `clear` | stopped, without the causes that are over |
| stopped | `arm`, causes left | stopped; refused, with the causes |
| stopped | `arm`, none left | hold |
| any other | `hold` | hold, as long as the cause is there |
| any other | `grant(source)` | the source, or hold while something forces one |
"""

from __future__ import annotations

import threading
from collections.abc import Callable
from dataclasses import dataclass, field, replace
from typing import Literal

HOLD, POLICY, HUMAN, STOPPED = "hold", "policy", "human", "stopped"
Action = Literal["hold", "stop"]


@dataclass(frozen=True, slots=True)
class WatchdogConfig:
    """What each watchdog does: `hold` until its cause is over, or a latched `stop`."""

    failed_arm: Action = "stop"  # its driver says what is wrong with it
    stale_joints: Action = "stop"
    faulty_joints: Action = "stop"  # non-finite, or not as many as the robot has
    stale_camera: Action = "hold"
    frozen_camera: Action = "hold"
    clock_jump: Action = "hold"
    silent_human: Action = "hold"
    faulty_command: Action = "hold"  # non-finite, of the wrong shape, or a jump
    dead_node: Action = "hold"
    blocked_control: Action = "hold"  # the control loop waits for a device that does not answer


@dataclass(frozen=True, slots=True)
class AuthorityConfig:
    """How control passes from one source to another.

    Distances are in seconds of travel at each joint's own velocity limit, so that they mean the same for
    every joint of every robot. They do not bind the gripper, which is commanded in steps by its nature.
    """

    guard: float = 0.15  # s of travel from the present target, within which a source must begin
    jump: float = 0.5  # s of travel that two commands of one source may lie apart
    blend_speed: float = 0.0  # of the velocity limits, at which a far source is led in; 0: it is refused
    human_share: float = 1.0  # of a human command where there is a policy's, too; 1: the human's alone
    human_timeout: float = 0.25  # s of silence until a person who was driving counts as gone
    frozen_motion: float = 0.3  # rad or m that the joints move in all before identical frames are a fault
    clock_jump: float = 0.2  # s between the station's clock and the steady one
    watchdogs: WatchdogConfig = field(default_factory=WatchdogConfig)

    def __post_init__(self) -> None:
        """Check ranges."""
        if not 0 < self.guard <= self.jump:
            raise ValueError(f"expected 0 < guard <= jump, got {self.guard} and {self.jump}.")
        if not 0 <= self.blend_speed <= 1 or not 0 < self.human_share <= 1:
            raise ValueError("blend_speed must lie in [0, 1], human_share in (0, 1].")
        if min(self.human_timeout, self.clock_jump) <= 0 or self.frozen_motion < 0:
            raise ValueError("human_timeout and clock_jump must be positive, frozen_motion not negative.")


@dataclass(frozen=True, slots=True)
class Cause:
    """Why the arm is stopped or held; a cause that is still `present` cannot be cleared."""

    name: str
    sentence: str
    present: bool = False


@dataclass(frozen=True, slots=True)
class Authority:
    """Who owns the arm, since which event, and what stands against anybody else owning it."""

    owner: str = HOLD
    previous: str = HOLD
    reason: str = "nobody has commanded yet"
    causes: tuple[Cause, ...] = ()  # of a stop
    holds: tuple[Cause, ...] = ()

    @property
    def stopped(self) -> bool:
        """Whether a stop is latched."""
        return self.owner == STOPPED


def stop(state: Authority, cause: Cause) -> Authority:
    """Stop; a further cause joins those that are there."""
    state = replace(state, causes=_with(state.causes, cause))
    return state if state.stopped else _owned(state, STOPPED, cause.sentence)


def hold(state: Authority, cause: Cause) -> Authority:
    """Force a hold for as long as the cause is there."""
    state = replace(state, holds=_with(state.holds, cause))
    return state if state.owner in (STOPPED, HOLD) else _owned(state, HOLD, cause.sentence)


def release(state: Authority, name: str, *, forget: bool = False) -> Authority:
    """Say that a cause is over: it holds no longer; of a stop it stays until cleared, unless forgotten."""
    over = tuple(replace(cause, present=False) if cause.name == name else cause for cause in state.causes)
    causes = tuple(cause for cause in over if not (forget and cause.name == name))
    return replace(state, causes=causes, holds=tuple(c for c in state.holds if c.name != name))


def clear(state: Authority) -> tuple[Authority, str]:
    """Drop the causes of a stop that are over; return why not all of them could be, or ''."""
    left = tuple(cause for cause in state.causes if cause.present)
    refusal = "; ".join(f"{cause.name}: {cause.sentence}" for cause in left)
    return replace(state, causes=left), f"still there: {refusal}" if left else ""


def arm(state: Authority) -> tuple[Authority, str]:
    """End a stop whose causes are cleared; return why it could not be ended, or ''."""
    if not state.stopped:
        return state, "not stopped"
    if state.causes:
        names = "; ".join(f"{cause.name}: {cause.sentence}" for cause in state.causes)
        return state, f"clear first: {names}"
    return _owned(state, HOLD, "armed again"), ""


def grant(state: Authority, source: str, reason: str) -> Authority:
    """Give the arm to `hold`, `policy` or `human`, unless a stop or a forced hold stands against it."""
    if state.stopped:
        return state
    if state.holds:
        source, reason = HOLD, state.holds[0].sentence
    return state if state.owner == source else _owned(state, source, reason)


def _owned(state: Authority, owner: str, reason: str) -> Authority:
    return replace(state, owner=owner, previous=state.owner, reason=reason)


def _with(causes: tuple[Cause, ...], cause: Cause) -> tuple[Cause, ...]:
    return (*(other for other in causes if other.name != cause.name), cause)


@dataclass(frozen=True, slots=True)
class Change:
    """A change of the owner, or of what stands against one."""

    state: Authority
    asked: int | None  # when it was asked for, on the asker's own clock, in ns


class AuthorityLatch:
    """Holds the authority of one arm; every method may be called from any thread, and none waits.

    A stop takes effect at once, in the thread that asks for it: the control path looks here before every
    write.
    """

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._state = Authority()
        self._changes: list[Change] = []

    @property
    def state(self) -> Authority:
        """The present state."""
        return self._state

    def stop(self, name: str, sentence: str, *, present: bool = False, asked: int | None = None) -> None:
        """Stop, latched."""
        self._apply(lambda state: stop(state, Cause(name, sentence, present)), asked)

    def hold(self, name: str, sentence: str, asked: int | None = None) -> None:
        """Force a hold until the cause of this name is released."""
        self._apply(lambda state: hold(state, Cause(name, sentence, present=True)), asked)

    def trip(self, action: Action, name: str, sentence: str, asked: int | None = None) -> None:
        """Do a watchdog's declared safe action, for as long as its cause is not released."""
        if action == "stop":
            self.stop(name, sentence, present=True, asked=asked)
        else:
            self.hold(name, sentence, asked)

    def release(self, name: str, *, forget: bool = False) -> None:
        """Say that a cause is over; see `release` above."""
        self._apply(lambda state: release(state, name, forget=forget), None)

    def clear(self) -> str:
        """Drop the causes that are over; return why some are left, or ''."""
        return self._ask(clear, None)

    def arm(self, asked: int | None = None) -> str:
        """End the stop; return why that is refused, or ''."""
        return self._ask(arm, asked)

    def grant(self, source: str, reason: str, asked: int | None = None) -> Authority:
        """Give the arm to a source, if nothing stands against it; return who has it then."""
        if self._state.owner == source and not self._state.holds:  # as in nearly every control period
            return self._state
        self._apply(lambda state: grant(state, source, reason), asked)
        return self._state

    def take_changes(self) -> list[Change]:
        """Return what has changed since the last call, oldest first."""
        if not self._changes:
            return []
        with self._lock:
            changes, self._changes = self._changes, []
        return changes

    def _apply(self, step: Callable[[Authority], Authority], asked: int | None) -> None:
        self._ask(lambda state: (step(state), ""), asked)

    def _ask(self, step: Callable[[Authority], tuple[Authority, str]], asked: int | None) -> str:
        with self._lock:
            before = self._state
            self._state, refusal = step(before)
            if self._state != before:
                self._changes.append(Change(self._state, asked))
        return refusal
