"""An emulated station: plant, bus and cameras, and the back door by which scenes and faults come in."""

from __future__ import annotations

import socketserver
import threading
import time
from dataclasses import asdict
from pathlib import Path
from typing import Any, BinaryIO

import numpy as np
from sinew_core.errors import ConfigError, did_you_mean
from sinew_core.hardware import Hardware
from sinew_core.types import NANOSECONDS, CameraFrame

from sinew_hardware.arms.servo_joints import ServoConfig, ServoJoints
from sinew_hardware.emulators.bus_faults import KINDS, BusFault
from sinew_hardware.emulators.config import EmulatorConfig
from sinew_hardware.emulators.dynamixel_protocol import DynamixelProtocol
from sinew_hardware.emulators.emulated_bus import EmulatedBus
from sinew_hardware.emulators.eyes import Eyes
from sinew_hardware.emulators.feetech_protocol import FeetechProtocol
from sinew_hardware.emulators.instructions import BusProtocol
from sinew_hardware.emulators.plant import Plant
from sinew_hardware.emulators.servo_memory import ServoMemory
from sinew_hardware.emulators.talk import hear, say
from sinew_hardware.emulators.wire import Wire

BUS, DOOR = "bus", "door"  # names in the emulator's folder
OTHERS = ("unplugged", "power_cut", "frozen_camera", "stopped_camera")  # faults beside those of the bus


class Emulator:
    """Everything that is emulated, in this process; `folder` then holds the bus and the back door."""

    def __init__(self, config: EmulatorConfig, hardware: Hardware, task: str, folder: Path) -> None:
        robot = hardware.robot
        servos = config.servos or {name: ServoConfig(i + 1) for i, name in enumerate(robot.joint_names)}
        joints = ServoJoints(robot, servos, "emulator: servos")
        protocol: BusProtocol = FeetechProtocol() if config.make == "feetech" else DynamixelProtocol()
        self._plant = Plant(hardware, task, config.motors, joints.per_radian(robot.home), config.seed)
        self._memory = ServoMemory(
            protocol.table, protocol.layout, joints, self._plant.motors, lambda: self._plant.motion
        )
        self._bus = EmulatedBus(protocol, self._memory, config.baud, config.seed)
        self._wire = Wire(self._bus, folder / BUS, config.baud)
        self._eyes = Eyes(config.cameras, hardware, self._plant, config.seed)
        self._door = _Door(folder / DOOR, self.answer)

    def start(self) -> None:
        """Bring it all to life."""
        self._plant.start()
        self._eyes.start()
        self._wire.start()
        self._door.start()

    def close(self) -> None:
        """End every thread."""
        self._door.close()
        self._wire.close()
        self._eyes.close()
        self._plant.close()

    def answer(self, ask: str, words: dict[str, Any]) -> tuple[dict[str, Any], bytes]:
        """Answer what came through the back door; KeyError for a question that it does not know."""
        answers = {
            "frame": self._frame,
            "lay_out": self._lay_out,
            "ask": lambda words: asdict(self._plant.ask(words["instruction"])),
            "success": lambda _: {"success": self._plant.success()},
            "state": self._state,
            "put": self._put,
            "fault": self._fault,
            "clear": self._clear,
        }
        answered = answers[ask](words)
        return answered if isinstance(answered, tuple) else (answered, b"")

    def _frame(self, words: dict[str, Any]) -> tuple[dict[str, Any], bytes]:
        frame = self._eyes.frame(words["camera"])
        return {"stamp": frame.stamp, "depth": frame.depth is not None}, packed(frame)

    def _lay_out(self, words: dict[str, Any]) -> dict[str, Any]:
        return asdict(self._plant.lay_out(words["seed"], words["instruction"]))

    def _state(self, _: dict[str, Any]) -> dict[str, Any]:
        motion, motors = self._plant.motion, self._plant.motors
        return {
            "position": motion.position.tolist(),
            "velocity": motion.velocity.tolist(),
            "torque": motors.on.tolist(),
            "temperature": motors.temperature.tolist(),
        }

    def _put(self, words: dict[str, Any]) -> dict[str, Any]:
        self._plant.put(np.array(words["position"], dtype=np.float64))
        return {}

    def _fault(self, words: dict[str, Any]) -> dict[str, Any]:
        """Begin a fault of the bus, a servo, the cable or a camera."""
        kind, servo, seconds = words["kind"], words.get("servo", 0), words.get("seconds", 1e9)
        if kind in KINDS:
            until = time.monotonic_ns() + round(seconds * NANOSECONDS)
            self._bus.faults.add(BusFault(kind, until, servo, words.get("share", 1.0)))
        elif kind == "unplugged":
            self._wire.unplug()
            again = threading.Timer(min(seconds, threading.TIMEOUT_MAX), self._wire.plug)
            again.daemon = True
            again.start()
        elif kind == "power_cut":
            for each in self._memory.ids:
                self._memory.power_cycle(each)
        elif kind in {"frozen_camera", "stopped_camera"}:
            do = self._eyes.freeze if kind == "frozen_camera" else self._eyes.stop
            do(words["camera"], time.time_ns() + round(seconds * NANOSECONDS))
        else:
            bit = self._bit(kind)
            if servo not in self._memory.errors:
                raise ConfigError(f"fault '{kind}': no servo {servo}; there are {self._memory.ids}.")
            self._memory.errors[servo] |= bit
        return {}

    def _clear(self, _: dict[str, Any]) -> dict[str, Any]:
        """End every fault."""
        self._bus.faults.clear()
        self._eyes.mend()
        self._memory.errors.update(dict.fromkeys(self._memory.ids, 0))
        self._wire.plug()
        return {}

    def _bit(self, kind: str) -> int:
        bits = {name: bit for bit, name in self._memory.table.errors.items()}
        if kind not in bits:
            raise ConfigError(f"unknown fault '{kind}'.{did_you_mean(kind, [*KINDS, *OTHERS, *bits])}")
        return bits[kind]


def packed(frame: CameraFrame) -> bytes:
    """Return a frame's bytes: colour, then depth in whole millimetres."""
    if frame.depth is None:
        return frame.rgb.tobytes()
    return frame.rgb.tobytes() + np.round(frame.depth * 1000).astype(np.uint16).tobytes()


class _Door:
    """A Unix socket, a thread per visitor."""

    def __init__(self, path: Path, answer: Any) -> None:
        self._server = socketserver.ThreadingUnixStreamServer(str(path), _handler(answer))
        self._server.daemon_threads = True
        self._thread = threading.Thread(target=self._server.serve_forever, name="door", daemon=True)

    def start(self) -> None:
        self._thread.start()

    def close(self) -> None:
        self._server.shutdown()
        self._server.server_close()


def _handler(answer: Any) -> type[socketserver.StreamRequestHandler]:
    class Handler(socketserver.StreamRequestHandler):
        def handle(self) -> None:
            stream: BinaryIO = self.request.makefile("rwb")
            while (heard := hear(stream)) is not None:
                words, _ = heard
                try:
                    told, payload = answer(words["ask"], words)
                except Exception as error:  # noqa: BLE001 - told to whoever asked
                    told, payload = {"error": f"{type(error).__name__}: {error}"}, b""
                say(stream, told, payload)

    return Handler
