"""The figures of a card, each where it is known what must come out."""

from __future__ import annotations

import numpy as np
import pytest
from made_up import ROWS, clip, said, trajectories, trajectory
from sinew_data.feedback.types import Comparison
from sinew_rewards.learned.saved import spreads_of
from sinew_rewards.learned.trajectory import Episodes
from sinew_rewards.report.ordering import (
    first_share,
    ordering_figures,
    pair_accuracy,
    progress_correlations,
    returns,
)
from sinew_rewards.report.preferences import predict, preference_figures
from sinew_rewards.report.ranks import rank_correlation, ranks
from sinew_rewards.report.standing import chosen
from sinew_rewards.report.trust import covered, outside, spread_figures, success_figures

RISING = np.linspace(0.0, 1.0, ROWS)


def test_equal_values_share_their_ranks() -> None:
    assert ranks([3.0, 1.0, 3.0, 0.0]).tolist() == [2.5, 1.0, 2.5, 0.0]


def test_rank_correlation_knows_order_alone() -> None:
    assert rank_correlation([1, 2, 3, 4], [0, 1, 10, 1000]) == pytest.approx(1.0)
    assert rank_correlation([1, 2, 3, 4], [4, 3, 2, 1]) == pytest.approx(-1.0)
    assert rank_correlation([1, 1, 1], [1, 2, 3]) == 0.0


def test_a_reward_that_follows_the_progress_correlates_with_it() -> None:
    cases = [said(item, item.features[:, 0] ** 3) for item in trajectories(4)]
    assert progress_correlations(cases, "value") == pytest.approx([1.0] * 4)
    turned = [said(item, -item.features[:, 0]) for item in trajectories(4)]
    assert progress_correlations(turned, "value") == pytest.approx([-1.0] * 4)


def test_without_true_progress_the_time_of_successes_stands_for_it() -> None:
    items = trajectories(4, known=False)
    assert len(progress_correlations([said(item, RISING) for item in items], "value")) == 2


def test_a_reward_that_pays_for_changes_is_summed() -> None:
    case = said(trajectory(0), np.gradient(RISING**2))
    assert progress_correlations([case], "return") == pytest.approx([1.0])


def test_its_own_progress_is_taken_where_it_speaks_of_it_everywhere() -> None:
    item = trajectory(0)
    assert chosen("auto", [said(item, RISING, progress=RISING)]) == "progress"
    assert chosen("auto", [said(item, RISING, progress=RISING), said(item, RISING)]) == "value"
    assert chosen("return", [said(item, RISING, progress=RISING)]) == "return"


def test_one_well_paid_failure_leaves_pairs_in_order_but_no_success_first() -> None:
    good, bad = [1.0, 2.0, 3.0, 4.0], [0.0] * 9 + [5.0]
    assert pair_accuracy(good, bad) == pytest.approx(0.9)
    assert first_share(good, bad) == 0.0


def test_a_tie_of_a_failure_with_a_success_is_no_order() -> None:
    assert pair_accuracy([1.0], [1.0]) == 0.0
    assert first_share([1.0], [1.0]) == 0.0


def test_a_short_episode_is_not_preferred_for_being_short() -> None:
    short, long = trajectory(0), trajectory(2)
    short = type(short)(short.name, short.stamps[:10], short.features[:10], True)
    paid = returns([said(short, np.full(10, -1.0)), said(long, np.full(ROWS, -1.0))])
    assert paid[0] == pytest.approx(paid[1])


def test_figures_that_cannot_be_had_are_absent() -> None:
    figures = ordering_figures([said(trajectory(0, known=False), RISING)], "value")
    assert "pair_accuracy" not in figures
    assert "return_correlation" not in figures
    assert figures["successes"] == 1.0


def comparisons(items: list, preferred: float = 1.0) -> list[Comparison]:
    return [Comparison(clip(a, 20, 24), clip(b, 2, 6), preferred) for a in items for b in items if a is not b]


def predicted(scale: float = 1.0, preferred: float = 1.0, noise: float = 0.0):
    items = trajectories(6)
    cases = [said(item, scale * item.features[:, 0], uncertainty=np.full(ROWS, noise)) for item in items]
    values = {case.trajectory.name: case.estimates for case in cases}
    return predict(comparisons(items, preferred), Episodes(items), values)


def test_a_right_reward_predicts_every_comparison_and_a_turned_one_none() -> None:
    right, turned = preference_figures(predicted()), preference_figures(predicted(-1.0))
    assert right["comparison_accuracy"] == 1.0
    assert turned["comparison_accuracy"] == 0.0
    assert right["comparison_likelihood"] > -np.log(2) > turned["comparison_likelihood"]


def test_a_reward_without_an_opinion_is_not_right() -> None:
    assert preference_figures(predicted(0.0))["comparison_accuracy"] == 0.0


def test_ties_do_not_count_as_right_or_wrong() -> None:
    assert preference_figures(predicted(preferred=0.5)) == {}


def test_probabilities_are_calibrated_where_they_come_true_as_often_as_they_say() -> None:
    rng = np.random.default_rng(0)
    items = trajectories(30)
    episodes, values = Episodes(items), {i.name: said(i, i.features[:, 0]).estimates for i in items}
    made = [
        Comparison(p.comparison.first, p.comparison.second, float(rng.random() < p.probability))
        for p in predict(comparisons(items), episodes, values)
    ]
    loud = {item.name: said(item, 8 * item.features[:, 0]).estimates for item in items}
    honest = preference_figures(predict(made, episodes, values))
    boasting = preference_figures(predict(made, episodes, loud))
    assert honest["preference_calibration_error"] < 0.05
    assert boasting["preference_calibration_error"] > 0.1
    assert boasting["preference_calibration_error_scaled"] < 0.05


def test_coverage_is_the_share_of_rows_inside_the_training_range() -> None:
    spreads = spreads_of(np.array([[0.0, 0.0], [1.0, 2.0]]))
    rows = np.array([[0.5, 1.0], [1.005, 1.0], [1.5, 1.0], [0.5, -1.0]])
    assert covered(rows, spreads).tolist() == [True, True, False, False]
    assert outside(rows, spreads)[2].tolist() == [True, False]


def test_a_spread_that_grows_with_the_error_is_found_and_its_size_judged() -> None:
    rng = np.random.default_rng(1)
    items = trajectories(8)
    cases = []
    for item in items:
        spread = np.linspace(0.01, 0.5, ROWS)
        assert item.truth is not None
        cases.append(said(item, item.truth + spread * rng.normal(size=ROWS), uncertainty=spread))
    figures = spread_figures(cases, "value")
    assert figures["spread_error_correlation"] > 0.5
    assert figures["spread_z"] == pytest.approx(1.0, abs=0.3)


def test_without_a_spread_or_a_truth_nothing_is_said_of_trust() -> None:
    item = trajectory(0)
    assert spread_figures([said(item, RISING)], "value") == {}
    unknown = trajectory(0, known=False)
    assert spread_figures([said(unknown, RISING, uncertainty=np.full(ROWS, 0.1))], "value") == {}


def test_success_is_judged_by_how_episodes_end() -> None:
    sure = [said(i, RISING, success=np.full(ROWS, float(bool(i.success)))) for i in trajectories(6)]
    wrong = [said(i, RISING, success=np.full(ROWS, 1.0)) for i in trajectories(6)]
    assert success_figures(sure)["success_calibration_error"] == 0.0
    assert success_figures(wrong)["success_calibration_error"] == pytest.approx(0.5)
    assert success_figures([said(trajectory(0), RISING)]) == {}
