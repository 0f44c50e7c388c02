"""A keyboard in a terminal: works over SSH, without a display, and therefore without key releases."""

from __future__ import annotations

import time
from collections.abc import Mapping
from dataclasses import dataclass, field

import numpy as np
from sinew_core.errors import did_you_mean
from sinew_core.hardware import Hardware
from sinew_core.types import NANOSECONDS, ActionChunk, FloatArray, Observation, Task

from sinew_teleop.drive import RelativeDrive
from sinew_teleop.event_keys import EVENT_HELP, EVENT_KEYS, help_text
from sinew_teleop.jog import JogConfig
from sinew_teleop.keys import KeyDecoder
from sinew_teleop.source import Clock, TeleopEvent
from sinew_teleop.speed import SpeedConfig, SpeedScale
from sinew_teleop.terminal import RawTerminal, open_terminal
from sinew_teleop.wishes import Wish

MOTIONS = ("+x", "-x", "+y", "-y", "+z", "-z", "+turn", "-turn", "+tilt", "-tilt")
ACTIONS = ("gripper", "mode", "faster", "slower", "hand back")
KEYS: Mapping[str, str] = {
    **{"w": "+x", "s": "-x", "a": "+y", "d": "-y", "r": "+z", "f": "-z"},
    **{"up": "+x", "down": "-x", "left": "+y", "right": "-y", "page up": "+z", "page down": "-z"},
    **{"q": "+turn", "e": "-turn", "t": "+tilt", "g": "-tilt"},
    **{"o": "gripper", "tab": "mode", "+": "faster", "=": "faster", "-": "slower", "_": "slower"},
    "b": "hand back",
}


@dataclass(frozen=True, slots=True)
class Config:
    """How the keyboard drives."""

    hold: float = 0.15  # s that motion lasts after the last repeat of its key: the dead-man
    linger: float = 1.0  # s that the arm is then kept, standing still, before it is given back
    jog: JogConfig = field(default_factory=JogConfig)
    speed: SpeedConfig = field(default_factory=SpeedConfig)
    keys: Mapping[str, str] = field(default_factory=dict)  # further keys, or others for what they do

    def __post_init__(self) -> None:
        """Check the times and the names."""
        if not 0 < self.hold <= 1 or self.linger < 0:
            raise ValueError(f"expected 0 < hold <= 1 and linger >= 0, got {self.hold} and {self.linger}.")
        meanings = (*MOTIONS, *ACTIONS, *(event.value for event in TeleopEvent))
        for key, meaning in self.keys.items():
            if meaning not in meanings:
                raise ValueError(f"keys: '{key}' is to do '{meaning}'.{did_you_mean(meaning, meanings)}")


