"""The lifecycle node that every node of the graph is: set up, start, halt, tear down, and fail loudly."""

from __future__ import annotations

import contextlib
import functools
import gc
import os
import signal
import sys
import threading
import time
import traceback
from collections.abc import Callable, Sequence
from types import FrameType
from typing import Any, ClassVar, Generic, TypeVar

import rclpy
from diagnostic_msgs.msg import DiagnosticArray, DiagnosticStatus, KeyValue
from rclpy.clock import Clock
from rclpy.clock_type import ClockType
from rclpy.duration import Duration
from rclpy.executors import ExternalShutdownException, SingleThreadedExecutor
from rclpy.lifecycle import LifecycleNode, LifecycleState, TransitionCallbackReturn
from rclpy.qos import QoSProfile
from rclpy.signals import SignalHandlerOptions
from sinew_core.errors import ConfigError
from std_msgs.msg import Empty

from sinew_nodes import qos
from sinew_nodes.diagnostics import Meter
from sinew_nodes.lifeline import Lifeline, lifeline_address
from sinew_nodes.parameters import read_parameters
from sinew_nodes.transport import set_up_transport

P = TypeVar("P")
HEARING = 0.5  # s, at most
SUCCESS, FAILURE = TransitionCallbackReturn.SUCCESS, TransitionCallbackReturn.FAILURE


class ComponentNode(LifecycleNode, Generic[P]):
    """A lifecycle node with parameters `P`; one failing callback deactivates it.

    A ConfigError in `setup` leaves it unconfigured. Whatever fails is logged with its traceback and
    published on `fault`, so that the station ends the episode and the lifecycle manager the graph.
    Callbacks run in one thread, the executor's.
    """

    Parameters: ClassVar[type[Any]]
    free_parameters: ClassVar[tuple[str, ...]] = ()  # what parameters begin with that are no fields of it

    def __init__(self, name: str) -> None:
        super().__init__(name, automatically_declare_parameters_from_overrides=True)
        self.parameters: P
        self.meter = Meter()
        self._active = False
        self._fault = self.create_publisher(DiagnosticStatus, "fault", qos.fault())
        self._alive = self.create_publisher(Empty, "~/alive", qos.alive())
        self._diagnostics = self.create_publisher(DiagnosticArray, "/diagnostics", 10)
        self._lifeline = Lifeline(self.lifeline_address, name)
        self.create_timer(1.0, self._report, clock=Clock(clock_type=ClockType.STEADY_TIME))

    def setup(self) -> None:
        """Load and allocate; raises ConfigError."""

    def start(self) -> None:
        """Begin to work; motion is allowed from here on."""

    def halt(self) -> None:
        """Stop working; must be safe at any time and from any thread."""

    def teardown(self) -> None:
        """Release what setup allocated; safe at any time and more than once."""

    def farewell(self) -> None:
        """Bring to its end what is under way, before the node is closed; callbacks are still called."""

    @property
    def lifeline_address(self) -> str:
        """Where the station hears of a node's death."""
        return lifeline_address(self.get_namespace(), os.environ.get("ROS_DOMAIN_ID", "0"))

    @property
    def active(self) -> bool:
        """Whether the node is to work."""
        return self._active

    def listen(
        self,
        kind: type[Any],
        topic: str,
        callback: Callable[..., None],
        profile: QoSProfile,
        *,
        raw: bool = False,
    ) -> Any:
        """Subscribe and return the subscription; a callback that raises makes the node fail.

        One that takes a second argument is given rclpy's MessageInfo, which tells publishers apart.
        """

        @functools.wraps(callback)  # rclpy looks at what it takes
        def guarded(*arguments: Any) -> None:
            try:
                callback(*arguments)
            except Exception as error:  # noqa: BLE001 - the node's boundary
                self.fail(error)

        return self.create_subscription(kind, topic, guarded, profile, raw=raw)

    def post(self, callback: Callable[..., None], *arguments: object) -> None:
        """Have a callback called in the executor's thread; callable from any thread."""

        def guarded() -> None:
            try:
                callback(*arguments)
            except Exception as error:  # noqa: BLE001 - the node's boundary
                self.fail(error)

        if self.executor is not None:
            self.executor.create_task(guarded)

    def fail(self, error: BaseException) -> None:
        """Log an error with its traceback, publish it and deactivate."""
        self.get_logger().error("".join(traceback.format_exception(error)).rstrip())
        self.announce(error)
        if self._active:
            self.trigger_deactivate()

    def on_configure(self, state: LifecycleState) -> TransitionCallbackReturn:
        """Read the parameters and set up."""
        try:
            self.parameters = read_parameters(self, self.Parameters, self.free_parameters)
            self.setup()
        except ConfigError as error:
            self.get_logger().error(str(error))
            self.announce(error)
            self._guarded(self.teardown)
            return FAILURE
        except Exception as error:  # noqa: BLE001 - rclpy would drop it
            self.fail(error)
            self._guarded(self.teardown)
            return FAILURE
        self.meter.error = ""
        return SUCCESS

    def on_activate(self, state: LifecycleState) -> TransitionCallbackReturn:
        """Start."""
        gc.collect()
        gc.freeze()  # what setup made lives on; going through it again and again costs milliseconds
        self._active = True
        self._lifeline.connect()
        if not self._guarded(self.start):
            self._active = False
            return FAILURE
        self._lifeline.connect()  # the station may have come up meanwhile
        return SUCCESS

    def on_deactivate(self, state: LifecycleState) -> TransitionCallbackReturn:
        """Halt."""
        self._active = False
        return SUCCESS if self._guarded(self.halt) else TransitionCallbackReturn.ERROR

    def on_cleanup(self, state: LifecycleState) -> TransitionCallbackReturn:
        """Tear down."""
        return SUCCESS if self._guarded(self.teardown) else TransitionCallbackReturn.ERROR

    def on_shutdown(self, state: LifecycleState) -> TransitionCallbackReturn:
        """Halt and tear down."""
        self.close()
        return SUCCESS

    def on_error(self, state: LifecycleState) -> TransitionCallbackReturn:
        """Halt and tear down, whatever it was."""
        self.close()
        return SUCCESS

    def close(self) -> None:
        """Halt and tear down; callable from any thread."""
        self._active = False
        self._lifeline.close()
        self._guarded(self.halt)
        self._guarded(self.teardown)

    def _guarded(self, call: Callable[[], None]) -> bool:
        try:
            call()
        except Exception as error:  # noqa: BLE001 - rclpy would drop it
            self.get_logger().error("".join(traceback.format_exception(error)).rstrip())
            self.announce(error)
            return False
        return True

    def announce(self, error: BaseException) -> None:
        """Publish what has gone wrong, so that the station ends the episode; callable from any thread."""
        self.meter.error = str(error)
        self.meter.counts["errors"] += 1
        kind = "config" if isinstance(error, ConfigError) else type(error).__name__
        self._fault.publish(
            DiagnosticStatus(
                level=DiagnosticStatus.ERROR,
                name=self.get_name(),
                message=str(error) or type(error).__name__,
                values=[KeyValue(key="kind", value=kind)],
            )
        )

    def _report(self) -> None:
        self._lifeline.connect()
        message = DiagnosticArray(status=[self.meter.status(self.get_name(), self._state())])
        message.header.stamp = self.get_clock().now().to_msg()
        self._diagnostics.publish(message)

    def _state(self) -> str:
        return str(self._state_machine.current_state[1])


