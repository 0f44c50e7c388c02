"""The scripted rater answers by what is known, and errs as it says."""

import math

import numpy as np
import pytest
from sinew_core.errors import ConfigError
from sinew_data.feedback.types import Clip, Comparison, Mark, Sentence
from sinew_rewards.learned.trajectory import Episodes, Trajectory
from sinew_rewards.raters.scripted import RaterConfig, ScriptedRater, as_feedback

NAMES = ("near", "fast")
STEP = 100_000_000  # ns


def trajectory(name: str, truth: list[float], near: float = 0.0, *, success: bool = False) -> Trajectory:
    rows = len(truth)
    features = np.column_stack([np.full(rows, near), np.arange(rows)]).astype(np.float32)
    return Trajectory(name, np.arange(rows) * STEP, features, success, np.array(truth))


EPISODES = Episodes(
    [
        trajectory("good", [1.0, 1.0, 1.0, 1.0], 0.1, success=True),
        trajectory("late", [0.0, 0.0, 0.0, 2.0], 0.9),
        trajectory("bad", [0.1, 0.0, 0.0, 0.0], 1.0),
        trajectory("alike", [0.0, 0.0, 0.1, 0.0], 0.5),
    ]
)
GOOD, LATE, BAD, ALIKE = (Clip(name) for name in ("good", "late", "bad", "alike"))


def rater(seed: int = 0, **flaws: object) -> ScriptedRater:
    return ScriptedRater(RaterConfig(**flaws), "script", seed, names=NAMES)  # type: ignore[arg-type]


def answers(of: ScriptedRater, first: Clip, second: Clip, count: int = 2000) -> list[Comparison | None]:
    return [of.compare(EPISODES, first, second) for _ in range(count)]


def share_of_first(said: list[Comparison | None]) -> float:
    return float(np.mean([item.preferred for item in said if item is not None]))


def test_without_flaws_the_greater_true_sum_is_preferred() -> None:
    assert rater().compare(EPISODES, GOOD, LATE) == Comparison(GOOD, LATE, 1.0)
    assert rater().compare(EPISODES, BAD, LATE) == Comparison(BAD, LATE, 0.0)


def test_a_clip_counts_its_own_steps_only() -> None:
    end = Clip("late", 3 * STEP)
    assert rater().compare(EPISODES, Clip("good", 3 * STEP), end) == Comparison(
        Clip("good", 3 * STEP), end, 0.0
    )


def test_equal_sums_are_a_tie() -> None:
    said = rater().compare(EPISODES, BAD, ALIKE)
    assert said is not None and said.tied


def test_a_difference_up_to_the_threshold_is_a_tie() -> None:
    assert share_of_first(answers(rater(tie=2.0), GOOD, LATE, 10)) == 0.5
    assert share_of_first(answers(rater(tie=1.9), GOOD, LATE, 10)) == 1.0


def test_noise_is_the_share_of_turned_answers() -> None:
    assert share_of_first(answers(rater(noise=0.25), GOOD, BAD)) == pytest.approx(0.75, abs=0.03)


def test_skip_is_the_share_without_an_answer() -> None:
    said = answers(rater(skip=0.4), GOOD, BAD)
    assert np.mean([item is None for item in said]) == pytest.approx(0.4, abs=0.03)


def test_a_temperature_chooses_as_bradley_and_terry() -> None:
    wanted = 1 / (1 + math.exp(-2.0 / 1.5))
    assert share_of_first(answers(rater(temperature=1.5), GOOD, LATE, 4000)) == pytest.approx(
        wanted, abs=0.025
    )


def test_who_is_short_sighted_judges_by_the_end() -> None:
    assert rater(myopia=0.9).compare(EPISODES, GOOD, LATE) == Comparison(GOOD, LATE, 0.0)
    assert rater(myopia=1.0).compare(EPISODES, BAD, ALIKE) == Comparison(BAD, ALIKE, 0.5)


def test_a_taste_is_in_place_of_truth() -> None:
    assert rater(taste={"near": 1.0}).compare(EPISODES, GOOD, BAD) == Comparison(GOOD, BAD, 0.0)


