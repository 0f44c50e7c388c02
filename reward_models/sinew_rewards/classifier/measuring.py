"""Measures a classifier on held-out episodes and makes its report card."""

from __future__ import annotations

import time
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
import numpy.typing as npt
from sinew_core.types import CameraFrame, FloatArray
from sinew_eval.statistics import wilson_interval

from sinew_rewards.classifier.calibration import expected_calibration_error, reliability
from sinew_rewards.classifier.card import Card, Confusion, Criteria, Figures, Mistake, Rate
from sinew_rewards.classifier.labels import Labelled
from sinew_rewards.classifier.scorer import Scorer

SHOWN = 8  # mistakes of a kind
OF_ONE = 2  # of them, from one episode: neighbouring frames look alike
ROUNDS, ANSWERS = 8, 15  # timed
WARM_UP = 10  # answers before


def make_card(
    scorer: Scorer,
    episodes: Sequence[Labelled],
    criteria: Criteria,
    threshold: float,
    provenance: Mapping[str, Any],
) -> Card:
    """Return the card of a classifier on episodes that it never saw."""
    scored = [(item, scorer.probabilities(item.frames.pictures)) for item in episodes]
    probabilities = np.concatenate([p[item.labels >= 0] for item, p in scored])
    labels = np.concatenate([item.labels[item.labels >= 0] for item in episodes]).astype(np.float64)
    median, high = latency(scorer)
    wrong = _mistakes(scored, 0)
    return Card(
        weights_sha256=scorer.facts.weights_sha256,
        threshold=threshold,
        criteria=criteria,
        figures=_figures(scored, probabilities, labels, threshold, (median, high)),
        reliability=tuple(reliability(probabilities, labels)),
        false_positives=_some([m for m in wrong if m.probability >= threshold]),
        near_positives=_some([m for m in wrong if m.probability < threshold]),
        false_negatives=_some([m for m in reversed(_mistakes(scored, 1)) if m.probability < threshold]),
        held_out=tuple(item.name for item in episodes),
        provenance=dict(provenance),
    )


def _figures(
    scored: Sequence[tuple[Labelled, FloatArray]],
    probabilities: FloatArray,
    labels: FloatArray,
    threshold: float,
    latencies: tuple[float, float],
) -> Figures:
    confusion = confusion_of(probabilities, labels, threshold)
    tp, fp = confusion.true_positive, confusion.false_positive
    fn, tn = confusion.false_negative, confusion.true_negative
    with_success = [bool((p[item.labels == 1] >= threshold).any()) for item, p in scored if item.positives]
    without = [bool((p[item.labels == 0] >= threshold).any()) for item, p in scored if not item.positives]
    return Figures(
        episodes=len(scored),
        frames=len(labels),
        confusion=confusion,
        precision=rate(tp, tp + fp),
        recall=rate(tp, tp + fn),
        false_positives=rate(fp, fp + tn),
        found=rate(sum(with_success), len(with_success)),
        alarmed=rate(sum(without), len(without)),
        calibration_error=_rounded(expected_calibration_error(probabilities, labels)),
        latency_ms=_rounded(latencies[0]),
        latency_95_ms=_rounded(latencies[1]),
    )


def confusion_of(probabilities: FloatArray, labels: FloatArray, threshold: float) -> Confusion:
    """Return the frames counted by label (1 or 0) and by what is said of them."""
    said, true = probabilities >= threshold, labels > 0.5
    counts = [int(np.sum(a & b)) for a, b in ((said, true), (said, ~true), (~said, true), (~said, ~true))]
    return Confusion(*counts)


def rate(count: int, of: int) -> Rate:
    """Return a share with its Wilson interval."""
    low, high = wilson_interval(count, of)
    return Rate(count, of, _rounded(count / of) if of else None, (_rounded(low), _rounded(high)))


def latency(scorer: Scorer) -> tuple[float, float]:
    """Return median and 95th percentile of the time of one answer, in ms, from camera images on.

    They are those of the quietest of several rounds: other work on the machine only ever adds.
    """
    rng = np.random.default_rng(0)
    frames = {
        view.name: CameraFrame(0, rng.integers(0, 256, (view.height, view.width, 3), dtype=np.uint8))
        for view in scorer.facts.spec.views
    }
    times = []
    for _ in range(WARM_UP + ROUNDS * ANSWERS):
        begin = time.perf_counter()
        scorer.probabilities(scorer.see(frames)[None])
        times.append(1000 * (time.perf_counter() - begin))
    rounds = np.percentile(np.reshape(times[WARM_UP:], (ROUNDS, ANSWERS)), [50, 95], axis=1)
    median, high = rounds[:, rounds[0].argmin()]
    return float(median), float(high)


def _mistakes(scored: Sequence[tuple[Labelled, FloatArray]], label: int) -> list[Mistake]:
    """Return the frames of a label, the most probable first."""
    found = [
        Mistake(item.name, int(item.frames.step[i]), _rounded(float(p[i])))
        for item, p in scored
        for i in np.flatnonzero(item.labels == label)
    ]
    return sorted(found, key=lambda m: -m.probability)


def _some(mistakes: Sequence[Mistake]) -> tuple[Mistake, ...]:
    """Return the first few, not too many from one episode."""
    chosen: list[Mistake] = []
    for mistake in mistakes:
        if sum(other.episode == mistake.episode for other in chosen) < OF_ONE:
            chosen.append(mistake)
        if len(chosen) == SHOWN:
            break
    return tuple(chosen)


def picture_of(episodes: Sequence[Labelled], mistake: Mistake) -> npt.NDArray[np.uint8] | None:
    """Return the pictures (cameras, size, size, 3) of a mistake, None if its episode is not among these."""
    for item in episodes:
        if item.name == mistake.episode:
            at = np.flatnonzero(item.frames.step == mistake.step)
            return np.array(item.frames.pictures[int(at[0])]) if len(at) else None
    return None


def _rounded(value: float) -> float:
    return float(f"{value:.6g}")
