"""A teleoperation node without a graph: what it refuses to begin, and with which sentence."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Any

import pytest
from graphs import wait_for
from hand_at_node import keyboard
from nodes_here import ros
from rclpy.lifecycle import TransitionCallbackReturn
from sinew_nodes.teleop_node import TeleopNode


def configured(parameters: dict[str, str], name: str = "teleop_node") -> tuple[TransitionCallbackReturn, str]:
    given = {(name, key): value for key, value in parameters.items()}
    with ros(parameters=given) as nodes:
        node = nodes.add(TeleopNode())
        nodes.nodes[name] = node
        return nodes.trigger(node, "trigger_configure"), node.meter.error


def alone(hardware: str, source: str) -> dict[str, str]:
    return {"hardware": hardware, "task": "pick_place", "source": source}


def test_in_lockstep_nobody_can_drive(hardware_file: Any) -> None:
    answer, error = configured(alone(hardware_file(), "topic"))
    assert answer == TransitionCallbackReturn.FAILURE
    assert "pace:=realtime" in error


def test_a_keyboard_without_a_terminal_is_a_sentence(
    hardware_file: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    with Path("/dev/null").open() as nothing:
        monkeypatch.setattr("sys.stdin", nothing)
        answer, error = configured(alone(hardware_file(pace="realtime"), "keyboard"))
    assert answer == TransitionCallbackReturn.FAILURE
    assert "no terminal" in error


def test_two_hands_at_once_are_refused(hardware_file: Any) -> None:
    parameters = alone(hardware_file(pace="realtime"), "topic")
    given = {("teleop_node", key): value for key, value in parameters.items()}
    with ros(parameters=given) as nodes:
        first, second = nodes.add(TeleopNode()), nodes.add(TeleopNode())
        nodes.nodes |= {"first": first, "second": second}
        assert nodes.trigger(first, "trigger_configure") == TransitionCallbackReturn.SUCCESS
        assert nodes.trigger(second, "trigger_configure") == TransitionCallbackReturn.FAILURE
        assert "there is already a teleop on these topics" in second.meter.error


def test_without_a_station_a_mark_is_answered_with_a_sentence(
    hardware_file: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    parameters = alone(hardware_file(pace="realtime"), "topic")
    given = {("teleop_node", key): value for key, value in parameters.items()}
    with keyboard(monkeypatch) as typing, ros(parameters=given) as nodes:
        node = nodes.nodes["teleop_node"] = nodes.add(TeleopNode())
        for transition in ("trigger_configure", "trigger_activate"):
            assert nodes.trigger(node, transition) == TransitionCallbackReturn.SUCCESS
        os.write(typing, b"y")
        wait_for(lambda: "there is no station that offers station/mark_success" in node.situation().said)
