"""The recorder's subscriptions, which the executor serves, or the recorder itself by hand."""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping
from functools import partial

from rclpy.qos import QoSProfile
from rclpy.subscription import MessageInfo

from sinew_nodes.acquaintance import await_answers
from sinew_nodes.component_node import ComponentNode
from sinew_nodes.recorder_arrival import Arrival, Arrivals
from sinew_nodes.recorder_topics import OPTIONAL, message_class


class Ear:
    """Hands every message on as it came, images included, without looking into it."""

    def __init__(
        self,
        node: ComponentNode,  # type: ignore[type-arg]
        offered: Mapping[str, QoSProfile],
        on_arrival: Callable[[Arrival], None],
    ) -> None:
        self._node, self._on_arrival = node, on_arrival
        self._arrivals = Arrivals()
        self._subscriptions = {
            topic: node.listen(
                message_class(topic), topic.removeprefix("/"), partial(self._hear, topic), profile, raw=True
            )
            for topic, profile in offered.items()
        }

    def await_senders(self, timeout: float) -> list[str]:
        """Wait until this node and the graph have found each other: what is sent before that is lost.

        Returns the topics that nobody sends, and the nodes that do not answer.
        """
        deadline = time.monotonic() + timeout
        silent = [topic for topic in self._subscriptions if topic not in OPTIONAL]
        while silent and time.monotonic() < deadline:
            time.sleep(0.01)
            silent = [topic for topic in silent if not self._subscriptions[topic].get_publisher_count()]
        senders = {
            f"{info.node_namespace.rstrip('/')}/{info.node_name}"
            for topic, subscription in self._subscriptions.items()
            if topic not in OPTIONAL
            for info in self._node.get_publishers_info_by_topic(subscription.topic_name)
        }
        deaf = await_answers(self._node, senders - {self._node.get_fully_qualified_name()}, deadline)
        return silent + deaf

    def hear_each(self) -> bool:
        """Take one waiting message of each topic by hand, in the executor's thread; False for none."""
        heard = False
        for subscription in self._subscriptions.values():
            with subscription.handle:
                taken = subscription.handle.take_message(subscription.msg_type, True)
            if taken is not None:
                subscription.callback(*taken)
                heard = True
        return heard

    def close(self) -> None:
        """Listen no more."""
        while self._subscriptions:
            self._node.destroy_subscription(self._subscriptions.popitem()[1])

    def _hear(self, topic: str, wire: bytes, info: MessageInfo) -> None:
        self._on_arrival(self._arrivals.make(topic, wire, info))
