"""Recording in the graph: what was seen is what is in the file, and trouble is told."""

from __future__ import annotations

import errno
import hashlib
import json
import os
import re
import signal
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest
from graphs import FAKE_WORLD, run_config, running_graph, wait_for
from nodes_here import Nodes, graph
from rclpy.lifecycle import TransitionCallbackReturn
from recorder_stand_ins import SEEN, fingerprint, read_seen
from sinew_core.errors import ConfigError
from sinew_core.hardware import load_hardware
from sinew_data import open_file, topics
from sinew_data.dataset import Dataset
from sinew_data.inspection import inspect
from sinew_data.reader import open_episode
from sinew_data.repair import repair_file, unfinished
from sinew_data.summary import EpisodeSummary
from sinew_msgs.action import RunEpisode
from sinew_nodes.graph_process import GraphProcess, GraphProcessError, bringup
from sinew_nodes.launch_command import find_launch_file
from sinew_nodes.launch_file import NodeSpec
from sinew_nodes.recorder_node import RecorderNode
from sinew_nodes.ros_graph import RosGraph
from std_srvs.srv import Trigger

REAL = '{plugin: "sinew_core.fakes:FakeStation", world: false}'


def make_recorder(nodes: Nodes) -> RecorderNode:
    node: RecorderNode = nodes.add(RecorderNode())
    nodes.nodes["recorder_node"] = node
    return node


@contextmanager
def recorded_graph(dataset: Path, hardware: str = str(FAKE_WORLD), **parameters: Any) -> Iterator[Nodes]:
    facts = {"hardware": hardware, "task": "pick_place", "dataset": str(dataset)}
    given = {f"recorder_node__{key}": value for key, value in facts.items()}
    with graph(hardware, **{**given, **parameters}) as nodes:
        recorder = make_recorder(nodes)
        for transition in ("trigger_configure", "trigger_activate"):
            assert nodes.trigger(recorder, transition) == TransitionCallbackReturn.SUCCESS
        wait_for(lambda: recorder._owners)  # it comes last here, and has found the station then
        yield nodes
        recorder.farewell()


def episodes(dataset: Path, folder: str = "episodes") -> list[EpisodeSummary]:
    return [entry.summary for entry in Dataset(dataset).entries(folder) if entry.summary is not None]


def wait_until_something_is_on_disk(dataset: Path) -> None:
    """Wait until the unfinished file holds messages beside the facts and the attachments."""
    wait_for(lambda: unfinished(dataset))
    (path,) = unfinished(dataset)
    wait_for(lambda: b"/executed_command" in path.read_bytes())
    size = path.stat().st_size
    wait_for(lambda: path.stat().st_size > size)


def assert_seen_is_recorded(dataset: Path, seen: dict[int, tuple[int, str]]) -> int:
    """Return how many observations there are of which nothing else than what was seen is in the file."""
    (summary,) = episodes(dataset)
    with open_episode(summary.path) as episode:
        steps = {step.observation.stamp: step for step in episode.steps() if step.observation.stamp in seen}
    assert set(steps) == set(seen)
    for stamp, (frames, digest) in seen.items():
        step = steps[stamp]
        assert step.missing == ()
        assert len(step.observation.frames) == frames
        assert fingerprint(step.observation) == digest
    return len(steps)


@pytest.mark.usefixtures("own_domain")
@pytest.mark.parametrize(("policy", "frames"), [("ImageWitness", {1, 2}), ("Witness", {0})])
def test_what_the_policy_sees_is_what_is_recorded_in_lockstep(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, policy: str, frames: set[int]
) -> None:
    monkeypatch.setenv(SEEN, str(tmp_path / "seen"))
    run = RosGraph(run_config(policy=f"recorder_stand_ins:{policy}", record=str(tmp_path / "data")))
    try:
        assert run.run_episode(0, lambda _: None).steps == 20
    finally:
        run.close()
    seen = read_seen(tmp_path / "seen")
    assert {count for count, _ in seen.values()} <= frames
    assert assert_seen_is_recorded(tmp_path / "data", seen) == 20
    (summary,) = episodes(tmp_path / "data")
    assert (summary.end.outcome, summary.end.steps) == ("timeout", 20)
    assert inspect(summary.path).problems == ()


@pytest.mark.usefixtures("own_domain")
def test_what_the_policy_sees_is_what_is_recorded_in_real_time(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, hardware_file: Any
) -> None:
    monkeypatch.setenv(SEEN, str(tmp_path / "seen"))
    hardware = hardware_file(station=REAL, pace="realtime", control_period="0.04")
    config = run_config(
        hardware,
        policy="recorder_stand_ins:ImageWitness",
        record=str(tmp_path / "data"),
        pace="realtime",
        max_steps=40,
    )
    run = RosGraph(config)
    try:
        assert run.run_episode(0, lambda _: None).outcome == "timeout"
    finally:
        run.close()
    (summary,) = episodes(tmp_path / "data")
    seen = read_seen(tmp_path / "seen")
    with open_episode(summary.path) as episode:
        within = {message.publish_time for message in episode.raw_messages([topics.OBSERVED])}
    assert set(seen) - within <= {max(seen)}, "only what followed the episode's end is not in it"
    assert assert_seen_is_recorded(tmp_path / "data", {stamp: seen[stamp] for stamp in within}) > 10


