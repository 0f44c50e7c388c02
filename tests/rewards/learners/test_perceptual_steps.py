from collections.abc import Sequence

import numpy as np
import pytest
from sinew_core.errors import ConfigError
from sinew_core.types import FloatArray
from sinew_data.feedback.types import Clip, Feedback, Mark
from sinew_rewards.learned.scoring import Learner, Scorer, score_all
from sinew_rewards.learned.trajectory import Episodes, Trajectory
from sinew_rewards.learners.perceptual_steps import Config, PerceptualSteps
from sinew_rewards.learners.perceptual_steps_cuts import step_cuts
from sinew_rewards.report.ranks import rank_correlation
from sinew_rewards.scorers.perceptual_steps import PerceptualScorer

INFORMATIVE = 10
CONFIG = Config(steps=3, kept=10)


def demonstration(rng: np.random.Generator, levels: FloatArray, noise: int) -> tuple[FloatArray, list[int]]:
    """Return features (T, 10 + noise) that stay at each of the levels (3, 10) in turn, and the changes."""
    lengths = rng.integers(15, 30, size=len(levels))
    told = np.repeat(levels, lengths, axis=0) + 0.2 * rng.normal(size=(lengths.sum(), INFORMATIVE))
    features = np.concatenate([told, rng.normal(size=(len(told), noise))], axis=1)
    return features, np.cumsum(lengths)[:-1].tolist()


def demonstrations(count: int, noise: int = 30, seed: int = 0) -> list[tuple[FloatArray, list[int]]]:
    rng = np.random.default_rng(seed)
    levels = rng.choice([-2.0, 0.0, 2.0], size=(3, INFORMATIVE))
    levels[1] = levels[0] + np.where(levels[0] > 0, -2.0, 2.0)
    levels[2] = levels[1] + np.where(levels[1] > 0, -3.0, 3.0)
    return [demonstration(rng, levels, noise) for _ in range(count)]


def episode(name: str, features: FloatArray, success: bool | None = True) -> Trajectory:
    stamps = 50_000_000 * np.arange(len(features), dtype=np.int64)
    return Trajectory(name, stamps, np.asarray(features, np.float32), success)


def episodes(given: Sequence[FloatArray], success: bool | None = True) -> Episodes:
    return Episodes([episode(f"e{i}", features, success) for i, features in enumerate(given)])


def mark(name: str, success: bool, who: str = "ann", when: int = 0) -> Feedback:
    return Feedback(Mark(Clip(name), success), who, when, "person", f"{name}{who}{when}")


def progress(scorer: Scorer, features: FloatArray) -> FloatArray:
    scorer.reset()
    return np.array([scorer.score(row).progress for row in features], np.float64)


def test_cuts_are_found_among_a_thousand_features_of_noise() -> None:
    (features, changes), *_ = demonstrations(1, noise=990)
    assert np.abs(np.array(step_cuts(features, 3, 5)) - changes).max() <= 2


def test_the_cuts_are_the_best_of_all() -> None:
    features = np.random.default_rng(1).normal(size=(14, 2)).cumsum(0)

    def cost(first: int, second: int) -> float:
        return sum(len(part) * part.std(0).mean() for part in np.split(features, [first, second]))

    every = [(a, b) for a in range(2, 11) for b in range(a + 2, 13)]
    assert tuple(step_cuts(features, 3, 2)) == min(every, key=lambda pair: cost(*pair))


def test_features_that_tell_steps_apart_are_chosen() -> None:
    given = [features for features, _ in demonstrations(4, noise=990)]
    chosen = PerceptualSteps(CONFIG).fit(episodes(given), (), 0).arrays()["chosen"]
    assert ((chosen < INFORMATIVE).sum(1) >= 8).all()


def test_the_reward_rises_with_the_steps_of_an_unseen_episode() -> None:
    *given, (unseen, changes) = demonstrations(4)
    scorer = PerceptualSteps(CONFIG).fit(episodes([features for features, _ in given]), (), 0)
    step = np.searchsorted(changes, np.arange(len(unseen)), "right")
    assert rank_correlation(progress(scorer, unseen), step) > 0.85
    means = [score_all(scorer, unseen)[step == i].mean() for i in range(3)]
    assert means[0] < means[1] < means[2]
    assert np.abs(np.array(scorer.cuts(unseen)) - changes).max() <= 2


def test_the_last_step_is_worth_more_than_all_before() -> None:
    given = [features for features, _ in demonstrations(3)]
    scorer = PerceptualSteps(Config(steps=4, kept=10)).fit(episodes(given), (), 0)
    weights = scorer._weights
    assert weights[0] == 0 and weights[-1] > weights[:-1].sum()
    assert weights.sum() == pytest.approx(1)


