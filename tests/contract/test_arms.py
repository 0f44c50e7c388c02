"""Every arm driver that needs no ROS, held to the contract of arms."""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest
from sinew_core.hardware import load_hardware
from sinew_hardware.arms import franka, universal_robots
from sinew_hardware.arms.franka import Franka, FrankaConfig
from sinew_hardware.arms.universal_robots import UniversalRobots, UniversalRobotsConfig
from sinew_hardware.emulators.bus_faults import BusFault

from tests.contract.arm_contract import ArmContract, Bed, DeviceBed, DeviceContract
from tests.hardware import franky_stand_in, rtde_stand_in
from tests.hardware.memory_bus import ROBOT, SECOND, MemoryBus

SIMULATED = sorted(path.stem for path in Path("hardware_configs").resolve().glob("sim_*.yaml"))
FOREVER = 1 << 62  # ns


def servo_bed(make: str, patch: pytest.MonkeyPatch) -> Iterator[DeviceBed]:
    servos = MemoryBus(make)

    def wait() -> None:
        drive = servos.motors.step(10.0, servos.port.now + SECOND, np.zeros(6))
        servos.put(np.where(servos.motors.on, drive, servos.motion.position))

    arm = servos.arm(patch)
    yield DeviceBed(
        arm,
        ROBOT,
        wait,
        lambda: servos.bus.faults.add(BusFault("silent", FOREVER)),
        servos.bus.faults.clear,
    )
    arm.close()


def ur_bed(patch: pytest.MonkeyPatch) -> Iterator[DeviceBed]:
    patch.setitem(sys.modules, "rtde_control", SimpleNamespace(RTDEControlInterface=rtde_stand_in.Control))
    patch.setitem(sys.modules, "rtde_receive", SimpleNamespace(RTDEReceiveInterface=rtde_stand_in.Receive))
    patch.setattr(universal_robots, "RETRY", 0.0)
    controller = rtde_stand_in.CONTROLLERS["contract"] = rtde_stand_in.Controller()
    hardware = load_hardware("sim_mujoco_ur5e")
    arm = UniversalRobots(UniversalRobotsConfig("contract"), hardware.robot, hardware)

    obeyed: list[Any] = []

    def wait() -> None:
        controller.time += 1.0
        if controller.servoed[len(obeyed) :]:
            obeyed[:] = controller.servoed
            controller.q = list(controller.servoed[-1][0])

    def plugged(there: bool) -> Callable[[], None]:
        def change() -> None:
            controller.there = controller.connected = there
            controller.time += 1.0

        return change

    yield DeviceBed(arm, hardware.robot, wait, plugged(False), plugged(True))
    arm.close()


def franka_bed(patch: pytest.MonkeyPatch) -> Iterator[DeviceBed]:
    patch.setitem(sys.modules, "franky", franky_stand_in.BINDING)
    patch.setattr(franka, "PAUSE", 0.0)
    world = franky_stand_in.World()
    patch.setattr(franky_stand_in, "WORLDS", [world])
    robot = load_hardware("sim_mujoco_fr3").robot
    arm = Franka(FrankaConfig("contract", hand=None), robot)

    def wait() -> None:
        world.time += 1000
        if world.motions and isinstance(world.motions[-1], franky_stand_in.JointMotion):
            world.q = list(world.motions[-1].target)

    def lost(error: Exception | None) -> Callable[[], None]:
        def change() -> None:
            world.lost = error
            world.time += 1000

        return change

    yield DeviceBed(arm, robot, wait, lost(franky_stand_in.NetworkException("lost")), lost(None))
    arm.close()


DEVICES: dict[str, Callable[[pytest.MonkeyPatch], Iterator[DeviceBed]]] = {
    "feetech": lambda patch: servo_bed("feetech", patch),
    "dynamixel": lambda patch: servo_bed("dynamixel", patch),
    "universal_robots": ur_bed,
    "franka": franka_bed,
}


class TestDevices(DeviceContract):
    """Drivers, with a stand-in for what they drive."""

    @pytest.fixture(params=DEVICES)
    def bed(self, request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> Iterator[DeviceBed]:
        yield from DEVICES[request.param](monkeypatch)


class TestSimulated(ArmContract):
    """The arms of the simulated stations."""

    @pytest.fixture(params=SIMULATED)
    def bed(self, request: pytest.FixtureRequest) -> Iterator[Bed]:
        hardware = load_hardware(request.param)
        station: Any = hardware.open_station("reach")
        station.world.reset(0)
        yield Bed(station.arm, hardware.robot, lambda: station.world.step(40 * hardware.period))
        station.close()
