"""A desk with an emulated arm in this process, whose joints follow their motors at once: no physics."""

from __future__ import annotations

import threading
import time
from pathlib import Path

import numpy as np
from sinew_core.hardware import load_hardware
from sinew_core.types import FloatArray
from sinew_hardware.arms.dynamixel import DynamixelArm
from sinew_hardware.arms.feetech import FeetechArm
from sinew_hardware.arms.servo_arm import ServoArm
from sinew_hardware.arms.servo_arm_config import ServoArmConfig
from sinew_hardware.arms.servo_joints import ServoConfig, ServoJoints
from sinew_hardware.emulators.bus_faults import BusFault, Kind
from sinew_hardware.emulators.dynamixel_protocol import DynamixelProtocol
from sinew_hardware.emulators.emulated_bus import EmulatedBus
from sinew_hardware.emulators.feetech_protocol import FeetechProtocol
from sinew_hardware.emulators.instructions import BusProtocol
from sinew_hardware.emulators.motors import Motors, MotorsConfig
from sinew_hardware.emulators.servo_memory import Motion, ServoMemory
from sinew_hardware.emulators.wire import Wire

ARMS: dict[str, tuple[type[ServoArm], type[BusProtocol]]] = {
    "feetech": (FeetechArm, FeetechProtocol),
    "dynamixel": (DynamixelArm, DynamixelProtocol),
}
ROBOT = load_hardware("sim_mujoco").robot
TICK = 0.001  # s


class Desk:
    """An SO-101's joints on a bus of either make, and the drivers that were opened on it."""

    def __init__(self, make: str, folder: Path, servos: dict[str, ServoConfig] | None = None) -> None:
        self._driver, protocol = ARMS[make]
        servos = servos or {name: ServoConfig(i + 1) for i, name in enumerate(ROBOT.joint_names)}
        joints = ServoJoints(ROBOT, servos, "desk")
        self.motors = Motors(MotorsConfig(noise=0.0, backlash=0.0, stall_torque=2.94), ROBOT, np.ones(6), 0)
        self.motion = Motion(ROBOT.home.copy(), np.zeros(6))
        made = protocol()
        self.memory = ServoMemory(made.table, made.layout, joints, self.motors, lambda: self.motion)
        self.bus = EmulatedBus(made, self.memory, 1_000_000, seed=0)
        self.path = folder / "bus"
        self.wire = Wire(self.bus, self.path, 1_000_000)
        self.load = np.zeros(6)  # N m
        self._arms: list[ServoArm] = []
        self._closed = threading.Event()
        self._thread = threading.Thread(target=self._run, daemon=True)
        self.wire.start()
        self._thread.start()

    def arm(self, **fields: object) -> ServoArm:
        """Open the driver on the desk's port."""
        config = ServoArmConfig(**{"port": str(self.path), **fields})  # type: ignore[arg-type]
        self._arms.append(self._driver(config, ROBOT))  # type: ignore[call-arg, arg-type]
        return self._arms[-1]

    def fault(self, kind: Kind, servo: int = 0, seconds: float = 60.0, share: float = 1.0) -> None:
        """Let a fault of the bus begin."""
        self.bus.faults.add(BusFault(kind, time.monotonic_ns() + round(seconds * 1e9), servo, share))

    def put(self, position: FloatArray) -> None:
        """Move the limp arm by hand."""
        self.motion = Motion(position.copy(), np.zeros(6))

    def close_arms(self) -> None:
        """Close every driver."""
        for arm in self._arms:
            arm.close()

    def close(self) -> None:
        """Close every driver, and end the threads."""
        self.close_arms()
        self._closed.set()
        self._thread.join()
        self.wire.close()

    def _run(self) -> None:
        before = time.monotonic_ns()
        while not self._closed.wait(TICK):
            now = time.monotonic_ns()
            drive = self.motors.step((now - before) * 1e-9, now, self.load)
            position = np.where(self.motors.on, drive, self.motion.position)
            self.motion, before = Motion(position, np.zeros(6)), now


def until(ready: object, seconds: float = 5.0) -> bool:
    """Wait until a function returns something true."""
    deadline = time.monotonic() + seconds
    while time.monotonic() < deadline:
        if ready():  # type: ignore[operator]
            return True
        time.sleep(0.01)
    return False
