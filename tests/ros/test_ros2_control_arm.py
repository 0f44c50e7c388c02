"""An arm behind ros2_control, against a stand-in for its driver and its controllers, over real topics."""

from __future__ import annotations

import json
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest
from graphs import wait_for
from ros2_control_stand_in import ARM_JOINTS, HARDWARE, NAMES, ROBOT, SHUFFLED, Driver
from sensor_msgs.msg import JointState as JointStateMsg
from sinew_core.config import from_mapping
from sinew_core.errors import ConfigError, DeviceError
from sinew_core.protocols import Arm
from sinew_core.types import JointCommand
from sinew_nodes.ros2_control_arm import Readings, Ros2ControlArm, Ros2ControlArmConfig
from sinew_nodes.ros2_controller import controller_fault
from std_msgs.msg import Float64MultiArray
from std_srvs.srv import Trigger
from trajectory_msgs.msg import JointTrajectory


@pytest.fixture
def driver(own_domain: None) -> Iterator[Driver]:
    driver = Driver()
    yield driver
    driver.close()


@contextmanager
def opened(controller: str = "arm_controller", **fields: Any) -> Iterator[Ros2ControlArm]:
    fields = {"controller": controller, "namespace": "/robot", **fields}
    arm = Ros2ControlArm(from_mapping(Ros2ControlArmConfig, fields, "arm"), ROBOT, HARDWARE)
    try:
        yield arm
    finally:
        arm.close()


def command(*changes: tuple[str, float]) -> JointCommand:
    position = ROBOT.home.copy()
    for name, value in changes:
        position[NAMES.index(name)] = value
    return JointCommand(time.time_ns(), position)


def trouble(arm: Ros2ControlArm) -> str:
    try:
        arm.read()
    except DeviceError as error:
        return str(error)
    return ""


def goes_to(arm: Ros2ControlArm, wanted: JointCommand) -> None:
    arm.write(wanted)
    wait_for(lambda: np.allclose(arm.read().position, wanted.position))


def test_a_trajectory_of_one_point_moves_the_arm(driver: Driver) -> None:
    driver.trajectory_controller("arm_controller")
    with opened(reach=2.0) as arm:
        assert isinstance(arm, Arm)
        assert np.allclose(arm.read().position, 0.25)
        goes_to(arm, command(("elbow_flex", 0.6)))
        (sent,) = driver.commands
        assert len(sent.points) == 1
        assert sent.points[0].time_from_start.nanosec == round(2e9 * HARDWARE.config.control_period)
        assert sent.header.stamp.sec == 0  # from its arrival on


def test_a_forward_controller_is_sent_its_own_order(driver: Driver) -> None:
    driver.forward_controller("forward", joints=SHUFFLED[:-1])
    with opened("forward", interface="forward") as arm:
        goes_to(arm, command(("shoulder_pan", 0.1), ("wrist_roll", -0.4)))
        assert driver.position["shoulder_pan"] == pytest.approx(0.1)


def test_the_stamp_is_the_drivers(driver: Driver) -> None:
    driver.trajectory_controller("arm_controller")
    with opened() as arm:
        assert arm.read().stamp in driver.stamps


def test_what_has_no_stamp_counts_as_measured_on_arrival(driver: Driver) -> None:
    driver.trajectory_controller("arm_controller")
    driver.stamped = False
    begun = time.time_ns()
    with opened() as arm:
        assert begun < arm.read().stamp <= time.time_ns()


def test_a_driver_that_falls_silent_leaves_the_last_reading_with_its_old_stamp(driver: Driver) -> None:
    driver.trajectory_controller("arm_controller")
    with opened() as arm:
        driver.talks = False
        time.sleep(0.1)
        last = arm.read()
        time.sleep(0.05)
        again = arm.read()
        assert again.stamp == last.stamp
        assert np.array_equal(again.position, last.position)


def test_read_returns_a_copy(driver: Driver) -> None:
    driver.trajectory_controller("arm_controller")
    with opened() as arm:
        driver.talks = False
        time.sleep(0.1)
        arm.read().position[:] = 9.0
        assert not (arm.read().position == 9.0).any()