def test_the_first_frame_is_there_though_the_recorder_learns_of_the_start_later(tmp_path: Path) -> None:
    with recorded_graph(tmp_path) as nodes:
        nodes.run()
        nodes.run(seed=1)
    for summary in episodes(tmp_path):
        with open_episode(summary.path) as episode:
            stamps = {m.topic: m.publish_time for m in reversed(list(episode.raw_messages()))}
        assert stamps[topics.color_topic("top")] == stamps[topics.EPISODE] == stamps[topics.JOINTS]
        assert summary.counts[topics.color_topic("top")] == summary.counts[topics.EXECUTED] == 20


def test_everything_that_a_learner_needs_is_in_the_file(tmp_path: Path) -> None:
    weights, spec = tmp_path / "weights.bin", tmp_path / "weighty.yaml"
    weights.write_bytes(b"numbers")
    spec.write_text(f'{{plugin: "recorder_stand_ins:Weighty", weights: "{weights}"}}')
    models = {
        "recorder_node__policy": str(spec),
        "policy_node__policy": str(spec),
        "recorder_node__reward": "graph_stand_ins:Distance",
        "recorder_node__affordance": "graph_stand_ins:FirstKeypoint",
    }
    with recorded_graph(tmp_path / "data", **models) as nodes:
        nodes.run(instruction="put the red mean on the blue one", seed=7, max_steps=4)
    (summary,) = episodes(tmp_path / "data")
    start, digest = summary.start, hashlib.sha256(b"numbers").hexdigest()
    assert (start.task, start.instruction, start.seed) == (
        "pick_place",
        "put the red mean on the blue one",
        7,
    )
    assert (start.policy, start.weights) == (str(spec), digest)
    assert json.loads(start.extra["policy_weights"]) == {"weights": digest}
    assert (start.reward, start.affordance) == ("graph_stand_ins:Distance", "graph_stand_ins:FirstKeypoint")
    assert {"python", "sinew", "numpy"} <= set(start.versions)
    with open_episode(summary.path) as episode:
        attached = episode.attachments()
        counts = summary.counts
        assert counts[topics.info_topic("top")] == 1
        owners = [m.message.owner for m in episode.messages([topics.AUTHORITY])]
    assert attached["hardware.yaml"] == FAKE_WORLD.read_bytes()
    assert attached["robot.urdf"] == load_hardware(str(FAKE_WORLD)).robot.urdf.read_bytes()
    assert attached["policy.yaml"] == spec.read_bytes()
    assert {"robot.yaml"} < set(attached)
    assert owners[:2] == ["hold", "policy"]
    wanted = (topics.OBSERVED, topics.REWARD, topics.AFFORDANCE, topics.KEYPOINTS, topics.POLICY_CHUNK)
    assert all(counts[topic] for topic in wanted)


@pytest.mark.parametrize(("service", "folder"), [("discard", "discarded"), ("mark_failure", "episodes")])
def test_a_mark_decides_where_the_episode_goes(tmp_path: Path, service: str, folder: str) -> None:
    with recorded_graph(tmp_path, policy_node__policy="graph_stand_ins:Slow") as nodes:
        handle = nodes.send(max_steps=500)
        wait_for(lambda: any(command.source == "policy" for command in nodes.executed))
        client = nodes["policy_node"].create_client(Trigger, f"station/{service}")
        assert client.wait_for_service(10.0)
        client.call_async(Trigger.Request())
        outcome = nodes.result(handle).outcome
        wait_for(lambda: episodes(tmp_path, folder))
    (summary,) = episodes(tmp_path, folder)
    assert (summary.end.outcome, summary.end.marks) == (outcome, (outcome,))
    assert not unfinished(tmp_path)


def test_a_full_disk_ends_the_episode_and_leaves_the_finished_ones(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    with recorded_graph(tmp_path, policy_node__policy="graph_stand_ins:Slow") as nodes:
        nodes.run(max_steps=3)
        wait_for(lambda: episodes(tmp_path))
        before = episodes(tmp_path)[0].path.read_bytes()

        def full(file: object) -> None:
            raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))

        monkeypatch.setattr(open_file.OpenEpisode, "flush", full)
        result = nodes.run(max_steps=500)
        assert result.outcome == "error"
        assert re.search(r"recorder_node: recording to .* has stopped: No space left", result.error_msg)
        assert nodes["station_node"]._loop.path.authority.state.owner == "hold"
        wait_for(lambda: nodes.state("recorder_node") == "inactive")
        assert episodes(tmp_path)[0].path.read_bytes() == before
        assert len(unfinished(tmp_path)) == 1


