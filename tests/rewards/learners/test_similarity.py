"""Similarity: triplets say what matters, the rest goes out, and few comparisons are then enough."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
import torch
from sinew_core.errors import ConfigError
from sinew_core.types import FloatArray
from sinew_data.feedback.types import Clip, Comparison, Feedback, Triplet
from sinew_eval.benches.operator_claims import World, alike, compared, entries_of, synthetic_world
from sinew_rewards.learned.features import FeatureConfig
from sinew_rewards.learned.network import Ensemble
from sinew_rewards.learned.saved import LearnedFacts, load_learned, save_learned
from sinew_rewards.learned.trajectory import Episodes
from sinew_rewards.learners.similarity import Config, Similarity, SimilarityScorer, seen_through
from sinew_rewards.learners.similarity_fit import (
    SpaceConfig,
    agreement,
    fit_similarity,
    gates,
    spread_rows,
    triplet_losses,
)
from sinew_rewards.raters.scripted import as_feedback

LOOKS_AT = {"a": 1.0, "b": 1.0, "c": 1.0}  # three causal features; the five others are nuisance
LIKES = {"a": 1.0, "b": -1.0, "c": 0.5}


@pytest.fixture(scope="module")
def world() -> World:
    return synthetic_world(0, periods=8)


def triplets(world: World, count: int, seed: int = 0) -> list[Triplet]:
    return alike(world, world.learnt_from, LOOKS_AT, "dora", count, seed)


def told(world: World, count: int, seed: int = 0) -> list[Feedback]:
    return entries_of(compared(world, world.learnt_from, LIKES, "dora", count, seed), "dora")


@pytest.fixture(scope="module")
def scorer(world: World) -> SimilarityScorer:
    return Similarity(Config()).fit(
        world.learnt_from, [*entries_of(triplets(world, 50), "dora"), *told(world, 20)], 0
    )


@pytest.mark.parametrize(("hidden", "count"), [((), 200), ((32,), 200)])
def test_the_space_holds_what_matters_and_none_of_the_rest(hidden: tuple[int, ...], count: int) -> None:
    found = []
    for seed in range(3):
        world = synthetic_world(seed, periods=8)
        config = SpaceConfig(hidden=hidden, sparsity=1.5)
        space = fit_similarity(world.learnt_from, triplets(world, count, seed), config, seed)
        found.append(linear_probe(space, world))
    shares = np.median(found, 0)
    assert shares[:3].min() > 0.8
    assert shares[3:].max() < 0.2


def linear_probe(space: Ensemble, world: World) -> FloatArray:
    """Return R² (d) of each feature of held-out clips, read linearly from where they lie."""
    places, features = (
        [
            np.stack([item.features.mean(0) for item in episodes.trajectories]).astype(np.float64)
            for episodes in (seen_through(space, part) if through else part for part in parts)
        ]
        for through, parts in (
            (True, (world.learnt_from, world.held_out)),
            (False, (world.learnt_from, world.held_out)),
        )
    )
    inputs = [np.column_stack([each, np.ones(len(each))]) for each in places]
    solution = np.linalg.lstsq(inputs[0], features[0], rcond=None)[0]
    left = np.square(features[1] - inputs[1] @ solution).mean(0)
    return np.asarray(1 - left / features[1].var(0))


def test_the_space_agrees_with_the_person_about_unseen_clips(world: World, scorer: SimilarityScorer) -> None:
    unseen = alike(world, world.held_out, LOOKS_AT, "dora", 300, 9)
    assert agreement(scorer.space, world.held_out, unseen) > 0.7
    assert set(np.argsort(-gates(scorer.space))[:3]) == {0, 1, 2}


def test_either_of_the_alike_is_the_anchor() -> None:
    places = torch.tensor([[0.0], [1.0], [2.5]])
    losses = triplet_losses(places, torch.tensor([[0, 1, 2], [1, 0, 2]]))
    # From 0: 1 - 6.25 + 1 < 0. From 1: 1 - 2.25 + 1 < 0. With the odd one nearer, both anchors pay.
    assert losses.tolist() == [0.0, 0.0]
    near = triplet_losses(torch.tensor([[0.0], [1.0], [1.2]]), torch.tensor([[0, 1, 2], [1, 0, 2]]))
    torch.testing.assert_close(near, torch.tensor([0.56 + 1.96, 1.96 + 0.56]))


def test_rows_are_spread_over_clips_of_any_length(world: World) -> None:
    item = world.learnt_from.trajectories[0]
    short, whole = Clip(item.name, 0, 0), Clip(item.name)
    rows = spread_rows(world.learnt_from, [short, whole], 4)
    np.testing.assert_array_equal(rows[0], item.features[[0, 0, 0, 0]])
    np.testing.assert_array_equal(rows[1], item.features[[1, 3, 5, 7]])


def test_values_are_standardised_and_their_spread_told(world: World, scorer: SimilarityScorer) -> None:
    rows = np.concatenate([item.features for item in world.learnt_from.trajectories])
    scores = [scorer.score(row) for row in rows]
    assert np.mean([score.value for score in scores]) == pytest.approx(0.0, abs=0.01)
    assert 0.7 < np.std([score.value for score in scores]) <= 1.0
    assert all(score.uncertainty is not None and score.uncertainty > 0 for score in scores)
    assert abs(scorer.score(np.full(8, 1e9)).value) < 100


def test_it_comes_back_from_disk(world: World, scorer: SimilarityScorer, tmp_path: Path) -> None:
    facts = LearnedFacts(FeatureConfig(), tuple("abcdefgh"), "test", (), "arm")
    save_learned(tmp_path / "w.safetensors", scorer, facts)
    back, _ = load_learned(tmp_path / "w.safetensors")
    row = world.held_out.trajectories[0].features[0]
    assert back.score(row) == scorer.score(row)


def test_the_seed_decides_everything(world: World) -> None:
    config = SpaceConfig(updates=15)
    one, two, other = (
        fit_similarity(world.learnt_from, triplets(world, 20), config, seed).arrays() for seed in (1, 1, 2)
    )
    for name, value in one.items():
        np.testing.assert_array_equal(value, two[name])
    assert any((value != other[name]).any() for name, value in one.items())


def test_episodes_are_left_as_they_are(world: World, scorer: SimilarityScorer) -> None:
    seen = seen_through(scorer.space, world.held_out)
    assert seen.trajectories[0].features.shape == (8, 6)
    assert world.held_out.trajectories[0].features.shape == (8, 8)


def test_without_triplets_it_says_what_learns_from_comparisons_alone(world: World) -> None:
    with pytest.raises(ConfigError, match="expected triplets, got 5 of kind 'comparison'.*bradley_terry"):
        Similarity(Config()).fit(world.learnt_from, told(world, 5), 0)


def test_triplets_alone_are_not_enough_for_a_reward(world: World) -> None:
    with pytest.raises(ConfigError, match="no comparison of two different clips"):
        Similarity(Config(space=SpaceConfig(updates=2))).fit(
            world.learnt_from, entries_of(triplets(world, 5), "dora"), 0
        )


def test_ties_alone_are_refused(world: World) -> None:
    a, b = (Clip(item.name) for item in world.learnt_from.trajectories[:2])
    tie = as_feedback(Comparison(a, b, 0.5), "dora", 0)
    with pytest.raises(ConfigError, match="none of the 1 comparisons says which clip is better"):
        Similarity(Config(space=SpaceConfig(updates=2))).fit(
            world.learnt_from, [*entries_of(triplets(world, 5), "dora"), tie], 0
        )


def test_a_triplet_of_a_lost_episode_is_told(world: World) -> None:
    known = Clip(world.learnt_from.trajectories[0].name)
    lost = as_feedback(Triplet((known, known), Clip("gone")), "dora", 0)
    with pytest.raises(ConfigError, match="episode 'gone', which is not among the"):
        Similarity(Config()).fit(world.learnt_from, [lost, *told(world, 3)], 0)


def test_a_sparsity_that_leaves_nothing_is_told(world: World) -> None:
    with pytest.raises(ConfigError, match="a sparsity of 50 no feature is left"):
        fit_similarity(world.learnt_from, triplets(world, 5), SpaceConfig(sparsity=50.0), 0)


def test_a_triplet_about_nothing_recorded_is_told(world: World) -> None:
    name = world.learnt_from.trajectories[0].name
    late = Triplet((Clip(name), Clip(name)), Clip(name, 1_000, 2_000))
    with pytest.raises(ConfigError, match="has no control period"):
        fit_similarity(Episodes(world.learnt_from.trajectories), [late], SpaceConfig(), 0)


@pytest.mark.parametrize("wrong", [{"dims": 0}, {"sparsity": -1.0}, {"learning_rate": 0.0}])
def test_impossible_configurations_are_refused(wrong: dict[str, float]) -> None:
    with pytest.raises(ValueError, match=next(iter(wrong))):
        SpaceConfig(**wrong)
