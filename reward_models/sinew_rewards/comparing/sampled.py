"""STARC from episodes: the distance of two rewards on what happened, where there is no table of the task.

Of each reward the potential shaping gamma w'f(s') - w'f(s) is taken out that leaves least of it, by least
squares over the transitions: the minimal canonical form of Skalse et al. 2024, with the norm that counts
states as often as they were met. Shaping by a potential that is linear in the features goes exactly.
(Levelling by the behaviour's values does so, too, but those are at times ill-determined, and then drown
every reward in the same noise.) Rewards are told apart by what episodes did differently in like states:
where all act alike, little is left of any reward.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import numpy.typing as npt
from sinew_core.types import FloatArray

from sinew_rewards.comparing.basis import Basis
from sinew_rewards.comparing.starc import angle_distance, unit

LEAST = 1e-9  # singular value, beside the greatest, that is taken for a direction of the features


def trajectory_distance(
    first: Sequence[npt.ArrayLike],
    second: Sequence[npt.ArrayLike],
    features: Sequence[npt.ArrayLike],
    discount: float,
    ended: Sequence[bool] = (),
) -> float:
    """Return the distance of two rewards from their values (T,) along episodes with features (T, d).

    Row t of a reward is what it paid on arriving at row t, so the first row of an episode is not used.
    `ended`: which episodes came to an end of the task's own, after which nothing is worth anything; by
    default none did. What of the features, and whether their products, are used follows from the number of
    transitions (`Basis`). Raises ValueError for episodes that do not fit together, no transition at all, or
    what is not finite.
    """
    if not len(first) == len(second) == len(features) > 0 or (ended and len(ended) != len(first)):
        lengths = [len(first), len(second), len(features), *([len(ended)] if ended else [])]
        raise ValueError(f"expected rewards and features of the same episodes, got {lengths} of them.")
    episodes = [_episode(*each) for each in zip(first, second, features, strict=True)]
    rows = np.concatenate([each[2] for each in episodes])
    basis = Basis(rows, len(rows) - len(episodes))
    before = np.concatenate([basis(each[2][:-1]) for each in episodes])
    afters = [basis(each[2][1:]) for each in episodes]
    for after, over in zip(afters, ended, strict=False):
        after[-1:] *= not over
    paid = [np.concatenate([each[which][1:] for each in episodes]) for which in (0, 1)]
    return sampled_distance(paid[0], paid[1], before, np.concatenate(afters), discount)


def sampled_distance(
    first: FloatArray,
    second: FloatArray,
    before: FloatArray,
    after: FloatArray,
    discount: float,
    choices: npt.NDArray[np.int64] | None = None,
) -> float:
    """Return the distance of two rewards (N,) on N transitions.

    Features (N, d) of the states `before` and `after` each; rows of zeros after an end. `choices` (N,)
    number which state and action a transition belongs to, where that is known: what comes of one choice
    is then averaged first, so that next states drawn by chance are no difference between rewards.
    Raises ValueError for arrays that do not fit together or are not finite.
    """
    _check((first, second), (before, after), discount)
    table = np.column_stack([first, second, discount * after - before])
    weights = np.ones(len(first))
    if choices is not None:
        table, weights = _averaged(table, choices)
    table = table * np.sqrt(weights)[:, None]  # so that a plain norm counts every transition
    rewards, shaping = table[:, :2], table[:, 2:]
    potentials = np.linalg.lstsq(shaping, rewards, rcond=LEAST)[0]
    canonical = rewards - shaping @ potentials
    sizes = np.linalg.norm(rewards, axis=0)
    return angle_distance(*(unit(canonical[:, i], float(sizes[i])) for i in (0, 1)))


def _averaged(table: FloatArray, choices: npt.NDArray[np.int64]) -> tuple[FloatArray, FloatArray]:
    """Return the mean row of each choice, and how many it is the mean of."""
    if choices.shape != table.shape[:1]:
        raise ValueError(f"expected the choices of {len(table)} transitions, got {choices.shape}.")
    _, index, counts = np.unique(choices, return_inverse=True, return_counts=True)
    sums = np.zeros((len(counts), table.shape[1]))
    np.add.at(sums, index, table)
    return sums / counts[:, None], counts.astype(np.float64)


def _episode(*given: npt.ArrayLike) -> tuple[FloatArray, FloatArray, FloatArray]:
    a, b, rows = (np.asarray(each, np.float64) for each in given)
    if rows.ndim != 2 or len(rows) == 0 or not a.shape == b.shape == rows.shape[:1]:
        raise ValueError(
            "expected two rewards (T,) and features (T, d) of an episode, got "
            f"{a.shape}, {b.shape} and {rows.shape}."
        )
    for what, values in (("first reward", a), ("second reward", b), ("features", rows)):
        _check_finite(what, values)
    return a, b, rows


def _check(rewards: Sequence[FloatArray], features: Sequence[FloatArray], discount: float) -> None:
    rows = rewards[0].shape
    if any(each.shape != rows for each in rewards) or len(rows) != 1:
        raise ValueError(f"expected two rewards (N,), got {[each.shape for each in rewards]}.")
    if any(each.ndim != 2 or each.shape != features[0].shape or each.shape[:1] != rows for each in features):
        raise ValueError(f"expected features ({rows[0]}, d) twice, got {[each.shape for each in features]}.")
    if rows[0] == 0:
        raise ValueError("there are no transitions: an episode needs at least two rows.")
    for what, arrays in (("reward", rewards), ("features", features)):
        for values in arrays:
            _check_finite(what, values)
    if not 0.0 <= discount < 1.0:
        raise ValueError(f"discount: expected 0 <= discount < 1, got {discount}.")


def _check_finite(what: str, values: FloatArray) -> None:
    if not np.isfinite(values).all():
        raise ValueError(f"{what}: row {np.argwhere(~np.isfinite(values))[0][0]} is not finite.")
