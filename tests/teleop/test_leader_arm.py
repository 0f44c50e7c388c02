from collections.abc import Callable, Mapping
from itertools import pairwise
from typing import Any

import numpy as np
import pytest
from sinew_core.errors import ConfigError
from sinew_core.hardware import Hardware
from sinew_core.plugins import build
from sinew_teleop.leader_arm import LeaderArm
from sinew_teleop.source import TeleopSource

from tests.teleop.hand import TASK, FakeTime, Hand, hand_on
from tests.teleop.pads import HandArm, leader_spec


class Leader(Hand):
    """A hand on a leader arm."""

    arm: HandArm
    source: LeaderArm

    def align(self) -> None:
        self.arm.position = self.target.copy()

    def engage(self) -> None:
        self.align()
        self.tick()
        self.source.take_key("l")
        self.tick()

    @property
    def wants(self) -> bool:
        return len(self.chunks[-1].position) > 0


Sit = Callable[..., Leader]


@pytest.fixture
def sit(time: FakeTime) -> Sit:
    def sit_at(hardware: Hardware, **fields: Any) -> Leader:
        spec = {"plugin": "sinew_teleop.leader_arm:LeaderArm", "arm": leader_spec(), **fields}
        source = build(spec, TeleopSource, "test", hardware=hardware, robot=hardware.robot, clock=time)
        leader = Leader(**vars(hand_on(source, hardware, time)))
        leader.arm = HandArm.made[-1]
        return leader

    return sit_at


def moved(hardware: Hardware, position: np.ndarray, **joints: float) -> np.ndarray:
    position = position.copy()
    for name, way in joints.items():
        position[hardware.robot.joint_names.index(name)] += way
    return position


def test_until_it_is_aligned_it_names_the_joint_and_the_distance(so101: Hardware, sit: Sit) -> None:
    leader = sit(so101)
    leader.arm.position = moved(so101, leader.target, elbow_flex=-0.31, wrist_roll=0.2)
    leader.source.take_key("l")
    leader.tick(3)
    assert not leader.wants
    assert "elbow_flex" in leader.source.status
    assert "-0.31" in leader.source.status


def test_aligned_it_waits_for_the_key(so101: Hardware, sit: Sit) -> None:
    leader = sit(so101)
    leader.align()
    leader.tick(3)
    assert not leader.wants
    assert "press l" in leader.source.status


def test_a_key_from_before_the_alignment_does_not_engage(so101: Hardware, sit: Sit) -> None:
    leader = sit(so101)
    leader.arm.position = moved(so101, leader.target, elbow_flex=0.5)
    leader.source.take_key("l")
    leader.tick()
    leader.align()
    leader.tick(3)
    assert not leader.wants


def test_the_first_command_is_the_present_target(hardware: Hardware, sit: Sit) -> None:
    leader = sit(hardware)
    before = leader.target.copy()
    leader.arm.position = before + 0.05
    leader.tick()
    leader.source.take_key("l")
    leader.tick()
    np.testing.assert_allclose(leader.chunks[-1].position, before[None], atol=1e-12)


def test_the_follower_copies_the_leader(hardware: Hardware, sit: Sit) -> None:
    leader = sit(hardware)
    leader.engage()
    leader.arm.position[0] += 0.3
    leader.tick(40)
    np.testing.assert_allclose(leader.target, leader.arm.position, atol=1e-9)


def test_what_is_left_of_the_distance_is_taken_back_little_by_little(so101: Hardware, sit: Sit) -> None:
    leader = sit(so101, blend=1.0)
    leader.arm.position = moved(so101, leader.target, elbow_flex=0.1)
    leader.tick()
    leader.source.take_key("l")
    leader.tick(30)
    steps = [np.abs(np.diff([a.position[0], b.position[0]], axis=0)).max() for a, b in pairs(leader)]
    assert max(steps) < 0.02
    np.testing.assert_allclose(leader.target, leader.arm.position, atol=1e-9)


def pairs(leader: Leader) -> list[tuple[Any, Any]]:
    rows = [chunk for chunk in leader.chunks if len(chunk.position)]
    return list(pairwise(rows))


