import random

import numpy as np
import pytest
from arm_data import HARDWARE
from sinew_core.authority import HUMAN, POLICY
from sinew_core.runtime import Step
from sinew_core.types import ExecutedCommand, JointState, Observation, RewardEstimate, Task
from sinew_policies.learned.encoding import KeypointEncoding
from sinew_policies.learned.tip_actions import TipActionConfig, TipActions
from sinew_training.experience import Experience, Learnt
from sinew_training.fragments import Fragments
from sinew_training.grading import MeanValue, Shaped
from sinew_training.periods import Periods
from sinew_training.transitions import Gathered, Transitions

PERIOD = 50_000_000  # ns
ACTIONS = TipActionConfig(periods=4)
ENCODING = KeypointEncoding(HARDWARE.robot)
LEARNT = Learnt(ENCODING, ACTIONS, MeanValue())
HOME = HARDWARE.robot.home


def joints(k):
    return HOME + 0.01 * np.sin(0.3 * k + np.arange(len(HOME)))


def period(k, source=POLICY):
    """Control period k as the graph's messages say it."""
    stamp = (k + 1) * PERIOD
    state = JointState(stamp, joints(k), np.zeros_like(HOME))
    seen = Observation(stamp, state, {}, {}, None, {}, Task("push", "push it"))
    return seen, RewardEstimate(stamp, float(k)), ExecutedCommand(stamp, joints(k + 1), source)


def told(periods, *, shuffled=None):
    """An experience that was told of periods; each topic in its own order, the topics against each other."""
    given = []
    experience = Experience(HARDWARE, 2, given.append)
    experience.begin(1, LEARNT)
    topics = [list(items) for items in zip(*periods, strict=True)]
    takes = (
        experience.observed,
        lambda reward: experience.rewarded(1, reward),
        lambda command: experience.executed(1, command),
    )
    order = [number for number in range(3) for _ in periods]
    if shuffled is None:
        order = [number for _ in periods for number in range(3)]
    else:
        random.Random(shuffled).shuffle(order)
    for number in order:
        takes[number](topics[number].pop(0))
    return experience, given


def directly(periods, *, terminated):
    """What the loop in one process makes of the same periods, but for the last command."""
    gathered = Gathered()
    transitions = Transitions(gathered, ENCODING, TipActions(ACTIONS, HARDWARE))
    transitions.begin()
    for k, (seen, reward, command) in enumerate(periods[:-1]):
        transitions.take(Step(k, seen, reward, command))
    transitions.end(periods[-1][0], periods[-1][1], terminated=terminated)
    return gathered


def assert_alike(fragments, gathered):
    assert np.array_equal(np.concatenate([f.action for f in fragments]), [s[0] for s in gathered.steps])
    rewards = np.concatenate([f.reward for f in fragments])
    assert rewards == pytest.approx([step[1] for step in gathered.steps])
    following = np.concatenate([f.observation["state"][1:] for f in fragments])
    assert np.array_equal(following, [step[2]["state"] for step in gathered.steps])
    assert [f.begins for f in fragments] == [True] + [False] * (len(fragments) - 1)
    flags = np.concatenate([f.flags[1:] for f in fragments])
    assert [bool(flag & 8) for flag in flags] == [step[5] for step in gathered.steps]
    assert [f.ends for f in fragments] == [False] * (len(fragments) - 1) + [True]


@pytest.mark.parametrize("outcome", ["success", "timeout"])
@pytest.mark.parametrize("shuffled", [None, 1, 2, 3])
def test_a_graphs_messages_give_what_the_loop_in_one_process_gives(outcome, shuffled):
    periods = [period(k) for k in range(19)]
    experience, given = told(periods, shuffled=shuffled)
    experience.ended(1, outcome)
    assert experience.settled
    assert experience.close() == outcome
    assert_alike(given, directly(periods, terminated=outcome == "success"))
    assert bool(given[-1].flags[-1] & 2) is (outcome == "success")


def test_a_persons_steps_are_marked():
    periods = [period(k, HUMAN if 5 <= k < 9 else POLICY) for k in range(14)]
    experience, given = told(periods)
    experience.ended(1, "timeout")
    experience.close()
    assert_alike(given, directly(periods, terminated=False))
    assert sum(int((f.flags[1:] & 8 > 0).sum()) for f in given) == 1


def test_success_is_worth_what_the_grading_says():
    given = []
    experience = Experience(HARDWARE, 1, given.append)
    experience.begin(1, Learnt(ENCODING, ACTIONS, Shaped(0.5, 0.97)))
    for seen, reward, command in [period(k) for k in range(5)]:
        experience.observed(seen)
        experience.rewarded(1, reward)
        experience.executed(1, command)
    experience.ended(1, "success")
    experience.close()
    assert given[-1].reward[-1] == 1.0


def test_of_a_discarded_episode_nothing_more_is_handed_out():
    experience, given = told([period(k) for k in range(18)])
    before = len(given)
    experience.ended(1, "discarded")
    assert experience.close() == "discarded"
    assert len(given) == before


def test_messages_that_come_before_their_episode_are_kept_for_it():
    given = []
    experience = Experience(HARDWARE, 1, given.append)
    periods = [period(k) for k in range(6)]
    experience.rewarded(1, periods[0][1])
    experience.begin(1, LEARNT)
    for k, (seen, reward, command) in enumerate(periods):
        experience.observed(seen)
        if k:
            experience.rewarded(1, reward)
        experience.executed(1, command)
    experience.ended(1, "timeout")
    experience.close()
    assert_alike(given, directly(periods, terminated=False))


def test_a_reward_that_is_not_a_number_is_an_error():
    experience, _ = told([period(0)])
    seen, _, command = period(1)
    experience.observed(seen)
    experience.executed(1, command)
    experience.rewarded(1, RewardEstimate(seen.stamp, float("nan")))
    with pytest.raises(ValueError, match="the reward model answered nan"):
        experience.ended(1, "timeout")
        experience.close()


def test_without_a_layout_and_a_grading_an_episode_is_not_learnt_from():
    given = []
    experience = Experience(HARDWARE, 1, given.append)
    experience.begin(1, None)
    for seen, reward, command in [period(k) for k in range(9)]:
        experience.observed(seen)
        experience.rewarded(1, reward)
        experience.executed(1, command)
    experience.ended(1, "success")
    experience.close()
    assert given == []


def test_a_command_belongs_to_the_observation_before_it_and_the_last_one_counts():
    periods = Periods()
    (first, reward, _), (second, later, _) = period(0), period(2)
    periods.observed(first)
    periods.observed(second)
    periods.rewarded(reward)
    for k in (0, 1, 2):  # period 1 was not observed; commands are sent a little after their period began
        periods.executed(ExecutedCommand((k + 1) * PERIOD + 7, joints(k), POLICY))
    periods.rewarded(later)
    (step,) = periods.steps()
    assert step.observation is first
    assert np.array_equal(step.executed.position, joints(1))


def test_a_fragment_ends_at_its_size_and_at_the_episodes_end():
    given = []
    fragments = Fragments(3, given.append)

    def row(value):
        return {"state": np.full(2, value, np.float32)}

    fragments.begin(row(0))
    for k in range(1, 5):
        fragments.add(np.zeros(5, np.float32), float(k), row(k), truncated=k == 4)
    assert [len(f) for f in given] == [3, 1]
    assert np.array_equal(given[1].observation["state"][0], given[0].observation["state"][-1])
