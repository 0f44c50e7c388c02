"""A teleoperation node in a graph under test, its keyboard a pseudo-terminal."""

from __future__ import annotations

import os
import pty
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from typing import Any

import numpy as np
import pytest
from graphs import wait_for
from nodes_here import Nodes, graph
from rclpy.lifecycle import TransitionCallbackReturn
from sinew_msgs.msg import Authority
from sinew_nodes import qos
from sinew_nodes.teleop_node import TeleopNode
from trajectory_msgs.msg import JointTrajectory

REAL = '{plugin: "sinew_core.fakes:FakeStation", world: false}'


class HandAtNode:
    """A person at the node: types, and sees what the node publishes and what the arm is told."""

    def __init__(self, nodes: Nodes, typing: int) -> None:
        self.nodes, self._typing = nodes, typing
        self.node: TeleopNode = nodes["teleop_node"]
        self.robot = self.node._hardware.robot
        self.chunks: list[JointTrajectory] = []
        self.owners: list[Authority] = []
        ears = nodes["policy_node"]
        ears.create_subscription(JointTrajectory, "human/chunk", self.chunks.append, 100)
        ears.create_subscription(Authority, "authority", self.owners.append, qos.latched())
        wait_for(lambda: self.owners and self.node.count_subscribers("human/chunk") == 2)

    def type(self, keys: str) -> None:
        os.write(self._typing, keys.encode())

    def hang_up(self) -> None:
        os.close(self._typing)

    def hold(self, key: str, ready: Callable[[], Any]) -> None:
        """Let a key repeat until something has come about."""

        def again() -> bool:
            self.type(key)
            return bool(ready())

        wait_for(again)

    @property
    def owner(self) -> str:
        return self.owners[-1].owner if self.owners else ""

    @property
    def target(self) -> np.ndarray:
        return np.array(self.nodes.executed[-1].position)

    @property
    def tip(self) -> np.ndarray:
        return self.robot.chain.pose(self.robot.tip_link, self.target)[:3, 3]

    @property
    def said(self) -> str:
        return self.node.situation().said

    def periods(self, count: int) -> None:
        """Wait until the station has sent some more commands."""
        before = len(self.nodes.executed)
        wait_for(lambda: len(self.nodes.executed) >= before + count)


@contextmanager
def keyboard(monkeypatch: pytest.MonkeyPatch) -> Iterator[int]:
    """Standard input is a terminal; yields the end at which is typed."""
    typing, seen = pty.openpty()
    with os.fdopen(seen, "r", closefd=False) as stdin:
        monkeypatch.setattr("sys.stdin", stdin)
        yield typing
    for end in (typing, seen):
        with suppress(OSError):
            os.close(end)


@contextmanager
def hand_at(
    monkeypatch: pytest.MonkeyPatch, hardware: str, source: str, **parameters: Any
) -> Iterator[HandAtNode]:
    """The whole graph in real time on the wall's clock, with a teleoperation node in it."""
    given = {"hardware": hardware, "task": "pick_place", "source": source}
    of_node = {f"teleop_node__{key}": value for key, value in given.items()}
    with keyboard(monkeypatch) as typing, graph(hardware, **of_node, **parameters) as nodes:
        wait_for(lambda: nodes.executed)
        node = nodes.nodes["teleop_node"] = nodes.add(TeleopNode())
        for transition in ("trigger_configure", "trigger_activate"):
            assert nodes.trigger(node, transition) == TransitionCallbackReturn.SUCCESS, node.meter.error
        yield HandAtNode(nodes, typing)
