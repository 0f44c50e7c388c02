"""The equations of GUI-G2: point and coverage reward of boxes, and of regions in space."""

import numpy as np
import pytest
from sinew_rewards.gaussian_boxes import Region, box_rewards, log_rewards, rewards, upright_region

BOX = np.array([1.0, 2.0, 5.0, 4.0])  # sigmas 2 and 1
EXTENT = np.array([0.04, 0.02, 0.03])


def test_identical_boxes_earn_both_in_full() -> None:
    assert box_rewards(BOX, BOX) == pytest.approx((1.0, 1.0))


@pytest.mark.parametrize("shift", [[2, 0, 2, 0], [0, -1, 0, -1]])
def test_one_sigma_off_earns_a_root_of_e_less(shift: list[float]) -> None:
    point, coverage = box_rewards(BOX + shift, BOX)
    assert point == pytest.approx(np.exp(-0.5))
    assert coverage == pytest.approx(np.exp(-1 / 8))


def test_twice_as_wide_covers_to_a_root_of_four_fifths() -> None:
    point, coverage = box_rewards([-1.0, 2.0, 7.0, 4.0], BOX)
    assert point == pytest.approx(1.0)
    assert coverage == pytest.approx(np.sqrt(0.8))


def test_coverage_is_symmetric_and_the_point_reward_is_not() -> None:
    other = np.add(BOX, [0.5, 0.2, 3.0, 0.1])
    there, back = box_rewards(BOX, other), box_rewards(other, BOX)
    assert there[1] == pytest.approx(back[1])
    assert there[0] != pytest.approx(back[0])


def test_a_common_scaling_changes_nothing() -> None:
    other = np.add(BOX, [0.5, 0.2, 3.0, 0.1])
    assert box_rewards(7 * BOX, 7 * other) == pytest.approx(box_rewards(BOX, other))


@pytest.mark.parametrize("box", [[1, 2, 1, 4], [1, 2, 5, 2], [3, 3, 3, 3]])
def test_a_box_without_width_earns_nothing(box: list[float]) -> None:
    assert box_rewards(box, BOX) == (0.0, 0.0)
    assert box_rewards(BOX, box) == (0.0, 0.0)


@pytest.mark.parametrize("box", [[5, 2, 1, 4], [1, 4, 5, 2], [1, 2, 3], [1, 2, float("nan"), 4]])
def test_what_is_no_box_is_refused(box: list[float]) -> None:
    with pytest.raises(ValueError, match="box"):
        box_rewards(box, BOX)


def test_what_is_far_away_still_tells_near_from_far() -> None:
    near, far = (box_rewards(np.add(BOX, [d, 0, d, 0]), BOX)[0] for d in (40.0, 44.0))
    assert near > far > 0.0
    very_near, very_far = (
        log_rewards(Region(np.array([d, 0.0]), np.eye(2)), Region(np.zeros(2), np.eye(2))) for d in (1e4, 2e4)
    )
    assert very_near > very_far


def test_a_region_turns_with_its_thing_but_not_its_height() -> None:
    turned = upright_region(np.zeros(3), EXTENT, np.pi / 2)
    assert np.sqrt(np.diag(turned.covariance)) == pytest.approx([0.01, 0.02, 0.015])
    assert turned.covariance[2, :2] == pytest.approx([0.0, 0.0])


def test_in_space_the_rewards_do_not_depend_on_the_frame() -> None:
    item = upright_region(np.array([0.2, 0.0, 0.0]), EXTENT, 0.3)
    goal = upright_region(np.array([0.22, 0.01, 0.01]), EXTENT * 2, -0.4)
    c, s = np.cos(1.1), np.sin(1.1)
    R = np.array([[c, -s, 0], [s, c, 0], [0, 0, 1]])
    moved = [Region(R @ region.mean + 1.0, R @ region.covariance @ R.T) for region in (item, goal)]
    assert rewards(*moved) == pytest.approx(rewards(item, goal))
