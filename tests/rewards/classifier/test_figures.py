"""Calibration, threshold, intervals and the card's verdict, by hand."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from sinew_rewards.classifier.calibration import (
    Calibration,
    calibrate,
    choose_threshold,
    expected_calibration_error,
    reliability,
    sigmoid,
)
from sinew_rewards.classifier.card import Card, Confusion, Criteria, Figures, Rate
from sinew_rewards.classifier.measuring import confusion_of, rate


def test_calibration_error_by_hand() -> None:
    probabilities = np.array([0.05, 0.05, 0.95, 0.95])
    labels = np.array([0.0, 1.0, 1.0, 1.0])
    # Two frames say 0.05 and half are true: 0.45 off; two say 0.95 and all are: 0.05 off.
    assert expected_calibration_error(probabilities, labels) == pytest.approx(0.25)
    assert [(b.count, b.true) for b in reliability(probabilities, labels)] == [(2, 0.5), (2, 1.0)]


def test_probabilities_of_one_and_zero_have_bins() -> None:
    assert sum(b.count for b in reliability(np.array([0.0, 1.0, 0.1, 0.999]), np.ones(4))) == 4


def test_calibration_mends_an_overconfident_model() -> None:
    rng = np.random.default_rng(0)
    logits = rng.normal(0.0, 1.5, 4000)
    labels = (rng.uniform(size=4000) < sigmoid(logits)).astype(float)
    overconfident = 4.0 * logits
    found = calibrate(overconfident[:2000], labels[:2000])
    assert found.temperature == pytest.approx(4.0, rel=0.15)
    before = expected_calibration_error(sigmoid(overconfident[2000:]), labels[2000:])
    after = expected_calibration_error(found.probabilities(overconfident[2000:]), labels[2000:])
    assert after < 0.03
    assert before > 0.1


def test_calibration_knows_how_rare_success_is_outside_of_balanced_batches() -> None:
    rng = np.random.default_rng(1)
    logits = rng.normal(0.0, 2.0, 6000)
    labels = (rng.uniform(size=6000) < sigmoid(logits - 3.0)).astype(float)
    assert calibrate(logits, labels).shift == pytest.approx(-3.0, abs=0.4)


def test_separable_classes_leave_the_temperature_finite() -> None:
    logits = np.concatenate([np.full(20, -3.0), np.full(20, 3.0)])
    found = calibrate(logits, (logits > 0).astype(float))
    assert 0.1 < found.temperature < 10.0
    assert found.probabilities(np.array([3.0]))[0] == pytest.approx(21 / 22, abs=0.01)


def test_a_fit_that_would_turn_the_order_round_changes_nothing() -> None:
    logits = np.linspace(-2, 2, 50)
    assert calibrate(logits, (logits < 0).astype(float)) == Calibration()


@given(st.lists(st.tuples(st.floats(-8, 8), st.booleans()), min_size=4, max_size=40))
@settings(max_examples=60, deadline=None)
def test_calibration_keeps_the_order(pairs: list[tuple[float, bool]]) -> None:
    logits = np.array([logit for logit, _ in pairs])
    labels = np.array([float(label) for _, label in pairs])
    calibrated = calibrate(logits, labels).probabilities(np.sort(logits))
    assert np.all(np.isfinite(calibrated))
    assert np.all(np.diff(calibrated) >= 0)


def test_the_threshold_is_the_lowest_that_is_precise_enough() -> None:
    probabilities = np.array([0.55, 0.6, 0.7, 0.8, 0.9])
    labels = np.array([0.0, 1.0, 0.0, 1.0, 1.0])
    assert choose_threshold(probabilities, labels, 1.0) == pytest.approx(0.75)
    assert choose_threshold(probabilities, labels, 0.75) == pytest.approx(0.575)
    assert choose_threshold(probabilities, labels, 0.6) == 0.5


def test_without_a_precise_threshold_the_most_precise_is_taken() -> None:
    probabilities = np.array([0.6, 0.7, 0.8])
    assert choose_threshold(probabilities, np.array([1.0, 1.0, 0.0]), 0.9) == 0.5


def test_confusion_counts_every_frame_once() -> None:
    probabilities = np.array([0.9, 0.8, 0.2, 0.1, 0.5])
    labels = np.array([1.0, 0.0, 1.0, 0.0, 0.0])
    assert confusion_of(probabilities, labels, 0.5) == Confusion(1, 2, 1, 1)


def test_a_share_of_nothing_is_unknown() -> None:
    assert rate(0, 0) == Rate(0, 0, None, (0.0, 1.0))
    assert rate(9, 10).share == 0.9


def _card(**figures: object) -> Card:
    whole = Rate(20, 20, 1.0, (0.8, 1.0))
    made = Figures(10, 40, Confusion(20, 0, 0, 20), whole, whole, whole, whole, whole, 0.01, 2.0, 3.0)
    return Card("0" * 64, 0.5, Criteria(), replace(made, **figures), (), (), (), (), ())  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("figures", "named"),
    [
        ({"precision": Rate(9, 10, 0.9, (0.6, 1.0))}, "precision 0.9 (at least 0.95)"),
        ({"precision": Rate(0, 0, None, (0.0, 1.0))}, "precision is unknown"),
        ({"recall": Rate(1, 10, 0.1, (0.0, 0.4))}, "recall 0.1 (at least 0.8)"),
        ({"calibration_error": 0.2}, "calibration error 0.2 (at most 0.1)"),
        ({"latency_ms": 50.0}, "latency 50 ms (at most 20 ms)"),
        ({"episodes": 2}, "held-out episodes 2 (at least 5)"),
    ],
)
def test_each_criterion_fails_by_its_name(figures: dict[str, object], named: str) -> None:
    assert _card().passed
    (failure,) = _card(**figures).failures()
    assert failure.startswith(named)
