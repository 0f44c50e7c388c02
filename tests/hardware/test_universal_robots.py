"""The driver of UR arms, against a stand-in with the interface of ur_rtde 1.6.5."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest
from rtde_stand_in import CONTROLLERS, Control, Controller, Receive
from sinew_core.config import from_mapping
from sinew_core.errors import ConfigError, DeviceError
from sinew_core.hardware import load_hardware
from sinew_core.protocols import Arm
from sinew_core.types import JointCommand
from sinew_hardware.arms import universal_robots
from sinew_hardware.arms.universal_robots import UniversalRobots, UniversalRobotsConfig

FR3 = load_hardware("sim_mujoco_fr3")
ROBOT = replace(FR3.robot, joint_names=FR3.robot.joint_names[1:], home=FR3.robot.home[1:])  # six and a finger
FINGER = ROBOT.gripper_index


@pytest.fixture
def controller(monkeypatch: pytest.MonkeyPatch) -> Controller:
    monkeypatch.setitem(sys.modules, "rtde_control", SimpleNamespace(RTDEControlInterface=Control))
    monkeypatch.setitem(sys.modules, "rtde_receive", SimpleNamespace(RTDEReceiveInterface=Receive))
    monkeypatch.setattr(universal_robots, "RETRY", 0.0)
    CONTROLLERS["arm"] = Controller()
    return CONTROLLERS["arm"]


@contextmanager
def opened(**fields: Any) -> Iterator[UniversalRobots]:
    config = from_mapping(UniversalRobotsConfig, {"host": "arm", **fields}, "arm")
    arm = UniversalRobots(config, ROBOT, FR3)
    try:
        yield arm
    finally:
        arm.close()


def command(value: float = 0.3) -> JointCommand:
    return JointCommand(1, np.full(len(ROBOT.joint_names), value))


def test_the_arm_is_read_in_the_robots_order(controller: Controller) -> None:
    controller.q, controller.qd = [float(i) for i in range(6)], [0.5] * 6
    with opened() as arm:
        assert isinstance(arm, Arm)
        joints = arm.read()
        assert joints.position[:6].tolist() == controller.q
        assert joints.velocity[:6].tolist() == controller.qd
        assert joints.position[FINGER] == ROBOT.home[FINGER]  # there is no gripper


def test_the_stamp_stands_still_with_the_controllers_time(controller: Controller) -> None:
    with opened() as arm:
        first = arm.read()
        assert arm.read().stamp == first.stamp
        controller.time += 0.002
        assert arm.read().stamp > first.stamp


def test_read_returns_a_copy(controller: Controller) -> None:
    with opened() as arm:
        arm.read().position[:] = 9.0
        assert not (arm.read().position == 9.0).any()


def test_a_command_is_servoed_for_one_control_period(controller: Controller) -> None:
    with opened(lookahead=0.05, gain=400.0) as arm:
        arm.write(command())
        assert controller.servoed == [([0.3] * 6, 0.0, 0.0, FR3.config.control_period, 0.05, 400.0)]


@pytest.mark.parametrize(
    ("safety", "mode", "sentence"),
    [
        (3, 7, "protective stop: .*Enable robot"),
        (7, 7, "emergency stop: release the button"),
        (5, 7, "safeguard stop"),
        (1, 3, "switched off: .*release the brakes"),
        (1, 5, "idle: release the brakes"),
        (99, 7, "safety mode 99"),
    ],
)
def test_what_keeps_the_arm_from_moving_is_told_with_what_to_do(
    controller: Controller, safety: int, mode: int, sentence: str
) -> None:
    with opened() as arm:
        controller.safety, controller.mode = safety, mode
        with pytest.raises(DeviceError, match=sentence):
            arm.read()
    with pytest.raises(DeviceError, match=sentence), opened():  # and on opening
        pass


def test_nothing_is_commanded_while_the_arm_cannot_move(controller: Controller) -> None:
    with opened() as arm:
        controller.safety = 3
        with pytest.raises(DeviceError):
            arm.read()
        arm.write(command())
        assert not controller.servoed


def test_the_control_program_is_started_again_once_the_arm_may_move(controller: Controller) -> None:
    with opened() as arm:
        controller.safety, controller.program = 3, False
        for _ in range(2):
            with pytest.raises(DeviceError, match="protective stop"):
                arm.read()
        assert "reupload" not in controller.calls
        controller.safety = 1
        arm.read()
        assert controller.calls.count("reupload") == 1
        arm.write(command())
        assert controller.servoed


def test_a_program_that_does_not_start_is_told_with_remote_control(controller: Controller) -> None:
    with opened() as arm:
        controller.program = controller.remote = False
        with pytest.raises(DeviceError, match="Remote Control"):
            arm.read()


def test_a_controller_under_local_control_is_told_on_opening(controller: Controller) -> None:
    controller.remote = False
    with (
        pytest.raises(DeviceError, match=r"Failed to start control script.*Switch the pendant to Remote"),
        opened(),
    ):
        pass
    assert "receive disconnect" in controller.calls


def test_an_address_where_nobody_answers_is_named(controller: Controller) -> None:
    controller.there = False
    with pytest.raises(DeviceError, match="arm: no controller of Universal Robots answers"), opened():
        pass


def test_a_lost_connection_is_told_and_taken_up_again(controller: Controller) -> None:
    with opened() as arm:
        controller.there = controller.connected = False
        arm.write(command())  # told by the next reading
        with pytest.raises(DeviceError, match="the connection is lost"):
            arm.read()
        controller.there = True
        assert arm.read().position[0] == controller.q[0]


def test_a_command_that_is_not_taken_is_told_by_the_next_reading(controller: Controller) -> None:
    with opened() as arm:
        controller.takes = False
        arm.write(command())
        with pytest.raises(DeviceError, match="did not take the command"):
            arm.read()
        arm.read()


def test_stop_ends_servoing_at_any_time_and_more_than_once(controller: Controller) -> None:
    with opened() as arm:
        arm.stop()
        assert controller.calls[-2:] == ["servoStop", "stopJ"]  # it was not servoing
        arm.write(command())
        arm.stop()
        assert controller.calls[-1] == "servoStop"
    arm.stop()
    assert controller.calls[-1] == "receive disconnect"  # nothing after closing


def test_closing_stops_before_it_disconnects(controller: Controller) -> None:
    with opened():
        controller.calls.clear()
    assert controller.calls == [
        "servoStop",
        "stopJ",
        "stopScript",
        "control disconnect",
        "receive disconnect",
    ]


class Gripper:
    def __init__(self, host: str, config: Any) -> None:
        self.closedness, self.fault, self.closed = 0.25, "", False
        GRIPPERS.append(self)

    def command(self, closedness: float) -> None:
        self.told = closedness

    def close(self) -> None:
        self.closed = True


GRIPPERS: list[Gripper] = []


def test_the_gripper_is_one_more_joint(controller: Controller, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(universal_robots, "RobotiqGripper", Gripper)
    with opened(gripper={}) as arm:
        gripper = GRIPPERS[-1]
        assert arm.read().position[FINGER] == pytest.approx(0.03)  # a quarter closed, from 0.04 to 0 m
        arm.write(JointCommand(1, np.append(np.zeros(6), 0.01)))
        assert gripper.told == pytest.approx(0.75)
        gripper.fault = "gripper: it is too hot"
        with pytest.raises(DeviceError, match="it is too hot"):
            arm.read()
    assert gripper.closed


def test_a_gripper_that_does_not_answer_leaves_no_connection_behind(
    controller: Controller, monkeypatch: pytest.MonkeyPatch
) -> None:
    def refuse(host: str, config: Any) -> None:
        raise DeviceError("gripper: nobody answers")

    monkeypatch.setattr(universal_robots, "RobotiqGripper", refuse)
    with pytest.raises(DeviceError, match="nobody answers"), opened(gripper={}):
        pass
    assert controller.calls[-3:] == ["stopScript", "control disconnect", "receive disconnect"]


def test_the_missing_binding_is_named_with_its_cure(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "rtde_control", None)
    with pytest.raises(ConfigError, match=r'pip install "sinew\[ur\]"'), opened():
        pass


def test_a_robot_of_another_number_of_joints_is_refused(controller: Controller) -> None:
    with pytest.raises(ConfigError, match="6 joints beside the gripper, not 7"):
        UniversalRobots(UniversalRobotsConfig("arm"), FR3.robot, FR3)


@pytest.mark.parametrize("fields", [{"lookahead": 0.3}, {"gain": 50.0}, {"deceleration": 0.0}])
def test_what_the_controller_would_refuse_is_refused_before(fields: dict[str, float]) -> None:
    with pytest.raises(ConfigError, match="lookahead in 0.03"):
        from_mapping(UniversalRobotsConfig, {"host": "arm", **fields}, "arm")
