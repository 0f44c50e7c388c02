from itertools import pairwise

import numpy as np
import pytest
import torch
from sinew_core.errors import ConfigError
from sinew_core.types import FloatArray
from sinew_rewards.learned.scoring import Learner, Scorer, score_all
from sinew_rewards.learned.trajectory import Episodes, Trajectory
from sinew_rewards.learners.goal_embedding import Config, GoalEmbedding
from sinew_rewards.learners.goal_embedding_loss import draw_clips, videos_of, vip_loss
from sinew_rewards.report.ranks import rank_correlation
from sinew_rewards.scorers.goal_embedding import GoalScorer

CHAIN = 8
LINEAR = Config(hidden=(), size=4, members=1, steps=150, rate=2e-2, discount=0.9, noise=0.0)
QUICK = Config(hidden=(16,), size=4, members=2, steps=100, rate=6e-3)


def episodes(*given: FloatArray, success: bool = True) -> Episodes:
    return Episodes(
        [
            Trajectory(f"e{i}", np.arange(len(each), dtype=np.int64), each.astype(np.float32), success)
            for i, each in enumerate(given)
        ]
    )


def curve(seed: int, frames: int = 40) -> FloatArray:
    """Return features (T, 5) of a bent way to one place, from anywhere, with features that say nothing."""
    rng = np.random.default_rng(seed)
    left = np.linspace(1, 0, frames)[:, None]
    told = np.concatenate([left * rng.normal(1, 0.1, 2), np.square(left) * 2], axis=1)
    return np.concatenate([told, 0.3 * rng.normal(size=(frames, 2))], axis=1)


def test_on_a_chain_the_value_falls_with_the_steps_to_the_goal() -> None:
    chain = np.eye(CHAIN)
    scorer = GoalEmbedding(LINEAR).fit(episodes(*[chain[start:] for start in range(CHAIN - 1)]), (), 0)
    values = score_all(scorer, chain)
    assert all(later > earlier for earlier, later in pairwise(values))


def test_the_value_of_an_unseen_demonstration_rises_with_time() -> None:
    scorer = GoalEmbedding(QUICK).fit(episodes(*map(curve, range(5))), (), 0)
    assert rank_correlation(score_all(scorer, curve(99)), np.arange(40)) > 0.9


def test_progress_is_little_at_the_start_and_nearly_1_at_the_goal() -> None:
    scorer = GoalEmbedding(QUICK).fit(episodes(*map(curve, range(5))), (), 0)
    scorer.reset()
    progress = [scorer.score(row).progress or 0.0 for row in curve(99)]
    assert progress[0] < 0.35 and progress[-1] > 0.65
    assert all(0 <= each <= 1 for each in progress)


def test_differences_add_up_to_the_value() -> None:
    shown = episodes(*map(curve, range(2)))
    unseen = curve(9)
    value, difference = (
        score_all(GoalEmbedding(Config(form=form, hidden=(8,), steps=5)).fit(shown, (), 0), unseen)
        for form in ("value", "difference")
    )
    assert difference[0] == 0
    assert difference.sum() == pytest.approx(value[-1] - value[0])


def test_a_given_embedding_is_taken_as_it_is() -> None:
    way = np.linspace(4, 0, 9)[:, None] * np.array([[0.6, 0.8]])
    scorer = GoalEmbedding(Config(embedding="given")).fit(episodes(way), (), 0)
    assert set(scorer.arrays()) == {"goal", "far"}
    assert scorer.score(np.array([0.6, 0.8])).terms["distance"] == pytest.approx(1)


def test_members_that_differ_say_how_sure_they_are() -> None:
    scorer = GoalEmbedding(QUICK).fit(episodes(*map(curve, range(3))), (), 0)
    near, far = scorer.score(curve(0)[20]).uncertainty, scorer.score(curve(0)[20] + 9).uncertainty
    assert near is not None and far is not None and 0 < near < far


def test_failures_are_not_looked_at() -> None:
    good, bad = curve(0), curve(1)[::-1]
    both = Episodes(
        [
            Trajectory("good", np.arange(40), good.astype(np.float32), True),
            Trajectory("bad", np.arange(40), bad.astype(np.float32), False),
        ]
    )
    config = Config(hidden=(8,), steps=5)
    alone = GoalEmbedding(config).fit(episodes(good), (), 0)
    assert np.array_equal(score_all(GoalEmbedding(config).fit(both, (), 0), good), score_all(alone, good))


def test_the_seed_decides_the_embedding() -> None:
    config, shown = Config(hidden=(8,), steps=5), episodes(curve(0))
    first, again, other = (GoalEmbedding(config).fit(shown, (), seed) for seed in (0, 0, 1))
    assert np.array_equal(score_all(first, curve(1)), score_all(again, curve(1)))
    assert not np.array_equal(score_all(first, curve(1)), score_all(other, curve(1)))


