"""Does another unit of a factor change which clip is better: by a ranking of factors, by a weighted sum?"""

from __future__ import annotations

from dataclasses import replace
from itertools import combinations

import numpy as np
from sinew_core.types import FloatArray
from sinew_data.feedback.types import FactorRanking
from sinew_rewards.learned.scoring import score_all
from sinew_rewards.learned.trajectory import Episodes
from sinew_rewards.learners import factor_ranking
from sinew_rewards.learners.factor_ranking import Config, compare, cut
from sinew_rewards.raters.scripted import as_feedback

from sinew_eval.benches.preferences.measuring import MATTERS, Asked

TENFOLD = 10.0
CLIPS = 200  # of unseen episodes, whose pairs are ordered


def rescaling(data: Asked) -> dict[str, float]:
    """Measure each factor's tenfold rescaling; of all factors, the worst.

    `labels_changed`: share of the decision tree's answers that turn; `order_changed`: share of pairs of
    unseen clips that the learnt reward orders otherwise; `order_changed_weighted_sum`: the same of the
    weighted sum of the factors, in whatever unit they come, each worth half of the one before.
    """
    worst: dict[str, float] = {}
    before = _orders(data.shown, data.unseen, data.seed)
    for factor in MATTERS.factors:
        column = Config().names.index(factor.name)
        after = _orders(_scaled(data.shown, column), _scaled(data.unseen, column), data.seed)
        for name, order in before.items():
            changed = float(np.mean(order != after[name])) if len(order) == len(after[name]) else 1.0
            worst[name] = max(worst.get(name, 0.0), changed)
    return worst


def _orders(shown: Episodes, unseen: Episodes, seed: int) -> dict[str, FloatArray]:
    config = Config()
    labels = compare(shown, MATTERS, config, np.random.default_rng([41, seed]))
    reward = factor_ranking.FactorRanking(config).fit(shown, [as_feedback(MATTERS, "rater", 0)], seed)
    clips = cut(unseen, config.rows)[:CLIPS]
    values = {item.name: score_all(reward, item.features) for item in unseen.trajectories}
    learnt = np.array([values[clip.episode][unseen.rows(clip)].mean() for clip in clips])
    summed = np.array([weighted_sum(unseen.features(clip).mean(0), MATTERS, config) for clip in clips])
    return {
        "labels_changed": np.array([each.preferred for each in labels]),
        "order_changed": _order(learnt),
        "order_changed_weighted_sum": _order(summed),
    }


def weighted_sum(features: FloatArray, ranking: FactorRanking, config: Config) -> float:
    """Return what a hand-written reward says of mean features (d): the first factor counts most."""
    return float(
        sum(
            0.5**level * (1 if factor.better == "more" else -1) * features[config.names.index(factor.name)]
            for level, factor in enumerate(ranking.factors)
        )
    )


def _order(values: FloatArray) -> FloatArray:
    """Return of all pairs of clips whether the first is the better one."""
    first, second = np.array(list(combinations(range(len(values)), 2))).T
    better: FloatArray = (values[first] > values[second]).astype(np.float64)
    return better


def _scaled(episodes: Episodes, column: int) -> Episodes:
    scale = np.ones(episodes.trajectories[0].features.shape[1], np.float32)
    scale[column] = TENFOLD
    return Episodes([replace(item, features=item.features * scale) for item in episodes.trajectories])
