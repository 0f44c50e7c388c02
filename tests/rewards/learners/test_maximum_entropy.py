from dataclasses import replace

import numpy as np
import pytest
import torch
from sinew_core.errors import ConfigError
from sinew_core.types import FloatArray
from sinew_data.feedback.entries import make_entry
from sinew_data.feedback.types import Clip, Mark
from sinew_rewards.comparing.starc import distance
from sinew_rewards.comparing.tabular import Tabular
from sinew_rewards.learned.scoring import score_all
from sinew_rewards.learned.trajectory import Episodes, Trajectory
from sinew_rewards.learners.maximum_entropy import Config, MaximumEntropy, rarity
from sinew_rewards.learners.maximum_entropy_tabular import States, fit_tabular, soft_values
from sinew_rewards.scorers.state_reward import StateReward

SIDE, STATES, GAMMA = 5, 25, 0.95
MOVES = ((0, 0), (1, 0), (-1, 0), (0, 1), (0, -1))
QUICK = Config(hidden=(16,), members=2, rows=8, steps=80)


def gridworld() -> FloatArray:
    """Return transitions (25, 5, 25): stay or go; a tenth of the moves fail."""
    P = np.zeros((STATES, len(MOVES), STATES))
    for state in range(STATES):
        x, y = state % SIDE, state // SIDE
        for action, (dx, dy) in enumerate(MOVES):
            there = np.clip(y + dy, 0, SIDE - 1) * SIDE + np.clip(x + dx, 0, SIDE - 1)
            P[state, action, there] += 0.9
            P[state, action, state] += 0.1
    return P


def demonstrate(P: FloatArray, reward: FloatArray, count: int, steps: int, seed: int) -> list[States]:
    """Draw demonstrations by the policy that is soft-optimal for a reward (S,)."""
    rng = np.random.default_rng(seed)
    values = soft_values(torch.as_tensor(P), torch.as_tensor(reward), steps, GAMMA).numpy()
    states = [rng.integers(STATES, size=count)]
    for left in range(steps - 1, 0, -1):
        chances = np.exp(reward[:, None] + GAMMA * P @ values[left] - values[left + 1][:, None])
        actions = _drawn(chances[states[-1]], rng)
        states.append(_drawn(P[states[-1], actions], rng))
    return list(np.stack(states, 1))


def _drawn(chances: FloatArray, rng: np.random.Generator) -> States:
    """Draw one of the columns of each row of chances."""
    sums = np.cumsum(chances / chances.sum(1, keepdims=True), 1)
    return np.minimum((sums < rng.random(len(chances))[:, None]).sum(1), chances.shape[1] - 1)


def test_the_reward_of_a_gridworld_is_found_again() -> None:
    P = gridworld()
    task = Tabular(P, np.full(STATES, 1 / STATES), GAMMA)
    apart = []
    for seed in range(5):
        rng = np.random.default_rng(seed)
        reward = np.zeros(STATES)
        reward[rng.permutation(STATES)[:2]] = 2.0, -1.4
        demos = demonstrate(P, reward, 2000, 12, seed)
        learnt = fit_tabular(P, np.eye(STATES), demos)
        shape = (STATES, len(MOVES), STATES)
        tables = [np.broadcast_to(each[:, None, None], shape) for each in (reward, learnt)]
        apart.append(distance(task, *tables))
    assert np.median(apart) < 0.1


def test_weights_on_features_are_found_again_from_few_demonstrations() -> None:
    P, rng = gridworld(), np.random.default_rng(0)
    features, weights = rng.normal(size=(STATES, 3)), np.array([1.0, -0.5, 0.0])
    found = fit_tabular(P, features, demonstrate(P, features @ weights, 200, 10, 0))
    assert found @ weights / np.linalg.norm(found) / np.linalg.norm(weights) > 0.98


def test_demonstrations_of_different_lengths_go_together() -> None:
    P = gridworld()
    reward = np.where(np.arange(STATES) == 12, 2.0, 0.0)
    demos = demonstrate(P, reward, 150, 6, 0) + demonstrate(P, reward, 150, 12, 1)
    assert np.argmax(fit_tabular(P, np.eye(STATES), demos)) == 12


