"""Distances, their gradients and bounds, and which pairs are watched."""

import mujoco
import numpy as np
import pytest
from sinew_core.hardware import Hardware
from sinew_safety.barrier import BarrierFilter
from sinew_safety.config import CONSTRAINTS, BarrierConfig
from sinew_safety.gaps import Gaps
from sinew_safety.judge import Judge

from tests.safety.conftest import bare, obstacles


@pytest.fixture(scope="module")
def gaps(hardware: Hardware) -> Gaps:
    return Gaps(hardware, obstacles(hardware))


def random_positions(hardware: Hardware, count: int) -> np.ndarray:
    return np.random.default_rng(3).uniform(
        hardware.robot.lower, hardware.robot.upper, (count, len(hardware.robot.lower))
    )


def test_gradients_are_the_derivatives_of_the_distances(hardware: Hardware, gaps: Gaps) -> None:
    rng = np.random.default_rng(4)
    for position in random_positions(hardware, 20):
        gaps.at(position)
        now = gaps.nearest(gaps.all)
        move = 1e-6 * rng.normal(size=len(position))
        errors = []
        for side in (1.0, -1.0):  # on one of which another corner may be the nearest
            gaps.at(position + side * move)
            change = gaps.distances(gaps.all) - now.distance
            errors.append(np.abs(change - side * now.gradient @ move))
        assert np.min(errors, axis=0).max() < 2e-9


def test_bounds_hold(hardware: Hardware, gaps: Gaps) -> None:
    for position in random_positions(hardware, 50):
        gaps.at(position)
        now, least, levers = gaps.nearest(gaps.all), gaps.at_least(), gaps.levers()
        assert (least <= np.maximum(now.distance, 0.0) + 1e-9).all()
        assert (np.abs(now.gradient) <= levers + 1e-9).all()


def test_the_judge_agrees_where_anything_is_near(hardware: Hardware, gaps: Gaps, judge: Judge) -> None:
    """Two engines that share no code; PyBullet's cylinders have flat sides."""
    compared = dict.fromkeys(CONSTRAINTS, 0)
    for position in random_positions(hardware, 400):
        gaps.at(position)
        ours, theirs = gaps.distances(gaps.all), judge.smallest(position)
        for i, name in enumerate(CONSTRAINTS):
            least = ours[gaps.constraint == i].min()
            if least < 0.01:  # within which the judge knows no pair that the filter left out
                compared[name] += 1
                assert theirs[name] == pytest.approx(least, abs=6e-4), name
    assert min(compared.values()) > 2


def test_home_keeps_every_margin(hardware: Hardware) -> None:
    barrier, config = BarrierFilter(BarrierConfig(), hardware), BarrierConfig()
    barrier.gaps.at(hardware.robot.home)
    margins = np.array([config.margin(name) for name in CONSTRAINTS])[barrier.gaps.constraint]
    assert (barrier.gaps.distances(barrier.gaps.all) > margins).all()


def test_what_is_left_out_has_its_reason_and_is_apart_or_joined(hardware: Hardware, gaps: Gaps) -> None:
    left_out = gaps.pairs.left_out
    assert set(left_out.values()) <= {
        "joined by a joint",
        "fingers are there to close",
        "cannot come near",
        "touches in every pose",
        "turns level with the table",
    }
    assert set(left_out) & set(gaps.pairs.label) == set()
    apart = [label.split("/") for label, why in left_out.items() if why == "cannot come near"]
    shapes = gaps.shapes
    pairs = [
        (a, b)
        for one, other in apart
        for a in range(len(shapes.links))
        for b in range(len(shapes.links))
        if shapes.links[a] == one and shapes.links[b] == other and not shapes.names[a] and not shapes.names[b]
    ]
    first, second = np.array(pairs).T
    for position in random_positions(hardware, 300):
        gaps.at(position)
        assert min(shapes.distances(first, second)) > 0


def test_every_moving_link_is_kept_from_the_table_but_the_one_that_stays_level(
    hardware: Hardware, gaps: Gaps
) -> None:
    watched = {
        label
        for label, constraint in zip(gaps.pairs.label, gaps.pairs.constraint, strict=True)
        if constraint == "table"
    }
    model, shapes = gaps.shapes.model, gaps.shapes
    moving = {shapes.links[i] for i in range(model.ngeom) if shapes.moving[i] and not shapes.names[i]}
    assert hardware.robot.base_link not in watched
    assert moving - watched == {{"so101": "shoulder", "fr3": "fr3_link1"}[hardware.robot.name]}


def test_fingers_that_follow_another_are_where_they_belong() -> None:
    gaps, robot = Gaps(bare("sim_mujoco_fr3"), ()), bare("sim_mujoco_fr3").robot
    model = gaps.shapes.model
    for opening in (0.0, 0.02, 0.04):
        position = robot.home.copy()
        position[robot.gripper_index] = opening
        gaps.at(position)
        data = gaps.shapes._data
        left = data.qpos[mujoco.mj_name2id(model, mujoco.mjtObj.mjOBJ_JOINT, "fr3_finger_joint1")]
        right = data.qpos[mujoco.mj_name2id(model, mujoco.mjtObj.mjOBJ_JOINT, "fr3_finger_joint2")]
        assert left == right == opening
