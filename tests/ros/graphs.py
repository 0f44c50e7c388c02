"""Launching the graph with the stand-in models, and what is left of it afterwards."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from sinew_eval.records import RunConfig
from sinew_nodes.graph_process import GraphProcess, bringup

FAKE_WORLD = Path(__file__).parent / "fake_world.yaml"
NODES = ("perception_node", "affordance_node", "reward_node", "policy_node", "station_node")


def run_config(hardware: str = str(FAKE_WORLD), **changes: Any) -> RunConfig:
    defaults: dict[str, Any] = {
        "task": "pick_place",
        "policy": "graph_stand_ins:Wave",
        "reward": "graph_stand_ins:Distance",
        "affordance": "graph_stand_ins:FirstKeypoint",
        "max_steps": 20,
    }
    return RunConfig(hardware, **{**defaults, **changes})


@contextmanager
def running_graph(
    hardware: str = str(FAKE_WORLD), listen: Callable[[GraphProcess], None] | None = None, **changes: str
) -> Iterator[GraphProcess]:
    config = run_config(hardware)
    arguments = {
        "hardware": hardware,
        "task": config.task,
        "policy": config.policy,
        "reward": config.reward,
        "affordance": config.affordance,
        **changes,
    }
    graph = GraphProcess(bringup(arguments), "test_client")
    try:
        if listen is not None:
            listen(graph)
        graph.spin()
        graph.wait_until_up()
        yield graph
    finally:
        graph.close()


def wait_for(ready: Callable[[], Any], timeout: float = 20.0) -> None:
    deadline = time.monotonic() + timeout
    while not ready():
        assert time.monotonic() < deadline, f"nothing within {timeout} s"
        time.sleep(0.005)


def alive(pid: int) -> bool:
    try:
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] != "Z"
    except FileNotFoundError:
        return False


def descendants(pid: int) -> set[int]:
    """Process ids of everything that a process has started, directly or not."""
    children: dict[int, set[int]] = {}
    for entry in Path("/proc").iterdir():
        if entry.name.isdigit():
            try:
                parent = int((entry / "stat").read_text().rpartition(")")[2].split()[1])
            except (FileNotFoundError, ProcessLookupError):
                continue
            children.setdefault(parent, set()).add(int(entry.name))
    found: set[int] = set()
    todo = {pid}
    while todo:
        todo = {child for parent in todo for child in children.get(parent, ())} - found
        found |= todo
    return found