def test_progress_is_from_0_to_1_whatever_is_seen() -> None:
    given = [features for features, _ in demonstrations(3)]
    scorer = PerceptualSteps(CONFIG).fit(episodes(given), (), 0)
    far = 1e6 * np.random.default_rng(2).normal(size=(20, given[0].shape[1]))
    found = progress(scorer, far)
    assert np.isfinite(score_all(scorer, far)).all() and found.min() >= 0 and found.max() <= 1


def test_a_feature_that_never_moves_within_a_step_leaves_no_infinite_likeness() -> None:
    features = np.repeat([[0.0, 0.0], [1.0, 5.0], [2.0, 5.0]], 10, axis=0)
    scorer = PerceptualSteps(Config(steps=3)).fit(episodes([features]), (), 0)
    assert scorer.arrays()["spread"].min() == Config().floor
    assert np.isfinite(score_all(scorer, features)).all()


def test_marks_say_what_a_demonstration_is() -> None:
    (one, _), (other, _) = demonstrations(2)
    both = Episodes([episode("one", one, None), episode("other", -other, success=True)])
    marked = PerceptualSteps(CONFIG).fit(both, [mark("one", True), mark("other", False)], 0)
    alone = PerceptualSteps(CONFIG).fit(Episodes([episode("one", one)]), (), 0)
    assert np.array_equal(score_all(marked, one), score_all(alone, one))


def test_only_the_marked_part_of_an_episode_is_a_demonstration() -> None:
    ((features, _),) = demonstrations(1)
    longer = np.concatenate([features, 9 + np.zeros_like(features)])
    item = episode("e", longer, None)
    clip = Clip("e", 0, int(item.stamps[len(features) - 1]))
    said = Feedback(Mark(clip, True), "ann", 0, "person", "1")
    part = PerceptualSteps(CONFIG).fit(Episodes([item]), [said], 0)
    whole = PerceptualSteps(CONFIG).fit(episodes([features]), (), 0)
    assert np.allclose(score_all(part, features), score_all(whole, features), atol=1e-6)


def test_a_rater_who_floods_the_log_counts_once() -> None:
    ((features, _),) = demonstrations(1)
    flood = [mark("e0", True, "eve", when) for when in range(50)]
    against = [mark("e0", False, "ann"), mark("e0", False, "bob")]
    with pytest.raises(ConfigError, match="no demonstration"):
        PerceptualSteps(CONFIG).fit(episodes([features]), [*flood, *against], 0)


@pytest.mark.parametrize(
    "given, feedback, sentence",
    [
        (episodes([np.zeros((40, 3))], success=False), [], "no demonstration among 1 episodes"),
        (episodes([np.zeros((14, 3))]), [], "3 steps of at least 5 frames need 15"),
        (episodes([np.zeros((40, 3)), np.zeros((40, 4))]), [], r"same number of features"),
        (episodes([np.zeros((40, 3))]), [mark("lost", True)], "'lost', which is not among"),
    ],
)
def test_what_cannot_be_learned_from_is_refused_with_a_sentence(
    given: Episodes, feedback: list[Feedback], sentence: str
) -> None:
    with pytest.raises(ConfigError, match=sentence):
        PerceptualSteps(CONFIG).fit(given, feedback, 0)


def test_a_scorer_restored_scores_alike() -> None:
    given = [features for features, _ in demonstrations(3)]
    scorer = PerceptualSteps(CONFIG).fit(episodes(given), (), 0)
    again = PerceptualScorer.restore(scorer.settings(), scorer.arrays())
    assert np.array_equal(score_all(scorer, given[0]), score_all(again, given[0]))
    assert again.cuts(given[0]) == scorer.cuts(given[0])
    assert isinstance(scorer, Scorer) and isinstance(PerceptualSteps(CONFIG), Learner)


@pytest.mark.parametrize(
    "name, value", [("std", np.ones(3)), ("centre", np.zeros((1, 10))), ("chosen", np.full((3, 10), 99))]
)
def test_arrays_that_do_not_fit_together_are_refused(name: str, value: FloatArray) -> None:
    given = [features for features, _ in demonstrations(2)]
    scorer = PerceptualSteps(CONFIG).fit(episodes(given), (), 0)
    with pytest.raises(ValueError, match="do not fit together"):
        PerceptualScorer.restore(scorer.settings(), {**scorer.arrays(), name: value})


@pytest.mark.parametrize(
    "wrong", [{"steps": 1}, {"kept": 0}, {"floor": 0.0}, {"contrast": -1.0}, {"least": 0}]
)
def test_settings_that_mean_nothing_are_refused(wrong: dict[str, float]) -> None:
    with pytest.raises(ValueError, match="expected"):
        Config(**wrong)  # type: ignore[arg-type]
