"""Hosts the teleoperation node in a process that also owns the terminal, and the signals that end it."""

from __future__ import annotations

import contextlib
import json
import signal
import sys
import tempfile
import threading
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from types import FrameType, TracebackType
from typing import Any

import rclpy
from rclpy.executors import ExternalShutdownException, SingleThreadedExecutor
from rclpy.lifecycle import TransitionCallbackReturn
from rclpy.signals import SignalHandlerOptions
from sinew_core.errors import ConfigError
from sinew_teleop.terminal_signals import guarded

from sinew_nodes.teleop_display import Display
from sinew_nodes.teleop_node import TeleopNode

TRANSITION = 30.0  # s; a device may take its time


class EndingSignals:
    """SIGINT, SIGTERM and SIGHUP: before `quit` is given they interrupt, afterwards they set it.

    Once `tidying` is set they do nothing: whatever is left is bounded in time and must be done.
    """

    NUMBERS = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)

    def __init__(self) -> None:
        self.quit: threading.Event | None = None
        self.tidying = False
        self.received: int | None = None
        self._previous: dict[int, Any] = {}

    @property
    def code(self) -> int:
        """The exit code: 0 unless somebody else than the person at the terminal ended it."""
        return 0 if self.received in (None, signal.SIGINT) else 128 + int(self.received or 0)

    def __enter__(self) -> EndingSignals:
        """Handle the signals; only the main thread may."""
        self._previous = {number: signal.signal(number, self._handle) for number in self.NUMBERS}
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        """Leave them to whoever had them."""
        for number, handler in self._previous.items():
            signal.signal(number, handler)

    @contextmanager
    def deferred(self) -> Iterator[None]:
        """Interrupt after the block instead of in it: half of what it opens could not be closed."""
        self.tidying = True
        yield
        self.tidying = False
        if self.received is not None:
            raise KeyboardInterrupt

    def _handle(self, number: int, frame: FrameType | None) -> None:
        self.received = number
        if self.quit is not None:
            self.quit.set()
        elif not self.tidying:
            raise KeyboardInterrupt


@contextmanager
def hosted_node(parameters: Mapping[str, str]) -> Iterator[TeleopNode]:
    """A configured teleoperation node, spun beside the main thread; raises ConfigError."""
    with tempfile.NamedTemporaryFile("w", suffix=".yaml") as file:
        json.dump({"/**": {"ros__parameters": dict(parameters)}}, file)
        file.flush()
        arguments = ["--ros-args", "--log-level", "fatal", "--params-file", file.name]
        rclpy.init(args=arguments, signal_handler_options=SignalHandlerOptions.NO)
    sys.setswitchinterval(0.001)  # s; the screen's drawing must not keep commands waiting
    node = TeleopNode()
    executor = SingleThreadedExecutor()
    executor.add_node(node)
    thread = threading.Thread(target=_spin, args=(executor, node), name="executor", daemon=True)
    thread.start()
    try:
        transit(node, "trigger_configure")
        yield node
    finally:
        node.close()
        executor.shutdown(timeout_sec=0.5)
        thread.join(timeout=1.0)
        rclpy.try_shutdown()


def transit(node: TeleopNode, transition: str) -> None:
    """Change the node's state in the executor's thread; raises ConfigError with what stands against it."""
    answer: list[TransitionCallbackReturn] = []
    done = threading.Event()

    def change() -> None:
        try:
            answer.append(getattr(node, transition)())
        finally:
            done.set()

    assert node.executor is not None
    node.executor.create_task(change)
    if not done.wait(TRANSITION):
        raise ConfigError(node.meter.error or f"teleop_node: {transition} took longer than {TRANSITION:g} s")
    if answer != [TransitionCallbackReturn.SUCCESS]:
        raise ConfigError(node.meter.error or f"teleop_node: {transition} failed")


@contextmanager
def suspendable(node: TeleopNode, display: Display) -> Iterator[None]:
    """Ctrl-Z gives the arm and the terminal back; `fg` takes the terminal again, with nothing held."""
    if node.terminal is None:
        yield
        return

    def suspend() -> None:
        node.suspend()
        display.pause()

    def resume() -> None:
        display.resume()
        node.resume()

    with guarded(node.terminal, suspend, resume):
        yield


def _spin(executor: SingleThreadedExecutor, node: TeleopNode) -> None:
    try:
        with contextlib.suppress(ExternalShutdownException):
            executor.spin()
    except Exception as error:  # noqa: BLE001 - the thread's boundary; the session ends with it
        node.fail(error)
