"""Claims about perception judged by the plan: what an error costs depends on what the plan does with it."""

from __future__ import annotations

import numpy as np
import pytest
from sinew_core.types import FloatArray, Keypoint
from sinew_eval.benches.perception_value import Trial, summarise
from sinew_eval.plan_value import Intent, disturbed, loss_by_keypoint, plan_loss

CUBE, BOWL, OTHER = "red_cube", "blue_bowl", "green_cube"
PLACE = Intent(CUBE, BOWL)
TRUTH = {
    CUBE: Keypoint(np.array([0.2, 0.05, 0.014]), yaw=0.0, extent=np.array([0.028, 0.028, 0.028])),
    BOWL: Keypoint(np.array([0.22, -0.06, 0.014]), extent=np.array([0.1, 0.1, 0.028])),
    OTHER: Keypoint(np.array([0.26, 0.09, 0.014]), yaw=0.0, extent=np.array([0.028, 0.028, 0.028])),
}


def off(name: str, *offset: float) -> dict[str, Keypoint]:
    return TRUTH | {name: disturbed(TRUTH[name], np.array(offset))}


def test_the_truth_loses_nothing() -> None:
    assert plan_loss(PLACE, TRUTH, TRUTH) == 0.0


def test_an_object_that_the_plan_does_not_touch_may_be_anywhere() -> None:
    assert plan_loss(PLACE, off(OTHER, 0.05, 0.05, 0.0), TRUTH) == 0.0


def test_the_same_error_costs_more_at_a_cube_than_at_a_wide_bowl() -> None:
    error = (0.0, 0.025, 0.0)
    assert plan_loss(PLACE, off(CUBE, *error), TRUTH) > 0.8
    assert plan_loss(PLACE, off(BOWL, *error), TRUTH) < 0.1


def test_fingers_forgive_more_along_their_breadth_than_between_them() -> None:
    between, breadth = (plan_loss(PLACE, off(CUBE, *e), TRUTH) for e in ((0, 0.014, 0), (0.014, 0, 0)))
    assert between > breadth + 0.2


def test_a_missing_keypoint_costs_the_plan_only_if_it_needs_it() -> None:
    without = {name: {k: v for k, v in TRUTH.items() if k != name} for name in TRUTH}
    assert plan_loss(PLACE, without[CUBE], TRUTH) > 0.8
    assert plan_loss(PLACE, without[BOWL], TRUTH) > 0.8
    assert plan_loss(PLACE, without[OTHER], TRUTH) == 0.0


@pytest.mark.parametrize("name", [CUBE, BOWL])
def test_more_error_costs_no_less(name: str) -> None:
    losses = [plan_loss(PLACE, off(name, 0.0, e, 0.0), TRUTH) for e in np.linspace(0.0, 0.06, 13)]
    assert (np.diff(losses) >= -1e-9).all()


def test_a_push_forgives_an_error_along_its_way_more_than_across_it() -> None:
    push = Intent(CUBE, BOWL, "push")
    way = TRUTH[BOWL].position - TRUTH[CUBE].position
    way = way / np.linalg.norm(way)
    across = np.array([-way[1], way[0], 0.0])

    def loss(error: FloatArray) -> float:
        return plan_loss(push, off(CUBE, *(0.012 * error)), TRUTH)

    assert loss(across) > loss(way) + 0.1


def test_each_keypoint_is_charged_with_its_own_error() -> None:
    estimate = off(CUBE, 0.0, 0.03, 0.0) | {OTHER: disturbed(TRUTH[OTHER], np.array([0.03, 0.0, 0.0]))}
    losses = loss_by_keypoint(PLACE, estimate, TRUTH)
    assert losses[CUBE] > 0.8
    assert losses[BOWL] == losses[OTHER] == 0.0


def trial(lost: bool, plan: float, pixels: float) -> Trial:
    return Trial("pick_place", 0, lost, plan, pixels, pixels, {"moved": (plan, pixels, pixels)})


def test_the_measure_that_foresees_lost_success_correlates_with_it() -> None:
    trials = [trial(bool(i % 2), 0.9 * (i % 2), float(i % 3)) for i in range(12)]
    figures = summarise(trials)
    assert figures["corr_plan"] == 1.0
    assert abs(figures["corr_pixel"]) < 0.5
    assert figures["lost"] == 6


def test_without_any_lost_episode_there_is_no_correlation() -> None:
    assert summarise([trial(False, 0.1 * i, float(i)) for i in range(5)])["corr_plan"] == 0.0
