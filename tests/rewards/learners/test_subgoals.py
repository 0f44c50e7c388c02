import numpy as np
import pytest
from sinew_core.errors import ConfigError
from sinew_core.types import FloatArray
from sinew_rewards.learned.scoring import Learner, Scorer, score_all
from sinew_rewards.learned.trajectory import Episodes, Trajectory
from sinew_rewards.learners.subgoals import Config, CutConfig, Subgoals, cuts
from sinew_rewards.learners.subgoals_align import aligned
from sinew_rewards.scorers.subgoals import SubgoalScorer

SIZE = 32


def anchors(count: int, seed: int) -> FloatArray:
    return np.random.default_rng(seed).normal(size=(count, SIZE))


def walk(places: FloatArray, lengths: list[int], noise: float = 0.0, seed: int = 0) -> FloatArray:
    """Return features (T, d) that go straight from place to place, so many frames each."""
    parts = [
        a + (b - a) * np.arange(1, n + 1)[:, None] / n
        for a, b, n in zip(places, places[1:], lengths, strict=False)
    ]
    found = np.concatenate([places[:1], *parts])
    return found + noise * np.random.default_rng(seed).normal(size=found.shape)


def episodes(*given: FloatArray, success: bool = True) -> Episodes:
    return Episodes(
        [
            Trajectory(f"e{i}", np.arange(len(each), dtype=np.int64), each.astype(np.float32), success)
            for i, each in enumerate(given)
        ]
    )


@pytest.mark.parametrize("seed", range(10))
def test_the_corners_of_a_walk_are_found(seed: int) -> None:
    lengths = np.random.default_rng(seed).integers(25, 50, size=4).tolist()
    features = walk(anchors(5, seed), lengths, noise=0.05, seed=seed)
    found, corners = cuts(features), np.cumsum(lengths)
    assert len(found) == len(corners)
    assert np.abs(np.array(found) - corners).max() <= 3
    assert found[-1] == len(features) - 1


def test_a_video_in_which_nothing_moves_has_only_its_last_frame() -> None:
    assert cuts(np.ones((80, 3))) == [79]


def test_a_single_frame_is_its_own_end() -> None:
    assert cuts(np.ones((1, 3))) == [0]


def test_a_static_tail_hides_no_sub_goal() -> None:
    lengths = [30, 40, 30]
    moving = walk(anchors(4, 3), lengths)
    features = np.concatenate([moving, np.repeat(moving[-1:], 60, axis=0)])
    found = cuts(features)
    assert found[-1] == len(features) - 1
    assert np.abs(np.array(found[:-1]) - np.cumsum(lengths)[:-1]).max() <= 3


def test_sub_goals_are_farther_apart_than_the_interval() -> None:
    features = walk(anchors(7, 4), [6] * 6)
    near, far = (cuts(features, CutConfig(interval=interval)) for interval in (4, 18))
    assert len(near) > len(far)
    assert min(np.diff([0, *far])) > 17


@pytest.mark.parametrize("wrong", [np.zeros(5), np.zeros((0, 3)), np.full((5, 2), np.nan)])
def test_features_that_cannot_be_cut_are_refused(wrong: FloatArray) -> None:
    with pytest.raises(ValueError, match="expected finite features"):
        cuts(wrong)


def test_the_frames_of_a_slower_walk_are_matched() -> None:
    places = anchors(4, 5)
    quick, slow = walk(places, [10, 20, 10]), walk(places, [25, 15, 30])
    found = aligned(quick, slow, np.array([10, 30, 40]))
    assert np.abs(found - [25, 40, 70]).max() <= 2


def test_a_perfect_demonstration_is_paid_one_for_each_sub_goal() -> None:
    demo = walk(anchors(5, 6), [30, 40, 25, 35])
    scorer = Subgoals(Config()).fit(episodes(demo), (), 0)
    assert scorer.goals == 4
    assert score_all(scorer, demo).sum() == pytest.approx(4)


def test_demonstrations_of_other_pace_and_more_corners_are_aligned() -> None:
    places = anchors(4, 7)
    detour = np.insert(places, 2, (places[1] + places[2]) / 2 + anchors(1, 8)[0], axis=0)
    demos = [
        walk(places, [30, 40, 30], 0.02, 1),
        walk(places, [50, 25, 40], 0.02, 2),
        walk(detour, [30, 25, 25, 30], 0.02, 3),
    ]
    scorer = Subgoals(Config()).fit(episodes(*demos), (), 0)
    assert scorer.goals == 3
    unseen = walk(places, [35, 35, 35])
    assert score_all(scorer, unseen).sum() == pytest.approx(3)