def test_joints_are_mapped_by_name_with_scale_and_offset(so101: Hardware, sit: Sit) -> None:
    names = so101.robot.joint_names
    reversed_names: Mapping[str, Any] = {"names": list(reversed(names))}
    joints = {"elbow_flex": {"leader": "elbow_flex", "scale": -1.0, "offset": 0.2}}
    leader = sit(so101, **reversed_names, joints=joints)
    expected = leader.target.copy()
    position = expected.copy()
    position[names.index("elbow_flex")] = 0.2 - expected[names.index("elbow_flex")]
    leader.arm.position = position[::-1].copy()
    leader.tick()
    leader.source.take_key("l")
    leader.tick(30)
    np.testing.assert_allclose(leader.target, expected, atol=1e-9)


def test_the_handle_opens_and_closes_the_gripper_in_a_ramp(so101: Hardware, sit: Sit) -> None:
    leader = sit(so101, gripper={"leader": "gripper", "open": 1.4, "closed": 0.4})
    leader.engage()
    leader.arm.position[-1] = 0.4
    leader.tick(3)
    assert 0.3 < leader.aperture < 0.95
    leader.tick(20)
    assert leader.aperture == pytest.approx(0.0)


def test_it_is_engaged_by_a_squeeze_where_that_is_configured(so101: Hardware, sit: Sit) -> None:
    leader = sit(so101, engage="squeeze", squeeze_time=0.5)
    leader.align()
    leader.tick(5)
    leader.arm.position[-1] = so101.robot.gripper.closed
    leader.tick(5)
    assert not leader.wants
    leader.tick(8)
    assert leader.wants


def test_a_handle_that_was_squeezed_from_the_beginning_engages_nothing(so101: Hardware, sit: Sit) -> None:
    leader = sit(so101, engage="squeeze", squeeze_time=0.5)
    leader.align()
    leader.arm.position[-1] = so101.robot.gripper.closed
    leader.tick(40)
    assert not leader.wants


def test_the_key_lets_go_again(so101: Hardware, sit: Sit) -> None:
    leader = sit(so101)
    leader.engage()
    leader.tick(3)
    leader.source.take_key("l")
    leader.tick(3)
    assert not leader.wants


def test_a_reset_lets_go(so101: Hardware, sit: Sit) -> None:
    leader = sit(so101)
    leader.engage()
    leader.source.reset(TASK)
    leader.tick()
    assert not leader.wants


@pytest.mark.parametrize("trouble", ["unplugged", "frozen"])
def test_a_leader_that_is_gone_lets_go_and_must_be_engaged_anew(
    so101: Hardware, sit: Sit, trouble: str
) -> None:
    leader = sit(so101, stale=0.3)
    leader.engage()
    leader.tick(5)
    assert leader.wants
    setattr(leader.arm, trouble, True)
    leader.tick(10)
    assert not leader.wants
    assert "leader gone" in leader.source.status
    setattr(leader.arm, trouble, False)
    leader.tick(5)
    assert not leader.wants


def test_what_a_leader_reports_wrongly_moves_nothing(so101: Hardware, sit: Sit) -> None:
    leader = sit(so101)
    leader.engage()
    leader.arm.position = np.full(6, np.nan)
    leader.tick()
    assert not leader.wants
    leader.arm.position = np.zeros(4)
    leader.tick()
    assert "expected 6 finite joints" in leader.source.status


def test_commands_stay_inside_the_limits_and_near_the_follower(hardware: Hardware, sit: Sit) -> None:
    leader = sit(hardware)
    leader.engage()
    leader.arm.position = leader.arm.position + 10.0
    leader.blocked = True
    leader.tick(20)
    ahead = np.abs(leader.chunks[-1].position[0] - leader.target)
    assert (leader.chunks[-1].position[0] <= hardware.robot.upper).all()
    assert (np.delete(ahead / hardware.robot.velocity, hardware.robot.gripper_index) <= 0.2 + 1e-9).all()


def test_unknown_joints_are_answered_with_the_nearest(so101: Hardware, sit: Sit) -> None:
    with pytest.raises(ConfigError, match="Did you mean 'elbow_flex'"):
        sit(so101, joints={"elbow_flx": {"leader": "elbow_flex"}})
    with pytest.raises(ConfigError, match="the leader has no joint"):
        sit(so101, names=["a", "b"])


def test_closing_releases_the_leader(so101: Hardware, sit: Sit) -> None:
    leader = sit(so101)
    leader.source.close()
    assert leader.arm.closed
