"""A stand-in with the interface of ur_rtde 1.6.5, names as in its binding: controllers by their host."""

from __future__ import annotations

from typing import Any


class Controller:
    """What both interfaces of the binding see of one controller."""

    def __init__(self) -> None:
        self.q, self.qd = [0.1] * 6, [0.0] * 6
        self.time = 1.0
        self.safety, self.mode = 1, 7
        self.remote, self.program, self.there, self.connected = True, False, True, True
        self.takes = True
        self.calls: list[str] = []
        self.servoed: list[tuple[Any, ...]] = []


class Receive:
    def __init__(self, hostname: str) -> None:
        self.controller = CONTROLLERS[hostname]
        if not self.controller.there:
            raise RuntimeError("Could not connect to: " + hostname)
        self.controller.calls.append("receive")

    def isConnected(self) -> bool:  # noqa: N802 - the binding's names
        return self.controller.connected

    def reconnect(self) -> bool:
        self.controller.calls.append("reconnect")
        self.controller.connected = self.controller.there
        return self.controller.connected

    def getTimestamp(self) -> float:  # noqa: N802
        return self.controller.time

    def getSafetyMode(self) -> int:  # noqa: N802
        return self.controller.safety

    def getRobotMode(self) -> int:  # noqa: N802
        return self.controller.mode

    def getActualQ(self) -> list[float]:  # noqa: N802
        return list(self.controller.q)

    def getActualQd(self) -> list[float]:  # noqa: N802
        return list(self.controller.qd)

    def disconnect(self) -> None:
        self.controller.calls.append("receive disconnect")


class Control:
    def __init__(self, hostname: str) -> None:
        self.controller = CONTROLLERS[hostname]
        if not self.controller.remote:
            raise RuntimeError("Failed to start control script, before timeout of 5 seconds")
        self.controller.program = True

    def isProgramRunning(self) -> bool:  # noqa: N802
        return self.controller.program

    def reuploadScript(self) -> bool:  # noqa: N802
        self.controller.calls.append("reupload")
        self.controller.program = self.controller.remote
        return self.controller.program

    def reconnect(self) -> bool:
        return self.controller.there

    def servoJ(  # noqa: N802
        self, q: list[float], speed: float, acceleration: float, time: float, lookahead: float, gain: float
    ) -> bool:
        if not self.controller.connected:
            raise RuntimeError("not connected")
        self.controller.servoed.append((q, speed, acceleration, time, lookahead, gain))
        return self.controller.takes

    def servoStop(self, a: float = 10.0) -> bool:  # noqa: N802
        self.controller.calls.append("servoStop")
        return bool(self.controller.servoed)

    def stopJ(self, a: float = 2.0, asynchronous: bool = False) -> None:  # noqa: N802
        self.controller.calls.append("stopJ")

    def stopScript(self) -> None:  # noqa: N802
        self.controller.calls.append("stopScript")

    def disconnect(self) -> None:
        self.controller.calls.append("control disconnect")


CONTROLLERS: dict[str, Controller] = {}
