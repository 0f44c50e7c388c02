"""Control periods to transitions, on an arm that is at once where it is told to be."""

import numpy as np
import pytest
from sinew_core.hardware import load_hardware
from sinew_core.runtime import Step
from sinew_core.types import ExecutedCommand, RewardEstimate
from sinew_policies.learned.encoding import KeypointEncoding
from sinew_policies.learned.tip_actions import TipActionConfig, TipActions
from sinew_training.grading import MeanValue
from sinew_training.transitions import Gathered, Takeovers, Transitions

from tests.contract.observations import affordances, observe, scene

HARDWARE = load_hardware("sim_mujoco")
CONFIG = TipActionConfig()
ACTIONS = TipActions(CONFIG, HARDWARE)
AFFORDANCE = next(affordances(HARDWARE))


class Episode:
    """Plays rows as if they had been sent, and collects."""

    def __init__(self):
        self.sink = Gathered()
        self.collector = Transitions(
            self.sink, KeypointEncoding(HARDWARE.robot), TipActions(CONFIG, HARDWARE)
        )
        self.collector.begin()
        self.takeovers = Takeovers(
            KeypointEncoding(HARDWARE.robot), TipActions(CONFIG, HARDWARE), MeanValue()
        )
        self.sent = HARDWARE.robot.home.copy()
        self.index = 0

    def observation(self):
        return observe(HARDWARE, scene(HARDWARE), AFFORDANCE, self.index, self.sent)

    def play(self, rows, source="policy", rewards=None):
        for i, row in enumerate(rows):
            seen = self.observation()
            value = 0.0 if rewards is None else rewards[i]
            executed = ExecutedCommand(seen.stamp, row, source)
            step = Step(self.index, seen, RewardEstimate(seen.stamp, value), executed)
            self.collector.take(step)
            self.takeovers.take(step)
            self.sent = row
            self.index += 1

    def end(self, reward=0.0, terminated=True):
        seen = self.observation()
        self.collector.end(seen, RewardEstimate(seen.stamp, reward), terminated=terminated)
        self.takeovers.end(seen, RewardEstimate(seen.stamp, reward), terminated=terminated)
        return self.sink.steps


def rows_of(action, sent):
    return ACTIONS.rows(action, sent, sent)


def test_the_action_is_what_was_sent_and_not_what_was_asked_for():
    episode = Episode()
    asked = rows_of([0.4, 0, 0, 0, -1], episode.sent)
    half = episode.sent + (asked - episode.sent) / 2  # a filter let half of it through
    episode.play(half)
    ((action, *_),) = episode.end()
    assert 0.1 < action[0] < 0.3


def test_the_reward_is_that_of_the_observations_that_followed():
    episode = Episode()
    episode.play(rows_of([0.1, 0, 0, 0, -1], episode.sent), rewards=[99.0, 1.0, 2.0, 3.0])
    ((_, reward, *_),) = episode.end(reward=4.0)
    assert reward == pytest.approx((1 + 2 + 3 + 4) / 4)


def test_success_terminates_and_time_truncates():
    for terminated in (True, False):
        episode = Episode()
        episode.play(rows_of([0.1, 0, 0, 0, -1], episode.sent))
        ((*_, ended, cut, _),) = episode.end(terminated=terminated)
        assert (ended, cut) == (terminated, not terminated)


def test_a_takeover_cuts_the_decision_and_its_steps_are_marked():
    episode = Episode()
    episode.play(rows_of([0.1, 0, 0, 0, -1], episode.sent)[:2])
    episode.play(rows_of([0, 0.1, 0, 0, -1], episode.sent), source="human")
    episode.play(rows_of([0, 0, 0.1, 0, -1], episode.sent))
    steps = episode.end()
    assert [person for *_, person in steps] == [False, True, False]
    assert episode.collector.interventions == 1
    np.testing.assert_allclose(
        [action[i] for i, (action, *_) in enumerate(steps)], [0.05, 0.1, 0.1], atol=0.02
    )


def test_each_next_observation_is_where_the_next_decision_begins():
    episode = Episode()
    firsts = []
    for direction in ([0.2, 0, 0], [0, 0.2, 0], [0, 0, 0.2]):
        firsts.append(episode.observation())
        episode.play(rows_of([*direction, 0, -1], episode.sent))
    steps = episode.end()
    encode = episode.collector._encoding.encode
    for (_, _, following, *_), begun in zip(steps[:-1], firsts[1:], strict=True):
        np.testing.assert_array_equal(following["state"], encode(begun)["state"])


def test_a_reward_that_is_not_a_number_is_refused():
    episode = Episode()
    with pytest.raises(ValueError, match="nan"):
        episode.play(rows_of([0, 0, 0, 0, -1], episode.sent), rewards=[0, float("nan"), 0, 0])


def test_an_episode_without_commands_gives_nothing():
    assert Episode().end() == []


def test_a_takeover_demonstrates_once_more_for_each_period_that_it_could_have_been_cut_later():
    episode = Episode()
    way = np.concatenate([rows_of([0.1, 0, 0, 0, -1], episode.sent)] * 3)
    episode.play(way[:3])
    episode.play(way[3:10], "human")
    episode.play(way[10:])
    own = [step for step in episode.end() if step[-1]]
    (takeover,) = episode.takeovers.shown
    first, later = Gathered(), Gathered()
    takeover.hand_over([first])
    assert takeover.hand_over([later], without_first=True) == 2 + 2 + 1  # of 6, 5 and 4 periods
    assert len(takeover._gathered[0].steps) == len(own) == 2
    for mine, shown in zip(own, takeover._gathered[0].steps, strict=True):
        np.testing.assert_array_equal(mine[0], shown[0])
    assert all(step[-1] for step in first.steps)
    assert not any(step[3] for step in first.steps)  # to let go is no end of the task


def test_nobody_s_help_is_no_takeover():
    episode = Episode()
    episode.play(rows_of([0.1, 0, 0, 0, -1], episode.sent))
    episode.end()
    assert episode.takeovers.shown == []
