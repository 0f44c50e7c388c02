"""What is odd about a reward by itself, and what is not."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import pytest
from made_up import ROWS, said, trajectories
from sinew_data.rewards_beside import Estimates
from sinew_rewards.learned.trajectory import Trajectory
from sinew_rewards.report.evidence import cases_of
from sinew_rewards.report.lint import Finding, lint


class Made:
    """Says what a function makes of the first feature."""

    def __init__(self, value: Callable[[np.ndarray], np.ndarray], **columns: float) -> None:
        self._value, self._columns = value, columns

    def estimates(self, trajectory: Trajectory, begin: int = 0) -> Estimates:
        columns = {name: np.full(ROWS, x) for name, x in self._columns.items()}
        whole = said(trajectory, self._value(trajectory.features[:, 0].astype(float)), **columns).estimates
        picked = {n: getattr(whole, n)[begin:] for n in ("value", "success", "progress", "uncertainty")}
        terms = {name: term[begin:] for name, term in whole.terms.items()}
        return Estimates(whole.stamps[begin:], **picked, terms=terms)


class Remembering(Made):
    """Pays for what is new since the episode began."""

    def estimates(self, trajectory: Trajectory, begin: int = 0) -> Estimates:
        rest = trajectory.features[begin:, 0].astype(float)
        nothing = np.full(len(rest), np.nan)
        return Estimates(trajectory.stamps[begin:], rest - rest[0], nothing, nothing, nothing)


def found(subject: Made) -> dict[str, Finding]:
    return {item.rule: item for item in lint(subject, cases_of(subject, trajectories(4)))}


def test_a_dense_bounded_reward_is_clean() -> None:
    assert found(Made(lambda x: x - 1)) == {}


def test_a_constant_reward_is_an_error() -> None:
    assert found(Made(lambda x: np.full_like(x, 0.3)))["constant"].level == "error"


def test_a_value_that_is_not_finite_is_an_error() -> None:
    assert found(Made(lambda x: np.where(x > 0.5, np.nan, x)))["finite"].level == "error"


def test_success_alone_is_sparse() -> None:
    item = found(Made(lambda x: (x > 0.97).astype(float)))["sparse"]
    assert item.level == "warning"
    assert "are paid the same (0)" in item.sentence


@pytest.mark.parametrize("factor", [100.0, 1e-4])
def test_a_scale_that_critics_cannot_bear_is_told(factor: float) -> None:
    assert found(Made(lambda x: factor * x))["scale"].level == "warning"


def test_values_beyond_one_are_noted() -> None:
    assert found(Made(lambda x: 3 * x))["bounds"].level == "note"


def test_a_rare_huge_value_is_told() -> None:
    rows = iter(range(4))

    def spiked(x: np.ndarray) -> np.ndarray:
        out = 0.01 * x
        out[5] += 0.9 if next(rows, 9) == 0 else 0.0
        return out

    assert "outliers" in found(Made(spiked))


@pytest.mark.parametrize(("name", "value"), [("progress", 1.2), ("success", -0.1), ("uncertainty", -1.0)])
def test_what_leaves_its_range_is_an_error(name: str, value: float) -> None:
    item = found(Made(lambda x: x, **{name: value}))[f"{name}_range"]
    assert item.level == "error"
    assert "100 %" in item.sentence


def test_a_value_that_depends_on_where_the_episode_began_is_noted() -> None:
    assert found(Remembering(lambda x: x))["history"].level == "note"


def test_a_term_that_never_changes_is_noted() -> None:
    assert "'idle' is 2 all" in found(Made(lambda x: x, idle=2.0))["term"].sentence
