"""What keypoints are off by in training: everywhere, and where the gripper is in front of them."""

import numpy as np
import pytest
from sinew_core.hardware import load_hardware
from sinew_core.types import JointState, Task
from sinew_sim.scene import ObjectSpec, ObjectState, PlacedObject, Scene, SceneState
from sinew_sim.true_keypoints import NoiseConfig, TrueKeypoints

HARDWARE = load_hardware("sim_mujoco")
CUBE = ObjectSpec("red cube", "cube", "red", (1.0, 0.0, 0.0), (0.03, 0.03, 0.03), 0.02)
SILENT = {"position": 0.0, "jitter": 0.0, "yaw": 0.0, "extent": 0.0, "drift": 0.0, "hidden": 0.0}


class OneCube:
    """A world with one cube, its centre `away` from the tip; both move along x."""

    def __init__(self, away):
        self.scene = Scene((PlacedObject(CUBE, (0.2, 0.0, 0.015), 0.0),), "reach the red cube", "red cube")
        self.away, self.at = away, 0.2

    def state(self):
        cube = ObjectState(np.array([self.at, 0.0, 0.015]), np.array([1.0, 0.0, 0.0, 0.0]), np.zeros(3))
        return SceneState({"red cube": cube}, cube.position + np.array([0.0, 0.0, self.away]), 1.0)


def looks(count, away, *, aperture=1.0, **noise):
    """Return what is seen in so many looks (count,), and where the cube was (count, 3)."""
    world = OneCube(away)
    eyes = TrueKeypoints(HARDWARE, world, NoiseConfig(**{**SILENT, **noise}), 3)
    eyes.reset(Task("reach", "reach the red cube"))
    joints = HARDWARE.robot.home.copy()
    joints[HARDWARE.robot.gripper_index] = HARDWARE.robot.gripper_position(aperture)
    seen, there = [], []
    for i in range(count):
        world.at = 0.2 + 0.0001 * i
        seen.append(eyes.process({}, JointState(i, joints, np.zeros_like(joints))).keypoints["red_cube"])
        there.append(world.state().objects["red cube"].position)
    return seen, np.array(there)


def errors(seen, there):
    return np.array([each.position for each in seen]) - there


def test_without_noise_it_is_the_truth():
    seen, there = looks(50, 0.01)
    np.testing.assert_allclose(errors(seen, there), 0, atol=1e-12)
    assert all(each.visible for each in seen)


def test_what_a_gripper_is_near_is_made_out_with_a_drift_of_its_own():
    near, far = (errors(*looks(2000, away, drift=0.003)) for away in (0.03, 0.08))
    assert near.std() == pytest.approx(0.003, rel=0.25)
    assert np.abs(far).max() == 0
    ahead = np.corrcoef(near[:-1, 1], near[1:, 1])[0, 1]
    assert ahead > 0.8  # it drifts, it does not jump


def test_a_hidden_object_stays_where_it_was_seen_and_says_so():
    seen, there = looks(3000, 0.03, hidden=0.05, hidden_looks=5.0)
    hidden = np.array([not each.visible for each in seen])
    assert hidden.mean() == pytest.approx(0.2, abs=0.06)
    off = errors(seen, there)[:, 0]
    assert np.abs(off[~hidden]).max() < 1e-12
    assert (off[hidden] < 0).all()  # it has gone on since


@pytest.mark.parametrize(("away", "aperture"), [(0.08, 1.0), (0.01, 0.3)])
def test_what_is_far_from_the_gripper_or_held_by_it_is_not_hidden(away, aperture):
    seen, _ = looks(300, away, aperture=aperture, hidden=1.0)
    assert all(each.visible for each in seen[1:])


@pytest.mark.parametrize(("aperture", "held"), [(0.0, False), (0.4, True), (1.0, False)])
def test_only_jaws_with_something_between_them_hold_it(aperture, held):
    assert all(each.held is held for each in looks(3, 0.01, aperture=aperture)[0])


@pytest.mark.parametrize("wrong", [{"hidden": 1.5}, {"drift": -0.1}, {"hidden_looks": 0.5}])
def test_settings_that_mean_nothing_are_refused(wrong):
    with pytest.raises(ValueError, match="noise"):
        NoiseConfig(**wrong)
