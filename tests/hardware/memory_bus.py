"""Emulated servos on a bus in memory: no pseudo-terminal, no thread, and time only as bytes take it."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import dynamixel_sdk
import numpy as np
import pytest
import scservo_sdk
from sinew_core.hardware import load_hardware
from sinew_core.types import FloatArray
from sinew_hardware.arms import dynamixel, feetech, servo_losses
from sinew_hardware.arms.servo_arm import ServoArm
from sinew_hardware.arms.servo_arm_config import ServoArmConfig
from sinew_hardware.arms.servo_joints import ServoConfig, ServoJoints
from sinew_hardware.buses.servo_bus import ServoBus
from sinew_hardware.emulators.dynamixel_protocol import DynamixelProtocol
from sinew_hardware.emulators.emulated_bus import EmulatedBus
from sinew_hardware.emulators.feetech_protocol import FeetechProtocol
from sinew_hardware.emulators.instructions import BusProtocol
from sinew_hardware.emulators.motors import Motors, MotorsConfig
from sinew_hardware.emulators.servo_memory import Motion, ServoMemory

ROBOT = load_hardware("sim_mujoco").robot
IDEAL = MotorsConfig(noise=0.0, backlash=0.0, delay=0.0)
BAUD = 1_000_000
BYTE = 10_000  # ns at that rate
SECOND = 1_000_000_000  # ns
SDKS: dict[str, tuple[Any, float]] = {"feetech": (scservo_sdk, 0), "dynamixel": (dynamixel_sdk, 2.0)}


class MemoryPort:
    """What an SDK wants of a port; keeps what went either way. `lag` answers come one question too late."""

    def __init__(self, bus: EmulatedBus) -> None:
        self.path, self.baud, self.is_using = "memory", BAUD, False
        self.sent, self.came = b"", b""
        self.now, self.lag = SECOND, 0
        self._bus, self._waiting, self._late = bus, b"", b""

    def clearPort(self) -> None:  # noqa: N802 - the SDKs' names
        self._waiting = b""

    def writePort(self, packet: Sequence[int]) -> int:  # noqa: N802
        self.sent += bytes(packet)
        replies = list(self._bus.hear(bytes(packet), self.now))
        self.now = max([self.now, *(reply.due for reply in replies)])
        answer = b"".join(reply.data for reply in replies)
        self.came += answer
        self._waiting += self._late + (b"" if self.lag else answer)
        self._late, self.lag = answer if self.lag else b"", max(0, self.lag - 1)
        return len(packet)

    def readPort(self, length: int) -> list[int]:  # noqa: N802
        taken, self._waiting = self._waiting[: max(0, length)], self._waiting[max(0, length) :]
        return list(taken)

    def isPacketTimeout(self) -> bool:  # noqa: N802
        return not self._waiting

    def setPacketTimeout(self, length: int) -> None:  # noqa: N802
        pass

    def setPacketTimeoutMillis(self, msec: float) -> None:  # noqa: N802
        pass

    def getBaudRate(self) -> int:  # noqa: N802
        return BAUD

    def close(self) -> None:
        pass


class MemoryBus:
    """The six servos of an SO-101, of either make, whose joints are where `put` has put them."""

    def __init__(self, make: str, config: MotorsConfig = IDEAL, **servos: ServoConfig) -> None:
        made: BusProtocol = FeetechProtocol() if make == "feetech" else DynamixelProtocol()
        self.make, self.protocol, self.table = make, made, made.table
        given = {name: servos.get(name, ServoConfig(i + 1)) for i, name in enumerate(ROBOT.joint_names)}
        self.joints = ServoJoints(ROBOT, given, "memory")
        self.motors = Motors(config, ROBOT, np.ones(6), seed=0)
        self.motion = Motion(ROBOT.home.copy(), np.zeros(6))
        self.memory = ServoMemory(made.table, made.layout, self.joints, self.motors, lambda: self.motion)
        self.bus = EmulatedBus(made, self.memory, BAUD, seed=0)
        self.port = MemoryPort(self.bus)
        self.sdk, version = SDKS[make]
        self.handler: Any = self.sdk.PacketHandler(version)
        self.driver = ServoBus(self.port, self.sdk, self.handler)  # type: ignore[arg-type] # in memory

    def arm(self, patch: pytest.MonkeyPatch) -> ServoArm:
        """Open the make's driver on this bus, which looks for a lost arm again at once."""
        patch.setattr(feetech, "open_feetech", lambda *_: self.driver)
        patch.setattr(dynamixel, "open_dynamixel", lambda *_: self.driver)
        patch.setattr(servo_losses, "REOPEN", 0.0)
        servos = dict(zip(ROBOT.joint_names, self.joints.servos, strict=True))
        driver = feetech.FeetechArm if self.make == "feetech" else dynamixel.DynamixelArm
        return driver(ServoArmConfig("memory", servos), ROBOT)

    def put(self, position: FloatArray, velocity: FloatArray | None = None) -> None:
        """Let the joints be somewhere, (6,)."""
        self.motion = Motion(np.array(position), np.zeros(6) if velocity is None else velocity)

    def answer(self, packet: bytes, later: float = 1.0) -> bytes:
        """Return what comes over the wire for bytes that are written so many s after the last ones."""
        self.port.now += round(later * SECOND)
        return b"".join(reply.data for reply in self.bus.hear(packet, self.port.now))

    def packet(self, servo: int, instruction: int, parameters: bytes = b"") -> bytes:
        """Return an instruction as the maker's SDK writes it."""
        if self.make == "feetech":
            begun = [0xFF, 0xFF, servo, len(parameters) + 2, instruction, *parameters, 0]
        else:
            length = len(parameters) + 3
            begun = [0xFF, 0xFF, 0xFD, 0, servo, length & 0xFF, length >> 8, instruction, *parameters, 0, 0]
            begun = self.handler.addStuffing(begun)
        wire = _Heard()
        self.handler.txPacket(wire, begun)
        return wire.data

    def addressed(self, address: int, size: int | None = None) -> bytes:
        """Return an address, and a size, as the parameters of an instruction have them."""
        width = 1 if self.make == "feetech" else 2
        numbers = [address] if size is None else [address, size]
        return b"".join(number.to_bytes(width, "little") for number in numbers)


class _Heard:
    """A port that keeps the packet that is written to it."""

    is_using, data = False, b""

    def clearPort(self) -> None:  # noqa: N802
        pass

    def writePort(self, packet: Sequence[int]) -> int:  # noqa: N802
        self.data = bytes(packet)
        return len(packet)
