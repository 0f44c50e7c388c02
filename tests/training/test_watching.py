"""A training watches its own reward."""

import numpy as np
from sinew_core.runtime import Step
from sinew_core.types import ExecutedCommand, RewardEstimate
from sinew_rewards.learned.features import FeatureConfig
from sinew_rewards.learned.saved import LearnedFacts, Spread
from sinew_rewards.watching.config import WatchConfig
from sinew_training.watching import Witness, make_watch, notice

CONFIG = WatchConfig(base_episodes=15, window=30)


class Learned:
    """What a training sees of a learned reward: its last inputs, and where they lay in training."""

    facts = LearnedFacts(FeatureConfig(), ("height",), "t", (Spread(0.0, 1.0, -1.0, 1.0),), "so101")

    def __init__(self):
        self.seen = None


def watched(reward, rng, *, height, pays, verdict):
    witness = Witness(reward)
    for index in range(20):
        reward.seen = np.array([height + 0.1 * rng.normal()])
        estimate = RewardEstimate(index, pays + 0.1 * rng.normal(), terms={"near": float(index > 10)})
        witness.take(Step(index, None, estimate, ExecutedCommand(index, np.zeros(1), "policy")))
    witness.end(None, RewardEstimate(20, pays), terminated=verdict)
    return witness.watched


def findings(height, pays, successes):
    """Return what is noticed of a policy that comes after one that succeeds half of the time."""
    rng, reward = np.random.default_rng(0), Learned()
    watch, found = make_watch(CONFIG, reward), []
    for index in range(15):
        found += notice(
            watch, watched(reward, rng, height=0.0, pays=0.2 * (index % 2), verdict=index % 2 == 1)
        )
    for index in range(40):
        done = index % 10 < successes
        found += notice(watch, watched(reward, rng, height=height, pays=pays + 0.2 * done, verdict=done))
    return {each["kind"]: each for each in found}


def test_returns_that_rise_without_success_are_told():
    found = findings(0.0, pays=1.0, successes=5)
    assert found["hollow_rise"]["alarm"]


def test_inputs_beyond_what_the_reward_learned_from_are_told_by_name():
    found = findings(3.0, pays=0.1, successes=8)
    assert found["drift"]["names"] == ["height"]


def test_an_honest_training_raises_no_alarm():
    found = findings(0.0, pays=0.0, successes=8)
    assert not [each for each in found.values() if each["alarm"]]


def test_an_episode_that_was_not_graded_is_passed_over():
    assert notice(make_watch(CONFIG, Learned()), None) == []
