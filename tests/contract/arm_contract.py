"""What every arm driver promises, whatever moves: a module gives a `bed` to each test of `ArmContract`."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass

import numpy as np
from sinew_core.errors import DeviceError
from sinew_core.protocols import Arm
from sinew_core.robot import Robot
from sinew_core.types import FloatArray, JointCommand

READINGS = 8  # more than any driver is patient with


@dataclass(frozen=True)
class Bed:
    """An open arm, and what stands around it."""

    arm: Arm
    robot: Robot
    wait: Callable[[], None]  # until the arm is where it was sent

    def target(self) -> FloatArray:
        """Return a position a little beside the present one; the gripper stays."""
        robot = self.robot
        here = self.arm.read().position
        shift = np.where(here + 0.1 < robot.upper, 0.1, -0.1)
        shift[robot.gripper_index] = 0.0
        return here + shift

    def go(self, position: FloatArray) -> None:
        """Send the arm somewhere, and let it get there."""
        self.arm.write(JointCommand(self.arm.read().stamp, position.copy()))
        self.wait()


@dataclass(frozen=True)
class DeviceBed(Bed):
    """An arm that may fail, as a simulated one cannot."""

    fail: Callable[[], None]  # it does not answer any more
    mend: Callable[[], None]


class ArmContract:
    """The tests; nothing here knows which arm it is."""

    def test_it_is_an_arm_whose_joints_are_the_robots(self, bed: Bed) -> None:
        assert isinstance(bed.arm, Arm)
        joints, n = bed.arm.read(), len(bed.robot.joint_names)
        assert joints.position.shape == joints.velocity.shape == (n,)
        assert joints.position.dtype == joints.velocity.dtype == np.float64
        assert joints.effort is None or joints.effort.shape == (n,)
        assert isinstance(joints.stamp, int)

    def test_what_is_read_is_its_readers_own(self, bed: Bed) -> None:
        first = bed.arm.read()
        for values in (first.position, first.velocity, first.effort):
            if values is not None:
                values[:] = 99.0
        second = bed.arm.read()
        for values in (second.position, second.velocity, second.effort):
            assert values is None or not (values == 99.0).any()

    def test_a_command_is_its_senders_own_and_moves_the_arm_there(self, bed: Bed) -> None:
        target = bed.target()
        command = JointCommand(bed.arm.read().stamp, target.copy())
        bed.arm.write(command)
        np.testing.assert_array_equal(command.position, target)
        command.position[:] = bed.robot.home  # what the sender does with it later is its own affair
        bed.wait()
        np.testing.assert_allclose(bed.arm.read().position, target, atol=0.05)

    def test_stamps_advance_with_the_arm(self, bed: Bed) -> None:
        first = bed.arm.read()
        bed.go(bed.target())
        assert bed.arm.read().stamp > first.stamp

    def test_a_stop_is_safe_before_any_command_and_moves_nothing(self, bed: Bed) -> None:
        before = bed.arm.read().position
        bed.arm.stop()
        bed.arm.stop()
        bed.wait()
        np.testing.assert_allclose(bed.arm.read().position, before, atol=0.01)

    def test_after_a_stop_the_arm_stays_and_can_be_commanded_again(self, bed: Bed) -> None:
        bed.go(bed.target())
        bed.arm.stop()
        bed.arm.stop()
        stopped = bed.arm.read().position
        bed.wait()
        np.testing.assert_allclose(bed.arm.read().position, stopped, atol=0.01)
        target = bed.target()
        bed.go(target)
        np.testing.assert_allclose(bed.arm.read().position, target, atol=0.05)

    def test_closing_twice_and_stopping_afterwards_do_no_harm(self, bed: Bed) -> None:
        bed.go(bed.target())
        bed.arm.close()
        bed.arm.close()
        bed.arm.stop()


class DeviceContract(ArmContract):
    """What there is beside that to an arm that may fail."""

    def test_an_arm_that_does_not_answer_is_never_read_as_if_it_did(self, bed: DeviceBed) -> None:
        bed.go(bed.target())
        last = bed.arm.read()
        here = last.position.copy()
        last.position[:] = 99.0  # its reader's own
        bed.fail()
        told = set()  # stamps: of the last reading, or of one that was on its way when it failed
        for _ in range(READINGS):
            with suppress(DeviceError):
                again = bed.arm.read()
                told.add(again.stamp)
                np.testing.assert_array_equal(again.position, here)
            bed.arm.write(JointCommand(last.stamp, here))
            bed.arm.stop()
        assert len(told) <= 1
        bed.mend()
        for _ in range(READINGS):
            with suppress(DeviceError):
                if bed.arm.read().stamp > max(told, default=last.stamp):
                    return
        raise AssertionError("it does not come back")
