"""Whether other nodes know this one: that it knows them does not tell, and what they send before is lost."""

from __future__ import annotations

import time
from collections.abc import Collection

import rclpy
from lifecycle_msgs.srv import GetState
from rclpy.executors import SingleThreadedExecutor
from rclpy.node import Node
from rclpy.task import Future

PATIENCE = 0.1  # s until a node is asked again


def await_answers(node: Node, names: Collection[str], deadline: float) -> list[str]:
    """Ask nodes for their state until a time of the monotonic clock; return those that do not answer.

    A process tells others of its readers one after the other, and the answers' come last here: whoever
    answers has heard of every subscription that `node` had before. Callable from the executor's thread.
    """
    asking = rclpy.create_node(f"{node.get_name()}_asking", context=node.context, use_global_arguments=False)
    executor = SingleThreadedExecutor(context=node.context)
    executor.add_node(asking)
    try:
        clients = {name: asking.create_client(GetState, f"{name}/get_state") for name in names}
        answers: dict[str, list[Future]] = {name: [] for name in names}
        silent, again = sorted(names), 0.0
        while silent and (now := time.monotonic()) < deadline:
            if now >= again:  # an answer is lost, too, while the one who asks is not known
                again = now + PATIENCE
                for name in silent:
                    if clients[name].service_is_ready():
                        answers[name].append(clients[name].call_async(GetState.Request()))
            executor.spin_once(timeout_sec=0.01)
            silent = [name for name in silent if not any(answer.done() for answer in answers[name])]
        return silent
    finally:
        executor.shutdown(timeout_sec=0.1)
        asking.destroy_node()