@pytest.mark.parametrize(
    "given, sentence",
    [
        (episodes(curve(0), success=False), "there is no demonstration among 1 episodes"),
        (episodes(np.ones((1, 3))), "a single frame"),
        (episodes(curve(0), curve(0)[:, :3]), "same number of features"),
    ],
)
def test_what_cannot_be_learned_from_is_refused_with_a_sentence(given: Episodes, sentence: str) -> None:
    with pytest.raises(ConfigError, match=sentence):
        GoalEmbedding(QUICK).fit(given, (), 0)


def test_a_demonstration_that_never_moves_gives_finite_scores() -> None:
    scorer = GoalEmbedding(Config(embedding="given")).fit(episodes(np.ones((20, 3))), (), 0)
    assert np.isfinite(score_all(scorer, np.random.default_rng(0).normal(size=(5, 3)))).all()


@pytest.mark.parametrize("config", [QUICK, Config(embedding="given", form="difference")])
def test_a_scorer_restored_scores_alike(config: Config) -> None:
    scorer = GoalEmbedding(config).fit(episodes(*map(curve, range(2))), (), 0)
    again = GoalScorer.restore(scorer.settings(), scorer.arrays())
    assert np.array_equal(score_all(scorer, curve(3)), score_all(again, curve(3)))
    assert isinstance(scorer, Scorer) and isinstance(GoalEmbedding(config), Learner)


@pytest.mark.parametrize(
    "name, value", [("goal", np.zeros((2, 3))), ("far", np.ones(5)), ("far", np.zeros(2))]
)
def test_arrays_that_do_not_fit_together_are_refused(name: str, value: FloatArray) -> None:
    scorer = GoalEmbedding(Config(hidden=(8,), members=2, steps=1)).fit(episodes(curve(0)), (), 0)
    with pytest.raises(ValueError, match="do not fit together|no embedding"):
        GoalScorer.restore(scorer.settings(), {**scorer.arrays(), name: value})


def test_a_clip_is_in_order_and_within_its_video() -> None:
    lengths = [2, 7, 1, 30]
    videos, owner = videos_of(lengths, [0, 0, 1, 1]), np.repeat(np.arange(4), lengths)
    clips = draw_clips(videos, 500, 0.0, np.random.default_rng(0))
    assert (clips.start <= clips.now).all() and (clips.now < clips.after).all()
    assert (clips.after <= clips.goal).all() and (clips.after == clips.now + 1).all()
    assert (owner[clips.start] == owner[clips.goal]).all()
    assert set(owner[clips.start]) == {0, 1, 3}


def test_final_goals_are_the_ends_of_videos_of_the_same_group() -> None:
    lengths = [5, 6, 7, 8]
    videos, owner = videos_of(lengths, [0, 0, 1, -1]), np.repeat(np.arange(4), lengths)
    clips = draw_clips(videos, 500, 1.0, np.random.default_rng(0))
    pairs = set(zip(owner[clips.start].tolist(), owner[clips.goal].tolist(), strict=True))
    assert pairs == {(0, 0), (0, 1), (1, 0), (1, 1), (2, 2), (3, 3)}
    ends = np.cumsum(lengths) - 1
    assert set(clips.goal[owner[clips.start] < 3]) <= set(ends.tolist())


def test_the_loss_is_least_where_distances_are_discounted_steps() -> None:
    discount, steps = 0.9, np.arange(12)
    perfect = torch.tensor(1 - discount**steps)[:, None]  # in units of 1 / (1 - discount)
    clips = draw_clips(videos_of([12], [0]), 4000, 0.0, np.random.default_rng(0))

    def loss(to_goal: torch.Tensor) -> float:
        rows = (clips.start, clips.now, clips.after, clips.goal)
        seen = torch.stack([to_goal[torch.from_numpy(clips.goal - row)] for row in rows])
        return float(vip_loss(seen, clips, discount, negatives=False))

    assert loss(perfect) < min(loss(scale * perfect) for scale in (0.0, 0.8, 1.2, 2.0))
    assert loss(perfect) < loss(torch.tensor(0.1 * steps)[:, None])


def test_steps_of_other_clips_are_held_against_the_goal() -> None:
    clips = draw_clips(videos_of([6, 6], [0, 1]), 16, 0.0, np.random.default_rng(0))
    seen = torch.rand((4, 16, 3), generator=torch.Generator().manual_seed(0), requires_grad=True)
    with_, without = (vip_loss(seen, clips, 0.9, negatives) for negatives in (True, False))
    others = torch.autograd.grad(with_ - without, seen)[0]
    assert others[0].abs().max() == 0 and others[1:].abs().amax((1, 2)).min() > 0


@pytest.mark.parametrize(
    "wrong",
    [
        {"size": 0},
        {"discount": 1.0},
        {"final": 1.5},
        {"rate": -1.0},
        {"noise": -0.1},
        {"hidden": (0,)},
        {"steps": 0},
    ],
)
def test_settings_that_mean_nothing_are_refused(wrong: dict[str, float]) -> None:
    with pytest.raises(ValueError, match="expected"):
        Config(**wrong)  # type: ignore[arg-type]
