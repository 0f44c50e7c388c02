import numpy as np
import pytest
from sinew_rewards.paths import BlockPath

LINE = BlockPath.through(np.array([[0.1 * i, 0.0, 0.0] for i in range(5)]))


def test_block_centres_lie_at_their_share_of_the_path() -> None:
    for i in range(5):
        along, beside = LINE.project(LINE.blocks[i], i, LINE.last)
        assert along == pytest.approx(i / 4)
        assert beside == pytest.approx(0.0)


def test_distance_beside_the_path_does_not_change_the_share() -> None:
    along, beside = LINE.project(np.array([0.25, 0.03, 0.04]), 2, LINE.last)
    assert along == pytest.approx(0.25 / 0.4)
    assert beside == pytest.approx(0.05)


def test_before_and_after_the_path_the_share_stays_between_0_and_1() -> None:
    assert LINE.project(np.array([-1.0, 0.0, 0.0]), 0, LINE.last)[0] == 0.0
    assert LINE.project(np.array([9.0, 0.0, 0.0]), 4, LINE.last)[0] == 1.0


def test_the_window_bounds_the_nearest_block() -> None:
    assert LINE.nearest(np.array([0.4, 0.0, 0.0]), 0, 2) == 2
    assert LINE.nearest(np.array([0.0, 0.0, 0.0]), -1, 99) == 0


def test_blocks_at_one_place_are_no_error() -> None:
    path = BlockPath.through(np.array([[0.0, 0, 0], [0, 0, 0], [0.1, 0, 0], [0.1, 0, 0]]))
    for block in range(4):
        along, beside = path.project(np.array([0.05, 0.0, 0.0]), block, path.last)
        assert 0.0 <= along <= 1.0
        assert np.isfinite(beside)


def test_a_path_of_one_block_is_walked_where_it_is() -> None:
    path = BlockPath.through(np.array([[0.1, 0.2, 0.3]]))
    assert path.project(np.array([0.1, 0.2, 0.4]), 0, path.last) == (1.0, pytest.approx(0.1))