def test_a_topic_on_which_nothing_comes_is_named_with_those_that_there_are(driver: Driver) -> None:
    driver.trajectory_controller("arm_controller")
    with (
        pytest.raises(DeviceError, match=r"/robot/joint_stats .*Did you mean '/robot/joint_states'"),
        opened(joint_states="joint_stats", first_reading=1.0),
    ):
        pass


def test_a_joint_that_the_driver_does_not_tell_of_is_named(driver: Driver) -> None:
    driver.trajectory_controller("arm_controller")
    driver.position["elbow"] = driver.position.pop("elbow_flex")
    with pytest.raises(DeviceError, match=r"no elbow_flex\. Did you mean 'elbow'"), opened(first_reading=1.0):
        pass


def test_a_controller_that_listens_to_nothing_is_named_with_the_cure(driver: Driver) -> None:
    cure = "ros2 control switch_controllers --activate arm_controller"
    with pytest.raises(DeviceError, match=f"controller arm_controller .*{cure}"), opened(first_reading=0.5):
        pass


def test_a_controller_that_goes_away_is_told_by_the_next_reading(driver: Driver) -> None:
    node = driver.trajectory_controller("arm_controller")
    with opened() as arm:
        driver.executor.remove_node(node)
        node.destroy_node()

        wait_for(lambda: "controller arm_controller listens to no commands" in trouble(arm))
        arm.write(command())  # goes nowhere, but harms nothing


def test_a_controller_of_other_joints_is_refused(driver: Driver) -> None:
    driver.trajectory_controller("arm_controller", joints=[*NAMES[:-1], "rail"])
    with pytest.raises(ConfigError, match=r"controller arm_controller moves .*rail; expected"), opened():
        pass


def test_stop_commands_the_arm_to_where_it_is_and_does_not_let_go(driver: Driver) -> None:
    driver.trajectory_controller("arm_controller")
    with opened() as arm:
        goes_to(arm, command(("gripper", 0.0)))
        blocked = dict(driver.position, gripper=0.3, elbow_flex=0.5)  # something is held; an elbow lags
        driver.position = dict(blocked)
        wait_for(lambda: np.isclose(arm.read().position[NAMES.index("elbow_flex")], 0.5))
        driver.commands.clear()
        arm.stop()
        wait_for(lambda: driver.commands)
        target = dict(
            zip(driver.commands[0].joint_names, driver.commands[0].points[0].positions, strict=True)
        )
        assert target["elbow_flex"] == pytest.approx(0.5)
        assert target["gripper"] == pytest.approx(0.0)


def test_stop_sends_nothing_when_nobody_knows_where_the_arm_is(driver: Driver) -> None:
    driver.trajectory_controller("arm_controller")
    with opened() as arm:
        driver.talks = False
        time.sleep(HARDWARE.config.max_age + 0.1)
        arm.stop()
        arm.stop()
        time.sleep(0.1)
        assert not driver.commands


def test_a_gripper_may_have_a_controller_and_a_measure_of_its_own(driver: Driver) -> None:
    driver.position["finger"] = driver.position.pop("gripper")
    driver.trajectory_controller("arm_controller", joints=ARM_JOINTS)
    driver.forward_controller("hand", joints=["finger"])
    hand = {"controller": "hand", "joint": "finger", "scale": -2.0, "offset": 0.5}
    with opened(gripper=hand) as arm:
        goes_to(arm, command(("gripper", 0.2)))
        assert driver.position["finger"] == pytest.approx(0.1)  # -2 * 0.2 + 0.5
        kinds = {type(one) for one in driver.commands}
        assert kinds == {JointTrajectory, Float64MultiArray}


