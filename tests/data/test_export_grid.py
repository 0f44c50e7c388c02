"""Alignment by capture time: the nearest of each stream, a loss is a gap, jitter and ends are none."""

from __future__ import annotations

from fractions import Fraction

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from sinew_data.export.grid import align, longest_regular, moments, nearest

MS = 1_000_000
PERIOD = 50 * MS
FPS = Fraction(20)


def every(period: int, count: int, start: int = 0) -> np.ndarray:
    return start + period * np.arange(count, dtype=np.int64)


@given(
    st.lists(st.integers(0, 1000), min_size=1, max_size=20, unique=True).map(sorted),
    st.lists(st.integers(-100, 1100), min_size=1, max_size=20),
)
def test_nearest_is_nearest_and_of_two_equally_near_the_earlier(stamps: list[int], at: list[int]) -> None:
    found = nearest(np.array(stamps), np.array(at))
    for moment, chosen in zip(at, found.tolist(), strict=True):
        least = min(abs(stamp - moment) for stamp in stamps)
        assert chosen == min(stamp for stamp in stamps if abs(stamp - moment) == least)


def test_the_grid_of_a_control_period_meets_every_step_exactly() -> None:
    stamps = every(33_333_333, 1000, start=17)
    grid = moments(17, int(stamps[-1]), Fraction(1_000_000_000, 33_333_333))
    np.testing.assert_array_equal(grid, stamps)


def test_a_grid_of_whole_frames_a_second_does_not_drift() -> None:
    grid = moments(5, 3600 * 1000 * MS, Fraction(30))
    assert grid[30 * 60] == 5 + 60 * 1000 * MS


@pytest.mark.parametrize(
    ("last", "count"), [(0, 1), (19, 20), (18.6, 20), (19.4, 20), (19.5, 20), (19.6, 21)]
)
def test_the_grid_ends_where_the_last_step_is_nearest(last: float, count: int) -> None:
    assert len(moments(0, round(last * PERIOD), FPS)) == count


def test_a_lost_frame_is_a_gap_that_names_stream_and_moment() -> None:
    frames = np.delete(every(PERIOD, 20), [7, 8])
    found = align(every(PERIOD, 20), {"joints": every(PERIOD, 20), "top": frames}, FPS, None)
    assert [(gap.stream, gap.at, gap.distance) for gap in found.gaps] == [
        ("top", 7 * PERIOD, PERIOD),
        ("top", 8 * PERIOD, PERIOD),
    ]
    assert len(found.moments) == 18


def test_jitter_is_no_gap_and_frames_stay_within_half_the_longest_interval() -> None:
    rng = np.random.default_rng(0)
    steps = np.cumsum(rng.integers(44 * MS, 57 * MS, 2000))  # it drifts, too
    frames = np.cumsum(rng.integers(28 * MS, 39 * MS, 3100))
    grid = moments(int(steps[0]), int(steps[-1]), FPS)
    found = align(grid, {"joints": steps, "top": frames}, FPS, None)
    assert found.gaps == ()
    assert found.worst["joints"] <= 57 * MS / 2 + 2000
    assert found.worst["top"] <= 39 * MS / 2 + 2000


def test_a_slow_camera_is_repeated_and_the_end_that_it_does_not_see_is_trimmed() -> None:
    slow = every(3 * PERIOD, 7)  # the last one at period 18
    found = align(every(PERIOD, 21), {"slow": slow}, FPS, None)
    assert (found.gaps, found.trimmed, len(found.moments)) == ((), 1, 20)
    np.testing.assert_array_equal(
        found.chosen["slow"][:6], [0, 0, 3 * PERIOD, 3 * PERIOD, 3 * PERIOD, 6 * PERIOD]
    )


def test_a_camera_that_died_early_is_a_gap_and_no_end() -> None:
    found = align(every(PERIOD, 20), {"top": every(PERIOD, 12)}, FPS, None)
    assert len(found.gaps) == 7  # the moment right after its last frame is an end
    assert found.trimmed == 1


@pytest.mark.parametrize(("tolerance", "gaps"), [(0.1, 0), (0.049, 1), (0.0, 1)])
def test_a_given_tolerance_counts_for_every_stream(tolerance: float, gaps: int) -> None:
    frames = np.delete(every(PERIOD, 20), 7)
    found = align(every(PERIOD, 20), {"joints": every(PERIOD, 20), "top": frames}, FPS, tolerance)
    assert len(found.gaps) == gaps
    assert set(found.tolerance.values()) == {round(tolerance * 1e9)}


def test_the_longest_regular_interval_leaves_losses_out() -> None:
    assert longest_regular(np.array([0, 10, 20, 31, 61, 71])) == 11
    assert longest_regular(np.array([5])) == 0
