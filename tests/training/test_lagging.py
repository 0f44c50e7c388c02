"""A lagging arm gets each command a few control periods later, as many as its episode drew."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import numpy as np
import pytest
from sinew_core.hardware import load_hardware
from sinew_core.protocols import Arm, Station, World
from sinew_core.types import JointCommand
from sinew_training.config import TrainConfig
from sinew_training.lagging import LaggingStation

HARDWARE = load_hardware("sim_mujoco").with_pace("lockstep")
HOME = HARDWARE.robot.home
MOST = 3


class Arms:
    """An arm that notes what reaches it."""

    def __init__(self) -> None:
        self.written: list[float] = []
        self.stops = 0

    def read(self) -> Any:
        return None

    def write(self, command: JointCommand) -> None:
        self.written.append(float(command.position[0]))

    def stop(self) -> None:
        self.stops += 1

    def close(self) -> None:
        pass


@pytest.fixture
def station() -> Iterator[tuple[LaggingStation, Arms]]:
    under = HARDWARE.open_station("reach")
    arm = Arms()
    under._arm = arm  # type: ignore[attr-defined]
    yield LaggingStation(under, MOST), arm
    under.close()


def lag_of(station: LaggingStation, arm: Arms, seed: int) -> int:
    """Write once a period until something arrives; return how many periods that took."""
    station.seed(seed)
    arm.written.clear()
    for period in range(MOST + 2):
        station.arm.write(JointCommand(0, HOME + period))
        if arm.written:
            return period
    raise AssertionError("nothing arrives")


def test_it_is_a_station(station: tuple[LaggingStation, Arms]) -> None:
    assert isinstance(station[0], Station)
    assert isinstance(station[0].arm, Arm)
    assert isinstance(station[0].world, World)


def test_commands_arrive_in_order_and_none_is_lost(station: tuple[LaggingStation, Arms]) -> None:
    lagging, arm = station
    lag = lag_of(lagging, arm, 0)
    for period in range(lag + 1, 12):
        lagging.arm.write(JointCommand(0, HOME + period))
    assert arm.written == pytest.approx([HOME[0] + k for k in range(12 - lag)])


def test_the_lag_is_drawn_by_the_seed_between_none_and_the_most(
    station: tuple[LaggingStation, Arms],
) -> None:
    lags = [lag_of(*station, seed) for seed in range(24)]
    assert set(lags) == {0, 1, 2, 3}
    assert lags == [lag_of(*station, seed) for seed in range(24)]


def test_a_stop_drops_what_is_under_way(station: tuple[LaggingStation, Arms]) -> None:
    lagging, arm = station
    seed = next(seed for seed in range(24) if lag_of(lagging, arm, seed) == 2)
    lagging.seed(seed)
    arm.written.clear()
    lagging.arm.write(JointCommand(0, HOME + 1))
    lagging.arm.stop()
    for period in (5, 6, 7):
        lagging.arm.write(JointCommand(0, HOME + period))
    assert arm.stops == 1
    np.testing.assert_allclose(arm.written, [HOME[0] + 5])


def test_a_lag_below_none_is_refused() -> None:
    with pytest.raises(ValueError, match="lag"):
        TrainConfig(lag=-1)
