"""Bradley-Terry on partial return: what it orders, what it withstands, and what it says of itself."""

from __future__ import annotations

import math
import sys
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from sinew_core.errors import ConfigError
from sinew_data.feedback.types import Clip, Comparison, Mark, Ranking, Rating
from sinew_rewards.learned.features import FeatureConfig
from sinew_rewards.learned.saved import LearnedFacts, load_learned, save_learned
from sinew_rewards.learned.scoring import Learner, Scorer
from sinew_rewards.learned.trajectory import Episodes
from sinew_rewards.learners.bradley_terry import BradleyTerry, Config
from sinew_rewards.learners.preference_fit import FitConfig, fit_ensemble
from sinew_rewards.learners.preference_pairs import weighed
from sinew_rewards.raters.scripted import as_feedback
from sinew_rewards.scorers.preference import PreferenceScorer

sys.path.insert(0, str(Path(__file__).parent))
from wandering import accuracy, entries, members, told, values, wandering

FIT = FitConfig(hidden=(16,), epochs=25, rows=8)
SHOWN, UNSEEN = wandering(30, 0), wandering(20, 1, start="u")
TESTS = told(UNSEEN, 300, 2)


@pytest.fixture(scope="module")
def scorer() -> PreferenceScorer:
    return BradleyTerry(Config(FIT)).fit(SHOWN, entries(told(SHOWN, 300, 3)), 0)


def test_it_is_a_learner_and_leaves_a_scorer(scorer: PreferenceScorer) -> None:
    assert isinstance(BradleyTerry(Config()), Learner)
    assert isinstance(scorer, Scorer)


def test_unseen_clips_are_ordered(scorer: PreferenceScorer) -> None:
    assert accuracy(scorer, UNSEEN, TESTS) > 0.9


def test_a_quarter_of_the_answers_turned_round_leaves_the_order() -> None:
    config = Config(replace(FIT, flips=0.2))
    noisy = BradleyTerry(config).fit(SHOWN, entries(told(SHOWN, 400, 4, flipped=0.25)), 0)
    assert accuracy(noisy, UNSEEN, TESTS) > 0.8


def test_clips_of_unequal_length_compare_by_their_sums() -> None:
    lengths = (2, 16)
    learnt = BradleyTerry(Config(FIT)).fit(SHOWN, entries(told(SHOWN, 500, 5, rows=lengths)), 0)
    assert accuracy(learnt, UNSEEN, told(UNSEEN, 300, 6, rows=lengths)) > 0.85


def test_unequal_lengths_say_what_a_step_is_worth_at_least() -> None:
    def costs(episodes: Episodes, part: Clip) -> float:
        rows = episodes.rows(part)
        return float(episodes.features(part)[:, 0].sum()) - 3.0 * (rows.stop - rows.start)

    learnt = BradleyTerry(Config(FIT)).fit(SHOWN, entries(told(SHOWN, 300, 7, rows=(2, 16), judged=costs)), 0)
    assert np.concatenate(list(values(learnt, UNSEEN).values())).mean() < -1


def test_members_agree_in_mean_and_spread_so_that_their_minimum_means_something() -> None:
    for lengths in ((8, 8), (2, 16)):
        network = fit_ensemble(SHOWN, told(SHOWN, 200, 8, rows=lengths), FIT, 0)
        found = members(network, SHOWN)
        np.testing.assert_allclose(found.std(1), 1, atol=1e-3)
        np.testing.assert_allclose(found.mean(1), found.mean(), atol=1e-3)
        assert abs(found - found.mean(0)).max() > 0.01  # and yet they differ


def test_uncertainty_is_the_spread_of_the_members_and_larger_far_from_the_data(
    scorer: PreferenceScorer,
) -> None:
    near = scorer.score(SHOWN.trajectories[0].features[0].astype(float))
    terms = [near.terms[f"member_{i}"] for i in range(3)]
    assert near.uncertainty == pytest.approx(np.std(terms))
    assert near.value == pytest.approx(np.mean(terms))
    rows = np.concatenate([item.features for item in SHOWN.trajectories]).astype(float)
    known = np.mean([scorer.score(row).uncertainty for row in rows[::20]])
    strange = np.mean([scorer.score(5 * row).uncertainty for row in rows[::20]])
    assert strange > 1.5 * known


def test_progress_lies_between_0_and_1_and_rises_with_the_value(scorer: PreferenceScorer) -> None:
    rows = np.concatenate([item.features for item in UNSEEN.trajectories]).astype(float)[::10] * 2
    scores = sorted((scorer.score(row) for row in rows), key=lambda score: score.value)
    progress = [score.progress for score in scores]
    assert all(p is not None and 0 <= p <= 1 for p in progress)
    assert progress == sorted(progress)
    assert progress[0] < 0.1 and progress[-1] > 0.9


def test_the_same_seed_gives_the_same_reward_and_another_seed_another() -> None:
    said = entries(told(SHOWN, 100, 9))
    config = Config(replace(FIT, epochs=3))
    first, again, other = (BradleyTerry(config).fit(SHOWN, said, seed).arrays() for seed in (0, 0, 1))
    assert all(np.array_equal(first[name], again[name]) for name in first)
    assert not np.array_equal(first["weights.0"], other["weights.0"])


