from itertools import pairwise

import pytest
from sinew_core.types import RewardEstimate
from sinew_training.grading import MeanValue, Shaped

SHAPED = Shaped(0.5, 0.9)


def estimate(progress=None, value=0.0):
    return RewardEstimate(0, value, progress=progress)


def total(progresses, terminated):
    """Return the discounted return of decisions between these progresses."""
    last = len(progresses) - 2
    return sum(
        0.9**i * SHAPED.reward(estimate(a), [estimate(b)], terminated and i == last)
        for i, (a, b) in enumerate(pairwise(progresses))
    )


def test_the_way_does_not_matter_only_where_it_began_and_whether_it_is_done():
    straight, wandering = [0.2, 0.5, 0.7, 1.0], [0.2, 0.9, 0.1, 1.0]
    assert total(straight, True) == pytest.approx(total(wandering, True))
    assert total(straight, True) == pytest.approx(0.9**2 - 0.5 * 0.2)


def test_to_go_round_in_circles_pays_nothing():
    circle = [0.3, 0.8, 0.3, 0.8, 0.3]
    assert total(circle, False) < 0


def test_progress_pays_and_falling_back_costs():
    assert SHAPED.reward(estimate(0.2), [estimate(0.6)], False) > 0
    assert SHAPED.reward(estimate(0.6), [estimate(0.2)], False) < 0


def test_unknown_progress_is_none():
    assert SHAPED.reward(estimate(None), [estimate(float("nan"))], False) == 0.0


def test_without_shaping_it_is_the_mean_of_what_followed():
    after = [estimate(value=1.0), estimate(value=3.0)]
    assert MeanValue().reward(estimate(value=99.0), after, False) == 2.0
