"""Being the only one: two stations, or two graphs, on the same topics are one too many."""

from __future__ import annotations

import os
import socket
import threading
import time
import uuid

from diagnostic_msgs.msg import DiagnosticStatus
from rclpy.node import Node
from rclpy.qos import QoSDurabilityPolicy, QoSHistoryPolicy, QoSProfile, QoSReliabilityPolicy
from sinew_core.errors import ConfigError

DISCOVERY = 0.4  # s that another's claim may take to be heard of


class Claim:
    """A claim to a role, made when the node is and settled when it is set up.

    A settled claim beats a fresh one; of two fresh ones the earlier wins, then the smaller identity, so
    that of two that start at once exactly one is refused. The node must be spinning in another thread,
    or `settle` be called from its only one and spin by itself.
    """

    def __init__(self, node: Node, role: str) -> None:
        self._node, self._role = node, role
        self._made = time.time_ns()
        self._identity = f"{socket.gethostname()}, process {os.getpid()}, {uuid.uuid4().hex[:8]}"
        self._others: dict[str, DiagnosticStatus] = {}
        self._lock = threading.Lock()
        profile = QoSProfile(
            history=QoSHistoryPolicy.KEEP_LAST,
            depth=10,
            reliability=QoSReliabilityPolicy.RELIABLE,
            durability=QoSDurabilityPolicy.TRANSIENT_LOCAL,
        )
        self._publisher = node.create_publisher(DiagnosticStatus, f"{role}/claim", profile)
        self._subscription = node.create_subscription(DiagnosticStatus, f"{role}/claim", self._hear, profile)
        self._say(settled=False)

    def settle(self) -> None:
        """Win the role for good; raises ConfigError, naming the other, if somebody else has it."""
        time.sleep(max(0.0, DISCOVERY - (time.time_ns() - self._made) / 1e9))
        deadline = time.monotonic() + DISCOVERY
        while time.monotonic() < deadline:
            # Taken by hand: this runs in a callback of the executor, which therefore cannot.
            while (taken := self._take()) is not None:
                self._hear(taken)
            if len(self._others) + 1 >= self._node.count_publishers(f"{self._role}/claim"):
                break
            time.sleep(0.02)
        with self._lock:
            rivals = [other for other in self._others.values() if self._yields_to(other)]
        if rivals:
            raise ConfigError(
                f"there is already a {self._role} on these topics: {rivals[0].name} "
                f"({rivals[0].hardware_id}). Stop it, or give this graph a ROS_DOMAIN_ID or a namespace of "
                "its own."
            )
        self._say(settled=True)

    def _take(self) -> DiagnosticStatus | None:
        with self._subscription.handle:
            taken = self._subscription.handle.take_message(DiagnosticStatus, False)
        return None if taken is None else taken[0]

    def _say(self, *, settled: bool) -> None:
        self._publisher.publish(
            DiagnosticStatus(
                level=DiagnosticStatus.OK if settled else DiagnosticStatus.STALE,
                name=self._node.get_fully_qualified_name(),
                hardware_id=self._identity,
                message=str(self._made),
            )
        )

    def _hear(self, claim: DiagnosticStatus) -> None:
        if claim.hardware_id != self._identity:
            with self._lock:
                self._others[claim.hardware_id] = claim

    def _yields_to(self, other: DiagnosticStatus) -> bool:
        if other.level == DiagnosticStatus.OK:
            return True
        return (int(other.message), other.hardware_id) < (self._made, self._identity)