def test_it_comes_back_from_its_file(scorer: PreferenceScorer, tmp_path: Path) -> None:
    facts = LearnedFacts(FeatureConfig(), tuple("abcd"), "x", (), "arm")
    save_learned(tmp_path / "r.safetensors", scorer, facts)
    back, _ = load_learned(tmp_path / "r.safetensors")
    row = UNSEEN.trajectories[0].features[3].astype(float)
    assert back.score(row) == scorer.score(row)


def test_rankings_ratings_and_marks_teach_it_too() -> None:
    by_truth = sorted(SHOWN.trajectories, key=lambda item: -item.truth.sum())  # type: ignore[union-attr]
    clips = [Clip(item.name) for item in by_truth]
    said = [
        [Ranking(tuple(clips[::2]))],
        [Rating(part, 1 - i / len(clips)) for i, part in enumerate(clips)],
        [Mark(part, i < len(clips) // 2) for i, part in enumerate(clips)],
    ]
    for kind in said:
        feedback = [as_feedback(each, "anna", i, index=i) for i, each in enumerate(kind)]
        assert accuracy(BradleyTerry(Config(FIT)).fit(SHOWN, feedback, 0), UNSEEN, TESTS) > 0.7


def test_no_feedback_is_named() -> None:
    with pytest.raises(ConfigError, match="no comparison"):
        BradleyTerry(Config(FIT)).fit(SHOWN, [], 0)


def test_nothing_but_ties_is_named() -> None:
    with pytest.raises(ConfigError, match="12 are ties"):
        BradleyTerry(Config(FIT)).fit(SHOWN, entries(told(SHOWN, 12, 10, tie=math.inf)), 0)


def test_answers_that_cancel_each_other_out_are_named() -> None:
    said = told(SHOWN, 10, 11)
    turned = [Comparison(each.second, each.first, each.preferred) for each in said]
    with pytest.raises(ConfigError, match="contradict"):
        BradleyTerry(Config(FIT)).fit(SHOWN, entries([*said, *turned]), 0)


def test_some_contradictions_do_not_matter() -> None:
    said = told(SHOWN, 300, 3)
    turned = [replace(each, preferred=1 - each.preferred) for each in said[:40]]
    learnt = BradleyTerry(Config(FIT)).fit(SHOWN, entries([*said, *turned]), 0)
    assert accuracy(learnt, UNSEEN, TESTS) > 0.85


def test_an_entry_that_is_there_twice_counts_once() -> None:
    said = entries(told(SHOWN, 5, 12))
    assert weighed([*said, *said]) == weighed(said)


def test_a_rater_who_floods_the_log_does_not_drown_another() -> None:
    flood, rest = told(SHOWN, 90, 13), told(SHOWN, 10, 14)
    weights = [each.strength for each in weighed([*entries(flood, "bot"), *entries(rest, "anna")])]
    assert sum(weights[:90]) == pytest.approx(sum(weights[90:]))


def test_a_clip_against_itself_says_nothing() -> None:
    part = Clip("e0")
    with pytest.raises(ConfigError, match="two different clips"):
        BradleyTerry(Config(FIT)).fit(SHOWN, entries([Comparison(part, part, 1.0)]), 0)


def test_a_lost_episode_is_named() -> None:
    said = [Comparison(Clip("e0"), Clip("e300"), 1.0)]
    with pytest.raises(ConfigError, match="e300"):
        BradleyTerry(Config(FIT)).fit(SHOWN, entries(said), 0)


def test_answers_that_all_prefer_the_first_shown_are_learnt_from() -> None:
    said = [
        each if each.preferred else Comparison(each.second, each.first, 1.0) for each in told(SHOWN, 300, 15)
    ]
    assert accuracy(BradleyTerry(Config(FIT)).fit(SHOWN, entries(said), 0), UNSEEN, TESTS) > 0.85


def test_a_single_comparison_is_enough_to_prefer_its_better_clip() -> None:
    said = [Comparison(Clip("e0"), Clip("e1"), 1.0)]
    assert accuracy(BradleyTerry(Config(FIT)).fit(SHOWN, entries(said), 0), SHOWN, said) == 1.0


def test_features_that_never_change_leave_finite_values() -> None:
    flat = Episodes([replace(item, features=np.zeros_like(item.features)) for item in SHOWN.trajectories])
    learnt = BradleyTerry(Config(FIT)).fit(flat, entries(told(SHOWN, 30, 16)), 0)
    score = learnt.score(np.zeros(4))
    assert math.isfinite(score.value) and score.progress is not None and 0 <= score.progress <= 1


def test_a_stronger_answer_wins_over_a_weaker_one() -> None:
    a, b = Clip("e0"), Clip("e1")
    said = [Comparison(a, b, 1.0, strength=5.0), *[Comparison(b, a, 1.0)] * 2]
    learnt = BradleyTerry(Config(replace(FIT, bootstrap=False))).fit(SHOWN, entries(said), 0)
    assert accuracy(learnt, SHOWN, said[:1]) == 1.0


@pytest.mark.parametrize("ties", ["half", "davidson", "rao_kupper"])
def test_answers_with_ties_are_learnt_from(ties: str) -> None:
    said = told(SHOWN, 300, 17, tie=2.0)
    assert 30 < sum(each.tied for each in said) < 250
    learnt = BradleyTerry(Config(replace(FIT, ties=ties))).fit(SHOWN, entries(said), 0)  # type: ignore[arg-type]
    assert accuracy(learnt, UNSEEN, TESTS) > 0.85
