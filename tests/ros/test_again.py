"""Episodes in the scene as it lies: the station brings the arm home first, and obeys whoever says stop."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from sinew_core.authority import POLICY
from sinew_nodes.fault_rig import ROOM, Rig, write_hardware
from sinew_nodes.mailbox import Goal

FAKE = {"plugin": "sinew_core.fakes:FakeStation", "world": True}
RigOf = Callable[..., Rig]


@pytest.fixture
def rig_of(tmp_path: Path) -> Iterator[RigOf]:
    rigs: list[Rig] = []

    def make(pace: Any) -> Rig:
        path = write_hardware(tmp_path, "synthetic", station=FAKE, safety=ROOM)
        rigs.append(Rig(path, pace, "pick_place", 1))
        return rigs[-1]

    yield make
    for rig in rigs:
        rig.close()


def displaced(rig: Rig) -> None:
    """Run an episode that leaves the arm away from home, and end it."""
    assert rig.start_episode(1)
    assert rig.recover() == ""


def again(rig: Rig, steps: int) -> object:
    token = object()
    assert rig.until(lambda: rig.mailbox.offer_goal(Goal(1, "", steps, token, again=True)))
    return token


@pytest.mark.parametrize("pace", ["lockstep", "realtime"])
def test_it_begins_with_the_way_home(rig_of: RigOf, pace: str) -> None:
    rig = rig_of(pace)
    displaced(rig)
    trace = rig.sources.begin()
    again(rig, 5)
    assert rig.until(lambda: trace.endings)
    assert trace.endings[0][1].outcome == "timeout"
    home = rig.hardware.robot.home
    homing = [command for _, command in trace.commands if command.source == POLICY]
    at_home = [np.allclose(command.position, home, atol=1e-6) for command in homing]
    assert any(at_home)
    assert not at_home[0], "the arm was home already"
    assert rig.limits.beyond == []


def test_a_stop_on_the_way_home_is_obeyed_and_ends_the_episode(rig_of: RigOf) -> None:
    rig = rig_of("realtime")
    displaced(rig)
    trace = rig.sources.begin()
    again(rig, 100)
    assert rig.until(lambda: sum(command.source == POLICY for _, command in trace.commands) >= 3)
    rig.loop.path.authority.stop("person", "the button")
    assert rig.until(lambda: trace.endings)
    assert trace.endings[0][1].outcome == "stopped"
    after = [command for _, command in trace.commands][-1]
    assert after.source != POLICY


def test_it_can_be_cancelled_on_the_way_home(rig_of: RigOf) -> None:
    rig = rig_of("realtime")
    displaced(rig)
    trace = rig.sources.begin()
    token = again(rig, 100)
    assert rig.until(lambda: sum(command.source == POLICY for _, command in trace.commands) >= 3)
    rig.mailbox.cancel(token)
    assert rig.until(lambda: trace.endings)
    assert trace.endings[0][1].outcome == "interrupted"