class Keyboard:
    """Jogs the tip, or in its second mode one joint, for as long as a key repeats.

    A terminal tells no release: motion ends `hold` s after the last repeat. `linger` bridges the pause
    between a key's first press and its repeats, in which control would otherwise go back and forth.
    """

    owns_terminal = True

    def __init__(
        self,
        config: Config,
        hardware: Hardware,
        clock: Clock = time.monotonic_ns,
        terminal: RawTerminal | None = None,
    ) -> None:
        self._config, self._clock, self._robot = config, clock, hardware.robot
        self._speed = SpeedScale(config.speed)
        self._drive = RelativeDrive(hardware, config.jog)
        self._decoder = KeyDecoder()
        events = {key: event.value for key, event in EVENT_KEYS.items()}
        self._keys = {**KEYS, **events, **config.keys}
        self._arm = [i for i, name in enumerate(self._robot.joint_names) if i != self._robot.gripper_index]
        self._joint = 0  # place in _arm, in joint mode
        self._joint_mode = False
        self._events: list[TeleopEvent] = []
        self._pressed: dict[str, int] = {}  # motion: when its key was last seen
        self._last = -(10**18)
        self.terminal = open_terminal() if terminal is None else terminal

    def reset(self, task: Task) -> None:
        """Let go of the arm."""
        self._let_go()

    def infer(self, observation: Observation) -> ActionChunk:
        """Return the next joint targets while a key repeats, the same ones for a while after, else none."""
        self._poll()
        return self._drive.chunk(observation, self._wish())

    def events(self) -> list[TeleopEvent]:
        """Return what the person has said since the last call."""
        self._poll()
        events, self._events = self._events, []
        return events

    @property
    def help(self) -> str:
        """What each key does."""
        tip = (
            ("w s a d", "forth back left right"),
            ("r f", "up, down"),
            ("q e", "turn the gripper"),
            ("t g", "tilt it out, in"),
        )
        joints = ((f"1 to {len(self._arm)}", "choose a joint"), ("w s", "move it"))
        common = (
            ("o", "open/close gripper"),
            ("+ -", "faster, slower"),
            ("tab", "the tip" if self._joint_mode else "single joints"),
            ("b", "hand back at once"),
        )
        return help_text((*(joints if self._joint_mode else tip), *common, *EVENT_HELP))

    @property
    def status(self) -> str:
        """Mode and speed, or that the terminal is gone."""
        if self.terminal.gone:
            return "the terminal is gone: the arm is let go of"
        name = self._robot.joint_names[self._arm[self._joint]]
        return f"{f'joint {self._joint + 1}, {name}' if self._joint_mode else 'tip'}, {self._speed}"

    def close(self) -> None:
        """Give the terminal back."""
        self._let_go()
        self.terminal.close()

    def _let_go(self) -> None:
        self._pressed.clear()
        self._last = -(10**18)
        self._drive.release()

    def _poll(self) -> None:
        gone = self.terminal.gone
        for key in self._decoder.feed(self.terminal.read()):
            self._take(key)
        if self.terminal.gone and not gone:
            self._let_go()
            self._events.append(TeleopEvent.QUIT)

    def _take(self, key: str) -> None:
        meaning = self._keys.get(key, "")
        if self._joint_mode and key.isdigit() and 1 <= int(key) <= len(self._arm):
            self._pressed.clear()
            self._joint = int(key) - 1
        elif meaning in MOTIONS:
            self._pressed.pop(_opposite(meaning), None)
            self._pressed[meaning] = self._last = self._clock()
        elif meaning in ACTIONS:
            self._act(meaning)
        elif meaning:
            self._say(TeleopEvent(meaning))

    def _act(self, action: str) -> None:
        if action == "gripper":
            self._drive.gripper.toggle()
            self._last = self._clock()
        elif action == "mode":
            self._pressed.clear()
            self._joint_mode = not self._joint_mode
        elif action == "hand back":
            self._let_go()
        else:
            self._speed.change(1 if action == "faster" else -1)

    def _say(self, event: TeleopEvent) -> None:
        if event in (TeleopEvent.STOP, TeleopEvent.QUIT):
            self._let_go()
        self._events.append(event)

    def _wish(self) -> Wish | None:
        now, hold = self._clock(), self._config.hold * NANOSECONDS
        self._pressed = {motion: seen for motion, seen in self._pressed.items() if now - seen <= hold}
        lingers = now - self._last <= hold + self._config.linger * NANOSECONDS
        if not lingers and not self._drive.gripper.busy:
            return None
        return self._joint_wish() if self._joint_mode else self._tip_wish()

    def _tip_wish(self) -> Wish:
        jog, share = self._config.jog, self._speed.factor
        linear = np.array([self._sign(axis) for axis in "xyz"]) * jog.linear * share
        turn, tilt = (self._sign(axis) * jog.angular * share for axis in ("turn", "tilt"))
        return Wish(linear=linear, turn=turn, tilt=tilt)

    def _joint_wish(self) -> Wish:
        rates: FloatArray = np.zeros(len(self._robot.joint_names))
        rates[self._arm[self._joint]] = self._sign("x") * self._config.jog.joint * self._speed.factor
        return Wish(joints=rates)

    def _sign(self, axis: str) -> float:
        return float(f"+{axis}" in self._pressed) - float(f"-{axis}" in self._pressed)


def _opposite(motion: str) -> str:
    return ("-" if motion[0] == "+" else "+") + motion[1:]
