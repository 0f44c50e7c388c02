"""The picture of 80 by 24: what must be on it, and that nothing pushes it off."""

from __future__ import annotations

import re
from dataclasses import replace

import numpy as np
import pytest
from sinew_core.hardware import load_hardware
from sinew_nodes.teleop_display import frame
from sinew_nodes.teleop_screen import Run
from sinew_nodes.teleop_situation import Situation
from sinew_teleop.event_keys import EVENT_HELP, help_text
from sinew_teleop.gamepad import Config, Gamepad

HELP = "\n".join(f"key {n}  does something" for n in range(16))
SEEN = Situation(
    owner="human",
    reason="a person has taken over",
    took=0.031,
    episode=3,
    instruction="put the red cube in the blue bowl",
    last="success: marked by a person",
    tip=np.array([0.2134, -0.0412, 0.0871]),
    tip_speed=0.041,
    aperture=0.72,
    status="tip, speed 35 %",
    help=HELP,
    recorder="2 episodes written",
)
RUN = Run("sim_mujoco pick_place keyboard", 2, 10, 134, 2400, 0.05, "demos", "running")


def picture(seen: Situation, run: Run = RUN, helping: bool = True, size: tuple[int, int] = (80, 24)) -> str:
    return re.sub(r"\x1b\[[0-9;?]*[a-zA-Z]", "", frame(seen, run, helping, *size))


@pytest.mark.parametrize(
    "word",
    [
        "HUMAN",
        "31 ms",
        "a person has taken over",
        "3 of 10",
        "6.7 s of 120 s",
        "red cube",
        "success: marked by a person",
        "x +0.213  y -0.041  z +0.087 m",
        "0.04 m/s",
        "72 % open",
        "speed 35 %",
        "demos: 2 episodes written",
        "key 15",
        "running",
        "sim_mujoco pick_place keyboard",
    ],
)
def test_everything_is_on_the_screen(word: str) -> None:
    assert word in " ".join(picture(SEEN).replace("│", " ").split()) or word in picture(SEEN)


@pytest.mark.parametrize("size", [(80, 24), (132, 50), (60, 20), (40, 10)])
@pytest.mark.parametrize("helping", [True, False])
def test_a_picture_has_the_size_of_its_terminal(size: tuple[int, int], helping: bool) -> None:
    rows = picture(replace(SEEN, reason="long " * 40, status="long " * 40), helping=helping, size=size)
    assert len(rows.splitlines()) == size[1]
    assert all(len(row) <= size[0] for row in rows.splitlines())


def test_a_stop_says_how_to_go_on() -> None:
    stopped = replace(SEEN, owner="stopped", reason="the button is pressed", causes=("button",))
    assert "STOPPED: the button is pressed. c clears, then v arms." in picture(stopped)
    assert "v arms" in picture(replace(stopped, causes=()))
    assert "c clears" not in picture(replace(stopped, causes=()))


def test_an_answer_is_shown_for_a_while_beside_what_is_more_urgent() -> None:
    stopped = replace(SEEN, owner="stopped", causes=("button",), said="arm: clear first", said_age=1.0)
    assert "STOPPED" in picture(stopped)
    assert "arm: clear first" in picture(stopped)
    assert "arm: clear first" not in picture(replace(stopped, said_age=60.0))


def test_a_silent_station_is_told() -> None:
    assert "no joints for 4 s" in picture(replace(SEEN, silence=4.2))


def test_what_holds_the_arm_is_told() -> None:
    assert "held: camera top is frozen" in picture(replace(SEEN, holds=("camera top is frozen",)))


def test_a_recorder_that_failed_is_told() -> None:
    assert "demos: disk full" in picture(replace(SEEN, recorder="disk full", recorder_well=False))


def test_before_anything_is_known_there_is_a_picture() -> None:
    assert "not known yet" in picture(Situation(), Run())


def test_words_from_the_graph_are_no_markup() -> None:
    text = picture(replace(SEEN, reason="[red]really[/] [/]", said="[bold", said_age=0.0), RUN)
    assert "[red]really[/] [/]" in text
    assert "[bold" in text


def test_the_keys_of_a_gamepad_and_those_of_the_terminal_fit_together() -> None:
    pad = Gamepad(Config(), load_hardware("sim_mujoco")).help
    text = picture(replace(SEEN, help=f"{pad}\n{help_text(EVENT_HELP)}"))
    for word in ("hold to move", "discard, next", "STOP", "success, failure", "quit"):
        assert word in text
    assert "…" not in text
