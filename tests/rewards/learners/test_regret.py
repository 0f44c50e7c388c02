"""Preferences by regret: where they differ from partial return, and that the model explains them better."""

from __future__ import annotations

import math
import sys
from pathlib import Path

import numpy as np
import pytest
import torch
from sinew_core.errors import ConfigError
from sinew_data.feedback.types import Clip, Comparison
from sinew_eval.benches.preferences.gridworld import WorldConfig, compare_models
from sinew_rewards.learned.features import FeatureConfig
from sinew_rewards.learned.saved import LearnedFacts, load_learned, save_learned
from sinew_rewards.learned.scoring import Learner, Scorer
from sinew_rewards.learners.regret import (
    Config,
    Outlooks,
    Regret,
    fit_weights,
    negative_log_likelihood,
    outlooks_of,
    regrets,
)
from sinew_rewards.learners.successor_features import (
    clusters,
    exact_successors,
    recorded_successors,
    sums_to_come,
)

sys.path.insert(0, str(Path(__file__).parent))
from wandering import accuracy, entries, told, wandering

CONFIG = Config(behaviours=4, steps=150)
SHOWN, UNSEEN = wandering(30, 0), wandering(20, 1, start="u")


def tensor(values: object) -> torch.Tensor:
    return torch.tensor(values, dtype=torch.float32)


def two_segments() -> tuple[Outlooks, torch.Tensor]:
    """Return a dear step to the goal against a cheap one into a trap, and the true weights.

    Features: a dear step (-3), a cheap one (-1), and the way out of the trap (-10). From the start, going
    to the goal is possible; from the goal nothing more costs anything.
    """
    weights = tensor([[-3.0, -1.0, -10.0]])
    to_goal, to_trap, out = [1.0, 0, 0], [0, 1.0, 0], [0, 0, 1.0]
    via_trap = [0, 1.0, 1.0]
    views = Outlooks(
        sums=tensor([[to_goal, to_trap]]),
        before=tensor([[[to_goal, via_trap], [to_goal, via_trap]]]),
        after=tensor([[[[0, 0, 0.0]] * 2, [out] * 2]]),
        discounts=torch.ones((1, 2)),
    )
    return views, weights


def test_a_cheap_step_that_ends_worse_has_more_regret_and_yet_the_larger_partial_return() -> None:
    views, weights = two_segments()
    dear, cheap = regrets(views, weights, sharpness=20.0)[0, 0].tolist()
    assert dear == pytest.approx(0.0, abs=1e-4)
    assert cheap == pytest.approx(8.0, abs=1e-3)
    returns = views.sums[0] @ weights[0]
    assert returns[0] < returns[1]


def test_from_a_preference_for_the_dear_step_regret_learns_that_the_trap_is_bad() -> None:
    views, _ = two_segments()
    weights = fit_weights(views, torch.ones(1), torch.ones(1), Config(members=1, steps=200), 0)
    assert weights[0, 2] < -0.1


def test_a_segment_against_itself_is_a_toss_up_under_any_weights() -> None:
    views, weights = two_segments()
    same = Outlooks(*(part[:, [0, 0]] for part in (views.sums, views.before, views.after, views.discounts)))
    for each in (weights, torch.randn((1, 3), generator=torch.Generator().manual_seed(0))):
        loss = negative_log_likelihood(same, each, torch.ones(1), 2.0)
        assert loss.item() == pytest.approx(math.log(2))


@pytest.mark.parametrize("seed", [0, 1])
def test_where_preferences_come_from_regret_its_model_makes_unseen_ones_likelier(seed: int) -> None:
    small = WorldConfig(side=5, features=4, policies=20, pairs=150, held_out=150)
    figures = compare_models(small, seed)
    assert figures["log_likelihood_regret"] > figures["log_likelihood_partial_return"] + 0.03
    assert figures["plan_regret"] > 0.9


def test_exact_successor_features_are_what_is_collected_on_the_way() -> None:
    move = np.zeros((3, 1, 3))
    move[0, 0, 1] = move[1, 0, 2] = move[2, 0, 2] = 1
    found = exact_successors(move, np.array([[1.0, 0], [0, 1], [0, 0]]), np.zeros((1, 3), int), 0.5)
    np.testing.assert_allclose(found[0], [[1, 0.5], [0, 1], [0, 0]])