def test_a_folder_that_vanishes_ends_the_episode(tmp_path: Path) -> None:
    dataset, gone = tmp_path / "data", tmp_path / "gone"
    with recorded_graph(dataset, policy_node__policy="graph_stand_ins:Slow") as nodes:
        handle = nodes.send(max_steps=500)
        wait_until_something_is_on_disk(dataset)
        dataset.rename(gone)
        result = nodes.result(handle)
    assert result.outcome == "error"
    assert "was removed while it was written" in result.error_msg
    assert len(unfinished(gone)) == 1


def test_an_episode_is_refused_without_the_room_for_it(tmp_path: Path) -> None:
    with recorded_graph(
        tmp_path, policy_node__policy="graph_stand_ins:Slow", recorder_node__minimum_free=1e9
    ) as nodes:
        result = nodes.run(max_steps=500)
    assert result.outcome == "error"
    assert re.search(
        r"[\d.]+ GB of disk are free; an episode is begun with at least 1e\+09", result.error_msg
    )
    assert not unfinished(tmp_path)


@pytest.mark.usefixtures("own_domain")
def test_a_folder_that_cannot_be_written_is_refused_before_anything_moves(tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    with pytest.raises(ConfigError, match=r"recorder_node: dataset .*/file/data: cannot be written to"):
        RosGraph(run_config(record=str(tmp_path / "file" / "data")))


@pytest.mark.parametrize("record", [True, False])
def test_a_graph_has_a_recorder_when_asked_and_its_manager_knows(record: bool) -> None:
    nodes = bringup({"hardware": "x", "record": str(record).lower(), "dataset": "d"})
    assert ("recorder_node" in [node.name for node in nodes]) is record
    manager = " ".join(nodes[0].arguments)
    assert f"-p record:={str(record).lower()}" in manager


@pytest.mark.usefixtures("own_domain")
def test_ctrl_c_leaves_a_proper_interrupted_episode(tmp_path: Path) -> None:
    def interrupt(step: Any) -> None:
        if step.index == 3:
            raise KeyboardInterrupt

    run = RosGraph(run_config(record=str(tmp_path), policy="graph_stand_ins:Slow", max_steps=500))
    try:
        assert run.run_episode(0, interrupt).outcome == "interrupted"
    finally:
        run.close()
    (summary,) = episodes(tmp_path)
    assert (summary.end.outcome, summary.end.message) == ("interrupted", "cancelled")
    assert summary.end.steps >= 3
    assert inspect(summary.path).problems == ()
    assert not unfinished(tmp_path)


@pytest.mark.usefixtures("own_domain")
def test_a_graph_that_is_told_to_end_in_an_episode_brings_it_to_an_end_first(tmp_path: Path) -> None:
    words = ("policy:=graph_stand_ins:Slow", "reward:=graph_stand_ins:Distance", "task:=pick_place")
    more = ("affordance:=graph_stand_ins:FirstKeypoint", f"hardware:={FAKE_WORLD}", "record:=true")
    command = ("launch", str(find_launch_file("bringup")), *words, *more, f"dataset:={tmp_path}")
    run = GraphProcess([NodeSpec("sinew", "sinew", "launch", command, ends_all=True)], "test_client")
    try:
        run.spin()
        run.wait_until_up()
        run.client.send_goal_async(RunEpisode.Goal(max_steps=500))
        wait_until_something_is_on_disk(tmp_path)
    finally:
        run.close()
    (summary,) = episodes(tmp_path)
    assert summary.end.outcome in ("stopped", "interrupted"), "by the station's word, if it came in time"
    assert summary.end.steps > 0
    assert not unfinished(tmp_path)


@pytest.mark.usefixtures("own_domain")
def test_a_killed_recorder_ends_the_graph_and_the_next_one_names_what_it_left(tmp_path: Path) -> None:
    changes = {"record": "true", "dataset": str(tmp_path), "policy": "graph_stand_ins:Slow"}
    with running_graph(**changes) as run:
        run.client.send_goal_async(RunEpisode.Goal(max_steps=500))
        wait_until_something_is_on_disk(tmp_path)
        os.kill(run.supervisor.pids()["recorder_node"], signal.SIGKILL)
        with pytest.raises(GraphProcessError, match="recorder_node"):
            wait_for(run.check)
    with running_graph(**changes) as run:
        log = run.log.read_text()
    assert f"1 unfinished episode was left in {tmp_path}" in log
    assert f"`sinew data repair {tmp_path}`" in log
    target = repair_file(tmp_path, unfinished(tmp_path)[0]).target
    assert target is not None
    with open_episode(target) as episode:
        assert list(episode.steps())
