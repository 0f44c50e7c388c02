"""Every robot means the same thing to both simulators, to our kinematics and to its maker's table."""

from __future__ import annotations

import xml.etree.ElementTree as ET
from collections.abc import Iterator
from pathlib import Path

import mink
import numpy as np
import pybullet
import pytest
from numpy.typing import NDArray
from sinew_core.kinematics import rpy_matrix, transform
from sinew_core.robot import Robot, load_robot

from tests.robots.arms import BulletArm, MujocoArm
from tests.robots.tables import (
    ABILITIES,
    FR3_CRAIG,
    FR3_FLANGE,
    FR3_HAND_YAW,
    FR3_TCP,
    HALF_TURN,
    SO101_BASE,
    SO101_JOINTS,
    UR5E_DH,
    WX250S_HOME,
    WX250S_SCREWS,
    about_z,
    chain,
    craig,
    denavit,
    screw,
)

Array = NDArray[np.float64]
ROBOTS = Path(__file__).parents[2] / "hardware_configs" / "robots"
DOWN = np.diag([1.0, -1.0, -1.0])  # tip z straight down


@pytest.fixture(params=ABILITIES)
def robot(request: pytest.FixtureRequest) -> Robot:
    return load_robot(ROBOTS / request.param)


@pytest.fixture
def in_mujoco(robot: Robot) -> MujocoArm:
    return MujocoArm(robot)


@pytest.fixture
def in_bullet(robot: Robot) -> Iterator[BulletArm]:
    arm = BulletArm(robot)
    yield arm
    arm.close()


def random_positions(robot: Robot, count: int) -> Array:
    return np.random.default_rng(7).uniform(robot.lower, robot.upper, (count, len(robot.lower)))


def vertical_grasp(arm: MujocoArm, place: tuple[float, float]) -> Array:
    """The joints (n,) that bring the tip to 15 mm above a place on the table, pointing down, from home."""
    robot = arm.robot
    lower, upper = arm.qpos(robot.lower), arm.qpos(robot.upper)
    configuration = mink.Configuration(arm.model)
    configuration.update(arm.qpos(robot.home))
    # No cost about the tip's z: with five joints the turn about the vertical is not ours to choose.
    task = mink.FrameTask("gripper_tip", "body", 10.0, [0.3, 0.3, 0.0], lm_damping=1e-4)
    task.set_target(mink.SE3.from_matrix(transform(np.array([*place, 0.015]), DOWN)))
    for _ in range(120):
        velocity = mink.solve_ik(configuration, [task], 0.05, "daqp", limits=[], damping=1e-6)
        configuration.update(np.clip(configuration.integrate(velocity, 0.05), lower, upper))
    position: Array = configuration.q[arm.columns]
    return position


def test_every_robot_that_is_shipped_is_tested() -> None:
    assert {path.parent.name for path in ROBOTS.glob("*/robot.yaml")} == set(ABILITIES)


def test_every_movable_joint_is_in_both_simulators(
    robot: Robot, in_mujoco: MujocoArm, in_bullet: BulletArm
) -> None:
    expected = {*robot.joint_names, *robot.mimic}
    assert {in_mujoco.model.joint(i).name for i in range(in_mujoco.model.njnt)} == expected
    assert {
        name for name, j in in_bullet.joints.items() if in_bullet.info(j)[2] != pybullet.JOINT_FIXED
    } == expected


def test_commanded_limits_lie_within_the_urdf_as_simulators_read_it(
    robot: Robot, in_mujoco: MujocoArm, in_bullet: BulletArm
) -> None:
    for i, name in enumerate(robot.joint_names):
        for lower, upper in (in_mujoco.model.joint(name).range, in_bullet.info(in_bullet.joints[name])[8:10]):
            assert lower <= robot.lower[i] < robot.upper[i] <= upper, name
        effort, velocity = in_bullet.info(in_bullet.joints[name])[10:12]
        assert robot.effort[i] <= effort and robot.velocity[i] <= velocity, name


@pytest.mark.parametrize("link", ["gripper_tip", "wrist_camera"])
def test_forward_kinematics_agree_to_a_tenth_of_a_millimetre(
    robot: Robot, in_mujoco: MujocoArm, in_bullet: BulletArm, link: str
) -> None:
    for position in random_positions(robot, 200):
        ours = robot.chain.pose(link, position)
        for theirs in (in_mujoco.pose(link, position), in_bullet.pose(link, position)):
            assert np.linalg.norm(ours[:3, 3] - theirs[:3, 3]) < 1e-4
            assert np.abs(ours[:3, :3] - theirs[:3, :3]).max() < 1e-4


def test_fr3_agrees_with_frankas_dh_table() -> None:
    robot = load_robot(ROBOTS / "fr3")
    hand = transform(np.array([0.0, 0.0, FR3_FLANGE]), rpy_matrix(0, 0, FR3_HAND_YAW))
    for position in random_positions(robot, 200):
        X = np.eye(4)
        for row, theta in zip(FR3_CRAIG, position[:7], strict=True):
            X = X @ craig(*row, theta)
        tcp = X @ hand @ transform(np.array([0.0, 0.0, FR3_TCP]), np.eye(3))
        assert np.abs(robot.chain.pose("fr3_hand", position) - X @ hand).max() < 1e-4
        assert np.abs(robot.chain.pose("gripper_tip", position) - tcp).max() < 1e-4


