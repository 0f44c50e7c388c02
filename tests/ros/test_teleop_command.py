"""`sinew teleop` as a person meets it: a terminal, keys, a screen, and a simulated arm in real time."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from graphs import alive, descendants, wait_for
from sinew_nodes import teleop_command
from teleop_screens import Screen


@pytest.fixture
def sit(own_domain: None) -> Iterator[Callable[..., Screen]]:
    screens: list[Screen] = []

    def sit_down(*options: str) -> Screen:
        screens.append(Screen(*options))
        return screens[-1]

    yield sit_down
    for screen in screens:
        screen.close()


def test_a_person_drives_stops_goes_on_and_marks_and_all_is_recorded(
    sit: Callable[..., Screen], tmp_path: Path
) -> None:
    folder = tmp_path / "demos"
    options = ("--hardware", "sim_mujoco", "--episodes", "2", "--pause", "0", "--time", "100")
    person = sit(*options, "--record", str(folder))
    person.wait_for(lambda: person.owner("policy"))  # which holds
    processes = descendants(person.pid)
    x, y, z = person.tip
    person.wait_for(lambda: person.tip[0] > x + 0.05, key="w")
    assert person.owner("human")
    assert person.tip[1:] == pytest.approx((y, z), abs=0.004)
    person.wait_for(lambda: person.tip[2] > z + 0.03, key="r")

    person.wait_for(lambda: not person.owner("human"))  # nobody types any more
    at_rest = person.tip
    person.wait_for(lambda: "0.00 m/s" in person.text)
    assert person.tip == pytest.approx(at_rest, abs=0.002)

    person.type(" ")
    person.wait_for(lambda: person.owner("stopped") and "c clears, then v arms" in person.text)
    person.type("rrrv")
    person.wait_for(lambda: "clear first" in person.text)
    assert person.tip == pytest.approx(at_rest, abs=0.002)
    person.type("c")
    person.wait_for(lambda: "v arms" in person.text and "c clears" not in person.text)
    person.type("v")
    person.wait_for(lambda: person.owner("policy"))  # the stopped episode is run again
    person.wait_for(lambda: person.owner("human"), key="a")

    person.type("y")
    person.wait_for(lambda: "success: marked by a person" in person.text)
    person.wait_for(lambda: "2 of 2" in person.text and person.owner("policy"))
    person.type("n")
    assert person.end() == 0
    assert "1 stopped" in person.everything
    assert "1 success" in person.everything
    assert "1 failure" in person.everything
    wait_for(lambda: not [pid for pid in processes if alive(pid)])
    assert len(list((folder / "episodes").glob("*.mcap"))) >= 2


def test_ctrl_c_ends_everything(sit: Callable[..., Screen]) -> None:
    person = sit("--hardware", "synthetic")
    person.wait_for(lambda: "starting the graph" in person.everything)
    person.wait_for(lambda: len(descendants(person.pid)) >= 6)
    processes = descendants(person.pid)
    person.type("\x03")
    assert person.end() == 130
    wait_for(lambda: not [pid for pid in processes if alive(pid)])


@pytest.mark.parametrize(
    ("options", "message"),
    [
        (["--source", "keybord"], "Did you mean 'keyboard'"),
        (["--hardware", "sim_mujco"], "Did you mean 'sim_mujoco'"),
        (["--policy", "hodl"], "Did you mean 'hold'"),
        (["--pause", "soon"], "expected a number of seconds or 'enter'"),
        (["--join", "--policy", "hold"], "leave out --policy"),
        (["--episodes", "-1"], "must not be negative"),
        (["--time", "0"], "must be positive"),
    ],
)
def test_a_mistake_is_told_before_anything_is_started(options: list[str], message: str) -> None:
    with pytest.raises(teleop_command.ConfigError, match=message):
        teleop_command.main(options)
