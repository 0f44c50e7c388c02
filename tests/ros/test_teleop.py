"""A person's hand in the graph: takes over, lets go, stops and marks, through real topics."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from geometry_msgs.msg import TwistStamped
from graphs import wait_for
from hand_at_node import REAL, HandAtNode, hand_at
from sensor_msgs.msg import Joy
from sinew_nodes.teleop_inputs import NEWEST
from std_msgs.msg import Header
from trajectory_msgs.msg import JointTrajectory, JointTrajectoryPoint

HandAt = Callable[..., AbstractContextManager[HandAtNode]]


@pytest.fixture
def at(hardware_file: Any, monkeypatch: pytest.MonkeyPatch) -> HandAt:
    return partial(hand_at, monkeypatch, hardware_file(station=REAL, pace="realtime", control_period="0.03"))


@pytest.fixture
def typist(at: HandAt) -> Iterator[HandAtNode]:
    with at("keyboard") as hand:
        yield hand


def source_file(folder: Path, **fields: Any) -> str:
    path = folder / "source.yaml"
    path.write_text(json.dumps(fields))
    return str(path)


def test_a_key_takes_over_moves_the_tip_and_gives_back(typist: HandAtNode) -> None:
    typist.nodes.send(max_steps=2000)
    wait_for(lambda: typist.owner == "policy")
    start = typist.tip
    typist.hold("r", lambda: typist.tip[2] - start[2] > 0.03)
    assert typist.owner == "human"
    wait_for(lambda: typist.owner != "human")  # nobody types any more


def test_a_takeover_begins_at_the_last_command_sent(typist: HandAtNode) -> None:
    typist.nodes.send(max_steps=2000)
    wait_for(lambda: typist.owner == "policy")
    rows = len(typist.chunks)
    typist.hold("w", lambda: [c for c in typist.chunks[rows:] if c.points])
    first = next(c for c in typist.chunks[rows:] if c.points)
    sent = [np.array(command.position) for command in typist.nodes.executed]
    assert min(np.abs(position - first.points[0].positions).max() for position in sent) < 1e-9
    wait_for(lambda: typist.owner == "human")
    assert not any(
        reason.startswith("refused") for command in typist.nodes.executed for reason in command.reasons
    )


def test_every_release_is_one_empty_chunk(typist: HandAtNode) -> None:
    empty = lambda: sum(not chunk.points for chunk in typist.chunks)  # noqa: E731
    before = empty()
    for count in (1, 2):
        typist.hold("r", lambda: typist.owner == "human")
        typist.type("b")
        wait_for(lambda count=count: empty() == before + count)
        wait_for(lambda: typist.owner != "human")
    typist.periods(10)
    assert empty() == before + 2


def test_a_halt_gives_control_back(typist: HandAtNode) -> None:
    typist.hold("r", lambda: typist.owner == "human")
    typist.nodes.trigger(typist.node, "trigger_deactivate")
    wait_for(lambda: typist.owner == "hold" and not typist.chunks[-1].points)


def test_the_space_bar_stops_for_good_and_clear_then_arm_go_on(typist: HandAtNode) -> None:
    handle = typist.nodes.send(max_steps=2000)
    typist.hold("r", lambda: typist.owner == "human")
    typist.type(" ")
    wait_for(lambda: typist.owner == "stopped")
    assert typist.nodes.result(handle).outcome == "stopped"
    here = typist.target
    for _ in range(10):
        typist.type("r")
        typist.periods(1)
    np.testing.assert_array_equal(typist.target, here)
    typist.type("v")
    wait_for(lambda: "clear first" in typist.said)
    typist.type("c")
    wait_for(lambda: typist.owners[-1].causes == [])
    typist.type("v")
    wait_for(lambda: typist.owner == "hold")
    typist.hold("r", lambda: typist.owner == "human")


@pytest.mark.parametrize(("key", "outcome"), [("y", "success"), ("n", "failure"), ("\x7f", "discarded")])
def test_a_mark_ends_the_episode(typist: HandAtNode, key: str, outcome: str) -> None:
    handle = typist.nodes.send(max_steps=2000)
    wait_for(lambda: typist.owner == "policy")
    typist.type(key)
    assert typist.nodes.result(handle).outcome == outcome
    wait_for(lambda: f"{outcome}: marked by a person" in typist.node.situation().last)


def test_a_mark_without_an_episode_is_answered_with_a_sentence(typist: HandAtNode) -> None:
    typist.type("y")
    wait_for(lambda: typist.said)
    assert "success: no episode is running" in typist.said
    assert not typist.node.situation().said_well


def test_a_new_episode_lets_go(typist: HandAtNode) -> None:
    typist.hold("r", lambda: typist.owner == "human")
    typist.nodes.send(max_steps=2000)
    wait_for(lambda: typist.owner == "policy")


def test_a_hang_up_gives_control_back_and_is_said(typist: HandAtNode) -> None:
    heard: list[Any] = []
    typist.node.on_event = heard.append
    typist.hold("r", lambda: typist.owner == "human")
    typist.hang_up()
    wait_for(lambda: typist.owner == "hold")
    wait_for(lambda: [event.value for event in heard] == ["quit"])


def test_suspended_it_gives_back_and_resumed_it_drives_again(typist: HandAtNode) -> None:
    typist.hold("r", lambda: typist.owner == "human")
    typist.node.suspend()
    wait_for(lambda: typist.owner == "hold")
    for _ in range(5):
        typist.type("r")
        typist.periods(1)
    assert typist.owner == "hold"
    typist.node.resume()
    typist.hold("r", lambda: typist.owner == "human")


def test_a_gamepad_drives_through_joy_and_lets_go_when_it_falls_silent(at: HandAt) -> None:
    with at("gamepad") as hand:
        pad = hand.nodes["policy_node"].create_publisher(Joy, "joy", NEWEST)
        axes = [0.0, 0.0, 1.0, 0.0, 0.0, 1.0, 0.0, 0.0]

        def tell(pressed: bool, ready: Callable[[], Any]) -> None:
            def again() -> bool:
                buttons = [int(pressed and number == 4) for number in range(11)]
                pad.publish(Joy(axes=[0.0, 1.0 if pressed else 0.0, *axes[2:]], buttons=buttons))
                return bool(ready())

            wait_for(again)

        tell(False, lambda: "not held" in hand.node.situation().status)
        start = hand.tip
        tell(True, lambda: hand.tip[0] - start[0] > 0.03)
        wait_for(lambda: hand.owner == "hold")  # no message any more
        assert "gone" in hand.node.situation().status
        tell(True, lambda: "let go" in hand.node.situation().status)
        assert hand.owner == "hold"
        hand.type(" ")  # the terminal's stop is there whatever the device
        wait_for(lambda: hand.owner == "stopped")


def test_twists_and_trajectories_of_anybody_drive(at: HandAt) -> None:
    with at("topic") as hand:
        ears = hand.nodes["policy_node"]
        twists = ears.create_publisher(TwistStamped, "human/twist", NEWEST)
        twist = TwistStamped(header=Header(frame_id="base_link"))
        twist.twist.linear.z = 0.1
        start = hand.tip

        def push() -> bool:
            twists.publish(twist)
            return bool(hand.tip[2] - start[2] > 0.03)

        wait_for(push)
        wait_for(lambda: hand.owner == "hold")
        trajectories = ears.create_publisher(JointTrajectory, "human/trajectory", NEWEST)
        goal = float(hand.target[0]) + 0.1
        way = JointTrajectory(joint_names=["shoulder_pan"], points=[JointTrajectoryPoint(positions=[goal])])
        way.points[0].time_from_start.nanosec = 300_000_000
        wait_for(lambda: twists.get_subscription_count() and trajectories.get_subscription_count())
        trajectories.publish(way)
        wait_for(lambda: abs(hand.target[0] - goal) < 1e-6)
        wait_for(lambda: hand.owner == "hold")


def test_what_cannot_be_understood_moves_nothing_and_is_said(at: HandAt) -> None:
    with at("topic") as hand:
        twists = hand.nodes["policy_node"].create_publisher(TwistStamped, "human/twist", NEWEST)
        wait_for(twists.get_subscription_count)
        twists.publish(TwistStamped(header=Header(frame_id="base_lnk")))
        wait_for(lambda: "Did you mean 'base_link'" in hand.said)
        assert hand.node.active


def test_a_leader_arm_must_be_aligned_and_engaged_by_a_key(at: HandAt, tmp_path: Path) -> None:
    from tests.teleop.pads import HandArm

    arm = {"plugin": "tests.teleop.pads:HandArm"}
    source = source_file(tmp_path, plugin="sinew_teleop.leader_arm:LeaderArm", arm=arm)
    with at(source) as hand:
        leader = HandArm.made[-1]
        leader.position[1] += 0.5
        wait_for(lambda: "align shoulder_lift" in hand.node.situation().status)
        leader.position = hand.target
        wait_for(lambda: "press l" in hand.node.situation().status)
        hand.type("l")
        wait_for(lambda: hand.owner == "human")
        leader.position[0] += 0.2
        wait_for(lambda: np.abs(hand.target - leader.position).max() < 1e-6)
        leader.unplugged = True
        wait_for(lambda: hand.owner == "hold")
        assert "no answer of servo 3" in hand.node.situation().status
