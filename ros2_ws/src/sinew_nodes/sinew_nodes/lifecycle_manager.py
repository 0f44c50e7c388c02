"""Brings the nodes of the graph up in order, and takes all of them down when one dies or fails."""

from __future__ import annotations

import contextlib
import os
import signal
import sys
import threading
import time
from collections.abc import Callable, Sequence
from types import FrameType

import rclpy
from diagnostic_msgs.msg import DiagnosticStatus
from lifecycle_msgs.msg import State, Transition
from lifecycle_msgs.srv import ChangeState, GetState
from rclpy.client import Client
from rclpy.event_handler import QoSLivelinessChangedInfo, SubscriptionEventCallbacks
from rclpy.executors import ExternalShutdownException, SingleThreadedExecutor
from rclpy.node import Node
from rclpy.signals import SignalHandlerOptions
from rclpy.task import Future
from sinew_core.errors import ConfigError
from std_msgs.msg import Empty

from sinew_nodes import qos
from sinew_nodes.claim import Claim
from sinew_nodes.lifeline import Lifeline, lifeline_address
from sinew_nodes.parameters import ManagerParameters, read_parameters
from sinew_nodes.transport import set_up_transport

LAST_WORDS = 0.5  # s for the station to end its episode and to deliver the result
FAREWELL = 3.0  # s that the nodes may take to go down
COMMON_STOP = 0.2  # s
ASK_AGAIN = 2.0  # s until a node that has not answered is asked for its state
REACHED = {"configured": State.PRIMARY_STATE_INACTIVE, "activated": State.PRIMARY_STATE_ACTIVE}
RECORDER = "recorder_node"  # so early and so late that it misses nothing
POLICY = "policy_node"


class GraphError(Exception):
    """The graph cannot come up or stay up; `code` is the exit status."""

    def __init__(self, message: str, code: int = 1) -> None:
        super().__init__(message)
        self.code = code


