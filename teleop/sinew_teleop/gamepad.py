"""A gamepad: through `sensor_msgs/Joy`, or straight from the kernel's joystick device."""

from __future__ import annotations

import time
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Literal

import numpy as np
from sinew_core.hardware import Hardware
from sinew_core.types import NANOSECONDS, ActionChunk, Observation, Task

from sinew_teleop.dead_man import DeadManSwitch
from sinew_teleop.drive import RelativeDrive
from sinew_teleop.event_keys import help_text
from sinew_teleop.gamepad_buttons import PRESETS, GamepadMapping, axis, button, button_names, lacking
from sinew_teleop.jog import JogConfig
from sinew_teleop.js_device import JoystickDevice
from sinew_teleop.shaping import curved, dead_zone
from sinew_teleop.source import Clock, TeleopEvent
from sinew_teleop.speed import SpeedConfig, SpeedScale
from sinew_teleop.wishes import Wish

JOY = "joy"
AT_REST = 0.9  # of a trigger, which some drivers report as 0 until it is first touched
PRESSED = 0.5  # of the cross
EVENTS = ("stop", "clear", "arm", "success", "failure")


@dataclass(frozen=True, slots=True)
class Config:
    """How the gamepad drives."""

    device: str = JOY  # "joy": the topic; else a path such as /dev/input/js0
    preset: Literal["xbox", "ps4", "ps5"] = "xbox"
    mapping: GamepadMapping | None = None  # instead of the preset
    dead_zone: float = 0.12  # of a stick
    curve: float = 1.6  # exponent: the middle of a stick is finer
    timeout: float = 0.5  # s without a message until the gamepad counts as gone (topic only)
    jog: JogConfig = field(default_factory=JogConfig)
    speed: SpeedConfig = field(default_factory=SpeedConfig)

    def __post_init__(self) -> None:
        """Check ranges."""
        if not 0 <= self.dead_zone < 0.9 or self.curve < 1 or self.timeout <= 0:
            raise ValueError("expected 0 <= dead_zone < 0.9, curve >= 1 and timeout > 0.")


