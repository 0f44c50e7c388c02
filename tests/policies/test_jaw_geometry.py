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
    assert fr3.openings[-1] == pytest.approx(0.08, abs=1e-3)
    for width in (0.02, 0.03, 0.05):
        assert fr3.middle(width) == pytest.approx(0.0, abs=1e-4)


def test_a_fixed_jaw_holds_what_it_touches(so101: Jaws) -> None:
    pads = [so101.middle(width) - width / 2 for width in (0.025, 0.030, 0.036, 0.05)]
    np.testing.assert_allclose(pads, pads[0], atol=1e-3)


def test_openings_rise_with_the_aperture(so101: Jaws, fr3: Jaws) -> None:
    for jaws in (so101, fr3):
        assert (np.diff(jaws.apertures) > 0).all()
        assert (np.diff(jaws.openings) > 0).all()
        apertures = [jaws.aperture(opening) for opening in (0.02, 0.03, 0.05)]
        assert 0 < apertures[0] < apertures[1] < apertures[2] < 1


def test_the_pads_of_the_fr3_are_twice_the_finger_joint_apart(fr3: Jaws) -> None:
    assert fr3.aperture(0.03) * 0.08 == pytest.approx(0.03, abs=1e-3)


def test_closed_jaws_have_their_outer_faces_outside(so101: Jaws, fr3: Jaws) -> None:
    for jaws in (so101, fr3):
        assert 0.005 < jaws.outside[1] - jaws.outside[0] < 0.06


def test_the_closed_jaws_are_a_finger_broad(so101: Jaws, fr3: Jaws) -> None:
    assert so101.broadside == pytest.approx((-0.009, 0.009), abs=1e-3)
    assert fr3.broadside == pytest.approx((-0.009, 0.009), abs=2e-3)
