import numpy as np
import pytest
from sinew_core.errors import ConfigError
from sinew_core.types import FloatArray
from sinew_data.feedback.entries import make_entry
from sinew_data.feedback.types import Clip, Feedback, Mark, Rating
from sinew_rewards.learned.scoring import score_all
from sinew_rewards.learned.trajectory import Episodes, Trajectory
from sinew_rewards.learners.stepwise_progress import Config, StepwiseProgress, StepwiseScorer
from sinew_rewards.learners.stepwise_progress_prefix import Prefix, prefixes

KEYS = 3
QUICK = Config(hidden=(32,), members=2, steps=250)


def keys(count: int, seed: int) -> tuple[list[Trajectory], list[FloatArray]]:
    """Return random walks among keys, which are picked up in passing, and how many are picked at each step.

    Features: where one is, and which keys still lie there.
    """
    rng, where = np.random.default_rng(seed), np.random.default_rng(0).uniform(0.15, 0.85, (KEYS, 2))
    walks, picks = [], []
    for i in range(count):
        point, speed, there = rng.uniform(0, 1, 2), np.zeros(2), np.ones(KEYS)
        rows, picked = [], []
        for t in range(int(rng.integers(20, 80))):
            speed = 0.8 * speed + 0.05 * rng.normal(size=2)
            point = np.clip(point + speed, 0, 1)
            near = (np.linalg.norm(where - point, axis=1) < 0.15) & (there > 0) & (t > 0)
            there[near] = 0
            rows.append([*point, *there])
            picked.append(float(near.sum()))
        stamps = np.arange(len(rows), dtype=np.int64)
        walks.append(Trajectory(f"{seed}-{i}", stamps, np.array(rows, np.float32)))
        picks.append(np.array(picked))
    return walks, picks


def rated(walks: list[Trajectory], picks: list[FloatArray]) -> list[Feedback]:
    """Return the share of the keys that was picked, as a rating of each episode."""
    return [
        make_entry(Rating(Clip(item.name), float(each.sum()) / KEYS), "judge", 0, "script")
        for item, each in zip(walks, picks, strict=True)
    ]


@pytest.fixture(scope="module")
def scorer() -> StepwiseScorer:
    walks, picks = keys(120, 1)
    return StepwiseProgress(QUICK).fit(Episodes(walks), rated(walks, picks), 0)


def test_contributions_stand_where_keys_are_picked(scorer: StepwiseScorer) -> None:
    walks, picks = keys(40, 2)
    found = np.concatenate([score_all(scorer, item.features) for item in walks])
    assert np.corrcoef(found, np.concatenate(picks))[0, 1] > 0.9


def test_contributions_of_unseen_episodes_sum_to_their_outcomes(scorer: StepwiseScorer) -> None:
    walks, picks = keys(40, 2)
    sums = np.array([score_all(scorer, item.features).sum() for item in walks])
    assert np.median(np.abs(sums - [each.sum() / KEYS for each in picks])) < 0.05


def test_what_comes_later_never_changes_what_came_before(scorer: StepwiseScorer) -> None:
    (walk,), _ = keys(1, 3)
    other = walk.features.copy()
    other[10:] = np.random.default_rng(0).normal(size=other[10:].shape)
    first, changed = (score_all(scorer, rows) for rows in (walk.features, other))
    assert (first[:10] == changed[:10]).all()
    assert (first[10:] != changed[10:]).any()
    assert (score_all(scorer, walk.features[:10]) == first[:10]).all()


def test_progress_is_the_sum_so_far_within_bounds(scorer: StepwiseScorer) -> None:
    (walk,), _ = keys(1, 4)
    scorer.reset()
    scores = [scorer.score(row) for row in walk.features]
    sums = np.cumsum([each.value for each in scores])
    assert [each.terms["so_far"] for each in scores] == pytest.approx(sums)
    assert [each.progress for each in scores] == pytest.approx(np.clip(sums, 0, 1))


def test_attributed_contributions_sum_to_the_outcome(scorer: StepwiseScorer) -> None:
    walks, picks = keys(10, 5)
    for walk, each in zip(walks, picks, strict=True):
        outcome = float(each.sum()) / KEYS
        found = scorer.attribute(walk.features, outcome)
        assert found.sum() == pytest.approx(outcome)
        if each.any():
            assert np.corrcoef(found, each)[0, 1] > 0.9


def test_what_is_seen_at_once_is_what_is_seen_step_by_step() -> None:
    rows = np.random.default_rng(0).normal(size=(12, 3))
    prefix = Prefix((2, 5))
    assert prefixes(rows, (2, 5)) == pytest.approx(np.stack([prefix.step(row) for row in rows]))
    assert prefixes(rows, ())[1] == pytest.approx(np.concatenate([rows[1], rows[1] - rows[0]]))


def test_an_outcome_belongs_to_the_episode_up_to_the_end_of_the_clip() -> None:
    rows = np.stack([np.arange(20) > 4, np.zeros(20)], 1).astype(np.float32)
    walks = [Trajectory(f"{i}", np.arange(20, dtype=np.int64), rows * (i % 2)) for i in range(8)]
    ends = [make_entry(Mark(Clip(f"{i}", 9, 9), i % 2 == 1), "a", 0, "vlm") for i in range(8)]
    values = score_all(StepwiseProgress(QUICK).fit(Episodes(walks), ends, 0), rows)
    assert np.argmax(values) == 5
    assert values[:10].sum() > 0.9


def test_outcomes_that_are_all_alike_are_told() -> None:
    walks, _ = keys(4, 1)
    with pytest.raises(ConfigError, match="all of 0 known outcomes are alike"):
        StepwiseProgress(QUICK).fit(Episodes(walks), [], 0)
    marks = [make_entry(Mark(Clip(item.name), True), "a", 0, "person") for item in walks]
    with pytest.raises(ConfigError, match="all of 4 known outcomes are alike"):
        StepwiseProgress(QUICK).fit(Episodes(walks), marks, 0)


def test_a_scorer_is_the_same_after_it_was_kept(scorer: StepwiseScorer) -> None:
    again = StepwiseScorer.restore(dict(scorer.settings()), scorer.arrays())
    (walk,), _ = keys(1, 6)
    assert (score_all(again, walk.features) == score_all(scorer, walk.features)).all()
