"""The nodes in the test's own process, each with an executor of its own, as they have in theirs."""

from __future__ import annotations

import contextlib
import gc
import itertools
import json
import tempfile
import threading
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from typing import Any

import rclpy
from diagnostic_msgs.msg import DiagnosticArray, DiagnosticStatus
from graphs import FAKE_WORLD, wait_for
from rclpy.action import ActionClient
from rclpy.executors import ExternalShutdownException, SingleThreadedExecutor
from rclpy.lifecycle import TransitionCallbackReturn
from sinew_msgs.action import RunEpisode
from sinew_msgs.msg import ExecutedCommand
from sinew_nodes import qos
from sinew_nodes.affordance_node import AffordanceNode
from sinew_nodes.perception_node import PerceptionNode
from sinew_nodes.policy_node import PolicyNode
from sinew_nodes.reward_node import RewardNode
from sinew_nodes.station_node import StationNode

KINDS = {
    "perception_node": PerceptionNode,
    "affordance_node": AffordanceNode,
    "reward_node": RewardNode,
    "policy_node": PolicyNode,
    "station_node": StationNode,
}
MODELS = {
    ("policy_node", "policy"): "graph_stand_ins:Wave",
    ("reward_node", "reward"): "graph_stand_ins:Distance",
    ("affordance_node", "affordance"): "graph_stand_ins:FirstKeypoint",
}


NUMBERS = itertools.count()


class Nodes:
    """Configured and active nodes, and a client."""

    def __init__(self) -> None:
        self.nodes: dict[str, Any] = {}
        self.executed: list[ExecutedCommand] = []
        self.diagnostics: dict[str, DiagnosticStatus] = {}  # the last of each node
        self._threads: list[tuple[SingleThreadedExecutor, threading.Thread, Any]] = []

    def hear(self, message: DiagnosticArray) -> None:
        self.diagnostics.update({status.name: status for status in message.status})

    def level(self, name: str) -> bytes | None:
        """The diagnostic level that a node has last reported."""
        return self.diagnostics[name].level if name in self.diagnostics else None

    def add(self, node: Any) -> Any:
        executor = SingleThreadedExecutor()
        executor.add_node(node)
        thread = threading.Thread(target=self._spin, args=(executor,), daemon=True)
        thread.start()
        self._threads.append((executor, thread, node))
        return node

    def __getitem__(self, name: str) -> Any:
        return self.nodes[name]

    @property
    def arm(self) -> Any:
        return self["station_node"]._loop._station.arm

    def trigger(self, node: Any, transition: str) -> TransitionCallbackReturn:
        """Change a node's state in its executor's thread, as a service call does."""
        answer: list[TransitionCallbackReturn] = []
        node.executor.create_task(lambda: answer.append(getattr(node, transition)()))
        wait_for(lambda: answer)
        return answer[0]

    def state(self, name: str) -> str:
        return self[name]._state()

    def send(self, **goal: Any) -> Any:
        sent = self.client.send_goal_async(RunEpisode.Goal(**{"max_steps": 20, **goal}))
        wait_for(sent.done)
        return sent.result()

    def run(self, **goal: Any) -> RunEpisode.Result:
        return self.result(self.send(**goal))

    def result(self, handle: Any) -> RunEpisode.Result:
        answer = handle.get_result_async()
        wait_for(answer.done)
        return answer.result().result

    def close(self) -> None:
        for node in self.nodes.values():
            node.close()
        for executor, thread, node in self._threads:
            executor.shutdown(timeout_sec=0.2)
            thread.join(timeout=2.0)
            node.destroy_node()
        self.nodes.clear()
        self._threads.clear()
        gc.unfreeze()  # a node freezes what there is when it starts; with it goes the participant, 50 MB
        gc.collect()

    @staticmethod
    def _spin(executor: SingleThreadedExecutor) -> None:
        with contextlib.suppress(ExternalShutdownException):
            executor.spin()


@contextmanager
def ros(
    hardware: str = str(FAKE_WORLD), parameters: Mapping[tuple[str, str], Any] | None = None
) -> Iterator[Nodes]:
    """rclpy with every node's parameters, but no node yet."""
    given = {**MODELS, **(parameters or {})}
    for name in (*KINDS, "second_station"):
        given |= {(name, "hardware"): hardware, (name, "task"): "pick_place"}
    here = f"/test_{next(NUMBERS)}"  # a namespace: what the last test left may still be fading
    parameters_of: dict[str, Any] = {}
    for (node, key), value in given.items():
        parameters_of.setdefault(f"{here}/{node}", {"ros__parameters": {}})["ros__parameters"][key] = value
    with tempfile.NamedTemporaryFile("w", suffix=".yaml") as file:
        json.dump(parameters_of, file)
        file.flush()
        rclpy.init(
            args=["--ros-args", "--log-level", "fatal", "-r", f"__ns:={here}", "--params-file", file.name]
        )
    nodes = Nodes()
    try:
        yield nodes
    finally:
        nodes.close()
        rclpy.try_shutdown()


@contextmanager
def graph(hardware: str = str(FAKE_WORLD), **parameters: Any) -> Iterator[Nodes]:
    """The whole graph, up; `policy_node__policy="..."` sets a parameter."""
    given = {tuple(key.split("__")): value for key, value in parameters.items()}
    with ros(hardware, given) as nodes:  # type: ignore[arg-type]
        for name, kind in KINDS.items():
            nodes.nodes[name] = nodes.add(kind())
        for transition in ("trigger_configure", "trigger_activate"):
            for name in KINDS:
                answer = nodes.trigger(nodes[name], transition)
                assert answer == TransitionCallbackReturn.SUCCESS, nodes[name].meter.error
        client_node = rclpy.create_node("test_client", namespace="")
        client_node.create_subscription(
            ExecutedCommand, "executed_command", nodes.executed.append, qos.event()
        )
        client_node.create_subscription(DiagnosticArray, "/diagnostics", nodes.hear, 100)
        nodes.client = ActionClient(client_node, RunEpisode, "run_episode")
        nodes.add(client_node)
        assert nodes.client.wait_for_server(10.0)
        yield nodes