def run_node(make_node: Callable[[], ComponentNode[Any]], arguments: Sequence[str] | None = None) -> int:
    """Run a node until SIGINT or SIGTERM, then halt it and return 0.

    The executor runs beside the main thread, which stays free for signals: a signal is acted on even
    while a model computes.
    """
    set_up_transport()
    sys.setswitchinterval(0.001)  # s; a waiting thread gets its turn sooner
    rclpy.init(
        args=list(sys.argv if arguments is None else arguments),
        signal_handler_options=SignalHandlerOptions.NO,
    )
    stop, quiet = threading.Event(), threading.Event()

    def ask_to_stop(number: int, frame: FrameType | None) -> None:
        stop.set()

    for number in (signal.SIGINT, signal.SIGTERM):
        signal.signal(number, ask_to_stop)
    node = make_node()
    executor = SingleThreadedExecutor()
    executor.add_node(node)
    thread = threading.Thread(target=_spin, args=(executor, quiet), name="executor", daemon=True)
    thread.start()
    stop.wait()
    node.farewell()
    quiet.set()
    node.close()
    executor.shutdown(timeout_sec=0.5)
    thread.join(timeout=1.0)
    _await_hearing(node)
    if thread.is_alive():  # a model still computes; nothing is left to clean up for it
        sys.stdout.flush()
        sys.stderr.flush()
        os._exit(0)
    node.destroy_node()
    rclpy.try_shutdown()
    return 0


def _await_hearing(node: ComponentNode[Any]) -> None:
    """Let what was said last reach whoever listens: a process that ends takes it along."""
    deadline = time.monotonic() + HEARING
    for publisher in node.publishers:
        publisher.wait_for_all_acked(Duration(seconds=max(0.0, deadline - time.monotonic())))


def _spin(executor: SingleThreadedExecutor, quiet: threading.Event) -> None:
    with contextlib.suppress(ExternalShutdownException):
        while not quiet.is_set():
            executor.spin_once(timeout_sec=0.5)
