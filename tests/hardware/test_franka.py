"""The driver of Franka arms, against a stand-in with the interface of franky 2.0."""

from __future__ import annotations

import sys
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import replace
from typing import Any

import numpy as np
import pytest
from franky_stand_in import (
    BINDING,
    WORLDS,
    ControlException,
    FakeGripper,
    Future,
    IncompatibleVersionException,
    JointStopMotion,
    NetworkException,
    RealtimeException,
    World,
)
from sinew_core.config import from_mapping
from sinew_core.errors import ConfigError, DeviceError
from sinew_core.hardware import load_hardware
from sinew_core.protocols import Arm
from sinew_core.types import JointCommand
from sinew_hardware.arms import franka, franka_hand
from sinew_hardware.arms.franka import Franka, FrankaConfig

ROBOT = load_hardware("sim_mujoco_fr3").robot
FINGER = ROBOT.gripper_index


@pytest.fixture
def world(monkeypatch: pytest.MonkeyPatch) -> World:
    monkeypatch.setitem(sys.modules, "franky", BINDING)
    monkeypatch.setattr(franka, "PAUSE", 0.0)
    monkeypatch.setattr(franka_hand, "PAUSE", 0.05)
    WORLDS.append(World())
    return WORLDS[-1]


@contextmanager
def opened(**fields: Any) -> Iterator[Franka]:
    arm = Franka(from_mapping(FrankaConfig, {"host": "fr3", **fields}, "arm"), ROBOT)
    try:
        yield arm
    finally:
        arm.close()


def command(value: float = 0.3, finger: float = 0.04) -> JointCommand:
    return JointCommand(1, np.append(np.full(7, value), finger))


def wait_for(ready: Callable[[], Any]) -> None:
    deadline = time.monotonic() + 10
    while not ready():
        assert time.monotonic() < deadline
        time.sleep(0.005)


def trouble(arm: Franka) -> str:
    try:
        arm.read()
    except DeviceError as error:
        return str(error)
    return ""


def test_the_arm_and_its_fingers_are_read_in_the_robots_order(world: World) -> None:
    world.q, world.width = [float(i) for i in range(7)], 0.05
    with opened() as arm:
        assert isinstance(arm, Arm)
        joints = arm.read()
        assert joints.position[:7].tolist() == world.q
        assert joints.position[FINGER] == pytest.approx(0.025)
        assert joints.velocity[:7].tolist() == [0.2] * 7


def test_the_stamp_stands_still_with_the_arms_time(world: World) -> None:
    with opened() as arm:
        first = arm.read()
        assert arm.read().stamp == first.stamp
        world.time += 1
        assert arm.read().stamp > first.stamp


def test_read_returns_a_copy(world: World) -> None:
    with opened() as arm:
        arm.read().position[:] = 9.0
        assert not (arm.read().position == 9.0).any()


def test_a_command_replaces_the_motion_and_is_held(world: World) -> None:
    with opened() as arm:
        arm.write(command(0.3))
        arm.write(command(0.4))
        assert [motion.target for motion in world.motions] == [[0.3] * 7, [0.4] * 7]
        assert not any(motion.return_when_finished for motion in world.motions)


def test_the_settings_reach_the_arm(world: World) -> None:
    with opened(dynamics=0.2, realtime="ignore", torque_threshold=11.0, force_threshold=12.0):
        assert world.made == [
            {
                "host": "fr3",
                "relative_dynamics_factor": 0.2,
                "default_torque_threshold": 11.0,
                "default_force_threshold": 12.0,
                "realtime_config": "ignored",
            }
        ]


def test_a_reflex_is_told_before_it_is_recovered_from(world: World) -> None:
    with opened() as arm:
        arm.write(command())
        world.mode, world.errors = "Reflex", ("cartesian_reflex",)
        world.failure = ControlException('motion aborted by reflex! ["cartesian_reflex"]')
        assert "it has stopped by itself: motion aborted by reflex!" in trouble(arm)
        assert world.recoveries == 0
        wait_for(lambda: not trouble(arm))
        assert world.recoveries == 1
        world.motions.clear()
        arm.write(command())
        assert world.motions


def test_a_reflex_that_stays_is_told_again_and_again(world: World) -> None:
    with opened() as arm:
        world.mode, world.recovers = "Reflex", False
        for _ in range(3):
            assert "it has stopped by itself" in trouble(arm)
            time.sleep(0.001)
        assert world.recoveries


def test_nothing_is_commanded_while_the_arm_cannot_move(world: World) -> None:
    with opened() as arm:
        world.mode = "UserStopped"
        assert "release it" in trouble(arm)
        arm.write(command())
        assert not world.motions
        world.mode = "Idle"
        assert not trouble(arm)
        assert world.recoveries == 0


def test_a_motion_that_is_refused_is_told_by_the_next_reading(world: World) -> None:
    with opened() as arm:
        world.failure = ControlException("joint_velocity_violation")
        arm.write(command())
        assert "joint_velocity_violation" in trouble(arm)


def test_an_arm_that_lies_in_a_reflex_is_recovered_on_opening(world: World) -> None:
    world.mode, world.errors = "Reflex", ("joint_reflex",)
    with opened() as arm:
        assert world.recoveries == 1
        assert not trouble(arm)


