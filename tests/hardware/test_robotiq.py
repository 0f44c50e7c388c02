"""The client of a Robotiq gripper, against a small server of its text protocol on the loopback."""

from __future__ import annotations

import contextlib
import socket
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

import pytest
from sinew_core.errors import DeviceError
from sinew_hardware.arms import robotiq
from sinew_hardware.arms.robotiq import RobotiqConfig, RobotiqGripper, RobotiqSocket


class Emulator:
    """A gripper that is at once where it is told to be; written from the protocol, not from the client."""

    def __init__(self, **variables: int) -> None:
        self.variables = {"STA": 3, "FLT": 0, "POS": 3, "GTO": 1, **variables}
        self.orders: list[dict[str, int]] = []
        self.silent = False
        self.server = socket.create_server(("127.0.0.1", 0))
        self.port = self.server.getsockname()[1]
        self.connections: list[socket.socket] = []
        threading.Thread(target=self.accept, daemon=True).start()

    def accept(self) -> None:
        with contextlib.suppress(OSError):
            while True:
                connection, _ = self.server.accept()
                self.connections.append(connection)
                threading.Thread(target=self.serve, args=(connection,), daemon=True).start()

    def serve(self, connection: socket.socket) -> None:
        with contextlib.suppress(OSError), connection.makefile("r") as lines:
            for line in lines:
                if not self.silent:
                    connection.sendall(self.answer(line.split()))

    def answer(self, words: list[str]) -> bytes:
        if words[0] == "GET" and words[1] in self.variables:
            return f"{words[1]} {self.variables[words[1]]}\n".encode()
        if words[0] != "SET":
            return b"?\n"
        order = {name: int(value) for name, value in zip(words[1::2], words[2::2], strict=True)}
        self.orders.append(order)
        self.variables |= order
        if "ACT" in order and self.variables["FLT"] != 13:
            self.variables["STA"] = 3 if order["ACT"] else 0
        return b"ack"

    def drop(self) -> None:
        for connection in self.connections:
            with contextlib.suppress(OSError):
                connection.shutdown(socket.SHUT_RDWR)
            connection.close()
        self.connections.clear()

    def close(self) -> None:
        self.server.close()
        self.drop()


@contextmanager
def emulator(**variables: int) -> Iterator[Emulator]:
    emulator = Emulator(**variables)
    try:
        yield emulator
    finally:
        emulator.close()


@contextmanager
def opened(emulator: Emulator, **fields: Any) -> Iterator[RobotiqGripper]:
    gripper = RobotiqGripper("127.0.0.1", RobotiqConfig(port=emulator.port, timeout=0.3, **fields))
    try:
        yield gripper
    finally:
        gripper.close()


def wait_for(ready: Callable[[], Any]) -> None:
    deadline = time.monotonic() + 10
    while not ready():
        assert time.monotonic() < deadline
        time.sleep(0.005)


def test_it_goes_where_it_is_told_and_says_so() -> None:
    with emulator() as server, opened(server, open=10, closed=210) as gripper:
        assert gripper.closedness == pytest.approx(-0.035)  # it is at 3
        gripper.command(0.5)
        wait_for(lambda: gripper.closedness == pytest.approx(0.5))
        assert server.variables["POS"] == 110


def test_a_target_beyond_the_range_is_drawn_into_it() -> None:
    with emulator() as server, opened(server, open=10, closed=210) as gripper:
        gripper.command(1.4)
        wait_for(lambda: server.variables["POS"] == 210)
        gripper.command(-0.2)
        wait_for(lambda: server.variables["POS"] == 10)


def test_a_target_is_sent_once() -> None:
    with emulator() as server, opened(server) as gripper:
        gripper.command(1.0)
        wait_for(lambda: {"POS": 230} in server.orders)
        for _ in range(3):
            gripper.command(1.0)
            time.sleep(2 * robotiq.INTERVAL)
        assert server.orders.count({"POS": 230}) == 1


def test_speed_and_force_are_set_before_anything_moves() -> None:
    with emulator() as server, opened(server, speed=40, force=7):
        assert server.orders == [{"SPE": 40, "FOR": 7, "GTO": 1}]


def test_an_active_gripper_is_not_activated_again() -> None:
    with emulator() as server, opened(server):
        assert not any("ACT" in order for order in server.orders)


def test_a_gripper_that_is_not_active_is_activated() -> None:
    with emulator(STA=0, FLT=7) as server, opened(server):
        assert [order["ACT"] for order in server.orders if "ACT" in order] == [0, 1]


def test_an_activation_that_fails_is_told() -> None:
    with (
        emulator(STA=0, FLT=13) as server,
        pytest.raises(DeviceError, match="its activation failed"),
        opened(server, activation=0.1),
    ):
        pass


def test_an_address_where_nobody_answers_is_named() -> None:
    with socket.create_server(("127.0.0.1", 0)) as server:
        port = server.getsockname()[1]
    with pytest.raises(DeviceError, match=rf"127\.0\.0\.1:{port} does not answer .*URCap"):
        RobotiqGripper("127.0.0.1", RobotiqConfig(port=port))


def test_a_gripper_that_answers_nothing_is_told_on_opening() -> None:
    with emulator() as server:
        server.silent = True
        with pytest.raises(DeviceError, match="does not answer"), opened(server):
            pass


def test_a_fault_is_told_as_long_as_it_lasts() -> None:
    with emulator() as server, opened(server) as gripper:
        server.variables["FLT"] = 8
        wait_for(lambda: gripper.fault == "gripper: it is too hot")
        server.variables["FLT"] = 0
        wait_for(lambda: not gripper.fault)


def test_a_connection_that_breaks_is_told_and_taken_up_again(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(robotiq, "RETRY", 0.2)
    with emulator() as server, opened(server) as gripper:
        gripper.command(1.0)
        wait_for(lambda: gripper.closedness == 1.0)
        server.drop()
        wait_for(lambda: "Look after its cable" in gripper.fault)
        server.variables["POS"] = 3
        wait_for(lambda: not gripper.fault)
        wait_for(lambda: gripper.closedness == 1.0)  # the target is sent anew


def test_a_command_waits_for_nobody() -> None:
    with emulator() as server, opened(server) as gripper:
        server.silent = True
        done = threading.Event()
        threading.Thread(target=lambda: (gripper.command(1.0), done.set()), daemon=True).start()
        assert done.wait(0.2)  # far less than the answer's timeout


def test_an_answer_to_something_else_is_an_error() -> None:
    with emulator() as server:
        line = RobotiqSocket("127.0.0.1", server.port, 1.0)
        with pytest.raises(DeviceError, match=r"answered '\?' to GET XYZ"):
            line.get("XYZ")
        line.close()


@pytest.mark.parametrize("fields", [{"open": 300}, {"open": 5, "closed": 5}, {"timeout": 0.0}])
def test_a_wrong_range_is_refused(fields: dict[str, Any]) -> None:
    with pytest.raises(ValueError, match="must"):
        RobotiqConfig(**fields)
