"""What every teleoperation source keeps to, by being a module of sinew_teleop."""

from collections.abc import Iterator
from typing import Any

import numpy as np
import pytest
from sinew_core.errors import ConfigError
from sinew_core.hardware import Hardware
from sinew_core.plugins import build, plugin_spec, short_names
from sinew_core.protocols import Policy
from sinew_teleop.source import TeleopSource, make_source
from sinew_teleop.terminal import RawTerminal

from tests.teleop.hand import TASK, FakeTime, Hand, hand_on
from tests.teleop.pads import FakeHid, leader_spec

NAMES = short_names("sinew_teleop")


@pytest.fixture(params=NAMES)
def source(
    request: pytest.FixtureRequest, hardware: Hardware, time: FakeTime, line: tuple[int, RawTerminal]
) -> Iterator[TeleopSource]:
    spec: dict[str, Any] = plugin_spec(request.param, "sinew_teleop", "teleop source")
    if request.param == "leader_arm":
        spec["arm"] = leader_spec()
    context = {"hardware": hardware, "clock": time, "terminal": line[1], "opener": FakeHid}
    built = build(spec, TeleopSource, request.param, **context)
    yield built
    built.close()


@pytest.fixture
def hand(source: TeleopSource, hardware: Hardware, time: FakeTime) -> Hand:
    return hand_on(source, hardware, time)


def test_the_sources_are_found() -> None:
    assert set(NAMES) == {"gamepad", "keyboard", "leader_arm", "spacemouse", "topic"}


def test_a_source_is_a_policy(source: TeleopSource) -> None:
    assert isinstance(source, Policy)
    assert isinstance(source, TeleopSource)


def test_nobody_there_wants_nothing_and_says_nothing(hand: Hand, hardware: Hardware) -> None:
    hand.source.reset(TASK)
    chunk = hand.tick(10)
    assert chunk.position.shape == (0, len(hardware.robot.joint_names))
    assert chunk.dt == hardware.config.control_period
    assert hand.source.events() == []


def test_help_and_status_are_sentences_for_the_screen(hand: Hand) -> None:
    hand.tick()
    assert hand.source.status
    for row in hand.source.help.splitlines():
        keys, _, meaning = row.partition("  ")
        assert keys.strip()
        assert meaning.strip()
        assert len(row) <= 34  # the screen of 80 characters has no more for it


def test_closing_twice_is_fine_and_a_closed_source_wants_nothing(hand: Hand) -> None:
    hand.source.close()
    hand.source.close()


def test_targets_that_are_not_finite_move_nothing(hand: Hand) -> None:
    hand.target = np.full_like(hand.target, np.nan)
    assert len(hand.tick().position) == 0


def test_an_unknown_source_is_answered_with_the_nearest(hardware: Hardware) -> None:
    with pytest.raises(ConfigError, match="Did you mean 'keyboard'"):
        make_source("keybord", hardware)
