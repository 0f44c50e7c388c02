"""A launched graph and this process's own node in it, as RosGraph and the benches use them."""

from __future__ import annotations

import contextlib
import os
import tempfile
import threading
import time
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any

import rclpy
from rclpy.action import ActionClient
from rclpy.context import Context
from rclpy.executors import ExternalShutdownException, SingleThreadedExecutor
from rclpy.signals import SignalHandlerOptions
from sinew_core.errors import ConfigError, DeviceError
from sinew_msgs.action import RunEpisode

from sinew_nodes.domain import choose_domain
from sinew_nodes.launch_command import find_launch_file
from sinew_nodes.launch_file import NodeSpec, resolve
from sinew_nodes.supervisor import Supervisor
from sinew_nodes.transport import set_up_transport

STARTUP = 90.0  # s
FATAL = "[FATAL]"


class GraphProcessError(DeviceError):
    """The graph, to whoever uses it a device, went down; the message names the log file."""


def bringup(arguments: Mapping[str, str]) -> list[NodeSpec]:
    """Return the processes of Sinew's own launch file; raises ConfigError."""
    return resolve(find_launch_file("bringup"), arguments)


class GraphProcess:
    """Launches processes and talks to the graph. Construct it in the thread that will close it."""

    def __init__(self, specs: Sequence[NodeSpec], name: str) -> None:
        set_up_transport()
        domain = choose_domain()
        handle, path = tempfile.mkstemp(prefix="sinew-graph-", suffix=".log")
        self.log = Path(path)
        self._log = os.fdopen(handle, "w", buffering=1, encoding="utf-8")
        self._log_lock = threading.Lock()
        self._fatal = ""
        self.failed = False
        self.started = time.monotonic()
        self.supervisor = Supervisor(specs, self._write, {"ROS_DOMAIN_ID": str(domain)})
        self._context = Context()
        rclpy.init(context=self._context, domain_id=domain, signal_handler_options=SignalHandlerOptions.NO)
        self.supervisor.start()
        self.node = rclpy.create_node(name, context=self._context)
        self.client = ActionClient(self.node, RunEpisode, "run_episode")
        self._executor = SingleThreadedExecutor(context=self._context)
        self._executor.add_node(self.node)
        self._thread = threading.Thread(target=self._receive, name="graph client", daemon=True)

    def listen(
        self, kind: type[Any], topic: str, callback: Callable[[Any], None], profile: Any, *, raw: bool = False
    ) -> None:
        """Subscribe; must come before `spin`."""
        self.node.create_subscription(kind, topic, callback, profile, raw=raw)

    def spin(self) -> None:
        """Begin to receive."""
        self._thread.start()

    def wait_until_up(self) -> None:
        """Wait until episodes can be run; raises ConfigError or GraphProcessError."""
        while not self.client.server_is_ready():
            self.check()
            if time.monotonic() - self.started > STARTUP:
                self.failed = True
                raise GraphProcessError(f"the graph did not come up within {STARTUP:g} s (log: {self.log})")
            time.sleep(0.01)

    def check(self) -> None:
        """Raise if the graph has gone down."""
        ended = self.supervisor.ended()
        if ended is None:
            return
        time.sleep(0.2)  # the last lines are still being read, and others may be about to end
        name, code = self.supervisor.ended() or ended
        self.failed = True
        if code == 2 and self._fatal:
            raise ConfigError(f"{self._fatal} (log: {self.log})")
        why = self._fatal or f"{name} ended with status {code}"
        raise GraphProcessError(f"{why} (log: {self.log})")

    def close(self) -> None:
        """End every process, and this process's part; the log stays only where something failed."""
        try:
            self.supervisor.stop()
        finally:
            self._executor.shutdown(timeout_sec=0.5)
            if self._thread.is_alive():
                self._thread.join(timeout=1.0)
            rclpy.try_shutdown(context=self._context)
            self._log.close()
            if not self.failed:
                self.log.unlink(missing_ok=True)

    def _receive(self) -> None:
        with contextlib.suppress(ExternalShutdownException):
            self._executor.spin()

    def _write(self, name: str, line: str) -> None:
        with self._log_lock:
            if not self._log.closed:
                self._log.write(f"[{name}] {line}\n")
            if FATAL in line and not self._fatal:
                self._fatal = line.partition("]: ")[2].removeprefix("the graph goes down: ")