def test_what_is_no_mdp_is_told() -> None:
    P, demos = gridworld(), [np.array([0, 1])]
    with pytest.raises(ConfigError, match=r"expected \(3, A, 3\) for features of 3 states"):
        fit_tabular(P, np.eye(3), demos)
    with pytest.raises(ConfigError, match="do not sum to 1"):
        fit_tabular(P * 2, np.eye(STATES), demos)
    with pytest.raises(ConfigError, match="at least one"):
        fit_tabular(P, np.eye(STATES), [])
    with pytest.raises(ConfigError, match="expected states 0 to 24, got 0 to 99"):
        fit_tabular(P, np.eye(STATES), [np.array([0, 99])])


def walk(name: str, *, good: bool, seed: int, steps: int = 20) -> Trajectory:
    """Return a walk in the plane that ends at the origin, or beside it; a third feature is noise."""
    rng = np.random.default_rng(seed)
    end = np.zeros(2) if good else np.array([1.0, rng.uniform(0.5, 1.0)])
    way = np.linspace(rng.normal(size=2), end, steps)
    rows = np.concatenate([way, rng.normal(size=(steps, 1))], 1).astype(np.float32)
    return Trajectory(name, np.arange(steps, dtype=np.int64), rows, success=good)


def walks(count: int, first: int = 0) -> list[Trajectory]:
    return [walk(f"{first + i}", good=i % 2 == 0, seed=first + i) for i in range(count)]


def ends(scorer: StateReward, episodes: list[Trajectory]) -> FloatArray:
    return np.array([score_all(scorer, item.features)[-1] for item in episodes])


def test_unseen_good_demonstrations_end_higher_than_bad_ones() -> None:
    scorer = MaximumEntropy(QUICK).fit(Episodes(walks(40)), [], 0)
    good, bad = (ends(scorer, [x for x in walks(40, 100) if x.success is which]) for which in (True, False))
    assert (good[:, None] > bad[None]).mean() >= 0.9


def test_marks_count_more_than_how_the_episode_ended() -> None:
    feedback = [
        make_entry(Mark(Clip(item.name), not item.success), "anna", 0, "person") for item in walks(40)
    ]
    scorer = MaximumEntropy(QUICK).fit(Episodes(walks(40)), feedback, 0)
    good, bad = (ends(scorer, [x for x in walks(20, 100) if x.success is which]) for which in (True, False))
    assert (good[:, None] < bad[None]).mean() >= 0.9


def test_values_stay_within_the_bound() -> None:
    scorer = MaximumEntropy(QUICK).fit(Episodes(walks(10)), [], 0)
    far = np.array([scorer.score(1e6 * np.ones(3)).value, scorer.score(-1e6 * np.ones(3)).value])
    assert np.isfinite(far).all() and (np.abs(far) <= QUICK.bound).all()


def test_copies_of_an_episode_share_its_weight() -> None:
    rng = np.random.default_rng(0)
    one, other = rng.normal(size=(2, 8, 3))
    weights = rarity(np.stack([one, one, one, one, other]))
    assert weights[4] > 0.45
    assert weights[:4] == pytest.approx(np.full(4, weights[0]))


def test_without_demonstrations_or_with_nothing_else_it_does_not_learn() -> None:
    for which in (True, False):
        alike = [item for item in walks(10) if item.success is which]
        with pytest.raises(ConfigError, match="mark some"):
            MaximumEntropy(QUICK).fit(Episodes(alike), [], 0)


def test_a_scorer_is_the_same_after_it_was_kept() -> None:
    scorer = MaximumEntropy(QUICK).fit(Episodes(walks(10)), [], 0)
    again = StateReward.restore(dict(scorer.settings()), scorer.arrays())
    row = walks(1, 50)[0].features[3]
    assert again.score(row) == scorer.score(row)


def test_the_seed_decides_everything() -> None:
    quick = replace(QUICK, steps=5)
    first, same, other = (MaximumEntropy(quick).fit(Episodes(walks(10)), [], seed) for seed in (1, 1, 2))
    row = np.ones(3)
    assert first.score(row) == same.score(row) != other.score(row)
