"""A Robotiq gripper behind the socket of its URCap: a line of text asks, a line answers."""

from __future__ import annotations

import contextlib
import logging
import socket
import threading
import time
from dataclasses import dataclass

from sinew_core.errors import DeviceError

log = logging.getLogger(__name__)
PORT = 63352
INTERVAL = 0.02  # s between questions
RETRY = 0.5  # s between attempts to connect again
ACTIVE = 3  # STA of a gripper that takes positions
FAULTS = {  # FLT, of the maker's manual
    5: "it must be activated before it moves",
    7: "it is not activated: has it lost its power? Open the station anew; the fingers will move",
    8: "it is too hot",
    9: "it has had no orders for a second",
    10: "its supply is below 21.6 V",
    11: "its automatic release is under way",
    12: "an internal fault",
    13: "its activation failed: is something between the fingers?",
    14: "too high a current",
    15: "its automatic release is over, and it must be activated",
}


@dataclass(frozen=True, slots=True)
class RobotiqConfig:
    """The fields of `gripper:`; positions, speed and force are in the gripper's own units, 0 to 255."""

    port: int = PORT
    open: int = 3  # where it ends when told to open, and to close on nothing
    closed: int = 230
    speed: int = 255
    force: int = 100
    timeout: float = 1.0  # s that an answer may take
    activation: float = 10.0  # s that activating may take; it opens and closes the fingers once

    def __post_init__(self) -> None:
        """Check the ranges."""
        numbers = (self.open, self.closed, self.speed, self.force)
        if not all(0 <= number <= 255 for number in numbers) or self.open == self.closed:
            raise ValueError(
                "open, closed, speed and force must lie in 0 to 255, and open and closed differ."
            )
        if min(self.timeout, self.activation) <= 0:
            raise ValueError("timeout and activation must be positive.")


class RobotiqSocket:
    """Asks and sets the gripper's variables (POS, STA, ...); OSError or DeviceError where that fails."""

    def __init__(self, host: str, port: int, timeout: float) -> None:
        self._socket = socket.create_connection((host, port), timeout)
        self._socket.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)

    def get(self, variable: str) -> int:
        """Return the value of a variable."""
        answer = self._ask(f"GET {variable}").split()
        if len(answer) != 2 or answer[0] != variable or not answer[1].isdigit():
            raise DeviceError(f"the gripper answered {' '.join(answer)!r} to GET {variable}")
        return int(answer[1])

    def set(self, **values: int) -> None:
        """Set variables, all at once."""
        line = "SET " + " ".join(f"{name} {value}" for name, value in values.items())
        answer = self._ask(line)
        if answer != "ack":
            raise DeviceError(f"the gripper answered {answer!r} to {line}")

    def close(self) -> None:
        """Hang up."""
        self._socket.close()

    def _ask(self, line: str) -> str:
        self._socket.sendall(line.encode() + b"\n")
        data = self._socket.recv(1024)  # one packet, which not every version ends with a line feed
        if not data:
            raise ConnectionError("the connection was closed")
        return data.decode("ascii", "replace").strip()


class RobotiqGripper:
    """Sends the newest target and reads the position in a thread of its own, so that nobody waits for it."""

    def __init__(self, host: str, config: RobotiqConfig) -> None:
        self._host, self._config = host, config
        self._closing = threading.Event()
        self._target: int | None = None
        self.fault = ""  # what is wrong now
        try:
            self._line = RobotiqSocket(host, config.port, config.timeout)
            self._activate()
            self._position = self._line.get("POS")
        except OSError as error:
            raise DeviceError(
                f"gripper: {host}:{config.port} does not answer ({error}). Is the gripper's URCap installed, "
                "and does it show the gripper as connected?"
            ) from error
        self._thread = threading.Thread(target=self._serve, name="robotiq", daemon=True)
        self._thread.start()

    @property
    def closedness(self) -> float:
        """How far it is closed: 0 open, 1 closed on nothing."""
        return (self._position - self._config.open) / (self._config.closed - self._config.open)

    def command(self, closedness: float) -> None:
        """Have it go there, 0 open to 1 closed; returns at once."""
        share = min(max(closedness, 0.0), 1.0)
        self._target = round(self._config.open + share * (self._config.closed - self._config.open))

    def close(self) -> None:
        """End the thread and hang up; the gripper keeps its grip."""
        self._closing.set()
        self._thread.join(timeout=2 * self._config.timeout)
        self._line.close()

    def _activate(self) -> None:
        line, config = self._line, self._config
        if line.get("STA") != ACTIVE:
            log.warning("gripper: it is being activated: the fingers move")
            line.set(ACT=0, ATR=0)
            line.set(ACT=1)
            deadline = time.monotonic() + config.activation
            while line.get("STA") != ACTIVE:
                if time.monotonic() > deadline:
                    raise DeviceError(f"gripper: {FAULTS.get(line.get('FLT'), 'it does not become active')}.")
                time.sleep(INTERVAL)
        line.set(SPE=config.speed, FOR=config.force, GTO=1)

    def _serve(self) -> None:
        sent: int | None = self._position  # to stay as it is needs no order, which might loosen a grip
        while not self._closing.wait(INTERVAL):
            try:
                target = self._target
                if target is not None and target != sent:
                    self._line.set(POS=target)
                    sent = target
                self._position = self._line.get("POS")
                fault = self._line.get("FLT")
            except (OSError, DeviceError) as error:
                self.fault = f"gripper: {self._host}:{self._config.port}: {error}. Look after its cable."
                log.warning("%s", self.fault)
                self._reconnect()
                sent = None
                continue
            self.fault = f"gripper: {FAULTS.get(fault, f'fault {fault}')}" if fault else ""

    def _reconnect(self) -> None:
        """Try until it answers again. Whether it is still active, the next reading of its fault tells."""
        self._line.close()
        while not self._closing.wait(RETRY):
            with contextlib.suppress(OSError):
                self._line = RobotiqSocket(self._host, self._config.port, self._config.timeout)
                return
