"""An arm behind ros2_control, held to the contract of arms."""

from __future__ import annotations

import time
from collections.abc import Iterator

import pytest
from ros2_control_stand_in import HARDWARE, ROBOT, Driver
from sinew_nodes.ros2_control_arm import Ros2ControlArm, Ros2ControlArmConfig

from tests.contract.arm_contract import DeviceBed, DeviceContract


class TestRos2Control(DeviceContract):
    """Its driver reaches a target at once, and tells of its joints a hundred times a second."""

    @pytest.fixture
    def bed(self, own_domain: None) -> Iterator[DeviceBed]:
        driver = Driver()
        driver.trajectory_controller("arm_controller")
        arm = Ros2ControlArm(Ros2ControlArmConfig("arm_controller", namespace="/robot"), ROBOT, HARDWARE)

        def fail() -> None:
            driver.talks = False
            time.sleep(0.1)

        def mend() -> None:
            driver.talks = True
            time.sleep(0.3)

        yield DeviceBed(arm, ROBOT, lambda: time.sleep(0.3), fail, mend)
        arm.close()
        driver.close()
