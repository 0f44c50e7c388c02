from dataclasses import replace

import numpy as np
import pytest
import torch
from sinew_core.errors import ConfigError
from sinew_core.types import FloatArray
from sinew_data.feedback.entries import make_entry
from sinew_data.feedback.types import Clip, Feedback, Mark
from sinew_rewards.learned.network import ensemble_of
from sinew_rewards.learned.scoring import score_all
from sinew_rewards.learned.trajectory import Episodes, Trajectory
from sinew_rewards.learners.adversarial_irl import AdversarialIrl, Config
from sinew_rewards.scorers.state_reward import StateReward, state_reward, steepness

QUICK = Config(hidden=(32,), members=2, steps=150, batch=64)


def reach(name: str, *, good: bool, seed: int) -> Trajectory:
    """Return an arm that goes to a target at 0 and rests there, or stops on the way; a success ends early."""
    rng = np.random.default_rng(seed)
    start, steps = rng.uniform(0.6, 1.0), 12 if good else 40
    stop = 0.0 if good else rng.uniform(0.3, 0.5)
    way = np.concatenate([np.linspace(start, stop, 11), np.full(steps - 11, stop)])
    rows = np.stack([way, rng.normal(size=steps)], 1).astype(np.float32)
    return Trajectory(name, np.arange(steps, dtype=np.int64) * 10, rows, success=good)


def reaches(count: int, first: int = 0) -> list[Trajectory]:
    return [reach(f"{first + i}", good=i % 2 == 0, seed=first + i) for i in range(count)]


def mark(name: str, success: bool, who: str = "anna", when: int = 0) -> Feedback:
    return make_entry(Mark(Clip(name), success), who, when, "person")


@pytest.fixture(scope="module")
def scorer() -> StateReward:
    return AdversarialIrl(QUICK).fit(Episodes(reaches(30)), [], 0)


def returns(scorer: StateReward, episodes: list[Trajectory], good: bool) -> FloatArray:
    """Return the sums of values over 40 steps; an episode that ended rests at its last value."""
    values = [score_all(scorer, item.features) for item in episodes if item.success is good]
    return np.array([each.sum() + (40 - len(each)) * each[-1] for each in values])


def test_unseen_good_demonstrations_are_worth_more_than_bad_ones(scorer: StateReward) -> None:
    unseen = reaches(30, 100)
    good, bad = returns(scorer, unseen, True), returns(scorer, unseen, False)
    assert (good[:, None] > bad[None]).mean() >= 0.9


def test_the_reward_rises_towards_the_target(scorer: StateReward) -> None:
    values = [scorer.score(np.array([distance, 0.0])).value for distance in (0.4, 0.2, 0.0)]
    assert values == sorted(values)


def test_the_penalty_keeps_the_reward_from_dropping_off() -> None:
    steepest = {}
    for penalty in (0.0, 10.0):
        config = replace(QUICK, penalty=penalty, lipschitz=0.3)
        scorer = AdversarialIrl(config).fit(Episodes(reaches(30)), [], 0)
        rows = torch.linspace(0, 1, 50)[:, None] * torch.tensor([[1.0, 0.0]])
        rows.requires_grad_()
        network = ensemble_of(scorer.arrays())
        slopes = steepness(state_reward(network, rows, config.bound), rows, network.std)
        steepest[penalty] = float(slopes.detach().max())
    assert steepest[10.0] < 0.45
    assert steepest[10.0] < steepest[0.0] / 2


def test_values_stay_within_the_bound() -> None:
    scorer = AdversarialIrl(replace(QUICK, bound=0.5, steps=20)).fit(Episodes(reaches(6)), [], 0)
    assert all(abs(scorer.score(np.array([x, 1e6])).value) <= 0.5 for x in (-1e6, 0.0, 1e6))


def test_members_disagree_more_where_nothing_was_seen(scorer: StateReward) -> None:
    near, far = (scorer.score(np.array([x, 0.0])).uncertainty for x in (0.0, 4.0))
    assert near is not None and far is not None and far > near


def test_marks_count_more_than_how_the_episode_ended() -> None:
    marks = [mark(item.name, not item.success) for item in reaches(30)]
    scorer = AdversarialIrl(QUICK).fit(Episodes(reaches(30)), marks, 0)
    good, bad = (returns(scorer, reaches(20, 100), which) for which in (True, False))
    assert (good[:, None] < bad[None]).mean() >= 0.9


