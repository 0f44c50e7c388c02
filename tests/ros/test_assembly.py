"""Control periods are put together from messages in any order: complete in lockstep, newest in real time."""

from __future__ import annotations

import itertools

import numpy as np
import pytest
from sinew_core.types import JointState
from sinew_nodes.assembly import JOINTS, LockstepAssembler, RealtimeAssembler, period_index

PERIOD = 100


def joints(stamp: int) -> JointState:
    return JointState(stamp, np.zeros(1), np.zeros(1))


def lockstep(every: int = 1) -> LockstepAssembler:
    assembler = LockstepAssembler(lambda index: ["top"] if index % every == 0 else [], PERIOD)
    assembler.begin(1000)
    return assembler


def realtime() -> RealtimeAssembler:
    assembler = RealtimeAssembler(lambda _: ["top", "side"], PERIOD, 300)
    assembler.begin(1000)
    return assembler


def test_index_follows_the_nearest_period() -> None:
    assert [period_index(s, 1000, 100) for s in (1000, 1049, 1051, 1100, 1990)] == [0, 0, 1, 1, 10]


@pytest.mark.parametrize("order", list(itertools.permutations([JOINTS, "top"])))
def test_lockstep_set_is_complete_in_any_order(order: tuple[str, str]) -> None:
    assembler = lockstep()
    assembler.add(order[0], 1000, joints(1000))
    assert assembler.take() is None
    assembler.add(order[1], 1000, joints(1000))
    taken = assembler.take()
    assert taken is not None
    assert taken.joints.stamp == 1000
    assert assembler.take() is None


def test_lockstep_waits_for_no_camera_that_is_not_due() -> None:
    assembler = lockstep(every=2)
    assembler.add(JOINTS, 1100, joints(1100))
    assert assembler.take() is not None


def test_lockstep_skips_nothing() -> None:
    assembler = lockstep()
    for stamp in (1000, 1100):
        assembler.add(JOINTS, stamp, joints(stamp))
    assembler.add("top", 1100, 0)
    assert assembler.take() is None


def test_lockstep_is_not_held_up_by_what_arrives_late_from_before_the_episode() -> None:
    assembler = lockstep()
    assembler.add(JOINTS, 900, joints(900))
    assembler.add(JOINTS, 1000, joints(1000))
    assembler.add("top", 1000, 0)
    assert assembler.take() is not None


def test_lockstep_forgets_what_came_before_the_episode() -> None:
    assembler = lockstep()
    assembler.end()
    assembler.add(JOINTS, 1500, joints(1500))
    assembler.add(JOINTS, 2000, joints(2000))
    assembler.add("top", 2000, 0)
    assembler.begin(2000)
    taken = assembler.take()
    assert taken is not None
    assert taken.joints.stamp == 2000


@pytest.mark.parametrize("assembler", [lockstep(), realtime()])
def test_a_stamp_from_the_past_is_refused(assembler: LockstepAssembler | RealtimeAssembler) -> None:
    assert assembler.add(JOINTS, 1200, joints(1200))
    assert not assembler.add(JOINTS, 1100, joints(1100))


def test_realtime_keeps_the_newest_and_drops_the_rest() -> None:
    assembler = realtime()
    for stamp in (1000, 1100, 1200):
        assembler.add(JOINTS, stamp, joints(stamp))
        assembler.add("top", stamp, stamp)
        assembler.add("side", stamp + 3, stamp)
    taken = assembler.take()
    assert taken is not None
    assert (taken.joints.stamp, dict(taken.values)) == (1200, {"top": 1200, "side": 1200})
    assert assembler.take() is None


def test_realtime_does_not_mix_control_periods() -> None:
    assembler = realtime()
    assembler.add(JOINTS, 1100, joints(1100))
    assembler.add("top", 1000, 0)
    assembler.add("side", 1100, 0)
    assert assembler.take() is None
    assembler.add("top", 1100, 0)
    assert assembler.take() is not None


def test_realtime_does_not_act_on_what_is_too_old() -> None:
    assembler = realtime()
    assembler.add("top", 1000, 0)
    assembler.add("side", 1000, 0)
    assembler.add(JOINTS, 1301, joints(1301))
    assert assembler.take() is None


def test_realtime_does_not_put_off_fresh_parts_for_fresh_joints() -> None:
    assembler = realtime()
    assembler.add(JOINTS, 1100, joints(1100))
    for late in (1000, 1100):
        for camera in ("top", "side"):
            assembler.add(camera, late, late)
        taken = assembler.take()
        assert taken is not None
        assert (taken.joints.stamp, taken.values["top"]) == (1100, late)


def test_realtime_hands_out_joints_alone_once() -> None:
    assembler = RealtimeAssembler(lambda _: [], PERIOD, 300)
    assembler.begin(1000)
    assembler.add(JOINTS, 1000, joints(1000))
    assert assembler.take() is not None
    assert assembler.take() is None


def test_realtime_an_episode_begins_after_a_clock_set_back_although_the_last_ones_end_was_missed() -> None:
    assembler = realtime()
    for name in (JOINTS, "top", "side"):
        assembler.add(name, 90_000, joints(90_000))
    assert assembler.take() is not None
    assembler.add("top", 90_100, 0)
    assembler.begin(2000)
    for name in ("top", "side", JOINTS):
        assert assembler.add(name, 2050, joints(2050)), name
    assert assembler.take() is not None


def test_realtime_a_frame_of_the_old_clock_between_episodes_does_not_hide_the_new_ones() -> None:
    assembler = realtime()
    assembler.end()
    assembler.add("top", 90_000, 0)
    assembler.begin(2000)
    for name in ("top", "side", JOINTS):
        assembler.add(name, 2050, joints(2050))
    assert assembler.take() is not None


def test_realtime_keeps_what_came_before_the_word_that_an_episode_has_begun() -> None:
    assembler = realtime()
    assembler.end()
    for name in ("top", "side", JOINTS):
        assembler.add(name, 2050, joints(2050))
    assembler.begin(2000)
    assert assembler.take() is not None
