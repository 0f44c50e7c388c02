"""Whether a reward puts moments and episodes into the right order."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from sinew_core.types import FloatArray

from sinew_rewards.report.ranks import rank_correlation
from sinew_rewards.report.standing import By, Case

LEAST_CHANGE = 0.02  # of the true progress, for an episode to have an order
DISCOUNT = 0.99  # a control period, of returns


def progress_correlations(cases: Sequence[Case], by: By) -> list[float]:
    """Return, an episode each, the rank correlation of a reward's standing with how far along it is.

    That is the true progress where it is known and changes, else, of successful episodes, the time: a
    success comes nearer to its end. Other episodes say nothing and are left out.
    """
    found = []
    for case in cases:
        along = how_far(case)
        if along is not None:
            found.append(rank_correlation(case.standing(by), along))
    return found


def how_far(case: Case) -> FloatArray | None:
    """Return how far along each row (T,) of an episode is, None where nobody knows."""
    known = case.trajectory.progress
    if known is not None:
        return known if np.ptp(known) >= LEAST_CHANGE else None
    return np.arange(len(case.estimates), dtype=np.float64) if case.trajectory.success else None


def returns(cases: Sequence[Case]) -> FloatArray:
    """Return each episode's discounted return, all over the time of the longest.

    A shorter one goes on at its last value: what rests goes on resting. Otherwise a reward that is never
    positive would prefer whatever ends early.
    """
    longest = max(len(case.estimates) for case in cases)
    return np.array([padded_return(case.estimates.value, longest) for case in cases])


def true_returns(cases: Sequence[Case]) -> FloatArray | None:
    """Return the same of the true reward, None where an episode has none."""
    longest = max(len(case.estimates) for case in cases)
    truths = [case.trajectory.truth for case in cases]
    known = [truth for truth in truths if truth is not None]
    return np.array([padded_return(t, longest) for t in known]) if len(known) == len(truths) else None


def padded_return(values: FloatArray, longest: int, discount: float = DISCOUNT) -> float:
    """Return the discounted return of values (T,) that go on at the last one for `longest` rows in all."""
    rows = np.concatenate([values, np.full(longest - len(values), values[-1])])
    return float(np.sum(discount ** np.arange(longest) * rows))


def pair_accuracy(good: Sequence[float], bad: Sequence[float]) -> float:
    """Return the share of pairs of a success and a failure in which the success stands higher; no ties."""
    return float(np.mean(np.asarray(good)[:, None] > np.asarray(bad)[None, :]))


def first_share(good: Sequence[float], bad: Sequence[float]) -> float:
    """Return the share of successes that stand higher than every failure there is.

    One success against many failures (Kim et al. 2024, "Evaluating Robustness of Reward Models for
    Mathematical Reasoning"): what an optimiser finds is the best-paid failure, not an average one.
    """
    return float(np.mean(np.asarray(good) > max(bad)))


def ordering_figures(cases: Sequence[Case], by: By) -> dict[str, float]:
    """Return what can be said about the order; a figure that cannot be had is absent."""
    figures: dict[str, float] = {}
    correlations = progress_correlations(cases, by)
    if correlations:
        figures["rank_correlation"] = float(np.mean(correlations))
        figures["rank_correlation_worst"] = float(np.min(correlations))
    truth = true_returns(cases)
    paid = returns(cases)
    if truth is not None and len(cases) > 2:
        figures["return_correlation"] = rank_correlation(paid, truth)
    done, failed = (_where(cases, success) for success in (True, False))
    figures |= {"successes": float(len(done)), "failures": float(len(failed))}
    if done and failed:
        final = [case.final(by) for case in cases]
        good, bad = [final[i] for i in done], [final[i] for i in failed]
        figures["pair_accuracy"] = pair_accuracy(good, bad)
        figures["success_first"] = first_share(good, bad)
        figures["return_pair_accuracy"] = pair_accuracy(paid[done].tolist(), paid[failed].tolist())
    return figures


def _where(cases: Sequence[Case], success: bool) -> list[int]:
    return [i for i, case in enumerate(cases) if case.trajectory.success is success]
