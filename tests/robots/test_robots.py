"""Both robots mean the same thing to both simulators, to our kinematics and to their makers' tables."""

from __future__ import annotations

import xml.etree.ElementTree as ET
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import mink
import mujoco
import numpy as np
import pybullet
import pytest
from numpy.typing import NDArray
from sinew_core.kinematics import rpy_matrix, transform
from sinew_core.robot import Robot, load_robot

Array = NDArray[np.float64]
ROBOTS = Path(__file__).parents[2] / "hardware_configs" / "robots"
NAMES = ("so101", "fr3")
DOWN = np.diag([1.0, -1.0, -1.0])  # tip z straight down
HALF_TURN = np.pi / 2

# TheRobotStudio SO-ARM100, so101_new_calib: (xyz, rpy) of each joint in its parent link, every axis +z.
SO101_BASE = ((0.020791, 0.0157608, 0.0324817), (0.0, 0.0, 0.0))  # table-top frame in the CAD's base link
SO101_JOINTS = {
    "shoulder_pan": ((0.0207909, -0.0230745, 0.0948817), (-np.pi, 0.0, HALF_TURN)),
    "shoulder_lift": ((-0.0303992, -0.0182778, -0.0542), (-HALF_TURN, -HALF_TURN, 0.0)),
    "elbow_flex": ((-0.11257, -0.028, 0.0), (0.0, 0.0, HALF_TURN)),
    "wrist_flex": ((-0.1349, 0.0052, 0.0), (0.0, 0.0, -HALF_TURN)),
    "wrist_roll": ((0.0, -0.0611, 0.0181), (HALF_TURN, 0.0, np.pi)),
    "gripper": ((0.0202, 0.0188, -0.0234), (HALF_TURN, 0.0, 0.0)),
}

# Franka's Craig-DH table (FCI documentation, robot specifications): a, d, alpha; then the flange.
FR3_CRAIG = (
    (0.0, 0.333, 0.0),
    (0.0, 0.0, -HALF_TURN),
    (0.0, 0.316, HALF_TURN),
    (0.0825, 0.0, HALF_TURN),
    (-0.0825, 0.384, -HALF_TURN),
    (0.0, 0.0, HALF_TURN),
    (0.088, 0.0, HALF_TURN),
)
FR3_FLANGE, FR3_HAND_YAW, FR3_TCP = 0.107, -np.pi / 4, 0.1034


class MujocoArm:
    """Forward kinematics and contacts of a URDF in MuJoCo, by joint name."""

    def __init__(self, robot: Robot) -> None:
        self.robot = robot
        self.model = mujoco.MjModel.from_xml_path(str(robot.urdf))
        self.data = mujoco.MjData(self.model)
        self.columns = [self.model.joint(name).qposadr[0] for name in robot.joint_names]

    def qpos(self, position: Array) -> Array:
        q = np.zeros(self.model.nq)
        q[self.columns] = position
        for follower, (leader, scale, offset) in self.robot.mimic.items():
            value = position[self.robot.joint_names.index(leader)]
            q[self.model.joint(follower).qposadr[0]] = scale * value + offset
        return q

    def pose(self, link: str, position: Array) -> Array:
        self.data.qpos[:] = self.qpos(position)
        mujoco.mj_forward(self.model, self.data)
        body = self.data.body(link)
        return transform(body.xpos.copy(), body.xmat.reshape(3, 3).copy())

    def contacts(self, position: Array) -> list[tuple[str, str]]:
        self.pose(self.robot.tip_link, position)
        bodies = [[self.model.geom_bodyid[geom] for geom in contact.geom] for contact in self.data.contact]
        return [(self.model.body(a).name, self.model.body(b).name) for a, b in bodies]


class BulletArm:
    """The same in PyBullet, in a client of its own."""

    def __init__(self, robot: Robot) -> None:
        self.robot = robot
        self.client = pybullet.connect(pybullet.DIRECT)
        flags = pybullet.URDF_USE_INERTIA_FROM_FILE
        self.body = pybullet.loadURDF(
            str(robot.urdf), useFixedBase=True, flags=flags, physicsClientId=self.client
        )
        infos = [self.info(j) for j in range(pybullet.getNumJoints(self.body, physicsClientId=self.client))]
        self.joints = {info[1].decode(): info[0] for info in infos}
        self.links = {info[12].decode(): info[0] for info in infos}
        self.parents = {info[0]: info[16] for info in infos}

    def info(self, joint: int) -> tuple[Any, ...]:
        return pybullet.getJointInfo(self.body, joint, physicsClientId=self.client)  # type: ignore[no-any-return]

    def pose(self, link: str, position: Array) -> Array:
        named = dict(zip(self.robot.joint_names, position, strict=True))
        for follower, (leader, scale, offset) in self.robot.mimic.items():
            named[follower] = scale * named[leader] + offset
        for name, value in named.items():
            pybullet.resetJointState(self.body, self.joints[name], value, physicsClientId=self.client)
        state = pybullet.getLinkState(
            self.body, self.links[link], computeForwardKinematics=True, physicsClientId=self.client
        )
        rotation = np.array(pybullet.getMatrixFromQuaternion(state[5])).reshape(3, 3)
        return transform(np.array(state[4]), rotation)

    def touching(self, position: Array) -> list[tuple[int, int]]:
        """Pairs of links that overlap, neighbours left out; -1 is the base."""
        self.pose(self.robot.tip_link, position)
        links = [-1, *self.links.values()]
        return [
            (a, b) for a in links for b in links if a < b and self.parents[b] != a and self._overlap(a, b)
        ]

    def _overlap(self, a: int, b: int) -> bool:
        points = pybullet.getClosestPoints(self.body, self.body, 0.0, a, b, physicsClientId=self.client)
        return any(point[8] < 0 for point in points)

    def close(self) -> None:
        pybullet.disconnect(self.client)


