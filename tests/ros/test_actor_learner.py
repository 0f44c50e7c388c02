"""An actor in the graph and a learner beside it: nothing twice, nothing lost, and either may be gone."""

from __future__ import annotations

import errno
import os
import signal
import subprocess
import sys
import threading
from array import array
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import nodes_here
import numpy as np
import pytest
import torch
import yaml
from graphs import FAKE_WORLD, wait_for
from nodes_here import Nodes, graph
from sinew_msgs.msg import PolicyWeights, Transitions, TransitionsAck
from sinew_nodes import qos
from sinew_nodes.actor_node import ActorNode
from sinew_nodes.graph_process import bringup
from sinew_nodes.launch_command import find_launch_file
from sinew_nodes.launch_file import resolve
from sinew_nodes.learner_node import LearnerNode, training_of
from sinew_nodes.parameters import LearnerParameters
from sinew_nodes.transport import transport_environment
from sinew_training import spool as spools
from sinew_training.learner import Learner
from sinew_training.learner_run import LearnerConfig
from sinew_training.wire import FORMAT

PERIODS, STEPS = 4, 20  # control periods of a decision, and of an episode
AN_EPISODE = 5  # decisions in the 19 periods after which something is seen
TRAINING = {
    "hardware": str(FAKE_WORLD),
    "task": "pick_place",
    "agent": {
        "plugin": "sinew_policies.agents.rlpd:Rlpd",
        "hidden": [16, 16],
        "critics": 2,
        "updates": 1,
    },
    "batch": 4,
    "capacity": 2000,
    "demonstrations": 0,
    "warm_up": 0,
    "actions": {"periods": PERIODS},
}


@pytest.fixture(autouse=True)
def one_thread() -> Iterator[None]:
    before = torch.get_num_threads()
    torch.set_num_threads(1)
    yield
    torch.set_num_threads(before)


@pytest.fixture
def learning_graph(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Callable[..., Any]:
    """Returns what brings up a graph with an actor in the policy's place; learners are started by hand."""
    monkeypatch.setitem(nodes_here.KINDS, "policy_node", lambda: ActorNode(name="policy_node"))
    config = tmp_path / "training.yaml"
    config.write_text(yaml.safe_dump(TRAINING))

    def bring_up(**more: Any) -> Any:
        given = {
            "policy_node__policy": "graph_stand_ins:Wave",
            "policy_node__spool": str(tmp_path / "spool"),
            "learner_node__out": str(tmp_path / "out"),
            "learner_node__config": str(config),
            "learner_node__publish_every": 2,
            **more,
        }
        return graph(**given)

    return bring_up


@contextmanager
def learner(nodes: Nodes) -> Iterator[LearnerNode]:
    """A learner in this process, closed as by SIGTERM."""
    node = LearnerNode()
    stop = threading.Event()
    thread = threading.Thread(target=node.work, args=(stop,), daemon=True)
    executor = nodes.add(node).executor
    thread.start()
    try:
        yield node
    finally:
        stop.set()
        thread.join(10.0)
        executor.remove_node(node)
        node.learner.close()
        node.destroy_node()
        nodes._threads = [entry for entry in nodes._threads if entry[2] is not node]


def actor_of(nodes: Nodes) -> ActorNode:
    node: ActorNode = nodes["policy_node"]
    return node


def wait_for_weights(nodes: Nodes) -> None:
    wait_for(lambda: actor_of(nodes)._newest.held is not None)


def delivered(nodes: Nodes) -> bool:
    courier = actor_of(nodes)._courier
    return courier is not None and courier.waiting == 0 and not actor_of(nodes)._experience.ending


def transitions_in(node: LearnerNode) -> int:
    return int(node.learner.learning.replay.online.added)


def observations_in(node: LearnerNode) -> np.ndarray:
    replay = node.learner.learning.replay.online
    return np.unique(replay.sample(np.random.default_rng(0), 2000).observation["state"], axis=0)


def test_a_graph_that_learns_has_an_actor_that_no_manager_looks_after() -> None:
    nodes = {spec.name: spec for spec in bringup({"hardware": "x", "learn": "true"})}
    assert nodes["policy_node"].executable == "actor_node"
    assert not nodes["policy_node"].ends_all  # the graph stays up without it
    assert "learn:=true" in nodes["lifecycle_manager"].arguments
    (alone,) = resolve(find_launch_file("actor"), {"hardware": "x"})
    assert (alone.executable, alone.name) == ("actor_node", "policy_node")
    (learner,) = resolve(find_launch_file("learner"), {"out": "runs/x"})
    assert learner.executable == "learner_node"


def test_what_the_actor_did_reaches_the_replay_once_whoever_restarts(
    learning_graph: Callable[..., Any],
) -> None:
    with learning_graph() as nodes:
        with learner(nodes) as first:
            wait_for_weights(nodes)
            for seed in (1, 2):
                assert nodes.run(seed=seed, max_steps=STEPS).outcome == "timeout"
            wait_for(lambda: delivered(nodes) and transitions_in(first) == 2 * AN_EPISODE)
            assert len(observations_in(first)) == 2 * AN_EPISODE
            wait_for(lambda: first.learner.counters.calls == 2 * AN_EPISODE)
            wait_for(lambda: actor_of(nodes)._newest.held.version > 2)
        with learner(nodes) as second:
            assert transitions_in(second) == 2 * AN_EPISODE
            nodes.run(seed=3, max_steps=STEPS)
            wait_for(lambda: delivered(nodes) and transitions_in(second) == 3 * AN_EPISODE)


def test_an_actor_without_a_learner_goes_on_acting_and_keeps_what_it_did(
    learning_graph: Callable[..., Any],
) -> None:
    with learning_graph() as nodes:
        with learner(nodes):
            wait_for_weights(nodes)
        for seed in (1, 2):
            assert nodes.run(seed=seed, max_steps=STEPS).outcome == "timeout"
        assert {command.source for command in nodes.executed} == {"policy"}
        wait_for(lambda: actor_of(nodes)._courier.waiting == 2 * AN_EPISODE)
        with learner(nodes) as late:
            wait_for(lambda: delivered(nodes) and transitions_in(late) == 2 * AN_EPISODE)


def test_truncated_weights_are_refused_and_the_old_ones_go_on_acting(
    learning_graph: Callable[..., Any],
) -> None:
    with learning_graph() as nodes:
        with learner(nodes) as node:
            wait_for_weights(nodes)
            good = node.learner._run.path / "weights.safetensors"
            sheet = good.with_suffix(".json").read_text()
        actor = actor_of(nodes)
        held = actor._newest.held
        sender = nodes["reward_node"].create_publisher(PolicyWeights, "weights", qos.weights())
        cut = array("B", good.read_bytes()[:-100])
        sender.publish(PolicyWeights(run="run", version=9, updates=9, sheet=sheet, data=cut))
        wait_for(lambda: actor.meter.counts["weights_refused"])
        assert actor._newest.held is held
        assert nodes.run(max_steps=STEPS).outcome == "timeout"


def test_a_second_actor_is_refused_with_a_sentence(learning_graph: Callable[..., Any]) -> None:
    told: list[TransitionsAck] = []
    with learning_graph() as nodes, learner(nodes):
        wait_for_weights(nodes)
        helper = nodes["reward_node"]
        helper.create_subscription(
            TransitionsAck, "transitions/acknowledged", told.append, qos.acknowledgements()
        )
        wait_for(lambda: told)  # the first one has said that it is there
        sender = helper.create_publisher(Transitions, "transitions", qos.transitions())
        wait_for(sender.get_subscription_count)
        sender.publish(Transitions(run="run", actor="second", first=1, oldest=1, format=FORMAT))
        wait_for(lambda: any(ack.actor == "second" for ack in told))
    (ack,) = (ack for ack in told if ack.actor == "second")
    assert "actor second: one too many. 1 may act" in ack.refusal


def test_a_full_disk_holds_the_arm_and_loses_nothing_that_was_spooled(
    learning_graph: Callable[..., Any], monkeypatch: pytest.MonkeyPatch
) -> None:
    with learning_graph() as nodes:
        with learner(nodes):
            wait_for_weights(nodes)
        nodes.run(seed=1, max_steps=STEPS)
        actor = actor_of(nodes)
        wait_for(lambda: actor._courier.waiting == AN_EPISODE)
        spool = actor._folder / "transitions"
        before = sorted(path.name for path in spool.glob("*.safetensors"))

        def full(handle: int) -> None:
            raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))

        with monkeypatch.context() as patch:
            patch.setattr(spools.os, "fsync", full)
            result = nodes.run(seed=2, max_steps=2000)
        assert result.outcome == "error"
        assert "cannot be written (No space left on device)" in result.error_msg
        assert nodes["station_node"]._loop.path.authority.state.owner == "hold"
        assert sorted(path.name for path in spool.glob("*.safetensors")) == before