def test_a_marked_clip_is_the_demonstration_not_its_episode() -> None:
    half = [make_entry(Mark(Clip(item.name, 200), False), "anna", 0, "person") for item in reaches(30)[1::2]]
    scorer = AdversarialIrl(replace(QUICK, steps=20)).fit(Episodes(reaches(30)), half, 0)
    with pytest.raises(ConfigError, match="has no control period"):
        AdversarialIrl(QUICK).fit(
            Episodes(reaches(4)), [make_entry(Mark(Clip("0", 10_000), True), "a", 0, "person")], 0
        )
    assert np.isfinite(scorer.score(np.zeros(2)).value)


def test_evenly_disputed_episodes_count_as_neither() -> None:
    names = [item.name for item in reaches(4)]
    disputed = [mark(name, said, who) for name in names[:2] for who, said in (("a", True), ("b", False))]
    quick = replace(QUICK, steps=5)
    with pytest.raises(ConfigError, match="0 of 1 episodes are demonstrations"):
        AdversarialIrl(quick).fit(Episodes(reaches(2) + reaches(4)[3:]), disputed, 0)
    last = [*disputed, mark(names[0], True, "b", when=1)]  # who changes their mind is heard
    AdversarialIrl(quick).fit(Episodes(reaches(4)[:2] + reaches(4)[3:]), last, 0)


def test_duplicate_marks_change_nothing() -> None:
    marks = [mark("0", True)]
    first, twice = (
        AdversarialIrl(replace(QUICK, steps=10)).fit(Episodes(reaches(6)), each, 0)
        for each in (marks, marks * 3)
    )
    assert first.score(np.zeros(2)) == twice.score(np.zeros(2))


def test_a_mark_on_an_episode_that_is_not_here_is_told() -> None:
    with pytest.raises(ConfigError, match="'lost'.*not among the 4"):
        AdversarialIrl(QUICK).fit(Episodes(reaches(4)), [mark("lost", True)], 0)


def test_without_demonstrations_or_with_nothing_else_it_does_not_learn() -> None:
    for which in (True, False):
        alike = [item for item in reaches(10) if item.success is which]
        with pytest.raises(ConfigError, match="mark some"):
            AdversarialIrl(QUICK).fit(Episodes(alike), [], 0)
    with pytest.raises(ConfigError, match="got none"):
        AdversarialIrl(QUICK).fit(Episodes([]), [], 0)


def test_marks_of_single_moments_will_do() -> None:
    marks = [
        make_entry(Mark(Clip(x.name, t, t), t == 110), "vlm", 0, "vlm")
        for x in reaches(8)[::2]
        for t in (0, 110)
    ]
    scorer = AdversarialIrl(replace(QUICK, steps=60)).fit(Episodes(reaches(8)[::2]), marks, 0)
    assert scorer.score(np.array([0.0, 0.0])).value > scorer.score(np.array([0.8, 0.0])).value


def test_episodes_of_which_nothing_is_known_are_others() -> None:
    unknown = [item if item.success else replace(item, success=None) for item in reaches(30)]
    scorer = AdversarialIrl(QUICK).fit(Episodes(unknown), [], 0)
    good, bad = (returns(scorer, reaches(20, 100), which) for which in (True, False))
    assert (good[:, None] > bad[None]).mean() >= 0.9


def test_features_of_different_sizes_are_told() -> None:
    odd = replace(reaches(1)[0], name="odd", features=np.zeros((12, 5), np.float32))
    with pytest.raises(ConfigError, match=r"same number of features, got \[2, 5\]"):
        AdversarialIrl(QUICK).fit(Episodes([*reaches(4), odd]), [], 0)


def test_a_scorer_is_the_same_after_it_was_kept() -> None:
    scorer = AdversarialIrl(replace(QUICK, steps=10)).fit(Episodes(reaches(6)), [], 0)
    again = StateReward.restore(dict(scorer.settings()), scorer.arrays())
    assert again.score(np.array([0.3, 0.1])) == scorer.score(np.array([0.3, 0.1]))