@pytest.mark.parametrize(
    ("mode", "sentence"), [("UserStopped", "user stop"), ("Guiding", "by hand"), ("Other", "activate FCI")]
)
def test_what_keeps_the_arm_from_moving_is_told_on_opening(world: World, mode: str, sentence: str) -> None:
    world.mode = mode
    with pytest.raises(DeviceError, match=sentence), opened():
        pass


@pytest.mark.parametrize(
    ("error", "sentence"),
    [
        (NetworkException("Connection refused"), r"fr3: Connection refused\. .*is FCI active in Desk"),
        (RealtimeException("unable to set realtime"), "say `realtime: ignore`"),
        (IncompatibleVersionException("server version: 10"), "built for this version"),
    ],
)
def test_an_arm_that_cannot_be_opened_is_told_with_what_to_do(
    world: World, error: Exception, sentence: str
) -> None:
    world.lost = error
    with pytest.raises(DeviceError, match=sentence), opened():
        pass


def test_a_lost_connection_is_told_and_taken_up_again(world: World) -> None:
    with opened() as arm:
        world.lost = NetworkException("UDP receive: Timeout")
        assert "the connection is lost" in trouble(arm)
        world.lost = None
        assert not trouble(arm)
        assert not trouble(arm)


def test_stop_ends_control_once(world: World) -> None:
    with opened() as arm:
        arm.stop()
        assert not world.motions  # it was at rest
        arm.write(command())
        arm.stop()
        assert isinstance(world.motions[-1], JointStopMotion)
        world.failure = NetworkException("gone")
        arm.stop()  # whatever comes of it
    count = len(world.motions)
    arm.stop()
    assert len(world.motions) == count


def test_closing_fingers_grasp_and_opening_ones_move(world: World) -> None:
    with opened(hand={"speed": 0.05, "force": 20.0}) as arm:
        arm.write(command(finger=0.0))
        wait_for(lambda: world.hand == [("grasp", 0.0, 0.05, 20.0)])
        arm.write(command(finger=0.04))
        wait_for(lambda: world.hand[-1] == ("move", 0.08, 0.05))


def test_fingers_are_told_once(world: World) -> None:
    with opened() as arm:
        for _ in range(3):
            arm.write(command(finger=0.0))
            time.sleep(2 * franka_hand.INTERVAL)
        assert len(world.hand) == 1
        arm.write(command(finger=0.001))  # less than a step
        time.sleep(3 * franka_hand.INTERVAL)
        assert len(world.hand) == 1


def test_to_stay_as_they_are_the_fingers_are_told_nothing(world: World) -> None:
    world.width = 0.03  # around something
    with opened() as arm:
        arm.write(command(finger=0.015))
        time.sleep(3 * franka_hand.INTERVAL)
        assert not world.hand


def test_another_wish_ends_what_the_fingers_do(world: World) -> None:
    with opened() as arm:
        arm.write(command(finger=0.0))
        wait_for(lambda: world.hand)
        world.busy = True
        arm.write(command(finger=0.04))
        wait_for(lambda: [order[0] for order in world.hand] == ["grasp", "stop", "move"])


def test_a_command_does_not_wait_for_the_fingers(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    held, entered = threading.Event(), threading.Event()

    def slow(self: FakeGripper, *numbers: float) -> Future:
        entered.set()
        held.wait(5.0)
        return Future(self.world)

    monkeypatch.setattr(FakeGripper, "grasp_async", slow)
    with opened() as arm:
        arm.write(command(finger=0.0))
        assert entered.wait(5.0)
        arm.write(command(0.5))
        assert world.motions[-1].target == [0.5] * 7
        held.set()


def test_a_hand_that_does_not_answer_is_told_as_long_as_it_lasts(world: World) -> None:
    with opened() as arm:
        world.hand_lost = NetworkException("gone")
        wait_for(lambda: "the hand does not answer (gone)" in trouble(arm))
        world.hand_lost = None
        wait_for(lambda: not trouble(arm))


def test_a_hand_that_was_never_homed_is_homed(world: World) -> None:
    world.max_width = 0.0
    with opened():
        assert world.hand == [("homing",)]


def test_an_arm_may_be_without_a_hand(world: World) -> None:
    with opened(hand=None) as arm:
        arm.write(command(finger=0.0))
        assert arm.read().position[FINGER] == ROBOT.home[FINGER]
        assert not world.hand


def test_the_missing_binding_is_named_with_its_cure(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "franky", None)
    with pytest.raises(ConfigError, match=r'pip install "sinew\[franka\]"'), opened():
        pass


def test_a_robot_of_another_number_of_joints_is_refused(world: World) -> None:
    short = replace(ROBOT, joint_names=ROBOT.joint_names[1:])
    with pytest.raises(ConfigError, match="7 joints beside the hand, not 6"):
        Franka(FrankaConfig("fr3"), short)


@pytest.mark.parametrize("fields", [{"dynamics": 0.0}, {"dynamics": 1.5}, {"force_threshold": -1.0}])
def test_a_wrong_range_is_refused(fields: dict[str, float]) -> None:
    with pytest.raises(ConfigError, match="expected dynamics"):
        from_mapping(FrankaConfig, {"host": "fr3", **fields}, "arm")
