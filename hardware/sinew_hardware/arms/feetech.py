"""Arms of Feetech STS servos: the SO-100 and SO-101, followers and leaders; protocol of Feetech's SDK."""

from __future__ import annotations

from sinew_core.robot import Robot

from sinew_hardware.arms.servo_arm import ServoArm
from sinew_hardware.arms.servo_arm_config import ServoArmConfig
from sinew_hardware.arms.servo_table import FEETECH_STS
from sinew_hardware.buses.port import Port
from sinew_hardware.buses.registers import Register
from sinew_hardware.buses.servo_bus import ServoBus

TORQUE_LIMIT = Register(48, 2)  # thousandths


class FeetechArm(ServoArm):
    """An arm whose joints are STS servos on one half-duplex bus."""

    def __init__(self, config: ServoArmConfig, robot: Robot) -> None:
        super().__init__(config, robot, FEETECH_STS, lambda: open_feetech(config.port, config.baud))

    def limit_torque(self, servo: int, share: float) -> None:
        """Limit a servo's torque to a share of the most that it has."""
        self.bus.write(servo, TORQUE_LIMIT, round(1000 * share))

    def reset(self, servo: int) -> None:
        """Make a servo forget an error whose cause is over: an overloaded one waits for its torque to go."""
        self.bus.write(servo, self.table.torque, 0)


def open_feetech(port: str, baud: int = 1_000_000) -> ServoBus:
    """Open a bus of Feetech servos; raises DeviceError with what to do."""
    import scservo_sdk

    return ServoBus(Port(port, baud), scservo_sdk, scservo_sdk.PacketHandler(0))
