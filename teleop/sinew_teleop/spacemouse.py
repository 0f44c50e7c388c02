"""A SpaceMouse: a cap that is pushed and turned in six directions."""

from __future__ import annotations

import time
from dataclasses import dataclass, field
from typing import Literal

import numpy as np
from sinew_core.hardware import Hardware
from sinew_core.types import NANOSECONDS, ActionChunk, FloatArray, Observation, Task

from sinew_teleop.dead_man import DeadManSwitch
from sinew_teleop.drive import RelativeDrive
from sinew_teleop.event_keys import help_text
from sinew_teleop.hid_device import HidReader, Opener, open_spacemouse
from sinew_teleop.jog import JogConfig
from sinew_teleop.shaping import curved, dead_zone
from sinew_teleop.source import Clock, TeleopEvent
from sinew_teleop.spacemouse_report import CapState, apply_report
from sinew_teleop.speed import SpeedConfig, SpeedScale
from sinew_teleop.wishes import Frame, Wish

Axes = tuple[float, float, float]


@dataclass(frozen=True, slots=True)
class Config:
    """How the mouse drives; buttons by number, -1 for none."""

    dead_man: Literal["cap", "button"] = "cap"  # pushing the cap alone moves, or only with the button held
    dead_man_button: int = 1
    gripper_button: int = 0
    stop_button: int = -1
    frame: Frame = "base"
    translation: Axes = (1.0, 1.0, 1.0)  # scales, x forward, y left, z up; negative turns an axis round
    rotation: Axes = (1.0, 1.0, 1.0)
    dead_zone: float = 0.1
    curve: float = 1.5  # exponent: small pushes are finer
    silence: float = 0.2  # s without a report until a cap counts as let go of
    linger: float = 0.5  # s that the arm is kept, standing still, after the cap is let go of
    jog: JogConfig = field(default_factory=JogConfig)
    speed: SpeedConfig = field(default_factory=SpeedConfig)

    def __post_init__(self) -> None:
        """Check ranges, and that no button does two things."""
        if not 0 <= self.dead_zone < 0.9 or self.curve < 1 or self.silence <= 0 or self.linger < 0:
            raise ValueError("expected 0 <= dead_zone < 0.9, curve >= 1, silence > 0 and linger >= 0.")
        used = [self.gripper_button, self.stop_button]
        used += [self.dead_man_button] if self.dead_man == "button" else []
        given = [number for number in used if number >= 0]
        if len(given) != len(set(given)):
            raise ValueError(f"a button is given two things to do: {given}.")


class Spacemouse:
    """Moves the tip as the cap is pushed and turned; unplugged, it lets go of the arm."""

    def __init__(
        self,
        config: Config,
        hardware: Hardware,
        clock: Clock = time.monotonic_ns,
        opener: Opener = open_spacemouse,
    ) -> None:
        self._config, self._clock = config, clock
        self._reader = HidReader(opener)
        self._drive = RelativeDrive(hardware, config.jog)
        self._speed = SpeedScale(config.speed)
        self._dead_man = DeadManSwitch()
        self._cap = CapState()
        self._heard = self._moved = -(10**18)
        self._events: list[TeleopEvent] = []
        self._poll()  # says at once where the library is not installed

    def reset(self, task: Task) -> None:
        """Let go of the arm; the cap or the button must be let go of, too."""
        self._drive.release()
        self._dead_man.lock()
        self._moved = -(10**18)

    def take_key(self, key: str) -> None:
        """Take + or - from the terminal."""
        self._speed.change({"+": 1, "=": 1, "-": -1, "_": -1}.get(key, 0))

    def infer(self, observation: Observation) -> ActionChunk:
        """Return the next joint targets while the cap is pushed or the button held, else none."""
        self._poll()
        return self._drive.chunk(observation, self._wish())

    def events(self) -> list[TeleopEvent]:
        """Return what the person has said since the last call."""
        self._poll()
        events, self._events = self._events, []
        return events

    @property
    def help(self) -> str:
        """What the cap and the buttons do."""
        c = self._config
        lines = [("cap", "push and turn it")]
        if c.dead_man == "button":
            lines.append((f"button {c.dead_man_button}", "hold to move"))
        if c.gripper_button >= 0:
            lines.append((f"button {c.gripper_button}", "open/close gripper"))
        if c.stop_button >= 0:
            lines.append((f"button {c.stop_button}", "STOP"))
        return help_text((*lines, ("+ -", "faster, slower")))

    @property
    def status(self) -> str:
        """Whether the mouse is there, and what it waits for."""
        if not self._reader.present:
            return f"SpaceMouse gone: {self._reader.error}"
        if self._dead_man.stuck:
            return (
                "let go of the cap first" if self._config.dead_man == "cap" else "let go of the button first"
            )
        return f"{'driving' if self._drive.driving else 'at rest'}, {self._speed}"

    def close(self) -> None:
        """Close the device."""
        self._drive.release()
        self._reader.close()

    def _poll(self) -> None:
        now = self._clock()
        reports = self._reader.poll(now)
        if not self._reader.present:
            self._lose()
            return
        for report in reports:
            self._heard = now
            before, self._cap = self._cap, apply_report(self._cap, report)
            self._press(before)
        if now - self._heard > self._config.silence * NANOSECONDS:
            self._cap = CapState(buttons=self._cap.buttons)  # at rest it has nothing to report
        if self._config.dead_man == "button":
            self._dead_man.press(pressed=self._cap.button(self._config.dead_man_button))
        else:
            self._dead_man.press(pressed=bool(np.any(self._deflection())))

    def _lose(self) -> None:
        self._cap = CapState()
        self._drive.release()
        self._dead_man.press(pressed=False)
        self._dead_man.lock()
        self._moved = -(10**18)

    def _press(self, before: CapState) -> None:
        """Act on the buttons that went down."""
        gripper, stop = self._config.gripper_button, self._config.stop_button
        if self._cap.button(gripper) and not before.button(gripper):
            self._drive.gripper.toggle()
        if self._cap.button(stop) and not before.button(stop):
            self._events.append(TeleopEvent.STOP)
            self._drive.release()
            self._dead_man.lock()

    def _deflection(self) -> FloatArray:
        """Return translation and rotation (6,) in the base's directions, in shares of full deflection."""
        scaled = np.concatenate(self._cap.in_base()) * (*self._config.translation, *self._config.rotation)
        return curved(dead_zone(np.clip(scaled, -1, 1), self._config.dead_zone), self._config.curve)

    def _wish(self) -> Wish | None:
        now, c = self._clock(), self._config
        if self._dead_man.held:
            self._moved = now
        by_cap = c.dead_man == "cap" and not self._dead_man.stuck
        lingers = by_cap and (now - self._moved <= c.linger * NANOSECONDS or self._drive.gripper.busy)
        if not self._dead_man.held and not lingers:
            return None
        push = self._deflection() * self._speed.factor
        return Wish(linear=push[:3] * c.jog.linear, angular=push[3:] * c.jog.angular, frame=c.frame)