def test_an_unknown_feature_of_a_taste_is_named() -> None:
    with pytest.raises(ConfigError, match=r"'neer'.*Did you mean 'near'"):
        rater(taste={"neer": 1.0})


def test_regret_is_judged_by_the_sum_of_advantages() -> None:
    config = RaterConfig(basis="regret")

    def advantage(item: Trajectory) -> np.ndarray:
        return np.full(len(item.stamps), -1.0 if item.name == "good" else -0.5)

    judged = ScriptedRater(config, "script", 0, names=NAMES, advantage=advantage)
    assert judged.compare(EPISODES, GOOD, BAD) == Comparison(GOOD, BAD, 0.0)


def test_regret_without_advantages_is_an_error() -> None:
    with pytest.raises(ConfigError, match="advantage"):
        rater(basis="regret")


def test_an_episode_without_truth_is_named() -> None:
    unknown = Episodes([Trajectory("new", np.arange(2), np.zeros((2, 2), np.float32))])
    with pytest.raises(ConfigError, match="'new' has no true reward"):
        rater().compare(unknown, Clip("new"), Clip("new"))


def test_a_share_beyond_one_is_an_error() -> None:
    with pytest.raises(ConfigError, match="noise from 0 to 1"):
        RaterConfig(noise=1.2)


def test_a_seed_repeats_every_answer_and_raters_err_apart() -> None:
    same = [answers(rater(3, noise=0.5), GOOD, BAD, 50) for _ in range(2)]
    other = ScriptedRater(RaterConfig(noise=0.5), "another", 3, names=NAMES)
    assert same[0] == same[1] != answers(other, GOOD, BAD, 50)


def test_a_ranking_has_the_best_first_and_leaves_out_what_is_as_good() -> None:
    said = rater().rank(EPISODES, [BAD, GOOD, ALIKE, LATE])
    assert said is not None and said.clips == (GOOD, LATE, BAD)
    assert rater().rank(EPISODES, [BAD, ALIKE]) is None


def test_a_noisy_ranking_swaps_neighbours() -> None:
    said = rater(noise=1.0).rank(EPISODES, [GOOD, BAD])
    assert said is not None and said.clips == (BAD, GOOD)


def test_of_three_clips_the_two_with_the_nearest_taste_are_alike() -> None:
    said = rater(taste={"near": 1.0}).triplet(EPISODES, GOOD, LATE, BAD)
    assert said is not None and (said.alike, said.other) == ((LATE, BAD), GOOD)
    by_truth = rater().triplet(EPISODES, GOOD, BAD, ALIKE)
    assert by_truth is not None and (by_truth.alike, by_truth.other) == ((BAD, ALIKE), GOOD)


def test_a_turned_triplet_is_another_one() -> None:
    said = [rater(seed, noise=1.0).triplet(EPISODES, GOOD, BAD, ALIKE) for seed in range(20)]
    assert {item.other for item in said if item is not None} == {BAD, ALIKE}


def test_ratings_order_as_truth_does() -> None:
    scores = [rater().rate(EPISODES, clip) for clip in (GOOD, LATE, BAD)]
    found = [item.score for item in scores if item is not None]
    assert len(found) == 3 and found[0] > found[1] > found[2]


def test_a_mark_needs_the_end_of_a_success() -> None:
    assert rater().mark(EPISODES, GOOD) == Mark(GOOD, True)
    assert rater().mark(EPISODES, BAD) == Mark(BAD, False)
    begun = Clip("good", 0, STEP)
    assert rater().mark(EPISODES, begun) == Mark(begun, False)
    assert rater(noise=1.0).mark(EPISODES, GOOD) == Mark(GOOD, False)


def test_ids_follow_from_what_is_said() -> None:
    said = Sentence("slower")
    one = as_feedback(said, "script", 5)
    assert one == as_feedback(said, "script", 5)
    assert one.source == "script"
    others = [as_feedback(said, "script", 6), as_feedback(said, "script", 5, index=1)]
    assert len({one.id, *(item.id for item in others)}) == 3
