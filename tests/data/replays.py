"""Replays of an episode in which much happened, on a station that is watched."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np
from made_episodes import Scripted, record_run
from sinew_core.hardware import Hardware
from sinew_core.protocols import Arm, Camera, World
from sinew_core.runtime import Step
from sinew_core.types import JointCommand, JointState
from sinew_data.reader import open_episode
from sinew_data.recorded_motion import ExecutedOffers, Offers, read_motion
from sinew_data.replaying import Replay, ReplayReport

DOWN = np.array([0.0, 1.2, 1.2, 1.2, 0.0, 0.0])  # through the table
LEFT = np.array([1.5, -0.4, 0.4, 0.2, 1.0, 0.9])
RIGHT = np.array([-1.5, -0.8, 1.0, 1.2, -1.0, -0.1])


def limits_and_takeover(dataset: Path, hardware: Hardware) -> tuple[Path, list[Step]]:
    """An episode in which every limit had its say and a person took over in the middle."""
    human = Scripted([None, None, RIGHT, None], each=8)
    return record_run(dataset, hardware, Scripted([LEFT, DOWN, RIGHT, LEFT]), human=human)


class WatchedArm:
    """An arm that keeps what is sent to it."""

    def __init__(self, arm: Arm) -> None:
        self._arm = arm
        self.sent: list[np.ndarray] = []
        self.stops = 0

    def read(self) -> JointState:
        return self._arm.read()

    def write(self, command: JointCommand) -> None:
        self.sent.append(command.position.copy())
        self._arm.write(command)

    def stop(self) -> None:
        self.stops += 1
        self._arm.stop()

    def close(self) -> None:
        self._arm.close()


@dataclass
class Watched:
    """A station with such an arm."""

    arm: WatchedArm
    world: World | None
    cameras: Mapping[str, Camera] = field(default_factory=dict)

    def close(self) -> None:
        pass


def replayed(
    hardware: Hardware, offers: Offers, *, seed: int = 7, task: str = "test", approach: bool = False
) -> tuple[ReplayReport, np.ndarray]:
    station = hardware.open_station(task)
    assert station.world is not None
    station.world.reset(seed)
    watched = Watched(WatchedArm(station.arm), station.world)
    replay = Replay(watched, hardware, offers, approach=approach)
    try:
        replay.run()
    finally:
        assert watched.arm.stops == 1
        station.close()
    return replay.report(), np.array(watched.arm.sent)


def offers_of(path: Path, hardware: Hardware) -> ExecutedOffers:
    with open_episode(path) as episode:
        return ExecutedOffers(read_motion(episode).commands, hardware.period)
