"""Rankings of factors: the first that differs clearly decides, in whatever unit it is measured."""

from __future__ import annotations

import sys
from dataclasses import replace
from itertools import product
from pathlib import Path

import numpy as np
import pytest
from sinew_core.errors import ConfigError
from sinew_data.feedback import types as said
from sinew_data.feedback.types import Clip, Factor, Feedback
from sinew_rewards.learned.scoring import Learner, Scorer
from sinew_rewards.learned.trajectory import Episodes
from sinew_rewards.learners.factor_ranking import Config, FactorRanking, compare, cut, decide
from sinew_rewards.learners.preference_fit import FitConfig
from sinew_rewards.raters.scripted import as_feedback

sys.path.insert(0, str(Path(__file__).parent))
from wandering import accuracy, told, values, wandering

FIT = FitConfig(hidden=(16,), epochs=15, rows=8, over="mean")
CONFIG = Config(names=("near", "fast", "high", "odd"), rows=8, pairs=400, fit=FIT)
SHOWN, UNSEEN = wandering(30, 0), wandering(20, 1, start="u")
RANKING = said.FactorRanking((Factor("near", "more", 0.5), Factor("fast", "less")))


def log(*rankings: said.FactorRanking) -> list[Feedback]:
    return [as_feedback(each, f"person {i}", i) for i, each in enumerate(rankings)]


def rescaled(episodes: Episodes, column: int, factor: float) -> Episodes:
    scale = np.ones(4, np.float32)
    scale[column] = factor
    return Episodes([replace(item, features=item.features * scale) for item in episodes.trajectories])


@pytest.mark.parametrize(("first", "second"), list(product((-2.0, -0.4, 0.0, 0.4, 2.0), repeat=2)))
def test_the_first_factor_beyond_its_margin_decides(first: float, second: float) -> None:
    expected = np.sign(first) if abs(first) > 0.5 else np.sign(second) if abs(second) > 0.3 else 0
    assert decide(np.array([[first, second]]), np.array([0.5, 0.3])) == [expected]


def test_without_a_margin_lower_factors_never_decide() -> None:
    found = decide(np.array([[1e-9, -5.0]]), np.zeros(2))
    assert found == [1]


def test_less_is_better_where_that_is_said() -> None:
    rng = np.random.default_rng(0)
    for better, sign in (("more", 1), ("less", -1)):
        ranking = said.FactorRanking((Factor("near", better),))  # type: ignore[arg-type]
        for each in compare(SHOWN, ranking, CONFIG, rng)[:20]:
            near = [SHOWN.features(clip)[:, 0].mean() for clip in (each.first, each.second)]
            assert (sign * (near[0] - near[1]) > 0) == (each.preferred == 1.0)


def test_rescaling_a_factor_tenfold_changes_no_answer_and_hardly_the_reward() -> None:
    answers = [
        compare(rescaled(SHOWN, column, factor), RANKING, CONFIG, np.random.default_rng(0))
        for column, factor in ((0, 1), (0, 10), (1, 10))
    ]
    assert answers[0] == answers[1] == answers[2]
    plain = FactorRanking(CONFIG).fit(SHOWN, log(RANKING), 0)
    scaled = FactorRanking(CONFIG).fit(rescaled(SHOWN, 1, 10), log(RANKING), 0)
    one = np.concatenate(list(values(plain, UNSEEN).values()))
    other = np.concatenate(list(values(scaled, rescaled(UNSEEN, 1, 10)).values()))
    assert np.corrcoef(one, other)[0, 1] > 0.99


def test_the_reward_orders_unseen_clips_as_the_ranking_does() -> None:
    learner = FactorRanking(CONFIG)
    scorer = learner.fit(SHOWN, log(said.FactorRanking((Factor("near"),))), 0)
    assert isinstance(learner, Learner) and isinstance(scorer, Scorer)

    def near(episodes: Episodes, part: Clip) -> float:
        return float(episodes.features(part)[:, 0].sum())

    assert accuracy(scorer, UNSEEN, told(UNSEEN, 200, 2, judged=near)) > 0.9


def test_a_persons_newest_ranking_counts() -> None:
    old, new = (said.FactorRanking((Factor(name),)) for name in ("odd", "near"))
    both = [as_feedback(new, "anna", 7), as_feedback(old, "anna", 3)]
    newest = FactorRanking(CONFIG).fit(SHOWN, both, 0).arrays()
    alone = FactorRanking(CONFIG).fit(SHOWN, both[:1], 0).arrays()
    assert all(np.array_equal(newest[name], alone[name]) for name in alone)


def test_an_unknown_factor_is_named_with_the_nearest_one() -> None:
    with pytest.raises(ConfigError, match="factor 'neer'.*near"):
        FactorRanking(CONFIG).fit(SHOWN, log(said.FactorRanking((Factor("neer"),))), 0)


def test_names_that_do_not_fit_the_features_are_named() -> None:
    with pytest.raises(ConfigError, match="named after 19 features, and the episodes have 4"):
        FactorRanking(Config()).fit(SHOWN, log(said.FactorRanking((Factor("speed"),))), 0)


def test_no_ranking_is_named() -> None:
    with pytest.raises(ConfigError, match="no ranking of factors"):
        FactorRanking(CONFIG).fit(SHOWN, [], 0)


def test_a_factor_that_never_changes_decides_nothing_and_that_is_named() -> None:
    flat = rescaled(SHOWN, 0, 0.0)
    with pytest.raises(ConfigError, match="no comparison"):
        FactorRanking(CONFIG).fit(flat, log(said.FactorRanking((Factor("near"),))), 0)


def test_clips_cover_every_row_once_and_a_short_episode_is_whole() -> None:
    episodes = Episodes(
        [*wandering(1, 0, rows=23).trajectories, *wandering(1, 1, rows=5, start="s").trajectories]
    )
    rows = [(part.episode, episodes.rows(part)) for part in cut(episodes, 8)]
    assert rows == [("e0", slice(0, 8)), ("e0", slice(8, 23)), ("s0", slice(0, 5))]
