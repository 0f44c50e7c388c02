"""A stand-in with the interface of franky 2.0, names as in its stubs: one arm, and its hand."""

from __future__ import annotations

from dataclasses import dataclass, field
from types import SimpleNamespace
from typing import Any

import numpy as np


class FrankyError(Exception):
    """franky.Exception, the base of the others."""


class ControlException(FrankyError):  # noqa: N818 - the binding's names
    pass


class CommandException(FrankyError):  # noqa: N818
    pass


class NetworkException(FrankyError):  # noqa: N818
    pass


class RealtimeException(FrankyError):  # noqa: N818
    pass


class IncompatibleVersionException(FrankyError):  # noqa: N818
    pass


class Errors:
    def __init__(self, *names: str) -> None:
        self.names = names

    def __repr__(self) -> str:
        return f"[{', '.join(self.names)}]"


@dataclass
class World:
    """One arm and its hand, as they are, and what they were told."""

    mode: str = "Idle"
    errors: tuple[str, ...] = ()
    time: int = 1  # ms
    q: list[float] = field(default_factory=lambda: [0.1] * 7)
    failure: Exception | None = None  # of a motion
    lost: Exception | None = None
    recovers: bool = True
    recoveries: int = 0
    control: bool = False
    motions: list[Any] = field(default_factory=list)
    made: list[dict[str, Any]] = field(default_factory=list)
    width: float = 0.08
    max_width: float = 0.08
    hand_lost: Exception | None = None
    hand: list[tuple[Any, ...]] = field(default_factory=list)
    busy: bool = False


@dataclass
class JointMotion:
    target: list[float]
    return_when_finished: bool = True


class JointStopMotion:
    pass


class FakeRobot:
    def __init__(self, fci_hostname: str, **settings: Any) -> None:
        self.world = WORLDS[-1]
        if self.world.lost is not None:
            raise self.world.lost
        self.world.made.append({"host": fci_hostname, **settings})

    @property
    def state(self) -> Any:
        world = self.world
        if world.lost is not None:
            raise world.lost
        now = world.time
        return SimpleNamespace(
            robot_mode=SimpleNamespace(name=world.mode),
            current_errors=Errors(*world.errors),
            time=SimpleNamespace(to_msec=lambda: now),
            q=np.array(world.q),
            dq=np.full(7, 0.2),
        )

    @property
    def is_in_control(self) -> bool:
        return self.world.control

    def poll_motion(self) -> bool:
        failure, self.world.failure = self.world.failure, None
        if failure is not None:
            self.world.control = False
            raise failure
        return self.world.control

    def move(self, motion: Any, asynchronous: bool = False) -> None:
        assert asynchronous
        self.poll_motion()
        self.world.motions.append(motion)
        self.world.control = True

    def join_motion(self, timeout: float | None = None) -> bool:
        assert timeout is not None
        return True

    def recover_from_errors(self) -> bool:
        self.world.recoveries += 1
        if self.world.recovers:
            self.world.mode, self.world.errors = "Idle", ()
        return self.world.recovers


class Future:
    def __init__(self, world: World) -> None:
        self.world = world

    def wait(self, timeout: float | None = None) -> bool:
        return not self.world.busy

    def get(self) -> bool:
        if self.world.busy:
            raise CommandException("libfranka gripper: Command aborted!")
        return True


class FakeGripper:
    def __init__(self, fci_hostname: str) -> None:
        self.world = WORLDS[-1]

    @property
    def state(self) -> Any:
        if self.world.hand_lost is not None:
            raise self.world.hand_lost
        return SimpleNamespace(width=self.world.width, max_width=self.world.max_width)

    def homing(self) -> bool:
        self.world.hand.append(("homing",))
        self.world.max_width = 0.08
        return True

    def stop(self) -> bool:
        self.world.hand.append(("stop",))
        return True

    def move_async(self, width: float, speed: float) -> Future:
        self.world.hand.append(("move", round(width, 4), speed))
        self.world.width = width
        return Future(self.world)

    def grasp_async(self, width: float, speed: float, force: float, inner: float, outer: float) -> Future:
        self.world.hand.append(("grasp", round(width, 4), speed, force))
        self.world.width = max(width, 0.03)  # something is between the fingers
        return Future(self.world)


WORLDS: list[World] = []
BINDING = SimpleNamespace(
    Robot=FakeRobot,
    Gripper=FakeGripper,
    JointMotion=JointMotion,
    JointStopMotion=JointStopMotion,
    RealtimeConfig=SimpleNamespace(Enforce="enforced", Ignore="ignored"),
    Exception=FrankyError,
    ControlException=ControlException,
    CommandException=CommandException,
    NetworkException=NetworkException,
    RealtimeException=RealtimeException,
    IncompatibleVersionException=IncompatibleVersionException,
)
