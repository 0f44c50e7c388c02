"""STARC from episodes: what it takes for the same, and how it tends to the exact distance."""

import numpy as np
import pytest
from sinew_rewards.comparing.basis import Basis
from sinew_rewards.comparing.sampled import sampled_distance, trajectory_distance
from sinew_rewards.comparing.starc import distance
from sinew_rewards.comparing.tabular import random_task, shaped

GAMMA = 0.95


def walks(seed: int, episodes: int = 20, steps: int = 60, size: int = 3) -> list[np.ndarray]:
    """Return features (T, size) of random walks."""
    rng = np.random.default_rng(seed)
    return [np.cumsum(rng.standard_normal((steps, size)), 0) for _ in range(episodes)]


def rewards(features: list[np.ndarray], seed: int) -> list[np.ndarray]:
    """Return a reward (T,) of each episode that depends on the state and on what was done."""
    rng = np.random.default_rng(seed)
    return [np.tanh(each[:, 0]) + rng.standard_normal(len(each)) for each in features]


def with_shaping(paid: list[np.ndarray], potentials: list[np.ndarray]) -> list[np.ndarray]:
    """Return a reward with gamma Phi(s') - Phi(s) added; nothing in the first row, which is not used."""
    return [
        reward + np.append(0.0, GAMMA * potential[1:] - potential[:-1])
        for reward, potential in zip(paid, potentials, strict=True)
    ]


def test_a_reward_is_at_0_from_itself_and_at_1_from_its_opposite() -> None:
    features = walks(0)
    paid = rewards(features, 1)
    assert trajectory_distance(paid, paid, features, GAMMA) == 0.0
    opposite = [-each for each in paid]
    assert trajectory_distance(paid, opposite, features, GAMMA) == pytest.approx(1.0)


@pytest.mark.parametrize("seed", range(3))
def test_shaped_and_rescaled_copies_are_at_0(seed: int) -> None:
    features = walks(seed)
    paid = rewards(features, seed)
    potentials = [20 * each[:, 0] - 5 * each[:, 1] * each[:, 2] + each[:, 1] ** 2 + 7 for each in features]
    copy = [3.0 * each for each in with_shaping(paid, potentials)]
    assert trajectory_distance(paid, copy, features, GAMMA) <= 1e-3


def test_another_reward_is_far() -> None:
    features = walks(0)
    assert trajectory_distance(rewards(features, 1), rewards(features, 2), features, GAMMA) > 0.5


def test_the_distance_rises_with_the_share_of_another_reward() -> None:
    features = walks(0)
    one, other = rewards(features, 1), rewards(features, 2)
    mixed = [[a + share * b for a, b in zip(one, other, strict=True)] for share in (0.0, 0.2, 0.5, 1.0, 5.0)]
    found = [trajectory_distance(one, each, features, GAMMA) for each in mixed]
    assert found == sorted(found)


def test_after_an_end_of_the_tasks_own_the_potential_is_0() -> None:
    features = walks(3)
    paid = rewards(features, 1)
    potentials = [20 * each[:, 0] for each in features]
    for potential in potentials:
        potential[-1] = 0.0
    copy = with_shaping(paid, potentials)
    ended = [True] * len(features)
    assert trajectory_distance(paid, copy, features, GAMMA, ended) <= 1e-3
    assert trajectory_distance(paid, copy, features, GAMMA) > 0.01


def test_it_tends_to_the_exact_distance_where_state_and_action_are_known() -> None:
    rng = np.random.default_rng(0)
    task = random_task(rng, states=6, actions=2, branches=6)
    first, second = rng.standard_normal((2, *task.transitions.shape))
    second = shaped(task, first + second, 10 * rng.standard_normal(6))
    state, action = np.repeat(np.arange(6), 4000), np.tile(np.arange(2), 12_000)
    drawn = rng.uniform(size=(24_000, 1)) > np.cumsum(task.transitions[state, action], 1)
    after = np.minimum(drawn.sum(1), 5)
    paid = [each[state, action, after] for each in (first, second)]
    one_hot = np.eye(6)
    found = sampled_distance(*paid, one_hot[state], one_hot[after], task.discount, 2 * state + action)
    assert found == pytest.approx(distance(task, first, second, "minimal"), abs=0.03)
    unknown = sampled_distance(*paid, one_hot[state], one_hot[after], task.discount)
    assert abs(unknown - found) > 0.001  # chance among next states counts, where it cannot be averaged


def test_more_features_than_transitions_leave_something_of_a_reward() -> None:
    features = walks(0, episodes=4, steps=20, size=200)
    one, other = rewards(features, 1), rewards(features, 2)
    assert trajectory_distance(one, [-each for each in one], features, GAMMA) == pytest.approx(1.0)
    assert 0.3 < trajectory_distance(one, other, features, GAMMA) < 1.0


def test_features_that_never_change_and_other_units_make_no_difference() -> None:
    features = walks(0)
    paid, other = rewards(features, 1), rewards(features, 2)
    padded = [np.column_stack([1e6 * each, np.full(len(each), 3.0)]) for each in features]
    found = trajectory_distance(paid, other, padded, GAMMA)
    assert found == pytest.approx(trajectory_distance(paid, other, features, GAMMA), abs=1e-6)


@pytest.mark.parametrize(("transitions", "columns"), [(10_000, 10), (50, 4), (20, 2), (5, 1)])
def test_there_are_no_more_features_than_transitions_can_tell_apart(transitions: int, columns: int) -> None:
    rows = np.random.default_rng(0).standard_normal((transitions, 3))
    assert Basis(rows, transitions)(rows).shape == (transitions, columns)


def test_episodes_that_do_not_fit_together_are_named() -> None:
    features = walks(0, episodes=2, steps=5)
    paid = rewards(features, 1)
    for arguments, sentence in (
        ((paid, paid[:1], features, GAMMA), r"of the same episodes, got \[2, 1, 2\]"),
        (([], [], [], GAMMA), "of the same episodes"),
        ((paid, paid, features, GAMMA, [True]), r"got \[2, 2, 2, 1\]"),
        ((paid, [each[1:] for each in paid], features, GAMMA), r"got \(5,\), \(4,\) and \(5, 3\)"),
        (([paid[0], paid[1] * np.nan], paid, features, GAMMA), "first reward: row 0 is not finite"),
        ((paid, paid, [each * np.inf for each in features], GAMMA), "features: row 0 is not finite"),
        ((paid, paid, features, 1.0), "discount"),
        (([[0.0]], [[0.0]], [[[1.0]]], GAMMA), "at least two rows"),
    ):
        with pytest.raises(ValueError, match=sentence):
            trajectory_distance(*arguments)
    rows = features[0]
    with pytest.raises(ValueError, match="two rewards"):
        sampled_distance(paid[0], paid[1][:2], rows, rows, GAMMA)
    with pytest.raises(ValueError, match="expected the choices of 5 transitions"):
        sampled_distance(paid[0], paid[1], rows, rows, GAMMA, np.zeros(2, np.int64))
    with pytest.raises(ValueError, match=r"features \(5, d\) twice"):
        sampled_distance(paid[0], paid[1], rows, rows[:2], GAMMA)
