"""Steps of a run are put together from topics whose stamps need not be equal."""

from __future__ import annotations

import numpy as np
from sinew_core.types import ExecutedCommand, RewardEstimate
from sinew_nodes.ros_graph import _Collected

PERIOD = 50


def collected(frames: list[int], rewards: list[int], steps: int = 3) -> _Collected:
    made = _Collected()
    for i in range(steps):
        stamp = 1000 + i * PERIOD
        made.executed.append((ExecutedCommand(stamp, np.zeros(6), "policy", (), stamp), 0.0))
    made.frames = {stamp: np.full((2, 2, 3), stamp % 251, np.uint8) for stamp in frames}
    made.rewards = {stamp: RewardEstimate(stamp, float(stamp)) for stamp in rewards}
    return made


def test_equal_stamps_belong_together() -> None:
    made = collected([1000, 1050, 1100], [1000, 1050, 1100])
    records = [record for record, _ in made.records(0.0, last=True)]
    assert [record.reward for record in records] == [1000.0, 1050.0, 1100.0]
    assert [record.frame[0, 0, 0] for record in records if record.frame is not None] == [
        1000 % 251,
        1050 % 251,
        1100 % 251,
    ]


def test_a_devices_frame_and_its_reward_belong_to_the_step_after_them() -> None:
    made = collected([985, 1020, 1031, 1090], [985, 1031, 1090])
    records = [record for record, _ in made.records(0.0, last=True)]
    assert [record.reward for record in records] == [985.0, 1031.0, 1090.0]
    assert [None if r.frame is None else int(r.frame[0, 0, 0]) for r in records] == [
        985 % 251,
        1031 % 251,
        1090 % 251,
    ]


def test_a_frame_is_shown_once() -> None:
    records = [record for record, _ in collected([990], [1000, 1050, 1100]).records(0.0, last=True)]
    assert [record.frame is None for record in records] == [False, True, True]


def test_a_step_waits_for_its_reward_while_the_episode_runs() -> None:
    made = collected([], [1000])
    assert [record.index for record, _ in made.records(0.0, last=False)] == [0]
    made.rewards[1060] = RewardEstimate(1060, 7.0)
    records = list(made.records(0.0, last=False))
    assert [(record.index, np.isnan(record.reward)) for record, _ in records] == [(1, True)]


def test_the_last_reward_may_lie_a_little_before_the_last_step() -> None:
    made = collected([], [1080])
    assert made.is_rewarded(PERIOD)
    assert not made.is_rewarded(0)
    assert collected([], [1100]).is_rewarded(0)
