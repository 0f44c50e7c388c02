"""Arms of Dynamixel X servos: WidowX, ViperX, Koch; protocol 2.0 of Robotis' SDK."""

from __future__ import annotations

from sinew_core.robot import Robot

from sinew_hardware.arms.servo_arm import ServoArm
from sinew_hardware.arms.servo_arm_config import ServoArmConfig
from sinew_hardware.arms.servo_table import DYNAMIXEL_X
from sinew_hardware.buses.port import Port
from sinew_hardware.buses.registers import Register
from sinew_hardware.buses.servo_bus import ServoBus

MODEL, OPERATING_MODE = Register(0, 2), Register(11, 1)
POSITION, CURRENT_BASED_POSITION = 3, 5  # operating modes
WITHOUT_CURRENT = {1060}  # models that measure none: their torque follows their PWM
PWM_LIMIT, GOAL_PWM = Register(36, 2), Register(100, 2, two=True)
CURRENT_LIMIT, GOAL_CURRENT = Register(38, 2), Register(102, 2, two=True)


class DynamixelArm(ServoArm):
    """An arm whose joints are X servos on one half-duplex bus."""

    def __init__(self, config: ServoArmConfig, robot: Robot) -> None:
        super().__init__(config, robot, DYNAMIXEL_X, lambda: open_dynamixel(config.port, config.baud))

    def limit_torque(self, servo: int, share: float) -> None:
        """Limit a servo's current, or its PWM, to a share of its limit; it still goes to positions."""
        mode, limit, goal = CURRENT_BASED_POSITION, CURRENT_LIMIT, GOAL_CURRENT
        if self.bus.read(servo, MODEL) in WITHOUT_CURRENT:
            mode, limit, goal = POSITION, PWM_LIMIT, GOAL_PWM
        if self.bus.read(servo, OPERATING_MODE) != mode:
            self.bus.write(servo, self.table.torque, 0)  # under torque it keeps its mode
            self.bus.write(servo, OPERATING_MODE, mode)
        self.bus.write(servo, goal, round(share * self.bus.read(servo, limit)))

    def reset(self, servo: int) -> None:
        """Make a servo forget an error whose cause is over: it wants to be started anew."""
        self.bus.reboot(servo)


def open_dynamixel(port: str, baud: int = 1_000_000) -> ServoBus:
    """Open a bus of Dynamixel servos; raises DeviceError with what to do."""
    import dynamixel_sdk

    return ServoBus(Port(port, baud), dynamixel_sdk, dynamixel_sdk.PacketHandler(2.0))