@pytest.fixture(params=NAMES)
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


def chain(
    origins: Mapping[str, tuple[tuple[float, ...], tuple[float, ...]]], q: Mapping[str, float]
) -> Array:
    """Multiply published joint origins; every joint turns about its own z."""
    X = np.eye(4)
    for name, (xyz, rpy) in origins.items():
        X = X @ transform(np.array(xyz), rpy_matrix(*rpy)) @ transform(np.zeros(3), rpy_matrix(0, 0, q[name]))
    return X


def craig(a: float, d: float, alpha: float, theta: float) -> Array:
    """Craig's modified DH transform: turn by alpha about x, move a; turn by theta about z, move d."""
    tilt = transform(np.array([a, 0.0, 0.0]), rpy_matrix(alpha, 0, 0))
    return tilt @ transform(np.array([0.0, 0.0, d]), rpy_matrix(0, 0, theta))


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
    X_base = transform(np.zeros(3), rpy_matrix(0, 0, HALF_TURN)) @ np.linalg.inv(
        transform(np.array(SO101_BASE[0]), np.eye(3))
    )
    level = (X_base @ chain(SO101_JOINTS, dict.fromkeys(SO101_JOINTS, 0.0)))[:3, :3]
    for position in random_positions(robot, 200):
        jaw = X_base @ chain(SO101_JOINTS, dict(zip(robot.joint_names, position, strict=True)))
        ours = robot.chain.pose("moving_jaw", position)
        assert np.linalg.norm(ours[:3, 3] - jaw[:3, 3]) < 1e-4
        assert np.abs(ours[:3, :3] - jaw[:3, :3] @ level.T).max() < 1e-4


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
    assert X[0, 3] < {"so101": 0.15, "fr3": 0.35}[robot.name]


def test_opening_at_the_pads(robot: Robot, in_mujoco: MujocoArm) -> None:
    """Open admits 60 mm; the documented grasp positions leave 30 mm, centred on the tip frame."""
    left, right = {"so101": ("moving_jaw", "gripper_body"), "fr3": ("fr3_leftfinger", "fr3_rightfinger")}[
        robot.name
    ]
    at_30_mm = {"so101": 0.4, "fr3": 0.015}[robot.name]
    position = robot.home.copy()
    position[robot.gripper_index] = robot.gripper.open
    assert pad_distance(in_mujoco, left, position) - pad_distance(in_mujoco, right, position) > 0.06
    position[robot.gripper_index] = at_30_mm
    assert pad_distance(in_mujoco, left, position) == pytest.approx(0.015, abs=5e-4)
    assert pad_distance(in_mujoco, right, position) == pytest.approx(-0.015, abs=5e-4)


def pad_distance(arm: MujocoArm, link: str, position: Array) -> float:
    """Signed distance (m) along the closing axis from the tip frame to a finger's pad, at its far end."""
    X = arm.pose("gripper_tip", position)
    best: tuple[float, float] | None = None
    for geom in range(arm.model.ngeom):
        if arm.model.body(arm.model.geom_bodyid[geom]).name != link or not arm.model.geom_contype[geom]:
            continue
        if arm.model.geom_type[geom] != mujoco.mjtGeom.mjGEOM_BOX:
            continue
        signs = np.array(np.meshgrid([-1, 1], [-1, 1], [-1, 1])).reshape(3, -1).T
        corners = (
            arm.data.geom_xpos[geom]
            + (signs * arm.model.geom_size[geom]) @ arm.data.geom_xmat[geom].reshape(3, 3).T
        )
        local = (corners - X[:3, 3]) @ X[:3, :3]
        reach = float(local[:, 2].max())
        far_face = local[local[:, 2].argsort()[-4:], 1]
        inner = float(far_face[np.abs(far_face).argmin()])
        if best is None or reach > best[0]:
            best = (reach, inner)
    assert best is not None
    return best[1]


def grasp_grid(name: str) -> list[tuple[float, float]]:
    xs, ys = {
        "so101": (np.linspace(0.15, 0.28, 5), np.linspace(-0.12, 0.12, 5)),
        "fr3": (np.linspace(0.35, 0.6, 5), np.linspace(-0.25, 0.25, 5)),
    }[name]
    return [(float(x), float(y)) for x in xs for y in ys]


def test_vertical_grasps_are_reachable_over_the_workspace(robot: Robot, in_mujoco: MujocoArm) -> None:
    lower, upper = in_mujoco.qpos(robot.lower), in_mujoco.qpos(robot.upper)
    for x, y in grasp_grid(robot.name):
        goal = transform(np.array([x, y, 0.015]), DOWN)
        configuration = mink.Configuration(in_mujoco.model)
        configuration.update(in_mujoco.qpos(robot.home))
        # No cost about the tip's z: with five joints the turn about the vertical is not ours to choose.
        task = mink.FrameTask("gripper_tip", "body", 10.0, [0.3, 0.3, 0.0], lm_damping=1e-4)
        task.set_target(mink.SE3.from_matrix(goal))
        for _ in range(120):
            velocity = mink.solve_ik(configuration, [task], 0.05, "daqp", limits=[], damping=1e-6)
            configuration.update(np.clip(configuration.integrate(velocity, 0.05), lower, upper))
        reached = robot.chain.pose("gripper_tip", configuration.q[in_mujoco.columns])
        assert np.linalg.norm(reached[:3, 3] - goal[:3, 3]) < 1e-3, (x, y)
        assert reached[2, 2] < -np.cos(np.deg2rad(5)), (x, y)
        assert in_mujoco.contacts(configuration.q[in_mujoco.columns]) == [], (x, y)
