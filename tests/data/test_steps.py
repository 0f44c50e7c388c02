"""Steps are put together by stamps, in whatever order the messages came."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from pathlib import Path

import pytest
from message_script import MS, START, Script
from sinew_core.types import NANOSECONDS
from sinew_data.episode import EpisodeEnd
from sinew_data.reader import open_episode
from sinew_data.steps import RecordedStep
from sinew_data.writer import EpisodeWriter

Play = Callable[[Callable[[Script], None]], list[RecordedStep]]


@pytest.fixture
def play(tmp_path: Path) -> Play:
    """Returns a function that records what a script puts and returns the steps."""

    def record(script: Callable[[Script], None], **how: bool) -> list[RecordedStep]:
        writer = EpisodeWriter(tmp_path, START)
        script(Script(writer))
        with open_episode(writer.finish(EpisodeEnd("success")).result(timeout=10)) as episode:
            return list(episode.steps(**how))

    return record


def parts(step: RecordedStep) -> tuple[int, int, dict[str, int]]:
    """Stamps of joints, keypoints and frames."""
    observation = step.observation
    keypoint = observation.keypoints.get("k")
    frames = {name: frame.stamp for name, frame in observation.frames.items()}
    return observation.stamp, 0 if keypoint is None else int(keypoint.position[0]), frames


def test_the_policy_saw_exactly_what_it_named(play: Play) -> None:
    def script(put: Script) -> None:
        for stamp in (100, 200):
            put.color(stamp)
            put.keypoints(stamp)
        put.joints(250)
        put.observed(250, keypoints=100, frames={"top": 200})
        put.executed(250)

    assert [parts(step) for step in play(script)] == [(250, 100, {"top": 200})]
    assert [parts(step) for step in play(script, seen=False)] == [(250, 200, {"top": 200})]


def test_without_its_word_the_newest_parts_by_capture_stamp_count(play: Play) -> None:
    def script(put: Script) -> None:
        put.joints(100)
        put.color(90)
        put.color(110)  # later than the joints: of the next period
        put.keypoints(95)
        put.executed(100, source="human")
        put.joints(150)
        put.executed(150, source="human")

    assert [parts(step) for step in play(script)] == [(100, 95, {"top": 90}), (150, 95, {"top": 110})]


def test_messages_that_overtake_each_other_are_put_in_order(play: Play) -> None:
    def script(put: Script) -> None:
        put.observed(100, keypoints=100, frames={"top": 100})
        put.executed(105)
        put.reward(100)
        put.joints(100)
        put.depth(100)
        put.keypoints(100)
        put.color(100)
        put.joints(200)
        put.executed(205)

    first, second = play(script)
    assert parts(first) == (100, 100, {"top": 100})
    assert first.reward is not None
    assert first.reward.value == 100.0
    assert (second.observation.stamp, second.reward) == (200, None)


def test_a_percept_that_comes_late_counts_by_its_capture_stamp(play: Play) -> None:
    def script(put: Script) -> None:
        put.joints(100)
        put.executed(101)
        put.joints(200)
        put.executed(201)
        put.keypoints(100)
        put.keypoints(200)

    assert [parts(step)[:2] for step in play(script)] == [(100, 100), (200, 200)]


def test_half_a_frame_is_none(play: Play) -> None:
    def script(put: Script) -> None:
        put.color(80)
        put.depth(80)
        put.color(100)
        put.joints(100)
        put.executed(100)

    assert parts(play(script)[0]) == (100, 0, {"top": 80})


def test_a_part_that_the_file_lacks_is_named(play: Play) -> None:
    def script(put: Script) -> None:
        put.color(50)
        put.joints(100)
        put.observed(100, keypoints=90, frames={"top": 100})
        put.executed(100)

    (step,) = play(script)
    assert step.missing == ("top", "keypoints")
    assert parts(step) == (100, 0, {})


def test_parts_that_are_too_old_are_left_out_as_live(play: Play) -> None:
    def script(put: Script) -> None:
        put.keypoints(0 + 1)
        put.color(1)
        put.joints(1 + 300 * MS)
        put.executed(1 + 300 * MS)
        put.joints(2 + 300 * MS)
        put.executed(2 + 300 * MS)

    stamps = [parts(step)[1:] for step in play(script)]
    assert stamps == [(1, {"top": 1}), (0, {})]


def test_commands_of_other_episodes_and_before_any_joints_are_no_steps(play: Play) -> None:
    def script(put: Script) -> None:
        put.executed(50)
        put.joints(100)
        put.executed(100, episode=0)
        put.executed(101, episode=3)
        put.executed(102)

    assert [step.executed.stamp for step in play(script) if step.executed] == [102]


def test_an_observation_without_a_command_ends_the_episode(play: Play) -> None:
    def script(put: Script) -> None:
        for stamp in (100, 200):
            put.joints(stamp)
            put.observed(stamp)
            if stamp == 100:
                put.executed(stamp)

    first, last = play(script)
    assert (first.owner, last.owner, last.executed, last.observation.stamp) == ("policy", "", None, 200)


def test_steps_wait_no_longer_than_half_a_second_for_what_does_not_come(play: Play) -> None:
    def script(put: Script) -> None:
        put.joints(100)
        put.observed(100)
        put.executed(100)
        put.color(100)
        put.joints(200)
        put.executed(200, source="human")  # the policy has fallen silent
        put.now += NANOSECONDS
        put.joints(300)
        put.executed(300, source="human")

    assert [step.observation.stamp for step in play(script)] == [100, 200, 300]


def test_the_affordance_is_the_one_that_was_known(play: Play) -> None:
    def script(put: Script) -> None:
        put.joints(100)
        put.executed(100, source="hold")
        for stamp, source in ((200, "first"), (300, "second"), (400, ""), (500, "last")):
            put.joints(stamp)
            put.affordance(stamp - 50, source)
            put.executed(stamp)

    assert known(play(script)) == ["none", "first", "second", "none", "last"]


def test_an_affordance_that_comes_after_the_first_action_was_known(play: Play) -> None:
    def script(put: Script) -> None:
        put.joints(100)
        put.observed(100)
        put.executed(100)
        put.affordance(100, "first")
        put.joints(200)
        put.observed(200)
        put.executed(200)

    assert known(play(script)) == ["first", "first"]


def known(steps: Sequence[RecordedStep]) -> list[str]:
    """Who proposed the affordance of each step."""
    answers = [step.observation.affordance for step in steps]
    return ["none" if answer is None else answer.source for answer in answers]


def test_the_task_is_the_episodes_own(play: Play) -> None:
    def script(put: Script) -> None:
        put.joints(100)
        put.executed(100)

    task = play(script)[0].observation.task
    assert (task.name, task.instruction, task.max_steps) == ("t", "do it", 9)