def test_a_discarded_episode_is_not_learnt_from(learning_graph: Callable[..., Any]) -> None:
    with learning_graph() as nodes, learner(nodes) as node:
        wait_for_weights(nodes)
        handle = nodes.send(seed=1, max_steps=100_000)
        wait_for(lambda: len(nodes.executed) > STEPS)
        nodes["station_node"]._mailbox.put_mark("discarded")
        assert nodes.result(handle).outcome == "discarded"
        wait_for(lambda: not actor_of(nodes)._experience.ending)
        nodes.run(seed=2, max_steps=STEPS)
        wait_for(lambda: delivered(nodes) and transitions_in(node) == AN_EPISODE)


def test_a_killed_learner_resumes_with_its_data(learning_graph: Callable[..., Any], tmp_path: Path) -> None:
    out, config = tmp_path / "out", tmp_path / "training.yaml"
    with learning_graph() as nodes:
        here = nodes["policy_node"].get_namespace()
        command = [sys.executable, "-m", "sinew_nodes.learner_node", "--ros-args", "-r", f"__ns:={here}"]
        for name, value in (("out", out), ("config", config), ("publish_every", 2)):
            command += ["-p", f"{name}:={value}"]
        for seed in (1, 2):
            environment = {**os.environ, **transport_environment()}
            process = subprocess.Popen(command, env=environment, stderr=subprocess.DEVNULL)
            try:
                wait_for_weights(nodes)
                nodes.run(seed=seed, max_steps=STEPS)
                wait_for(lambda: delivered(nodes))
            finally:
                process.send_signal(signal.SIGKILL)
                process.wait()
    train = training_of(LearnerParameters(str(out), config=str(config)))
    resumed = Learner(train, LearnerConfig(), out, "run", print)
    while resumed.turn():
        pass
    assert resumed.learning.replay.online.added == 2 * AN_EPISODE
    resumed.close()
