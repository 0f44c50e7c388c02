"""Small tasks with a table for everything, where optimal policies and regret are computed exactly."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
from sinew_core.types import FloatArray

ROUNDS = 1000  # of policy iteration, which ends long before


@dataclass(frozen=True, slots=True)
class Tabular:
    """A Markov decision process of S states and A actions without its reward."""

    transitions: FloatArray  # (S, A, S) probabilities of the next state
    starts: FloatArray  # (S,) probabilities of the first state
    discount: float  # of one step

    def __post_init__(self) -> None:
        """Check shapes and that probabilities are probabilities."""
        shape = self.transitions.shape
        if len(shape) != 3 or shape[0] != shape[2] or self.starts.shape != shape[:1]:
            raise ValueError(
                f"expected transitions (S, A, S) and starts (S,), got {shape} and {self.starts.shape}."
            )
        for what, table in (("transitions", self.transitions), ("starts", self.starts)):
            if not (table >= 0).all() or not np.allclose(table.sum(-1), 1.0):
                raise ValueError(f"{what}: expected probabilities of at least 0 that sum to 1.")
        if not 0.0 <= self.discount < 1.0:
            raise ValueError(f"discount: expected 0 <= discount < 1, got {self.discount}.")

    def expected(self, reward: FloatArray) -> FloatArray:
        """Return the expected reward (S, A) of a reward (S, A, S); what cannot happen does not count.

        Raises ValueError for another shape, and where a reward that can happen is not finite.
        """
        if reward.shape != self.transitions.shape:
            raise ValueError(f"expected a reward {self.transitions.shape}, got {reward.shape}.")
        possible = np.where(self.transitions > 0, reward, 0.0)
        if not np.isfinite(possible).all():
            state, action, after = np.argwhere(~np.isfinite(possible))[0]
            raise ValueError(f"the reward of state {state}, action {action}, to state {after} is not finite.")
        return np.asarray((self.transitions * possible).sum(-1))

    def reachable(self) -> npt.NDArray[np.bool_]:
        """Tell which states (S,) some policy reaches."""
        leads = np.asarray((self.transitions > 0).any(1))
        reached = np.asarray(self.starts > 0)
        for _ in reached:  # a way to any state has no more steps than there are states
            reached = reached | leads[reached].any(0)
        return reached


def values(task: Tabular, expected: FloatArray, policy: FloatArray) -> FloatArray:
    """Return the values (S,) of a policy (S, A) of action probabilities under expected rewards (S, A)."""
    follows = np.einsum("sa,sat->st", policy, task.transitions)
    paid = (policy * expected).sum(-1)
    return np.linalg.solve(np.eye(len(paid)) - task.discount * follows, paid)


def best_policy(task: Tabular, expected: FloatArray) -> FloatArray:
    """Return an optimal policy (S, A) of expected rewards (S, A), by policy iteration."""
    states = np.arange(len(expected))
    choice = expected.argmax(-1)
    for _ in range(ROUNDS):
        worth = expected + task.discount * task.transitions @ values(
            task, expected, _always(choice, expected)
        )
        # Only what is truly better changes, or rounding would let equal actions change places for ever.
        better = worth.max(-1) > worth[states, choice] + 1e-10 * (1.0 + np.abs(worth).max())
        if not better.any():
            break
        choice = np.where(better, worth.argmax(-1), choice)
    return _always(choice, expected)


def policy_return(task: Tabular, expected: FloatArray, policy: FloatArray) -> float:
    """Return the discounted return from the starts."""
    return float(task.starts @ values(task, expected, policy))


def regret(task: Tabular, true: FloatArray, proxy: FloatArray) -> float:
    """Return which share of the range of true returns is lost by optimising the proxy, 0 to 1.

    Both are expected rewards (S, A). 0 where every policy is worth the same.
    """
    best = policy_return(task, true, best_policy(task, true))
    worst = policy_return(task, true, best_policy(task, -true))
    got = policy_return(task, true, best_policy(task, proxy))
    return float(np.clip((best - got) / (best - worst), 0.0, 1.0)) if best > worst else 0.0


def random_task(
    rng: np.random.Generator, states: int = 32, actions: int = 4, branches: int = 4, discount: float = 0.9
) -> Tabular:
    """Return a task whose actions lead to a few random states each, from one of which it starts."""
    transitions = np.zeros((states, actions, states))
    for state in range(states):
        for action in range(actions):
            after = rng.choice(states, min(branches, states), replace=False)
            transitions[state, action, after] = rng.dirichlet(np.ones(len(after)))
    return Tabular(transitions, np.eye(states)[0], discount)


def shaped(task: Tabular, reward: FloatArray, potential: FloatArray) -> FloatArray:
    """Return a reward (S, A, S) with gamma Phi(s') - Phi(s) added for a potential (S,)."""
    change: FloatArray = task.discount * potential[None, None, :] - potential[:, None, None]
    return reward + change


def redistributed(task: Tabular, reward: FloatArray, noise: FloatArray) -> FloatArray:
    """Return a reward with noise (S, A, S) added over next states, less its mean: no expectation changes."""
    mean: FloatArray = (task.transitions * noise).sum(-1, keepdims=True)
    return reward + noise - mean


def _always(choice: npt.NDArray[np.int64], expected: FloatArray) -> FloatArray:
    table: FloatArray = np.eye(expected.shape[1])[choice]
    return table
