"""Which axis and button of a gamepad does what.

Numbers are those of `sensor_msgs/Joy` as ROS's `joy` package fills it on Linux, and of the kernel's
joystick devices, which agree. Sticks are positive to the left and up; triggers are 1 at rest and -1 when
pressed.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, fields

NONE = -1


@dataclass(frozen=True, slots=True)
class GamepadMapping:
    """Axes and buttons by number, -1 for none; the defaults are an Xbox controller's."""

    dead_man: int = 4  # buttons
    gripper: int = 0
    stop: int = 1
    failure: int = 2
    success: int = 3
    clear: int = 6
    arm: int = 7
    x: int = 1  # axes
    y: int = 0
    z: int = 4
    turn: int = 3
    tilt_out: int = 5  # triggers
    tilt_in: int = 2
    speed: int = 7  # of the cross: up faster, down slower
    episode: int = 6  # of the cross: left discard, right next

    def __post_init__(self) -> None:
        """Check that there is a dead-man and a stop, and that no button does two things."""
        if min(self.dead_man, self.stop) < 0:
            raise ValueError("a gamepad needs a dead_man and a stop button.")
        used = [number for name in BUTTONS if (number := getattr(self, name)) != NONE]
        twice = sorted({number for number in used if used.count(number) > 1})
        if twice:
            raise ValueError(f"button {twice[0]} is given two things to do.")
        if min(getattr(self, f.name) for f in fields(self)) < NONE:
            raise ValueError("axes and buttons are counted from 0; -1 stands for none.")


BUTTONS = ("dead_man", "gripper", "stop", "failure", "success", "clear", "arm")
PLAYSTATION = GamepadMapping(failure=3, success=2, clear=8, arm=9)
PRESETS: Mapping[str, GamepadMapping] = {"xbox": GamepadMapping(), "ps4": PLAYSTATION, "ps5": PLAYSTATION}
NAMES: Mapping[str, Mapping[str, str]] = {
    "xbox": {
        "dead_man": "LB",
        "gripper": "A",
        "stop": "B",
        "failure": "X",
        "success": "Y",
        "clear": "back",
        "arm": "start",
        "triggers": "RT LT",
    },
    "ps4": {
        "dead_man": "L1",
        "gripper": "cross",
        "stop": "circle",
        "failure": "square",
        "success": "triangle",
        "clear": "share",
        "arm": "options",
        "triggers": "R2 L2",
    },
}


def button_names(preset: str, mapping: GamepadMapping) -> Mapping[str, str]:
    """Return what to call the buttons on screen: by their caps, or by number where the mapping is own."""
    if PRESETS.get(preset) == mapping:
        return NAMES["xbox" if preset == "xbox" else "ps4"]
    numbers = {name: f"button {getattr(mapping, name)}" for name in BUTTONS if getattr(mapping, name) >= 0}
    return {**numbers, "triggers": f"axes {mapping.tilt_out} {mapping.tilt_in}"}


def axis(axes: Sequence[float], number: int) -> float:
    """Return an axis, 0 where the gamepad has none of this number."""
    return float(axes[number]) if 0 <= number < len(axes) else 0.0


def button(buttons: Sequence[int], number: int) -> bool:
    """Return whether a button is down; one that the gamepad does not have is not."""
    return bool(buttons[number]) if 0 <= number < len(buttons) else False


def lacking(mapping: GamepadMapping, axes: int, buttons: int) -> str:
    """Return which mapped axes and buttons a gamepad with so many does not have, or ''."""
    absent = [
        f"{'button' if f.name in BUTTONS else 'axis'} {getattr(mapping, f.name)} ({f.name})"
        for f in fields(mapping)
        if getattr(mapping, f.name) >= (buttons if f.name in BUTTONS else axes)
    ]
    return ", ".join(absent)
