import numpy as np
import pytest
from sinew_core.hardware import load_hardware
from sinew_policies.jaw_geometry import Jaws, measure_jaws


@pytest.fixture(scope="module")
def so101() -> Jaws:
    return measure_jaws(load_hardware("sim_mujoco").robot)


@pytest.fixture(scope="module")
def fr3() -> Jaws:
    return measure_jaws(load_hardware("sim_mujoco_fr3").robot)


def test_two_moving_fingers_hold_in_the_middle(fr3: Jaws) -> None:
    assert fr3.inside == pytest.approx((-0.04, 0.04), abs=1e-3)
    for width in (0.02, 0.03, 0.05):
        assert fr3.held(width) == pytest.approx(0.0, abs=1e-4)


def test_a_fixed_jaw_holds_what_it_touches(so101: Jaws) -> None:
    for width in (0.025, 0.030, 0.036):
        assert so101.held(width) - width / 2 == pytest.approx(so101.inside[0], abs=1e-3)


def test_an_object_keeps_its_clearance_from_both_jaws(so101: Jaws, fr3: Jaws) -> None:
    for jaws in (so101, fr3):
        for width in (0.024, 0.030):
            middle = jaws.around(width, 0.007)
            assert middle - width / 2 - jaws.inside[0] >= 0.007 - 1e-9
            assert jaws.inside[1] - middle - width / 2 >= 0.007 - 1e-9


def test_what_is_too_wide_for_the_clearance_goes_in_the_middle(fr3: Jaws) -> None:
    assert fr3.around(0.078, 0.01) == pytest.approx(np.mean(fr3.inside), abs=1e-6)


def test_closed_jaws_have_their_outer_faces_outside(so101: Jaws, fr3: Jaws) -> None:
    for jaws in (so101, fr3):
        assert 0.005 < jaws.outside[1] - jaws.outside[0] < 0.06
