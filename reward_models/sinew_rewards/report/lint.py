"""What looks wrong with a reward by itself, before anybody asks whether it is right."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

import numpy as np
from sinew_core.types import FloatArray

from sinew_rewards.learned.trajectory import Trajectory
from sinew_rewards.report.standing import Case
from sinew_rewards.report.subject import Subject

LARGE, SMALL = 10.0, 1e-3  # of values: beyond it critics diverge, below it they learn nothing
BOUND = 1.0  # of values, that wrappers and learners here expect
SPARSE = 0.9  # share of the steps that are paid the same
OUTLIER = 20.0  # times the middle half of the values, that a single one is away
SAME = 1e-6  # difference of values, relative to their spread, that counts as none
HISTORIES = 3  # episodes that are begun anew in their middle


@dataclass(frozen=True, slots=True)
class Finding:
    """Something to know about a reward."""

    rule: str
    level: Literal["error", "warning", "note"]  # error: it cannot be trained on as it is
    sentence: str


def lint(subject: Subject, cases: Sequence[Case]) -> list[Finding]:
    """Return what is found, errors first."""
    values = np.concatenate([case.estimates.value for case in cases])
    found = [
        *_finite(values),
        *_shares(cases),
        *_constant(values),
        *_sparse(values),
        *_scale(values),
        *_outliers(values),
        *_terms(cases),
        *_history(subject, cases),
    ]
    order = ("error", "warning", "note")
    return sorted(found, key=lambda finding: order.index(finding.level))


def _finite(values: FloatArray) -> list[Finding]:
    bad = int(np.sum(~np.isfinite(values)))
    if not bad:
        return []
    return [
        Finding(
            "finite", "error", f"{bad} of {len(values)} values are missing or not finite: it stops a robot."
        )
    ]


def _shares(cases: Sequence[Case]) -> list[Finding]:
    """Return what is outside of the range that it can have by its meaning."""
    found = []
    for name, high in (("progress", 1.0), ("success", 1.0), ("uncertainty", np.inf)):
        said = np.concatenate([getattr(case.estimates, name) for case in cases])
        said = said[~np.isnan(said)]
        bad = (said < 0) | (said > high)
        if bad.any():
            wanted = "0 to 1" if high == 1.0 else "at least 0"
            lowest, highest = float(said.min()), float(said.max())
            sentence = (
                f"{name} leaves its range in {_percent(bad.mean())} of the steps: expected {wanted}, it goes "
                f"from {lowest:.3g} to {highest:.3g}."
            )
            found.append(Finding(f"{name}_range", "error", sentence))
    return found


def _constant(values: FloatArray) -> list[Finding]:
    known = values[np.isfinite(values)]
    if len(known) and np.ptp(known) == 0:
        sentence = f"every step is paid {known[0]:.3g}: there is nothing to learn from."
        return [Finding("constant", "error", sentence)]
    return []


def _sparse(values: FloatArray) -> list[Finding]:
    known = values[np.isfinite(values)]
    if len(known) == 0 or np.ptp(known) == 0:
        return []
    levels, counts = np.unique(np.round(known / np.ptp(known), 6), return_counts=True)
    share = counts.max() / len(known)
    if share < SPARSE:
        return []
    paid = float(levels[counts.argmax()] * np.ptp(known))
    sentence = (
        f"{_percent(share)} of the steps are paid the same ({paid:.3g}): a learner finds the others by "
        "chance only. Shape it, or begin with demonstrations."
    )
    return [Finding("sparse", "warning", sentence)]


def _scale(values: FloatArray) -> list[Finding]:
    known = values[np.isfinite(values)]
    most = float(np.abs(known).max()) if len(known) else 0.0
    spread = float(known.std()) if len(known) else 0.0
    if most > LARGE:
        sentence = f"values reach {most:.3g}: above {LARGE:g}, critics diverge. Normalise or bound it."
        return [Finding("scale", "warning", sentence)]
    if 0 < spread < SMALL:
        sentence = f"values vary by {spread:.2g} only: below {SMALL:g}, noise drowns them. Normalise it."
        return [Finding("scale", "warning", sentence)]
    if most > BOUND:
        sentence = f"values reach {most:.3g}, and nothing says that they stay there; {BOUND:g} is usual."
        return [Finding("bounds", "note", sentence)]
    return []


def _outliers(values: FloatArray) -> list[Finding]:
    known = values[np.isfinite(values)]
    if len(known) < 20:
        return []
    low, middle, high = np.percentile(known, [25, 50, 75])
    far = np.abs(known - middle) > OUTLIER * max(high - low, 1e-12)
    if high == low or not far.any() or far.mean() > 0.01:
        return []
    sentence = f"{int(far.sum())} of {len(known)} steps are paid more than {OUTLIER:g} times the usual range."
    return [Finding("outliers", "warning", sentence)]


def _terms(cases: Sequence[Case]) -> list[Finding]:
    found = []
    for name in dict.fromkeys(name for case in cases for name in case.estimates.terms):
        columns = [case.estimates.terms[name] for case in cases if name in case.estimates.terms]
        values = np.concatenate(columns)
        values = values[np.isfinite(values)]
        if len(values) and np.ptp(values) == 0 and name not in ("known", "forced", "judged"):
            found.append(Finding("term", "note", f"the term '{name}' is {values[0]:.3g} all the time."))
    return found


def _history(subject: Subject, cases: Sequence[Case]) -> list[Finding]:
    """Look whether the same rows are paid the same after another beginning."""
    spread = float(np.nanstd(np.concatenate([case.estimates.value for case in cases])))
    differing = compared = 0
    most = 0.0
    for case in cases[:HISTORIES]:
        middle = len(case.estimates) // 2
        again = _again(subject, case.trajectory, middle)
        apart = np.abs(again - case.estimates.value[middle:])
        apart = apart[np.isfinite(apart)]
        compared += len(apart)
        differing += int(np.sum(apart > SAME * max(spread, 1e-12)))
        most = max(most, float(apart.max(initial=0.0)))
    if not differing:
        return []
    sentence = (
        f"{_percent(differing / compared)} of the steps are paid differently when the episode begins in its "
        f"middle, by up to {most:.3g}: clips, shuffled transitions and repaired recordings get other values."
    )
    return [Finding("history", "note", sentence)]


def _again(subject: Subject, trajectory: Trajectory, begin: int) -> FloatArray:
    return subject.estimates(trajectory, begin).value


def _percent(share: float) -> str:
    return f"{100 * share:.0f} %" if share >= 0.01 else f"{100 * share:.2g} %"