def test_what_is_reached_at_the_end_of_an_episode_goes_on_counting() -> None:
    found = sums_to_come(np.array([[1.0], [2.0]]), 0.5)
    np.testing.assert_allclose(found, [[3.0], [4.0]])


def test_a_recorded_state_is_followed_by_what_followed_it() -> None:
    item = SHOWN.trajectories[0]
    known = recorded_successors([item], 3, 1, 0.9, 0)
    expected = sums_to_come(item.features.astype(float), 0.9)
    np.testing.assert_allclose(known.of(item.features[5:8].astype(float))[:, 0], expected[5:8])


def test_episodes_that_go_alike_are_one_behaviour() -> None:
    rng = np.random.default_rng(0)
    points = np.concatenate([rng.normal(0, 0.1, (10, 2)), rng.normal(5, 0.1, (10, 2))])
    group = clusters(points, 2, rng)
    assert len(set(group[:10])) == len(set(group[10:])) == 1
    assert group[0] != group[-1]


def test_more_behaviours_than_episodes_are_no_trouble() -> None:
    assert set(clusters(np.arange(3.0)[:, None], 8, np.random.default_rng(0))) == {0, 1, 2}


def test_regret_of_one_step_is_what_was_possible_less_what_came() -> None:
    known = recorded_successors(SHOWN.trajectories, 2, 60, 0.9, 0)
    item = SHOWN.trajectories[3]
    step = Clip(item.name, int(item.stamps[4]), int(item.stamps[5]))
    views = outlooks_of(SHOWN, [(step, step)], known, 0.9)
    weights = torch.ones((1, 4))
    values = known.of(item.features[4:6].astype(float)).sum(-1).max(-1)
    expected = values[0] - (item.features[4].sum() + 0.9 * values[1])
    assert abs(expected) > 0.1
    assert regrets(views, weights, 1e4)[0, 0, 0].item() == pytest.approx(expected, rel=1e-3)


def test_it_is_a_learner_whose_reward_orders_unseen_clips() -> None:
    learner = Regret(CONFIG)
    scorer = learner.fit(SHOWN, entries(told(SHOWN, 300, 3)), 0)
    assert isinstance(learner, Learner) and isinstance(scorer, Scorer)
    assert accuracy(scorer, UNSEEN, told(UNSEEN, 200, 2)) > 0.75


def test_it_comes_back_from_its_file(tmp_path: Path) -> None:
    scorer = Regret(Config(steps=5)).fit(SHOWN, entries(told(SHOWN, 30, 3)), 0)
    facts = LearnedFacts(FeatureConfig(), tuple("abcd"), "x", (), "arm")
    save_learned(tmp_path / "r.safetensors", scorer, facts)
    back, _ = load_learned(tmp_path / "r.safetensors")
    assert back.score(np.ones(4)) == scorer.score(np.ones(4))


@pytest.mark.parametrize("tie", [0.0, math.inf])
def test_nothing_to_learn_from_is_named(tie: float) -> None:
    said = told(SHOWN, 10, 3, tie=tie) if tie else []
    with pytest.raises(ConfigError, match="comparison"):
        Regret(CONFIG).fit(SHOWN, entries(said), 0)


def test_clips_of_a_single_row_have_no_regret_to_compare_but_do_no_harm() -> None:
    said = [Comparison(Clip(f"e{i}", 0, 0), Clip(f"e{i + 1}", 0, 0), 1.0) for i in range(5)]
    scorer = Regret(Config(steps=5)).fit(SHOWN, entries(said), 0)
    assert math.isfinite(scorer.score(np.ones(4)).value)


@pytest.mark.parametrize("wrong", [{"behaviours": 0}, {"discount": 1.0}, {"sharpness": 0.0}])
def test_a_configuration_out_of_range_is_refused(wrong: dict) -> None:
    with pytest.raises(ValueError, match="expected"):
        Config(**wrong)
