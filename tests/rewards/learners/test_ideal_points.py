"""Ideal points: prototypes found again, operators as mixtures of them, somebody new by weights alone."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from sinew_core.errors import ConfigError
from sinew_data.feedback.types import Clip, Comparison, Feedback, Rating, Triplet
from sinew_eval.benches.operator_claims import entries_of, right
from sinew_rewards.learned.features import FeatureConfig
from sinew_rewards.learned.saved import LearnedFacts, load_learned, save_learned
from sinew_rewards.learned.trajectory import Episodes, Trajectory
from sinew_rewards.learners.ideal_points import Config, IdealPoints
from sinew_rewards.learners.ideal_points_fit import k_means
from sinew_rewards.raters.scripted import as_feedback
from sinew_rewards.scorers.ideal_points import IdealPointsScorer

POINTS = np.array([[1.0, 0.8], [-1.0, 0.5]])  # the ideal points of two groups
ITEMS = 400
PLANE = Config(dims=0, updates=400, refinements=100)


@pytest.fixture(scope="module")
def plane() -> Episodes:
    places = np.random.default_rng(1).normal(size=(ITEMS, 1, 2)).astype(np.float32)
    return Episodes([Trajectory(f"e{i}", np.array([0]), place) for i, place in enumerate(places)])


def answers(plane: Episodes, point: np.ndarray, count: int, seed: int, sharpness: float) -> list[Comparison]:
    """What somebody with this ideal point says of random pairs, by the model's own odds."""
    rng = np.random.default_rng(seed)
    places = np.concatenate([item.features for item in plane.trajectories])
    a, b = rng.integers(ITEMS, size=count), rng.integers(ITEMS, size=count)
    nearer = np.square(places[b] - point).sum(1) - np.square(places[a] - point).sum(1)
    first = nearer + rng.logistic(size=count) / sharpness > 0
    return [
        Comparison(Clip(f"e{i}"), Clip(f"e{j}"), float(better))
        for i, j, better in zip(a, b, first, strict=True)
        if i != j
    ]


def groups(plane: Episodes) -> list[Feedback]:
    return [
        entry
        for group, point in enumerate(POINTS)
        for member in range(2)
        for entry in entries_of(
            answers(plane, point, 300, 10 * group + member, 3.0), f"group{group}_{member}"
        )
    ]


@pytest.fixture(scope="module")
def two_groups(plane: Episodes) -> IdealPointsScorer:
    return IdealPoints(PLANE).fit(plane, groups(plane), 0)


def test_the_prototypes_of_two_groups_are_found_within_a_tenth(two_groups: IdealPointsScorer) -> None:
    found = two_groups.prototypes()
    order = np.argsort(-found[:, 0])
    assert np.linalg.norm(found[order] - POINTS, axis=1).max() <= 0.1
    for name, weights in two_groups.weights().items():
        assert weights.sum() == pytest.approx(1.0) and weights.min() >= 0
        assert weights[order][int(name[5])] > 0.8


def test_somebody_new_is_known_from_twenty_pairs(plane: Episodes, two_groups: IdealPointsScorer) -> None:
    shares = []
    for seed in range(5):
        said = answers(plane, POINTS[seed % 2], 20, 100 + seed, 3.0)
        known = two_groups.infer(said, plane)
        unseen = answers(plane, POINTS[seed % 2], 1000, 200 + seed, np.inf)
        shares.append(right(known, plane, unseen).mean())
    assert np.median(shares) >= 0.9


def test_to_add_somebody_moves_neither_prototypes_nor_projection(
    plane: Episodes, two_groups: IdealPointsScorer
) -> None:
    before = two_groups.arrays()
    known = two_groups.infer(answers(plane, POINTS[0], 20, 3, 3.0), plane, "zoe")
    assert known.operators[-1] == "zoe"
    for name, value in known.arrays().items():
        kept = value[:-1] if name in {"weights", "levels"} else value
        np.testing.assert_array_equal(kept, before[name])


def test_values_are_standardised_and_clipped(plane: Episodes, two_groups: IdealPointsScorer) -> None:
    speaking = two_groups.for_operator("group0_0")
    values = np.array([speaking.score(item.features[0]).value for item in plane.trajectories])
    assert values.max() < 5 and values.min() >= -5
    assert abs(values.mean()) < 0.1 and values.std() == pytest.approx(1.0, abs=0.1)
    assert speaking.score(np.full(2, 1e9)).value == -5.0


def test_nothing_is_worth_more_than_the_ideal_point(two_groups: IdealPointsScorer) -> None:
    speaking = two_groups.for_operator("group0_0")
    ideal = two_groups.weights()["group0_0"] @ two_groups.prototypes()
    best = speaking.score(ideal).value
    beside = (ideal + step for step in ([0.3, 0], [-0.3, 0], [0, 0.3], [0, -0.3]))
    assert all(speaking.score(point).value < best for point in beside)


