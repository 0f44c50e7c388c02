"""Images brought to a square."""

import numpy as np
from sinew_perception.encoders.squares import square


def test_a_square_keeps_the_middle():
    image = np.zeros((20, 40, 3), np.uint8)
    image[:, 10:30] = 200  # the middle
    assert (square(image, 20) == 200).all()
    assert (square(image, 10) == 200).all()
    assert (square(image, 64) == 200).all()


def test_a_square_of_the_right_size_stays_as_it_is():
    image = np.random.default_rng(3).integers(0, 256, (30, 30, 3)).astype(np.uint8)
    np.testing.assert_array_equal(square(image, 30), image)
