"""Maximum-entropy inverse RL on a small tabular MDP, exactly, by soft value iteration.

Ziebart 2010, maximum causal entropy; https://www.cs.cmu.edu/~bziebart/publications/thesis-bziebart.pdf.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
import torch
from sinew_core.errors import ConfigError
from sinew_core.types import FloatArray
from torch import Tensor

States = npt.NDArray[np.int64]  # (T,) of one demonstration


@dataclass(frozen=True, slots=True)
class TabularConfig:
    """How a tabular reward is fitted."""

    discount: float = 0.95
    prior: float = 1.0  # expected size of a weight; what demonstrations do not tell stays near zero
    iterations: int = 200  # of L-BFGS, at most
    settled: float = 1e-7  # change of the loss below which the answer stands

    def __post_init__(self) -> None:
        """Check the ranges."""
        if not 0 < self.discount <= 1 or self.prior <= 0 or self.iterations < 1:
            raise ValueError("expected 0 < discount <= 1, prior > 0 and iterations >= 1.")


def fit_tabular(
    transitions: FloatArray,
    features: FloatArray,
    demonstrations: Sequence[States],
    config: TabularConfig | None = None,
) -> FloatArray:
    """Return the weights (d,) of the reward `features @ weights` (S,) that explains demonstrations best.

    `transitions` (S, A, S) are probabilities, `features` (S, d), and a demonstration the states that it
    went through, from its start to its end. The loss, convex in the weights, is the soft value of the
    starts less the discounted return of the demonstrations: its gradient is the difference between the
    feature counts of the policy and theirs. ConfigError for arrays that do not fit together.
    """
    config = config or TabularConfig()
    _check(transitions, features, demonstrations)
    P, phi = torch.as_tensor(transitions, dtype=torch.float64), torch.as_tensor(features, dtype=torch.float64)
    counts = torch.as_tensor(_feature_counts(features, demonstrations, config.discount))
    starts = torch.as_tensor([int(demo[0]) for demo in demonstrations])
    steps = torch.as_tensor([len(demo) for demo in demonstrations])
    smooth = 1 / (2 * config.prior**2 * len(demonstrations))
    weights = torch.zeros(phi.shape[1], dtype=torch.float64, requires_grad=True)
    search = torch.optim.LBFGS(
        [weights],
        max_iter=config.iterations,
        tolerance_change=config.settled,
        line_search_fn="strong_wolfe",
    )

    def loss() -> Tensor:
        search.zero_grad()
        values = soft_values(P, phi @ weights, int(steps.max()), config.discount)
        found = values[steps, starts].mean() - counts @ weights + smooth * weights.square().sum()
        found.backward()  # type: ignore[no-untyped-call]
        return found

    search.step(loss)  # type: ignore[no-untyped-call]
    return np.asarray(weights.detach().numpy().copy(), np.float64)


def soft_values(P: Tensor, reward: Tensor, steps: int, discount: float) -> Tensor:
    """Return the soft values (steps + 1, S) with 0 to `steps` states still to go through, with this one.

    V_k(s) = log sum_a exp(R(s) + discount E[V_{k-1}(s')]), and V_0 = 0.
    """
    values = [torch.zeros_like(reward)]
    for _ in range(steps):
        values.append(torch.logsumexp(reward[:, None] + discount * (P @ values[-1]), dim=1))
    return torch.stack(values)


def _feature_counts(features: FloatArray, demonstrations: Sequence[States], discount: float) -> FloatArray:
    """Return the mean over demonstrations of their discounted features, (d,)."""
    sums = [discount ** np.arange(len(demo)) @ features[demo] for demo in demonstrations]
    return np.asarray(np.mean(sums, axis=0), np.float64)


def _check(transitions: FloatArray, features: FloatArray, demonstrations: Sequence[States]) -> None:
    size = len(features)
    if transitions.ndim != 3 or transitions.shape[0] != size or transitions.shape[2] != size:
        raise ConfigError(
            f"transitions: expected ({size}, A, {size}) for features of {size} states, got "
            f"{transitions.shape}."
        )
    if np.abs(transitions.sum(2) - 1).max() > 1e-6 or transitions.min() < 0:
        raise ConfigError("transitions: the probabilities of some state and action do not sum to 1.")
    if not demonstrations or any(len(demo) == 0 for demo in demonstrations):
        raise ConfigError("demonstrations: expected at least one, each with at least one state.")
    states = np.concatenate(demonstrations)
    if states.min() < 0 or states.max() >= size:
        raise ConfigError(
            f"demonstrations: expected states 0 to {size - 1}, got {states.min()} to {states.max()}."
        )