def test_velocities_that_are_not_measured_are_the_positions_differences() -> None:
    readings = Readings(["a", "b"])
    for seconds, a in ((1, 0.0), (2, 0.5)):
        message = JointStateMsg(name=["b", "a"], position=[1.0, a], velocity=[0.3, float("nan")])
        message.header.stamp.sec = seconds
        readings.take(message)
    _, numbers, _ = readings.state()
    assert np.allclose(numbers[1], [0.5, 0.3])


def test_joints_of_several_publishers_are_as_old_as_the_oldest_of_them() -> None:
    readings = Readings(["a", "b"])
    for seconds, name in ((1, "a"), (5, "b"), (3, "a")):
        message = JointStateMsg(name=[name], position=[0.0])
        message.header.stamp.sec = seconds
        readings.take(message)
        assert bool(readings.missing()) == (seconds == 1)
    assert readings.state()[0] == 3_000_000_000


def test_a_clock_that_is_off_is_told(driver: Driver, monkeypatch: pytest.MonkeyPatch) -> None:
    driver.trajectory_controller("arm_controller")
    now = time.time_ns
    monkeypatch.setattr(
        "sinew_nodes.ros2_control_arm.time",
        SimpleNamespace(time_ns=lambda: now() + 5_000_000_000, monotonic=time.monotonic),
    )
    with pytest.raises(DeviceError, match=r"-5\.\d\d s off this machine's clock"), opened():
        pass


def test_an_arm_does_not_listen_to_its_own_station(driver: Driver) -> None:
    driver.trajectory_controller("arm_controller")
    with opened() as arm:
        driver.node("station_node").create_publisher(JointStateMsg, "joint_states", 1)
        wait_for(lambda: "station_node publishes joint_states, too" in trouble(arm))


def test_a_controller_that_the_manager_calls_inactive_is_told(
    driver: Driver, monkeypatch: pytest.MonkeyPatch
) -> None:
    states = {"arm_controller": "inactive"}

    def answer(request: Any, response: Any) -> Any:
        response.message = json.dumps(states)
        return response

    def hear(self: Any, response: Any) -> None:
        listed = [
            SimpleNamespace(name=name, state=state) for name, state in json.loads(response.message).items()
        ]
        heard(self, SimpleNamespace(controller=listed))

    # The wheels have no controller_manager_msgs: another service carries what its own would say.
    heard = Ros2ControlArm._hear_manager
    monkeypatch.setattr(Ros2ControlArm, "_hear_manager", hear)
    monkeypatch.setitem(sys.modules, "controller_manager_msgs", SimpleNamespace())
    monkeypatch.setitem(sys.modules, "controller_manager_msgs.srv", SimpleNamespace(ListControllers=Trigger))
    driver.node("controller_manager").create_service(Trigger, "controller_manager/list_controllers", answer)
    driver.trajectory_controller("arm_controller")  # it listens all the same, as inactive ones do
    inactive = "controller arm_controller is inactive"
    with pytest.raises(DeviceError, match=inactive), opened(first_reading=0.5):
        pass
    states["arm_controller"] = "active"
    with opened() as arm:
        states["arm_controller"] = "inactive"
        wait_for(lambda: inactive in trouble(arm))
        states["arm_controller"] = "active"
        wait_for(lambda: not trouble(arm))


@pytest.mark.parametrize(
    ("states", "heard", "fault"),
    [
        (None, True, ""),
        (None, False, "listens to no commands"),
        ({"arm": "active"}, False, ""),
        ({"arm": "inactive"}, True, "controller arm is inactive. Activate it: ros2 control"),
        ({"arms": "active"}, True, "controller arm is not loaded. Did you mean 'arms'?"),
    ],
)
def test_the_managers_word_counts_before_who_listens(
    states: dict[str, str] | None, heard: bool, fault: str
) -> None:
    said = controller_fault("arm", states, heard)
    assert fault in said
    assert bool(said) == bool(fault)


def test_a_gripper_scale_of_zero_is_refused() -> None:
    fields = {"controller": "a", "gripper": {"controller": "b", "scale": 0.0}}
    with pytest.raises(ConfigError, match=r"gripper\.scale"):
        from_mapping(Ros2ControlArmConfig, fields, "arm")
