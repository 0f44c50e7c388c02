"""STARC: a distance in [0, 1] between rewards that is 0 just where they order all policies alike.

After Skalse et al. 2024, "STARC: A General Framework For Quantifying Differences Between Reward
Functions": d(R1, R2) = |s(R1) - s(R2)| / 2 with s(R) = c(R) / |c(R)|, where c takes out potential shaping
and whatever depends on the next state alone without changing an expectation. 1 is the opposite reward,
and 1/2 the distance from one that prefers nothing. Distances are comparable for the same transitions only.
"""

from __future__ import annotations

from typing import Literal

import numpy as np
from sinew_core.types import FloatArray

from sinew_rewards.comparing.tabular import Tabular, values

Canonical = Literal["levelled", "minimal"]
NOTHING = 1e-9  # of its own size, below which what is left of a reward is rounding


def distance(task: Tabular, first: FloatArray, second: FloatArray, how: Canonical = "levelled") -> float:
    """Return the distance of two rewards (S, A, S) in a task, over the states that can be reached.

    Raises ValueError for a reward of another shape, or one that is not finite where it can be paid.
    """
    reached = _among_reached(task)
    return angle_distance(*(standardised(reached, _rows(task, each), how) for each in (first, second)))


def standardised(task: Tabular, reward: FloatArray, how: Canonical = "levelled") -> FloatArray:
    """Return s(R) (S, A) of a reward (S, A, S): canonical and of norm 1, or 0 if it prefers nothing."""
    expected = task.expected(reward)
    canonical = _levelled(task, expected) if how == "levelled" else _minimal(task, expected)
    return unit(canonical, float(np.linalg.norm(expected)))


def unit(canonical: FloatArray, size: float) -> FloatArray:
    """Return canonical rewards with norm 1, or zeros where they are nothing beside the reward's size."""
    norm = float(np.linalg.norm(canonical))
    return np.zeros_like(canonical) if norm <= NOTHING * size else canonical / norm


def angle_distance(first: FloatArray, second: FloatArray) -> float:
    """Return half the distance of two standardised rewards, 0 to 1."""
    return min(float(np.linalg.norm(first - second)) / 2, 1.0)


def _levelled(task: Tabular, expected: FloatArray) -> FloatArray:
    """Value-adjusted levelling: E[R - V(s) + gamma V(s')], V of the uniform policy."""
    uniform = np.full(expected.shape, 1 / expected.shape[1])
    V = values(task, expected, uniform)
    return expected - V[:, None] + task.discount * task.transitions @ V


def _minimal(task: Tabular, expected: FloatArray) -> FloatArray:
    """Return the reward with the least norm among those that differ by shaping."""
    states, actions = expected.shape
    shaping = task.discount * task.transitions - np.eye(states)[:, None, :]  # (S, A, S) of each potential
    columns = shaping.reshape(states * actions, states)
    potential = np.linalg.lstsq(columns, expected.reshape(-1), rcond=None)[0]
    return expected - (columns @ potential).reshape(states, actions)


def _among_reached(task: Tabular) -> Tabular:
    """Return the task of the reachable states alone; nothing leads out of them."""
    kept = task.reachable()
    return Tabular(task.transitions[kept][:, :, kept], task.starts[kept], task.discount)


def _rows(task: Tabular, reward: FloatArray) -> FloatArray:
    if reward.shape != task.transitions.shape:
        raise ValueError(f"expected a reward {task.transitions.shape}, got {reward.shape}.")
    kept = task.reachable()
    rows: FloatArray = reward[kept][:, :, kept]
    return rows
