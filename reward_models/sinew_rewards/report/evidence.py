"""Everything that a report shows, measured on held-out episodes."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Literal

import numpy as np
from sinew_core.types import FloatArray
from sinew_data.feedback.types import Clip, Comparison
from sinew_data.rewards_beside import Estimates

from sinew_rewards.classifier.calibration import Bin
from sinew_rewards.learned.saved import Spread, spreads_of
from sinew_rewards.learned.trajectory import Episodes, Trajectory
from sinew_rewards.report.ablation import Ablation, Part, ablations
from sinew_rewards.report.chain import Chain
from sinew_rewards.report.comparison import starc
from sinew_rewards.report.lint import Finding, lint
from sinew_rewards.report.mistakes import Describer, Mistake, worst
from sinew_rewards.report.ordering import ordering_figures
from sinew_rewards.report.preferences import Predicted, predict, preference_bins, preference_figures
from sinew_rewards.report.standing import By, Case, chosen
from sinew_rewards.report.subject import Subject
from sinew_rewards.report.trust import (
    covered,
    outside,
    spread_figures,
    success_bins,
    success_figures,
)

FROM_TRUTH = 300  # comparisons made up where the truth is known and nobody was asked
CLIP = 25  # rows of their clips
Asked = Literal["feedback", "truth", "nobody"]


@dataclass(frozen=True, slots=True)
class Material:
    """What a reward is measured on."""

    held_out: Episodes
    names: tuple[str, ...]  # (d) of the features
    comparisons: tuple[Comparison, ...] = ()
    asked: Asked = "nobody"
    spreads: tuple[Spread, ...] = ()  # of the training; empty for a reward that was not learned
    parts: tuple[Part, ...] = ()  # to be left out one by one
    reference: Mapping[str, FloatArray] = field(default_factory=dict)  # values (T,) by episode
    reference_name: str = ""


@dataclass(frozen=True, slots=True)
class Evidence:
    """What was found."""

    figures: Mapping[str, float]
    by: By
    cases: tuple[Case, ...]
    asked: Asked = "nobody"
    preference_bins: tuple[Bin, ...] = ()
    success_bins: tuple[Bin, ...] = ()
    outside: tuple[tuple[str, float], ...] = ()  # features and their share outside the training range
    ablations: tuple[Ablation, ...] = ()
    mistakes: tuple[Mistake, ...] = ()
    findings: tuple[Finding, ...] = ()
    chains: tuple[Chain, ...] = ()
    reference: str = ""

    def with_(self, figures: Mapping[str, float], chains: Sequence[Chain]) -> Evidence:
        """Return the same with other figures, and with trainings on the reward."""
        return replace(self, figures=figures, chains=tuple(chains))


def measure(subject: Subject, material: Material, by: By) -> Evidence:
    """Measure a reward; what it raises on an episode is its caller's."""
    episodes = material.held_out
    cases = cases_of(subject, episodes.trajectories)
    by = chosen(by, cases)
    findings = lint(subject, cases)
    sound = [case for case in cases if np.isfinite(case.standing(by)).all()]
    predicted = _predicted(sound, episodes, material.comparisons)
    errors = float(sum(finding.level == "error" for finding in findings))
    figures = {"episodes": float(len(sound)), "lint_errors": errors}
    if sound:
        figures |= ordering_figures(sound, by) | preference_figures(predicted)
        figures |= spread_figures(sound, by) | success_figures(sound)
        figures |= _distance(sound, material.reference)
    return Evidence(
        figures=figures | _coverage(material),
        by=by,
        cases=tuple(cases),
        asked=material.asked,
        preference_bins=tuple(preference_bins(predicted)) if predicted else (),
        success_bins=tuple(success_bins(sound)),
        outside=_outside(material),
        ablations=tuple(ablations(material.parts, episodes.trajectories, _again(subject, material, by))),
        mistakes=tuple(worst(sound, by, predicted, episodes, _describer(material))),
        findings=tuple(findings),
        reference=material.reference_name,
    )


def cases_of(subject: Subject, trajectories: Sequence[Trajectory]) -> list[Case]:
    """Return each episode with what a reward says of it."""
    return [Case(item, subject.estimates(item)) for item in trajectories]


def true_comparisons(episodes: Episodes, count: int = FROM_TRUTH, seed: int = 0) -> tuple[Comparison, ...]:
    """Return what somebody who knows the true reward would say of random clips; empty where nobody does."""
    known = [item for item in episodes.trajectories if item.truth is not None and len(item.stamps) >= CLIP]
    if len(known) < 2:
        return ()
    rng = np.random.default_rng(seed)
    found = []
    for _ in range(count):
        sides = [known[i] for i in rng.choice(len(known), 2, replace=False)]
        (first, one), (second, other) = (_clip(side, rng) for side in sides)
        found.append(Comparison(first, second, 0.5 if one == other else float(one > other)))
    return tuple(found)


def _clip(trajectory: Trajectory, rng: np.random.Generator) -> tuple[Clip, float]:
    """Return a random clip and its true return."""
    assert trajectory.truth is not None
    begin = int(rng.integers(len(trajectory.stamps) - CLIP + 1))
    end = begin + CLIP
    clip = Clip(trajectory.name, int(trajectory.stamps[begin]), int(trajectory.stamps[end - 1]))
    return clip, float(np.sum(trajectory.truth[begin:end]))


def _predicted(
    cases: Sequence[Case], episodes: Episodes, comparisons: Sequence[Comparison]
) -> list[Predicted]:
    said: dict[str, Estimates] = {case.trajectory.name: case.estimates for case in cases}
    known = [c for c in comparisons if c.first.episode in said and c.second.episode in said]
    return predict(known, episodes, said)


def _distance(cases: Sequence[Case], reference: Mapping[str, FloatArray]) -> dict[str, float]:
    known = [c for c in cases if c.trajectory.name in reference and len(c.estimates) > 1]
    if not known:
        return {}
    values = {case.trajectory.name: case.estimates.value for case in known}
    return {"starc_distance": starc(values, reference, [case.trajectory for case in known])}


def _coverage(material: Material) -> dict[str, float]:
    if not material.spreads:
        return {}
    rows = np.concatenate([item.features for item in material.held_out.trajectories])
    return {"coverage": float(covered(rows, material.spreads).mean())}


def _outside(material: Material) -> tuple[tuple[str, float], ...]:
    """Return the features that are outside of the training range at times, the worst first."""
    if not material.spreads:
        return ()
    rows = np.concatenate([item.features for item in material.held_out.trajectories])
    shares = outside(rows, material.spreads).mean(0)
    order = np.argsort(-shares, kind="stable")
    return tuple((material.names[i], float(shares[i])) for i in order if shares[i] > 0)


def _again(
    subject: Subject, material: Material, by: By
) -> Callable[[Sequence[Trajectory]], Mapping[str, float]]:
    """Return what measures the order alone, on episodes that were changed."""

    def measured(trajectories: Sequence[Trajectory]) -> Mapping[str, float]:
        cases = cases_of(subject, trajectories)
        predicted = _predicted(cases, Episodes(trajectories), material.comparisons)
        return ordering_figures(cases, by) | preference_figures(predicted)

    return measured


def _describer(material: Material) -> Describer:
    """Return what describes rows: against the training, or else against all that is here."""
    rows = np.concatenate([item.features for item in material.held_out.trajectories])
    return Describer(material.names, material.spreads or spreads_of(rows))