def test_the_sum_of_rewards_is_what_has_been_reached() -> None:
    demo = walk(anchors(4, 9), [30, 30, 30])
    scorer = Subgoals(Config()).fit(episodes(demo), (), 0)
    half = score_all(scorer, demo[:46]).sum()
    assert 1.2 < half < 1.8
    back = np.concatenate([demo[:46], demo[45:30:-1]])
    assert score_all(scorer, back).sum() == pytest.approx(1.0, abs=0.2)


def test_trembling_pays_nothing_in_the_end() -> None:
    demo = walk(anchors(3, 10), [30, 30])
    scorer = Subgoals(Config()).fit(episodes(demo), (), 0)
    tremble = demo[:1] + 0.02 * np.random.default_rng(0).normal(size=(400, SIZE))
    assert abs(score_all(scorer, tremble).sum()) < 0.1


def test_a_way_of_no_length_does_not_blow_up_the_reward() -> None:
    demo = walk(anchors(3, 11), [30, 30])
    scorer = Subgoals(Config()).fit(episodes(demo), (), 0)
    goal, rng = demo[np.array(cuts(demo))], np.random.default_rng(1)
    near = np.concatenate(
        [goal[:1] + 0.3 * rng.normal(size=(50, SIZE)), goal[1:] + 0.3 * rng.normal(size=(50, SIZE))]
    )
    assert np.abs(score_all(scorer, near)).max() <= 2


def test_after_the_last_sub_goal_nothing_is_paid_or_charged() -> None:
    demo = walk(anchors(3, 12), [30, 30])
    scorer = Subgoals(Config()).fit(episodes(demo), (), 0)
    after = np.concatenate([demo, demo[::-1]])
    assert np.abs(score_all(scorer, after)[len(demo) :]).max() == 0
    assert scorer.score(demo[0]).progress == 1.0


def test_an_episode_begins_at_the_first_sub_goal_again() -> None:
    demo = walk(anchors(3, 13), [30, 30])
    scorer = Subgoals(Config()).fit(episodes(demo), (), 0)
    assert np.array_equal(score_all(scorer, demo), score_all(scorer, demo))


def test_a_scorer_restored_scores_alike() -> None:
    demo = walk(anchors(3, 14), [30, 30], 0.02)
    scorer = Subgoals(Config(CutConfig(interval=9), reached=0.3)).fit(episodes(demo), (), 0)
    again = SubgoalScorer.restore(scorer.settings(), scorer.arrays())
    assert np.array_equal(score_all(scorer, demo), score_all(again, demo))
    assert again.cuts(demo) == scorer.cuts(demo)
    assert isinstance(scorer, Scorer) and isinstance(Subgoals(Config()), Learner)


@pytest.mark.parametrize(
    "name, value", [("goals", np.ones((2, 3))), ("least", np.ones(7)), ("std", np.ones(2))]
)
def test_arrays_that_do_not_fit_together_are_refused(name: str, value: FloatArray) -> None:
    scorer = Subgoals(Config()).fit(episodes(walk(anchors(3, 15), [30, 30])), (), 0)
    with pytest.raises(ValueError, match="do not fit together"):
        SubgoalScorer.restore(scorer.settings(), {**scorer.arrays(), name: value})


def test_without_a_demonstration_there_is_a_sentence() -> None:
    with pytest.raises(ConfigError, match="sub-goals: there is no demonstration among 1"):
        Subgoals(Config()).fit(episodes(np.ones((40, 3)), success=False), (), 0)


@pytest.mark.parametrize("wrong", [{"reached": 0.0}, {"reached": 1.0}, {"least": 0.0}])
def test_shares_that_mean_nothing_are_refused(wrong: dict[str, float]) -> None:
    with pytest.raises(ValueError, match="expected"):
        Config(**wrong)  # type: ignore[arg-type]


@pytest.mark.parametrize("wrong", [{"interval": 0}, {"smoothing": 0.0}, {"still": 1.0}])
def test_cuts_with_settings_that_mean_nothing_are_refused(wrong: dict[str, float]) -> None:
    with pytest.raises(ValueError, match="sub-goals: expected"):
        CutConfig(**wrong)  # type: ignore[arg-type]
