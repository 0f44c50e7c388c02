"""Barrier filters of both robots and of a block on a vertical slide, and what drives them."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from sinew_core.hardware import Hardware, load_hardware
from sinew_core.protocols import MotionState, SafetyFilter
from sinew_core.types import FloatArray, JointCommand, JointState
from sinew_safety.barrier import BarrierFilter
from sinew_safety.config import BarrierConfig, Obstacle
from sinew_safety.judge import Judge

ROBOTS = ("sim_mujoco", "sim_mujoco_fr3")
DT = 0.05

BLOCK_URDF = """
<robot name="block">
  <link name="base_link"/>
  <link name="block">
    <inertial><mass value="1"/><inertia ixx="1" iyy="1" izz="1" ixy="0" ixz="0" iyz="0"/></inertial>
    <collision><origin xyz="0 0 0.05"/><geometry><box size="0.1 0.1 0.1"/></geometry></collision>
  </link>
  <link name="finger">
    <inertial><mass value="1"/><inertia ixx="1" iyy="1" izz="1" ixy="0" ixz="0" iyz="0"/></inertial>
  </link>
  <joint name="slide" type="prismatic">
    <parent link="base_link"/><child link="block"/><axis xyz="0 0 1"/>
    <limit lower="-1" upper="5" velocity="10" effort="10"/>
  </joint>
  <joint name="grip" type="prismatic">
    <parent link="block"/><child link="finger"/><origin xyz="0 0 0.2"/><axis xyz="0 1 0"/>
    <limit lower="0" upper="0.1" velocity="10" effort="10"/>
  </joint>
  <mujoco><compiler fusestatic="false"/></mujoco>
</robot>
"""
BLOCK_YAML = """
name: block
urdf: block.urdf
base_link: base_link
tip_link: block
joints:
  slide: {lower: -1.0, upper: 5.0, velocity: 4.0, acceleration: 40.0, effort: 1.0, stiffness: 1.0,
          damping: 0.0, home: 1.0}
  grip: {lower: 0.0, upper: 0.1, velocity: 1.0, acceleration: 40.0, effort: 1.0, stiffness: 1.0,
         damping: 0.0, home: 0.0}
gripper: {joint: grip, open: 0.1, closed: 0.0}
"""
HARDWARE = """
robot: robot.yaml
station: {plugin: "sinew_core.fakes:FakeStation", world: true}
control_period: 0.05
pace: lockstep
cameras: {}
safety: {floor: -3.0, workspace_lower: [-4.0, -4.0, -4.0], workspace_upper: [4.0, 4.0, 9.0]}
scene: {lower: [0.15, -0.1], upper: [0.25, 0.1]}
perception: {plugin: "tests.nowhere:Nothing"}
"""


@pytest.fixture
def block(tmp_path: Path) -> Hardware:
    """A cube on a vertical slide, whose height over the table is its joint's position."""
    (tmp_path / "block.urdf").write_text(BLOCK_URDF)
    (tmp_path / "robot.yaml").write_text(BLOCK_YAML)
    (tmp_path / "block.yaml").write_text(HARDWARE)
    return load_hardware(str(tmp_path / "block.yaml"))


@pytest.fixture(params=ROBOTS, scope="session")
def hardware(request: pytest.FixtureRequest) -> Hardware:
    """Each robot in turn, without the filters of its file."""
    return bare(request.param)


@pytest.fixture(scope="session")
def barrier(hardware: Hardware) -> BarrierFilter:
    """That robot's barrier filter among obstacles, as it is configured by default."""
    return BarrierFilter(BarrierConfig(obstacles=obstacles(hardware)), hardware)


@pytest.fixture(scope="session")
def judge(hardware: Hardware) -> Iterator[Judge]:
    """PyBullet's view of the same robot and obstacles."""
    judge = Judge(hardware, obstacles(hardware))
    yield judge
    judge.close()


def bare(name: str) -> Hardware:
    hardware = load_hardware(name).with_pace("lockstep")
    safety = replace(hardware.config.safety, filters=())
    return replace(hardware, config=replace(hardware.config, safety=safety))


def obstacles(hardware: Hardware) -> tuple[Obstacle, ...]:
    """A post and a slanted board in front of the robot, in proportion to its workspace."""
    x, y, z = hardware.config.safety.workspace_upper
    return (
        Obstacle("post", (0.1 * x, 0.1 * x, z), (0.7 * x, -0.5 * y, z / 2)),
        Obstacle("board", (0.4 * x, 0.3 * y, 0.03), (0.7 * x, 0.6 * y, 0.5 * z), (0.3, -0.2, 0.5)),
    )


def state(
    target: Sequence[float] | FloatArray,
    velocity: Sequence[float] | FloatArray | None = None,
    arm: Sequence[float] | FloatArray | None = None,
) -> MotionState:
    """A target, its velocity, and an arm that is there unless told otherwise."""
    at = np.asarray(target, dtype=np.float64)
    still = np.zeros_like(at)
    measured = at if arm is None else np.asarray(arm, dtype=np.float64)
    return MotionState(
        JointState(0, measured, still), at, still if velocity is None else np.asarray(velocity), DT
    )


def step(safety: SafetyFilter, wanted: FloatArray | Sequence[float], motion: MotionState) -> FloatArray:
    """The step that a filter makes of a wanted one."""
    command = JointCommand(0, motion.target + np.asarray(wanted))
    return safety.filter(command, motion).command.position - motion.target


def chase(
    safety: SafetyFilter,
    hardware: Hardware,
    start: FloatArray,
    goals: Sequence[FloatArray],
    periods: int,
    lag: float = 0.0,
) -> tuple[FloatArray, FloatArray, list[tuple[str, ...]]]:
    """Go after goals at full speed; return targets and measured arms, (k, n) each, and the reasons.

    The servos follow with `lag` times the time constants of the robot's file.
    """
    robot = hardware.robot
    target, arm, velocity = start.copy(), start.copy(), np.zeros(len(start))
    rate = robot.stiffness / np.maximum(lag * robot.damping, 1e-9)
    targets, arms, reasons = [], [], []
    for goal in goals:
        for _ in range(periods):
            way = goal - target
            wanted = target + way / max(1.0, float(np.max(np.abs(way) / (robot.velocity * DT))))
            safe = safety.filter(JointCommand(0, wanted), state(target, velocity, arm))
            velocity, target = (safe.command.position - target) / DT, safe.command.position
            targets.append(target)
            reasons.append(safe.reasons)
            for _ in range(3):  # looks within the control period
                arm = target + (arm - target) * np.exp(-rate * DT / 3)
                arms.append(arm)
    return np.array(targets), np.array(arms), reasons


def safe_start(hardware: Hardware, judge: Judge, rng: np.random.Generator) -> FloatArray:
    """Random joint positions from which everything is at least 2 cm away."""
    robot = hardware.robot
    while True:
        position = rng.uniform(robot.lower, robot.upper)
        if min(judge.smallest(position).values()) > 0.02:
            return position
