"""The lifecycle manager and what gets lost on the way."""

from __future__ import annotations

import threading

import pytest
from graphs import wait_for
from nodes_here import ros
from rclpy.lifecycle import LifecycleNode
from rclpy.task import Future
from sinew_nodes import lifecycle_manager
from sinew_nodes.lifecycle_manager import LifecycleManager
from sinew_nodes.parameters import ManagerParameters


def test_a_transition_whose_answer_is_lost_is_seen_in_the_state(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(lifecycle_manager, "ASK_AGAIN", 0.05)
    with ros() as nodes:
        node = nodes.add(LifecycleNode("some_node"))
        manager = LifecycleManager()
        manager.parameters = ManagerParameters(nodes=("some_node",), transition_timeout=10.0)
        nodes.add(manager)
        manager._states_of["some_node"] = manager.create_client(
            lifecycle_manager.GetState, "some_node/get_state"
        )
        done = threading.Event()

        def check() -> None:
            manager._check("some_node", "configured", Future())
            done.set()

        threading.Thread(target=check, daemon=True).start()
        assert not done.wait(0.3), "it is unconfigured yet"
        node.executor.create_task(node.trigger_configure)
        wait_for(done.is_set)