def test_everybody_is_the_mean_and_their_disagreement_the_uncertainty(two_groups: IdealPointsScorer) -> None:
    score = two_groups.score(np.array([1.0, 0.8]))
    each = list(score.terms.values())
    assert score.value == pytest.approx(np.mean(each))
    assert score.uncertainty == pytest.approx(np.std(each)) and score.uncertainty > 0.2
    assert two_groups.for_operator("group0_0").score(np.zeros(2)).uncertainty is None


def test_k_means_finds_clusters() -> None:
    rng = np.random.default_rng(0)
    points = np.concatenate([rng.normal(at, 0.1, size=(40, 2)) for at in ([0, 0], [5, 0], [0, 5])])
    centres = k_means(points, 3, 0)
    for at in ([0, 0], [5, 0], [0, 5]):
        assert np.linalg.norm(centres - at, axis=1).min() < 0.1


def test_it_comes_back_from_disk_with_all_that_it_knows(
    plane: Episodes, two_groups: IdealPointsScorer, tmp_path: Path
) -> None:
    facts = LearnedFacts(FeatureConfig(), ("x", "y"), "test", (), "arm")
    save_learned(tmp_path / "w.safetensors", two_groups.for_operator("group1_0"), facts)
    back, _ = load_learned(tmp_path / "w.safetensors")
    assert isinstance(back, IdealPointsScorer)
    row = plane.trajectories[0].features[0]
    assert back.score(row) == two_groups.for_operator("group1_0").score(row)
    said = answers(plane, POINTS[0], 20, 3, 3.0)
    again, first = (each.infer(said, plane).score(row) for each in (back, two_groups))
    assert again == first


def test_the_seed_decides_everything(plane: Episodes) -> None:
    quick = IdealPoints(Config(updates=5))
    one, two, other = (quick.fit(plane, groups(plane), seed).arrays() for seed in (1, 1, 2))
    for name, value in one.items():
        np.testing.assert_array_equal(value, two[name])
    assert any((value != other[name]).any() for name, value in one.items())


def test_weights_of_other_operators_are_refused(two_groups: IdealPointsScorer) -> None:
    settings = {**two_groups.settings(), "operators": ["anna"]}
    with pytest.raises(ValueError, match="not those of 1 operators"):
        IdealPointsScorer.restore(settings, two_groups.arrays())


def test_an_unknown_operator_is_named_with_the_nearest(two_groups: IdealPointsScorer) -> None:
    with pytest.raises(ConfigError, match="operator 'group0_7'.*Did you mean 'group0_"):
        two_groups.for_operator("group0_7")


def test_somebody_new_who_said_nothing_is_refused(plane: Episodes, two_groups: IdealPointsScorer) -> None:
    with pytest.raises(ConfigError, match="operator 'new': there is no comparison"):
        two_groups.infer([], plane)
    with pytest.raises(ConfigError, match="operator 'new': none of the 1 comparisons"):
        two_groups.infer([Comparison(Clip("e0"), Clip("e1"), 0.5)], plane)


def test_an_operator_of_ties_alone_is_named(plane: Episodes) -> None:
    tie = as_feedback(Comparison(Clip("e0"), Clip("e1"), 0.5), "cleo", 0)
    with pytest.raises(ConfigError, match="operator 'cleo': none of the 1 comparisons"):
        IdealPoints(PLANE).fit(plane, [*groups(plane), tie], 0)


def test_feedback_of_another_kind_is_told_by_its_kind(plane: Episodes) -> None:
    clips = [Clip(f"e{i}") for i in range(3)]
    others = [as_feedback(Triplet((clips[0], clips[1]), clips[2]), "anna", 0)]
    others.append(as_feedback(Rating(clips[0], 0.4), "anna", 1))
    with pytest.raises(ConfigError, match="only 1 of kind 'triplet', 1 of kind 'rating'"):
        IdealPoints(PLANE).fit(plane, others, 0)


def test_ratings_and_rankings_tell_tastes_too(plane: Episodes) -> None:
    told = [as_feedback(Rating(Clip(f"e{i}"), i / 5), "anna", i) for i in range(5)]
    assert IdealPoints(Config(updates=3)).fit(plane, told, 0).operators == ("anna",)


@pytest.mark.parametrize("wrong", [{"prototypes": 0}, {"dims": -1}, {"tightness": -1.0}, {"point_rate": 0.0}])
def test_impossible_configurations_are_refused(wrong: dict[str, float]) -> None:
    with pytest.raises(ValueError, match=next(iter(wrong))):
        Config(**wrong)
