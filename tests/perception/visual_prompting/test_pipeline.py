"""From the question to the object in the bowl: in one process, through the ROS graph, live, recorded."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from chat_server import ChatServer, Raw
from sinew_core.runtime import EpisodeResult
from sinew_eval.process_graph import ProcessGraph
from sinew_eval.records import RunConfig, StepRecord

SENTENCE = "put the red cube in the blue bowl"
PLUGIN = "sinew_perception.visual_prompting.model:VisualPrompting"
Affordance = Callable[..., str]


@pytest.fixture
def affordance(server: ChatServer, tmp_path: Path) -> Affordance:
    """Return a function that writes an affordance's YAML file."""

    def write(recorded: bool = False, **provider: Any) -> str:
        home, answers = "sinew_perception.visual_prompting", str(tmp_path / "answers")
        spec = {"plugin": f"{home}.recorded:Recorded", "folder": answers, "model": "tiny"}
        if not recorded:
            spec = {"plugin": f"{home}.chat:Chat", "base_url": server.base_url, "model": "tiny"}
            spec |= {"key_env": "", "record": answers, **provider}
        path = tmp_path / f"{'recorded' if recorded else 'chat'}.yaml"
        path.write_text(json.dumps({"plugin": PLUGIN, "provider": spec}))  # JSON is YAML
        return str(path)

    return write


def config(affordance: str, instruction: str = SENTENCE) -> RunConfig:
    models = {"policy": "affordance_follower", "reward": "affordance_path", "affordance": affordance}
    return RunConfig("sim_mujoco", "pick_place", **models, instruction=instruction, video_camera="")


def run(affordance: str, instruction: str = SENTENCE) -> tuple[EpisodeResult, list[StepRecord]]:
    steps: list[StepRecord] = []
    graph = ProcessGraph(config(affordance, instruction))
    try:
        return graph.run_episode(1, steps.append), steps
    finally:
        graph.close()


def test_the_object_ends_in_the_bowl_and_the_offline_run_repeats_it(
    affordance: Affordance, server: ChatServer
) -> None:
    live, steps = run(affordance())
    assert live.outcome == "success", live
    assert len(server.requests) == 1  # once an episode
    server.__exit__()
    again, repeated = run(affordance(recorded=True))
    assert again == live
    assert len(repeated) == len(steps)
    for a, b in zip(steps, repeated, strict=True):
        assert np.array_equal(a.position, b.position)
        assert (a.reward, a.terms) == (b.reward, b.terms)


@pytest.mark.parametrize(
    "provider, respond, begins",
    [
        ({"key_env": "ABSENT_KEY"}, None, "no key: "),
        ({"base_url": "http://127.0.0.1:9/v1", "max_retries": 0}, None, "unreachable: "),
        ({}, Raw(b"{}", 401), "http 401: "),
        ({"timeout": 0.3, "max_retries": 0}, "stall", "timeout: "),
        ({}, Raw(b"<html>", 200, "text/html"), "malformed: "),
    ],
)
def test_a_fault_refuses_the_episode_by_name_and_the_arm_holds(
    provider: dict[str, Any], respond: Any, begins: str, affordance: Affordance, server: ChatServer
) -> None:
    if isinstance(respond, Raw):
        server.respond = [lambda request: respond]
    elif respond:
        server.respond = [getattr(server, respond)]
    result, steps = run(affordance(**provider))
    assert (result.outcome, result.steps, steps) == ("refused", 0, [])
    assert result.message.startswith(begins)


def test_an_episode_without_its_recording_is_refused(affordance: Affordance) -> None:
    result, _ = run(affordance(recorded=True))
    assert result.outcome == "refused"
    assert result.message.startswith("not recorded: ")


def test_the_ros_graph_does_as_the_process_does(
    affordance: Affordance, server: ChatServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    domain = pytest.importorskip("sinew_nodes.domain")
    transport = pytest.importorskip("sinew_nodes.transport")
    from sinew_nodes.ros_graph import RosGraph

    transport.set_up_transport()
    monkeypatch.setenv("ROS_AUTOMATIC_DISCOVERY_RANGE", "LOCALHOST")
    monkeypatch.setenv("ROS_DOMAIN_ID", str(domain.free_domain()))
    there: list[StepRecord] = []
    graph = RosGraph(config(affordance(max_retries=0)))
    try:
        live = graph.run_episode(1, there.append)
        server.respond = [lambda request: Raw(b"{}", 503)]
        refused = graph.run_episode(2, lambda step: None)
    finally:
        graph.close()
    assert live.outcome == "success", live
    assert (refused.outcome, refused.steps) == ("refused", 0)
    assert refused.message.startswith("http 503: the server failed")
    here, steps = run(affordance(recorded=True))  # the very images, so the very answer
    assert here == live
    assert len(server.requests) == 2
    assert len(there) == len(steps)
    assert all(np.array_equal(a.position, b.position) for a, b in zip(steps, there, strict=True))