class Gamepad:
    """Moves the tip by the sticks while the dead-man button is held.

    A gamepad that is unplugged, or of which no message comes, lets go of the arm; when it is back, the
    dead-man must first be let go of.
    """

    def __init__(self, config: Config, hardware: Hardware, clock: Clock = time.monotonic_ns) -> None:
        self._config, self._clock = config, clock
        self._mapping = config.mapping or PRESETS[config.preset]
        self._device = None if config.device == JOY else JoystickDevice(Path(config.device))
        self._drive = RelativeDrive(hardware, config.jog)
        self._speed = SpeedScale(config.speed)
        self._dead_man = DeadManSwitch()
        self._events: list[TeleopEvent] = []
        self._axes: tuple[float, ...] = ()
        self._buttons: tuple[int, ...] = ()
        self._down: set[str] = set()
        self._trusted: set[int] = set()  # triggers that were seen at rest
        self._heard: int | None = None  # ns, of the last message
        self._lost = "no gamepad yet"

    def reset(self, task: Task) -> None:
        """Let go of the arm; the dead-man must be let go of, too."""
        self._drive.release()
        self._dead_man.lock()

    def take_joy(self, axes: Sequence[float], buttons: Sequence[int]) -> None:
        """Take a message of the topic `joy`."""
        if self._device is None:
            self._take(axes, buttons)

    def infer(self, observation: Observation) -> ActionChunk:
        """Return the next joint targets while the dead-man is held, else none."""
        self._poll()
        return self._drive.chunk(observation, self._wish() if self._dead_man.held else None)

    def events(self) -> list[TeleopEvent]:
        """Return what the person has said since the last call."""
        self._poll()
        events, self._events = self._events, []
        return events

    @property
    def help(self) -> str:
        """What each stick and button does."""
        name = button_names(self._config.preset, self._mapping)
        pairs = {
            "clear, then arm": ("clear", "arm"),
            "success, failure": ("success", "failure"),
        }
        lines = [
            (name["dead_man"], "hold to move"),
            ("left stick", "over the table"),
            ("right stick", "up, down, turn"),
            (name["triggers"], "tilt out, in"),
            *((name[key], text) for key, text in BUTTON_HELP if key in name),
            *((" ".join(name.get(key, "-") for key in keys), text) for text, keys in pairs.items()),
            ("cross ↑ ↓", "faster, slower"),
            ("cross ← →", "discard, next"),
        ]
        return help_text(tuple(lines))

    @property
    def status(self) -> str:
        """Whether the gamepad is there, and what it waits for."""
        if self._lost:
            return self._lost
        absent = lacking(self._mapping, len(self._axes), len(self._buttons))
        if absent:
            return f"this gamepad has no {absent}: choose another preset or give a mapping"
        if self._dead_man.stuck:
            return "let go of the dead-man button first"
        return f"{'driving' if self._dead_man.held else 'dead-man not held'}, {self._speed}"

    def close(self) -> None:
        """Close the device."""
        self._drive.release()
        if self._device is not None:
            self._device.close()

    def _poll(self) -> None:
        now = self._clock()
        if self._device is not None:
            if self._device.poll(now) and self._device.buttons:
                self._take(self._device.axes, self._device.buttons)
            elif not self._device.present:
                self._lose(f"gamepad gone: {self._device.error}")
        elif self._heard is None:
            self._lost = "no gamepad yet: nothing has come on the topic joy"
        elif now - self._heard > self._config.timeout * NANOSECONDS:
            self._lose(
                f"gamepad gone: nothing on the topic joy for {self._config.timeout:g} s "
                "(is it unplugged, or autorepeat_rate 0?)"
            )

    def _lose(self, sentence: str) -> None:
        self._lost = sentence
        self._axes, self._buttons = (), ()
        self._down.clear()
        self._trusted.clear()
        self._drive.release()
        self._dead_man.press(pressed=False)
        self._dead_man.lock()

    def _take(self, axes: Sequence[float], buttons: Sequence[int]) -> None:
        back, self._heard, self._lost = bool(self._lost), self._clock(), ""
        self._axes = tuple(min(1.0, max(-1.0, value)) if np.isfinite(value) else 0.0 for value in axes)
        self._buttons = tuple(buttons)
        mapping = self._mapping
        for trigger in (mapping.tilt_out, mapping.tilt_in):
            if axis(self._axes, trigger) > AT_REST:
                self._trusted.add(trigger)
        self._dead_man.press(pressed=button(self._buttons, mapping.dead_man))
        for name in self._newly_down():
            if not back or name == "stop":  # what is held while it comes back was not pressed just now
                self._act(name)

    def _newly_down(self) -> list[str]:
        mapping, cross = self._mapping, PRESSED
        down = {name for name in (*EVENTS, "gripper") if button(self._buttons, getattr(mapping, name))}
        speed, episode = axis(self._axes, mapping.speed), axis(self._axes, mapping.episode)
        down |= {name for name, is_down in (("faster", speed > cross), ("slower", speed < -cross)) if is_down}
        down |= {
            name for name, is_down in (("discard", episode > cross), ("next", episode < -cross)) if is_down
        }
        new, self._down = sorted(down - self._down), down
        return new

    def _act(self, name: str) -> None:
        if name == "gripper":
            if self._dead_man.held:
                self._drive.gripper.toggle()
        elif name in ("faster", "slower"):
            self._speed.change(1 if name == "faster" else -1)
        else:
            event = TeleopEvent[name.upper()]
            self._events.append(event)
            if event is TeleopEvent.STOP:
                self._drive.release()
                self._dead_man.lock()

    def _wish(self) -> Wish:
        mapping, jog, share = self._mapping, self._config.jog, self._speed.factor
        sticks = np.array([axis(self._axes, n) for n in (mapping.x, mapping.y, mapping.z, mapping.turn)])
        x, y, z, turn = curved(dead_zone(sticks, self._config.dead_zone), self._config.curve)
        tilt = self._trigger(mapping.tilt_out) - self._trigger(mapping.tilt_in)
        return Wish(
            linear=np.array([x, y, z]) * jog.linear * share,
            turn=float(turn) * jog.angular * share,
            tilt=tilt * jog.angular * share,
        )

    def _trigger(self, number: int) -> float:
        """Return how far a trigger is pressed, 0 to 1; 0 until it was once seen at rest."""
        if number not in self._trusted:
            return 0.0
        pressed = (1.0 - axis(self._axes, number)) / 2
        return float(dead_zone(np.array([pressed]), self._config.dead_zone)[0])


BUTTON_HELP = (("gripper", "open/close gripper"), ("stop", "STOP"))
