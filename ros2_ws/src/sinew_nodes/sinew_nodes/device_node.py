"""The node that a driver of topics has for itself: an arm's or a camera's, whatever process it is in."""

from __future__ import annotations

import contextlib
import logging
import os
import threading
import time
from collections.abc import Callable
from typing import Any

import rclpy
from rclpy.clock import Clock
from rclpy.clock_type import ClockType
from rclpy.context import Context
from rclpy.executors import ExternalShutdownException, SingleThreadedExecutor
from rclpy.qos import QoSProfile
from rclpy.signals import SignalHandlerOptions
from sinew_core.errors import did_you_mean

from sinew_nodes.transport import set_up_transport

log = logging.getLogger(__name__)
SETTINGS = ("ROS_DOMAIN_ID", "ROS_AUTOMATIC_DISCOVERY_RANGE")


class DeviceNode:
    """A node with a context and a thread of its own, so that a driver waits for no other node's executor.

    It takes nothing from the process's ROS arguments: remappings of the station node are not meant for it.
    """

    def __init__(self, name: str, namespace: str = "/") -> None:
        set_up_transport()
        self.failure = ""  # what a callback has failed of
        self._context = Context()
        rclpy.init(args=[], context=self._context, signal_handler_options=SignalHandlerOptions.NO)
        self.node = rclpy.create_node(
            name,
            context=self._context,
            namespace=namespace,
            use_global_arguments=False,
            enable_rosout=False,
            start_parameter_services=False,
        )
        self._executor = SingleThreadedExecutor(context=self._context)
        self._executor.add_node(self.node)
        self._thread = threading.Thread(target=self._spin, name=name, daemon=True)

    def _spin(self) -> None:
        with contextlib.suppress(ExternalShutdownException):
            self._executor.spin()

    def start(self) -> None:
        """Begin to receive."""
        self._thread.start()

    def listen(
        self,
        kind: type[Any],
        topic: str,
        callback: Callable[[Any], None],
        profile: QoSProfile,
        *,
        raw: bool = False,
    ) -> None:
        """Subscribe; what a callback raises is kept in `failure`."""

        def guarded(message: Any) -> None:
            try:
                callback(message)
            except Exception as error:
                log.exception("%s", topic)
                self.failure = f"{topic}: {error}"

        self.node.create_subscription(kind, topic, guarded, profile, raw=raw)

    def ask(self, kind: type[Any], service: str, request: Any, patience: float) -> Any:
        """Call a service from any thread but the node's; None if it does not answer within `patience` s."""
        client = self.node.create_client(kind, service)
        deadline = time.monotonic() + patience
        if not self.wait(client.service_is_ready, patience):
            return None
        asked = client.call_async(request)
        return asked.result() if self.wait(asked.done, deadline - time.monotonic()) else None

    def ask_again(
        self, kind: type[Any], service: str, interval: float, on_answer: Callable[[Any], None]
    ) -> None:
        """Call a service every `interval` s while it is there; answers come in the node's thread."""
        client = self.node.create_client(kind, service)

        def ask() -> None:
            if client.service_is_ready():
                client.call_async(kind.Request()).add_done_callback(lambda asked: on_answer(asked.result()))

        self.node.create_timer(interval, ask, clock=Clock(clock_type=ClockType.STEADY_TIME))

    def wait(self, ready: Callable[[], Any], patience: float) -> bool:
        """Wait until something is so, and return whether it is within `patience` s."""
        deadline = time.monotonic() + patience
        while not ready():
            if time.monotonic() >= deadline:
                return False
            time.sleep(0.005)
        return True

    def publishers(self, topic: str) -> set[str]:
        """Return the names of the nodes that publish a topic."""
        full = self.node.resolve_topic_name(topic)
        return {one.node_name for one in self.node.get_publishers_info_by_topic(full)}

    def silence(self, topic: str, kind: str, patience: float) -> str:
        """Return the sentence for a topic on which nothing came within `patience` s, and which there are."""
        full = self.node.resolve_topic_name(topic)
        known = self.node.get_topic_names_and_types()
        others = [name for name, kinds in known if kind in kinds and self.node.count_publishers(name)]
        ours = ", ".join(f"{key}={os.environ.get(key, '')}" for key in SETTINGS)
        return (
            f"nothing came on {full} ({kind}) within {patience:g} s. Does its driver run, where it can be "
            f"heard with {ours}?{did_you_mean(full, others)}"
        )

    def close(self) -> None:
        """Leave the graph."""
        self._executor.shutdown(timeout_sec=0.5)
        if self._thread.is_alive():
            self._thread.join(timeout=1.0)
        self.node.destroy_node()
        rclpy.try_shutdown(context=self._context)
