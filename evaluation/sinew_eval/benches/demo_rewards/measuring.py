"""How well a fitted reward knows how far unseen episodes are, and where their stages change."""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence

import numpy as np
import numpy.typing as npt
from sinew_core.types import FloatArray
from sinew_rewards.learned.scoring import Learner, Scorer
from sinew_rewards.learned.trajectory import Trajectory
from sinew_rewards.report.ordering import ordering_figures
from sinew_rewards.report.ranks import rank_correlation
from sinew_rewards.report.standing import By, Case, chosen
from sinew_rewards.report.subject import scored

from sinew_eval.benches.demo_rewards.splitting import Split

Frames = Sequence[int]
Figures = dict[str, float | None]


def measure(learner: Learner, split: Split, seed: int) -> Figures:
    """Fit a learner and return its figures on the unseen episodes; None for what it does not say.

    `rank_corr` is Spearman's correlation with the true progress over all control periods of all episodes,
    so that episodes are compared with one another, too; `rank_corr_within` is the mean of that of each.
    `pair_accuracy` is by how episodes end. `cut_error_frames` is of successes, see `cut_errors`.
    """
    started = time.perf_counter()
    scorer = learner.fit(split.shown, (), seed)
    fit_s = time.perf_counter() - started
    cases = [Case(item, scored(scorer, item.stamps, item.features)) for item in split.unseen]
    by = chosen("auto", cases)
    order = ordering_figures(cases, by)
    return {
        "rank_corr": pooled_correlation(cases, by),
        "rank_corr_within": order.get("rank_correlation"),
        "pair_accuracy": order.get("pair_accuracy"),
        "return_pair_accuracy": order.get("return_pair_accuracy"),
        **_cut_figures(scorer, split.unseen),
        "fit_s": fit_s,
    }


def pooled_correlation(cases: Sequence[Case], by: By) -> float | None:
    """Return the rank correlation with the true progress over the rows of all episodes that have one."""
    known = [(case.standing(by), case.trajectory.progress) for case in cases]
    pairs = [(said, true) for said, true in known if true is not None]
    if not pairs:
        return None
    said, true = (np.concatenate(parts) for parts in zip(*pairs, strict=True))
    return rank_correlation(said, true)


def cut_errors(cuts: Frames, changes: Frames, last: int) -> list[float]:
    """Return how many frames each cut is from the nearest change of stage, and each change from a cut.

    The last frame is a cut that ends the last stage, so that it may be the nearest one to a change, but
    counts for none itself.
    """
    if not len(changes):
        return []
    inner = [cut for cut in cuts if cut < last]
    there = [min(abs(cut - change) for change in changes) for cut in inner]
    back = [min(abs(cut - change) for cut in (*inner, last)) for change in changes]
    return [float(error) for error in (*there, *back)]


def equal_cuts(length: int, parts: int) -> list[int]:
    """Return the last frames of `parts` equal parts: what cutting blindly gives."""
    return [round((i + 1) * length / parts) - 1 for i in range(parts)]


def _cut_figures(scorer: Scorer, unseen: Sequence[Trajectory]) -> Figures:
    """Return the median errors of cuts, and of as many equal parts; None where it does not cut."""
    cuts: Callable[[FloatArray], list[int]] | None = getattr(scorer, "cuts", None)
    own: list[float] = []
    blind: list[float] = []
    for item in unseen:
        if cuts is not None and item.success and item.stages is not None:
            last, changes = len(item.stamps) - 1, _changes(item.stages)
            found = [*(cut for cut in cuts(np.asarray(item.features, np.float64)) if cut < last), last]
            own += cut_errors(found, changes, last)
            blind += cut_errors(equal_cuts(last + 1, len(found)), changes, last)
    return {
        "cut_error_frames": float(np.median(own)) if own else None,
        "cut_error_equal_frames": float(np.median(blind)) if blind else None,
    }


def _changes(stages: npt.NDArray[np.int64]) -> list[int]:
    return [int(frame) + 1 for frame in np.flatnonzero(np.diff(stages))]