class LifecycleManager(Node):
    """Knows the nodes of the graph by name and whether they live. Its executor runs in another thread."""

    def __init__(self) -> None:
        super().__init__("lifecycle_manager", automatically_declare_parameters_from_overrides=True)
        self.stop = threading.Event()  # set when it is time to go, for whatever reason
        self._claim = Claim(self, "graph")
        self._failure: GraphError | None = None
        self._faults: dict[str, DiagnosticStatus] = {}
        self._clients_of: dict[str, Client] = {}
        self._states_of: dict[str, Client] = {}
        self._lost: set[str] = set()
        self._configured: list[str] = []
        self._active: set[str] = set()
        self._fault = self.create_publisher(DiagnosticStatus, "fault", qos.fault())
        address = lifeline_address(self.get_namespace(), os.environ.get("ROS_DOMAIN_ID", "0"))
        self._lifeline = Lifeline(address, self.get_name())

    @property
    def names(self) -> tuple[str, ...]:
        """The nodes of the graph, in the order in which they come up; they go in the reverse one."""
        recorder = (RECORDER,) if self.parameters.record else ()
        nodes = self.parameters.nodes
        if self.parameters.learn:
            nodes = tuple(name for name in nodes if name != POLICY)
        return (*recorder, *nodes)

    def run(self) -> None:
        """Bring the graph up and watch it; returns when told to stop, raises GraphError or ConfigError."""
        self.parameters = read_parameters(self, ManagerParameters)
        self._claim.settle()
        self.create_subscription(DiagnosticStatus, "fault", self._on_fault, qos.fault())
        try:
            self._bring_up()
            self._lifeline.connect()  # without a manager nobody would take the graph down
            self.get_logger().info("the graph is up")
            self.stop.wait()
            if self._failure is not None:
                time.sleep(LAST_WORDS)
        finally:
            self._lifeline.close()
            self._take_down()
        if self._failure is not None:
            raise self._failure

    def _bring_up(self) -> None:
        names = self.names
        for name in names:
            self._clients_of[name] = self.create_client(ChangeState, f"{name}/change_state")
            self._states_of[name] = self.create_client(GetState, f"{name}/get_state")
            self._watch(name)
        for name in names:
            self._await_service(name)
        answers = {name: self._ask(name, Transition.TRANSITION_CONFIGURE) for name in names}
        for name in names:  # they load at the same time, and are judged in order
            self._check(name, "configured", answers[name])
            self._configured.append(name)
        for name in names:
            self._check(name, "activated", self._ask(name, Transition.TRANSITION_ACTIVATE))
            self._active.add(name)

    def _watch(self, name: str) -> None:
        def changed(info: QoSLivelinessChangedInfo) -> None:
            if info.alive_count == 0 and info.alive_count_change < 0:
                self._lose(name)

        self.create_subscription(
            Empty,
            f"{name}/alive",
            lambda _: None,
            qos.alive(),
            event_callbacks=SubscriptionEventCallbacks(liveliness=changed),
        )

    def _lose(self, name: str) -> None:
        self._lost.add(name)
        # Ctrl-C reaches all processes at once, and another may have ended before ours has heard it.
        if not self.stop.wait(COMMON_STOP):
            message = "the node has died"
            self._fault.publish(DiagnosticStatus(level=DiagnosticStatus.ERROR, name=name, message=message))
            self._fail(GraphError(f"{name}: {message}"))

    def _await_service(self, name: str) -> None:
        timeout = self.parameters.service_timeout
        client = self._clients_of[name]
        if not self._until(client.service_is_ready, timeout):
            raise GraphError(f"{name}: its services did not appear within {timeout:g} s; is it running?")

    def _ask(self, name: str, transition: int) -> Future:
        return self._clients_of[name].call_async(ChangeState.Request(transition=Transition(id=transition)))

    def _check(self, name: str, what: str, answer: Future) -> None:
        timeout = self.parameters.transition_timeout
        reached = self._asking(name, REACHED[what])
        if not self._until(lambda: answer.done() or reached(), timeout):
            raise GraphError(f"{name}: was not {what} within {timeout:g} s")
        if not answer.done() or answer.result().success:
            return
        self._until(lambda: name in self._faults, 2.0)
        fault = self._faults.get(name)
        if fault is None:
            raise GraphError(f"{name}: could not be {what}; its log says why")
        raise GraphError(f"{name}: {fault.message}", _code(fault))

    def _asking(self, name: str, state: int) -> Callable[[], bool]:
        """Return what tells of a node's state, by asking now and then: an answer can get lost for good."""
        asked, answer = time.monotonic(), Future()

        def reached() -> bool:
            nonlocal asked, answer
            if answer.done() and answer.result().current_state.id == state:
                return True
            if time.monotonic() - asked > ASK_AGAIN:
                asked, answer = time.monotonic(), self._states_of[name].call_async(GetState.Request())
            return False

        return reached

    def _until(self, ready: Callable[[], bool], timeout: float) -> bool:
        """Wait for something; raises GraphError if the graph fails or is to stop meanwhile."""
        deadline = time.monotonic() + timeout
        while not ready():
            if self._failure is not None and self._failure.code != 2:
                raise self._failure
            time.sleep(0.01)
            if self.stop.is_set() and self._failure is None:
                raise GraphError("stopped while coming up", 0)
            if time.monotonic() > deadline:
                return False
        return True

    def _take_down(self) -> None:
        """Deactivate and clean up, the station first; what does not answer is left to the launcher."""
        deadline = time.monotonic() + FAREWELL
        for name in reversed(self._configured):
            if name in self._active and name not in self._faults:
                self._farewell(name, Transition.TRANSITION_DEACTIVATE, deadline)
            self._farewell(name, Transition.TRANSITION_CLEANUP, deadline)

    def _farewell(self, name: str, transition: int, deadline: float) -> None:
        client = self._clients_of[name]
        if name in self._lost or not client.service_is_ready():
            return
        answer = self._ask(name, transition)
        while not answer.done() and name not in self._lost and time.monotonic() < deadline:
            time.sleep(0.005)

    def _on_fault(self, status: DiagnosticStatus) -> None:
        self._faults[status.name] = status
        if status.name in self.names:
            self._fail(GraphError(f"{status.name}: {status.message}", _code(status)))

    def _fail(self, failure: GraphError) -> None:
        if self._failure is None and not self.stop.is_set():
            self._failure = failure
            self.stop.set()


def _code(fault: DiagnosticStatus) -> int:
    return 2 if any(entry.key == "kind" and entry.value == "config" for entry in fault.values) else 1


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the manager; 0 after SIGINT or SIGTERM, 2 for a mistake in the configuration, else 1."""
    set_up_transport()
    rclpy.init(
        args=list(sys.argv if arguments is None else arguments),
        signal_handler_options=SignalHandlerOptions.NO,
    )
    node = LifecycleManager()

    def ask_to_stop(number: int, frame: FrameType | None) -> None:
        node.stop.set()

    for number in (signal.SIGINT, signal.SIGTERM):
        signal.signal(number, ask_to_stop)
    executor = SingleThreadedExecutor()
    executor.add_node(node)
    thread = threading.Thread(target=_spin, args=(executor,), daemon=True)
    thread.start()
    code = 0
    try:
        node.run()
    except GraphError as error:
        code = error.code
        if code:
            node.get_logger().fatal(f"the graph goes down: {error}")
    except ConfigError as error:
        code = 2
        node.get_logger().fatal(str(error))
    executor.shutdown(timeout_sec=0.5)
    thread.join(timeout=1.0)
    node.destroy_node()
    rclpy.try_shutdown()
    return code


def _spin(executor: SingleThreadedExecutor) -> None:
    with contextlib.suppress(ExternalShutdownException):
        executor.spin()


if __name__ == "__main__":
    sys.exit(main())