def test_so101_agrees_with_the_published_joint_origins() -> None:
    robot = load_robot(ROBOTS / "so101")
    # Our base looks along x where the CAD's looks along -y; our link frames are level at zero.
    X_base = about_z(HALF_TURN) @ np.linalg.inv(transform(np.array(SO101_BASE), np.eye(3)))
    level = (X_base @ chain(SO101_JOINTS, dict.fromkeys(SO101_JOINTS, 0.0)))[:3, :3]
    for position in random_positions(robot, 200):
        jaw = X_base @ chain(SO101_JOINTS, dict(zip(robot.joint_names, position, strict=True)))
        ours = robot.chain.pose("moving_jaw", position)
        assert np.linalg.norm(ours[:3, 3] - jaw[:3, 3]) < 1e-4
        assert np.abs(ours[:3, :3] - jaw[:3, :3] @ level.T).max() < 1e-4


def test_widowx250_agrees_with_interbotix_screw_axes() -> None:
    robot = load_robot(ROBOTS / "widowx250")
    home = transform(np.array(WX250S_HOME), np.eye(3))
    for position in random_positions(robot, 200):
        X = np.eye(4)
        for axis, theta in zip(WX250S_SCREWS, position[:6], strict=True):
            X = X @ screw(axis, theta)
        assert np.abs(robot.chain.pose("ee_gripper_link", position) - X @ home).max() < 1e-4


def test_ur5e_agrees_with_universal_robots_dh_table() -> None:
    robot = load_robot(ROBOTS / "ur5e")
    for position in random_positions(robot, 200):
        X = about_z(np.pi)  # the controller's base looks along our -x
        for row, theta in zip(UR5E_DH, position[:6], strict=True):
            X = X @ denavit(*row, theta)
        assert np.abs(robot.chain.pose("wrist_3_link", position) - X).max() < 1e-4


def test_inertias_are_physical(robot: Robot) -> None:
    for link in ET.parse(robot.urdf).getroot().findall("link"):
        mass, inertia = link.find("inertial/mass"), link.find("inertial/inertia")
        assert mass is not None and inertia is not None, link.get("name")
        xx, yy, zz, xy, xz, yz = (
            float(inertia.get(f"i{k}", "nan")) for k in ("xx", "yy", "zz", "xy", "xz", "yz")
        )
        small, middle, large = np.linalg.eigvalsh([[xx, xy, xz], [xy, yy, yz], [xz, yz, zz]])
        assert float(mass.get("value", "nan")) > 0 and small > 0, link.get("name")
        # 1e-6: published figures are rounded, a flat body sits on the bound
        assert small + middle >= large * (1 - 1e-6), link.get("name")


def test_no_part_of_a_robot_looks_like_an_object(robot: Robot) -> None:
    for colour in ET.parse(robot.urdf).getroot().iter("color"):
        red, green, blue, _ = (float(part) for part in colour.get("rgba", "").split())
        assert max(red, green, blue) - min(red, green, blue) < 0.05


def test_home_touches_nothing_of_itself(robot: Robot, in_mujoco: MujocoArm, in_bullet: BulletArm) -> None:
    assert in_mujoco.contacts(robot.home) == []
    assert in_bullet.touching(robot.home) == []


def test_self_contact_would_be_seen() -> None:
    arm = MujocoArm(load_robot(ROBOTS / "so101"))
    folded_into_the_base = np.array([0.0, 1.7, 1.6, 0.0, 0.0, 0.0])
    assert arm.contacts(folded_into_the_base)


def test_home_points_down_and_leaves_the_workspace_clear(robot: Robot) -> None:
    X = robot.chain.pose("gripper_tip", robot.home)
    assert X[2, 2] < -np.cos(np.deg2rad(10))
    assert X[0, 3] < ABILITIES[robot.name].home_before


def test_opening_at_the_pads(robot: Robot, in_mujoco: MujocoArm) -> None:
    """Open admits every object; the documented grasp positions leave 30 mm, centred on the tip frame."""
    can = ABILITIES[robot.name]
    position = robot.home.copy()
    position[robot.gripper_index] = robot.gripper.open
    open_pads = [in_mujoco.pad_distance(link, position) for link in (can.left, can.right)]
    assert open_pads[0] - open_pads[1] > can.admits
    position[robot.gripper_index] = can.at_30_mm
    assert in_mujoco.pad_distance(can.left, position) == pytest.approx(0.015, abs=5e-4)
    assert in_mujoco.pad_distance(can.right, position) == pytest.approx(-0.015, abs=5e-4)


def test_vertical_grasps_are_reachable_over_the_workspace(robot: Robot, in_mujoco: MujocoArm) -> None:
    for place in ABILITIES[robot.name].grasp_grid(5):
        position = vertical_grasp(in_mujoco, place)
        reached = robot.chain.pose("gripper_tip", position)
        assert np.linalg.norm(reached[:3, 3] - [*place, 0.015]) < 1e-3, place
        assert reached[2, 2] < -np.cos(np.deg2rad(5)), place
        assert in_mujoco.contacts(position) == [], place


def test_the_tip_sags_by_less_than_two_millimetres(robot: Robot, in_mujoco: MujocoArm) -> None:
    for place in ABILITIES[robot.name].grasp_grid(2):
        position = vertical_grasp(in_mujoco, place)
        torque = in_mujoco.gravity(position)
        assert (np.abs(torque) < robot.effort).all(), place
        tip, sagged = robot.chain.poses(
            "gripper_tip", np.array([position, position - torque / robot.stiffness])
        )
        assert np.linalg.norm(sagged[:3, 3] - tip[:3, 3]) < 0.002, place
