"""Who moves the arm, asked for through the station's topics and services."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import numpy as np
import pytest
from graphs import wait_for
from nodes_here import Nodes, graph
from rcl_interfaces.srv import SetParameters
from rclpy.parameter import Parameter
from sinew_core.hardware import load_hardware
from sinew_core.types import ActionChunk
from sinew_msgs.action import RunEpisode
from sinew_msgs.msg import Authority
from sinew_nodes import convert, qos
from sinew_nodes.lifeline import Lifeline
from std_msgs.msg import Bool
from std_srvs.srv import Trigger
from trajectory_msgs.msg import JointTrajectory

REAL = '{plugin: "sinew_core.fakes:FakeStation", world: false}'


class Person:
    """Drives, stops, clears and arms through topics and services, and hears who owns the arm."""

    def __init__(self, nodes: Nodes) -> None:
        self.nodes, self.node = nodes, nodes["policy_node"]
        self.names = load_hardware(self.node.parameters.hardware).robot.joint_names
        self.heard: list[Authority] = []
        self.chunks = self.node.create_publisher(JointTrajectory, "human/chunk", qos.command("realtime"))
        self.button = self.node.create_publisher(Bool, "emergency_stop", qos.event())
        self.stops = self.node.create_publisher(Bool, "human/stop", qos.event())
        self.node.create_subscription(Authority, "authority", self.heard.append, qos.latched())
        wait_for(lambda: self.heard)

    @property
    def owner(self) -> str:
        return self.heard[-1].owner

    def call(self, service: str) -> Trigger.Response:
        client = self.node.create_client(Trigger, service)
        assert client.wait_for_service(10.0)
        answer = client.call_async(Trigger.Request())
        wait_for(answer.done)
        return answer.result()

    def drive(self, offset: float | None = 0.0) -> None:
        """Ask for the present target plus an offset; None gives control back."""
        last = self.nodes.executed[-1]
        rows = np.zeros((0, 6)) if offset is None else (np.array(last.position) + offset)[None]
        chunk = ActionChunk(convert.header_stamp(last), 0.05, rows)
        self.chunks.publish(convert.chunk_to_msg(chunk, self.names))

    def drive_until(self, ready: Any, offset: float | None = 0.0) -> None:
        def again() -> bool:
            self.drive(offset)
            return bool(ready())

        wait_for(again)


@pytest.fixture
def person(hardware_file: Any) -> Iterator[Person]:
    with graph(hardware_file(station=REAL, pace="realtime", control_period="0.03")) as nodes:
        wait_for(lambda: nodes.executed)
        yield Person(nodes)


def sources(person: Person) -> list[str]:
    return [command.source for command in person.nodes.executed]


def test_a_person_takes_over_from_the_policy_and_gives_back(person: Person) -> None:
    person.nodes.send(max_steps=1000)
    wait_for(lambda: person.owner == "policy")
    person.drive_until(lambda: person.owner == "human")
    assert person.heard[-1].previous == "policy"
    assert person.heard[-1].reason == "a person has taken over"
    assert 0 < person.heard[-1].took < 5
    person.drive(None)
    wait_for(lambda: person.owner == "policy")


def test_a_person_who_vanishes_is_followed_by_a_hold_until_somebody_clears(person: Person) -> None:
    person.nodes.send(max_steps=1000)
    person.drive_until(lambda: person.owner == "human")
    wait_for(lambda: person.owner == "hold")
    assert person.heard[-1].reason == "stale:human"
    count = len(person.nodes.executed)
    wait_for(lambda: len(person.nodes.executed) > count + 5)
    assert set(sources(person)[count:]) == {"hold"}
    person.call("station/clear")
    wait_for(lambda: person.owner == "policy")


def test_a_stop_by_service_ends_the_episode_and_stays_until_cleared_and_armed(person: Person) -> None:
    handle = person.nodes.send(max_steps=1000)
    wait_for(lambda: person.owner == "policy")
    assert person.call("station/stop").success
    result = person.nodes.result(handle)
    assert (result.outcome, result.error_code) == ("stopped", RunEpisode.Result.STOPPED)
    wait_for(lambda: person.owner == "stopped")
    person.drive()
    count = len(person.nodes.executed)
    wait_for(lambda: len(person.nodes.executed) > count + 3)
    assert set(sources(person)[count:]) == {"stopped"}
    again = person.nodes.run()
    assert again.error_code == RunEpisode.Result.INVALID_GOAL
    assert "Clear, then arm." in again.error_msg
    answer = person.call("station/arm")
    assert not answer.success
    assert "clear first: service" in answer.message
    assert person.call("station/clear").success
    assert person.call("station/arm").success
    wait_for(lambda: person.owner == "hold")
    assert person.nodes.run(max_steps=5).outcome == "timeout"


def test_a_pressed_button_cannot_be_cleared(person: Person) -> None:
    person.button.publish(Bool(data=True))
    wait_for(lambda: person.owner == "stopped")
    assert person.heard[-1].causes == ["emergency_stop: the button is pressed"]
    answer = person.call("station/clear")
    assert not answer.success
    assert "emergency_stop" in answer.message
    assert not person.call("station/arm").success
    person.button.publish(Bool(data=False))
    wait_for(lambda: person.heard[-1].causes == [])
    assert person.call("station/arm").success


def test_the_one_who_drives_can_stop(person: Person) -> None:
    person.stops.publish(Bool(data=True))
    wait_for(lambda: person.owner == "stopped")
    assert person.heard[-1].reason == "stopped by the person who drives"


@pytest.mark.parametrize(
    ("service", "outcome"),
    [("mark_success", "success"), ("mark_failure", "failure"), ("discard", "discarded")],
)
def test_a_mark_ends_the_episode_by_its_word(person: Person, service: str, outcome: str) -> None:
    handle = person.nodes.send(max_steps=1000)
    wait_for(lambda: person.owner == "policy")
    assert person.call(f"station/{service}").success
    result = person.nodes.result(handle)
    assert (result.outcome, result.success) == (outcome, outcome == "success")
    assert result.error_msg == "marked by a person"
    answer = person.call(f"station/{service}")
    assert (answer.success, answer.message) == (False, "no episode is running")


def test_a_malformed_human_chunk_ends_the_episode_with_its_name(person: Person) -> None:
    handle = person.nodes.send(max_steps=1000)
    wait_for(lambda: person.owner == "policy")
    bad = JointTrajectory(joint_names=["nobody"])
    person.chunks.publish(bad)
    assert "human/chunk: joints nobody" in person.nodes.result(handle).error_msg


def test_two_sources_at_once_are_refused_by_name_and_the_policy_has_to_wait(person: Person) -> None:
    person.nodes.send(max_steps=1000)
    person.drive_until(lambda: person.owner == "human")
    rival = person.node.create_publisher(JointTrajectory, "human/chunk", qos.command("realtime"))
    first = person.chunks
    refused = "refused:human: 2 sources publish human/chunk at once; end all but one"

    def both() -> bool:
        person.chunks = rival if person.chunks is first else first
        person.drive()
        return any(refused in command.reasons for command in person.nodes.executed)

    wait_for(both)
    wait_for(lambda: person.owner == "hold")
    person.chunks = first
    count = len(person.nodes.executed)
    wait_for(lambda: len(person.nodes.executed) > count + 3)
    assert set(sources(person)[count:]) == {"hold"}
    person.drive_until(lambda: person.owner == "human")  # the one who is left


def test_no_episode_begins_while_a_node_is_dead_and_one_does_when_it_is_back(person: Person) -> None:
    station, address = person.nodes["station_node"], person.node.lifeline_address
    line = Lifeline(address, "reward_node")
    line.connect()
    wait_for(lambda: len(station._lifelines._names) > len(person.nodes.nodes))
    person.nodes.send(max_steps=1000)
    wait_for(lambda: person.owner == "policy")
    line._socket.close()  # type: ignore[union-attr]
    wait_for(lambda: person.owner == "hold")
    result = person.nodes.run(max_steps=5)
    assert result.error_code == RunEpisode.Result.INVALID_GOAL
    assert result.error_msg == "reward_node: the node has died. Start it again, or clear."
    again = Lifeline(address, "reward_node")
    again.connect()
    wait_for(lambda: person.nodes.run(max_steps=5).outcome == "timeout")
    again._socket.close()  # type: ignore[union-attr]
    wait_for(lambda: person.heard[-1].holds)
    assert person.call("station/clear").success
    assert person.nodes.run(max_steps=5).outcome == "timeout"


def test_an_unknown_safety_parameter_and_a_fixed_one_are_left_alone(person: Person) -> None:
    client = person.node.create_client(SetParameters, "station_node/set_parameters")
    assert client.wait_for_service(10.0)
    wrong = Parameter("safety.nothing.alpha", value=1.0).to_parameter_msg()
    answer = client.call_async(SetParameters.Request(parameters=[wrong]))
    wait_for(answer.done)
    assert not answer.result().results[0].successful
