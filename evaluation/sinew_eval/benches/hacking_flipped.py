"""Best of n by rewards that learned from answers of which a quarter is the wrong way round."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any

import numpy as np
from sinew_core.types import FloatArray
from sinew_rewards.exploits.behaviour import base_episodes
from sinew_rewards.exploits.desk import Desk, Indices
from sinew_rewards.exploits.guard import REFERENCES
from sinew_rewards.exploits.learnt import view
from sinew_rewards.exploits.naive import as_episodes, compared, learn_preferences, look_at
from sinew_rewards.exploits.pressure import best_of, candidates
from sinew_rewards.exploits.tasks import TASKS
from sinew_rewards.learners.preference_fit import FitConfig
from sinew_rewards.wrappers.preference_as_reward import sigmoid

from sinew_eval.benches.hacking_price import LearnedPrice

FLIPPED = 0.25  # share of the answers
ANSWERS, EPISODES = 300, 120
PRESSURE = tuple(2**k for k in range(11))  # n, of which the best is taken
CANDIDATES = 4096
# Learned by heart: every answer, the mistaken ones too, until the network agrees with it.
BY_HEART = FitConfig(members=5, epochs=25, patience=25, rows=31, learning_rate=5e-3, held_out=0.0)
STOPPED = FitConfig(members=1, learning_rate=5e-3)  # when it got worse on answers that it had not seen
DOWN = 0.05  # below its own peak, from which on a curve has turned down


def summarise_flipped(each: Sequence[Mapping[str, FloatArray]]) -> dict[str, Any]:
    """Return curves of true success over n: medians over the curves of some seeds, and those of each."""
    median = {name: np.median([curves[name] for curves in each], axis=0) for name in each[0]}
    return {
        "share": FLIPPED,
        "pressure": list(PRESSURE),
        **{name: _rounded(curve) for name, curve in median.items()},
        "single_turns_down": turns_down(median["single"]),
        "guarded_keeps_rising": not turns_down(median["guarded"], 0.01),
        "seeds": [{name: _rounded(curve) for name, curve in curves.items()} for curves in each],
    }


def turns_down(curve: FloatArray, by: float = DOWN) -> bool:
    """Tell whether a curve falls anywhere by more than that below what it has reached before."""
    return bool((np.maximum.accumulate(curve) - curve).max() > by)


def measure_flipped(seed: int, answers: int = ANSWERS) -> dict[str, FloatArray]:
    """Return the curves of one seed.

    `single` and the members of `ensemble` and `guarded` are the same networks, learned the same way, from
    the same answers; `single_unflipped` had them all the right way round, and `single_stopped` ended early.
    """
    task = TASKS["carry"]
    desk, rng = Desk(task.layout), np.random.default_rng(seed)
    looks = look_at(desk, view(task))
    base = base_episodes(desk, EPISODES, rng)
    shown = as_episodes(desk, looks, base)
    told = compared(shown, answers, FLIPPED, rng)
    right = compared(shown, answers, 0.0, rng)
    pool = candidates(desk, CANDIDATES, rng)
    alone = replace(BY_HEART, members=1, bootstrap=False)
    bounded = _guarded(learn_preferences(shown, told, seed, BY_HEART).of(looks)[..., 0], np.concatenate(base))
    price = LearnedPrice(looks, np.concatenate(base), seed)(
        np.bincount(pool[:, 1:].ravel(), minlength=len(desk)).astype(np.float64)
    )
    rewards = {
        "single": learn_preferences(shown, told, seed, alone).of(looks)[0, :, 0],
        "single_unflipped": learn_preferences(shown, right, seed, alone).of(looks)[0, :, 0],
        "single_stopped": learn_preferences(shown, told, seed, STOPPED).of(looks)[0, :, 0],
        "ensemble": bounded,
        "guarded": bounded - price,
    }
    return {name: _curve(desk, pool, values) for name, values in rewards.items()}


def _guarded(members: FloatArray, base: Indices) -> FloatArray:
    """Return the mean less the variance, as the chance of being preferred to the base policy, less 1."""
    worth = members.mean(0) - 0.5 * members.var(0, ddof=1)
    references = np.percentile(worth[base], REFERENCES)
    return np.asarray(sigmoid(worth[:, None] - references).mean(1) - 1.0)


def _curve(desk: Desk, pool: Indices, values: FloatArray) -> FloatArray:
    values = np.where(np.arange(len(desk)) == desk.over, 0.0, values)
    returns = np.asarray(values[pool[:, 1:]].sum(1))
    success = np.asarray(desk.success[pool].any(1), np.float64)
    return np.array([best_of(returns, success, n) for n in PRESSURE])


def _rounded(curve: FloatArray) -> list[float]:
    return [round(float(value), 4) for value in curve]
