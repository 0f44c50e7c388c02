"""Whatever goes wrong, the arm is held and the reason is told."""

from __future__ import annotations

import time
from collections.abc import Callable

import numpy as np
import pytest
from diagnostic_msgs.msg import DiagnosticStatus
from graphs import wait_for
from nodes_here import KINDS, graph, ros
from rclpy.lifecycle import TransitionCallbackReturn
from sinew_core.hardware import load_hardware
from sinew_core.types import NANOSECONDS, ActionChunk, Percept
from sinew_msgs.action import RunEpisode
from sinew_msgs.msg import Affordance, Keypoints
from sinew_nodes import convert, qos
from sinew_nodes.policy_node import PolicyNode
from sinew_nodes.station_node import StationNode
from trajectory_msgs.msg import JointTrajectory

Result = RunEpisode.Result
WriteHardware = Callable[..., str]
REAL = '{plugin: "sinew_core.fakes:FakeStation", world: false}'


def test_episode_runs_in_real_time(hardware_file: WriteHardware) -> None:
    with graph(hardware_file(station=REAL, pace="realtime", control_period="0.03")) as nodes:
        result = nodes.run(max_steps=15)
        assert (result.outcome, result.steps) == ("timeout", 15)
        sources = [command.source for command in nodes.executed if command.episode]
        assert sources.count("policy") >= 10


def test_real_arm_ends_by_the_reward_models_word(hardware_file: WriteHardware) -> None:
    hardware = hardware_file(station=REAL, pace="realtime", control_period="0.03")
    with graph(hardware, reward_node__reward="graph_stand_ins:Satisfied") as nodes:
        result = nodes.run(max_steps=100)
    assert (result.outcome, result.success) == ("success", True)
    assert "success 1.00" in result.error_msg


@pytest.mark.parametrize(
    ("policy", "reason"),
    [
        ("NanPolicy", "policy_node: NanPolicy: non-finite target"),
        ("WrongShape", "policy_node: WrongShape: shape (1, 2), expected (horizon, 6)"),
        ("Raising", "policy_node: Raising: RuntimeError: out of ideas"),
    ],
)
def test_failing_policy_ends_the_episode_and_deactivates(policy: str, reason: str) -> None:
    with graph(policy_node__policy=f"graph_stand_ins:{policy}") as nodes:
        before = nodes.arm.stops
        result = nodes.run()
        assert (result.outcome, result.error_code, result.error_msg) == ("error", Result.NODE_FAILED, reason)
        assert nodes.arm.stops > before
        wait_for(lambda: nodes.state("policy_node") == "inactive")
        assert reason.partition(": ")[2] in nodes["policy_node"].meter.error


def test_policy_that_does_not_answer_ends_the_episode() -> None:
    with graph(policy_node__policy="graph_stand_ins:Silent", station_node__answer_timeout=0.3) as nodes:
        result = nodes.run()
        assert (result.outcome, result.error_msg) == ("error", "policy did not answer within 0.3 s")
        assert result.error_code == Result.TIMEOUT
        assert not [command for command in nodes.executed if command.source == "policy"]


def test_reward_that_takes_too_long_ends_the_episode_while_it_still_computes(
    hardware_file: WriteHardware,
) -> None:
    hardware = hardware_file(station=REAL, pace="realtime", control_period="0.03")
    with graph(
        hardware, reward_node__reward="graph_stand_ins:Dawdling", reward_node__reward_timeout=0.2
    ) as nodes:
        result = nodes.run(max_steps=200)
        reason = "reward_node: Dawdling: gave no estimate within 0.2 s"
        assert (result.outcome, result.error_msg) == ("error", reason)
        wait_for(lambda: nodes.state("reward_node") == "inactive")


def test_reward_of_the_wrong_shape_ends_the_episode() -> None:
    with graph(reward_node__reward="graph_stand_ins:TwoValues") as nodes:
        result = nodes.run()
        assert result.outcome == "error"
        assert "reward_node: TwoValues answered the value an array of shape (2,)" in result.error_msg


@pytest.mark.parametrize("message", ["ragged", "nan"])
def test_malformed_chunk_of_somebody_else_ends_the_episode(message: str) -> None:
    with graph(policy_node__policy="graph_stand_ins:Silent") as nodes:
        publisher = nodes["policy_node"].create_publisher(
            JointTrajectory, "policy/chunk", qos.command("lockstep")
        )
        handle = nodes.send()
        wait_for(lambda: nodes["policy_node"].episode is not None)
        chunk = ActionChunk(nodes["policy_node"].episode.start, 0.05, np.full((1, 6), np.nan))
        names = load_hardware(nodes["policy_node"].parameters.hardware).robot.joint_names
        bad = convert.chunk_to_msg(chunk, names)
        if message == "ragged":
            bad.points[0].positions = [0.0]
        publisher.publish(bad)
        result = nodes.result(handle)
        assert result.outcome == "error"
        assert ("rows of [1] positions" if message == "ragged" else "non-finite target") in result.error_msg


def test_camera_that_fails_holds_the_arm_and_is_named(hardware_file: WriteHardware) -> None:
    station = '{plugin: "graph_stand_ins:FailingCameraStation", world: true}'
    with graph(hardware_file(station=station)) as nodes:
        arm = nodes.arm
        result = nodes.run()
        assert (result.outcome, result.error_code) == ("error", Result.DEVICE_FAILED)
        assert result.error_msg == "camera top: cable pulled"
        assert arm.stops > 0
        wait_for(lambda: nodes.state("station_node") == "inactive")


def test_camera_that_stands_still_holds_the_arm_and_is_named(hardware_file: WriteHardware) -> None:
    station = '{plugin: "graph_stand_ins:FrozenCameraStation", world: false}'
    with graph(
        hardware_file(station=station, pace="realtime", control_period="0.03", max_age="0.2"),
        station_node__answer_timeout=1.0,
    ) as nodes:
        arm = nodes.arm
        handle = nodes.send(max_steps=2000)
        wait_for(lambda: any(command.source == "policy" for command in nodes.executed))
        nodes["station_node"]._loop._station.cameras["top"].frozen = True
        result = nodes.result(handle)
        assert result.outcome == "error"
        assert "camera top has stopped: nothing new for" in result.error_msg
        held = [command for command in nodes.executed if "watchdog:camera top" in "".join(command.reasons)]
        assert {command.source for command in held} == {"hold"}
        assert arm.stops > 0


def test_refusal_ends_the_episode_with_its_reason() -> None:
    with graph() as nodes:
        result = nodes.run(instruction="put the unicorn down")
        assert (result.outcome, result.error_msg) == ("refused", "there is no unicorn")
        assert not [command for command in nodes.executed if command.source == "policy"]
        assert nodes.run().outcome == "timeout", "the next episode is not affected"


def test_cancelled_episode_is_interrupted_and_the_arm_held() -> None:
    with graph(policy_node__policy="graph_stand_ins:Slow") as nodes:
        handle = nodes.send()
        wait_for(lambda: nodes.executed)
        before = nodes.arm.stops
        handle.cancel_goal_async()
        assert nodes.result(handle).outcome == "interrupted"
        assert nodes.arm.stops > before


def test_halted_station_stops_the_episode() -> None:
    with graph(policy_node__policy="graph_stand_ins:Slow") as nodes:
        handle = nodes.send()
        wait_for(lambda: nodes.executed)
        before = nodes.arm.stops
        nodes.trigger(nodes["station_node"], "trigger_deactivate")
        assert nodes.arm.stops > before
        result = nodes.result(handle)
        assert (result.outcome, result.error_code) == ("stopped", Result.STOPPED)


def test_second_goal_is_turned_away_with_the_reason() -> None:
    with graph(policy_node__policy="graph_stand_ins:Slow") as nodes:
        first = nodes.send()
        result = nodes.run()
        assert (result.error_code, result.error_msg) == (Result.INVALID_GOAL, "an episode is already running")
        first.cancel_goal_async()


def test_command_outside_the_limits_is_limited_and_the_limits_named() -> None:
    with graph(policy_node__policy="graph_stand_ins:Leap") as nodes:
        nodes.run(max_steps=5)
        wait_for(lambda: len(nodes.executed) >= 5)
        robot = load_hardware(nodes["policy_node"].parameters.hardware).robot
        for command in nodes.executed:
            assert np.all(np.array(command.position) <= robot.upper)
            assert any(reason.startswith("velocity:") for reason in command.reasons)
            assert command.observation_stamp.sec > 0


def test_stamp_from_the_past_is_dropped_and_counted() -> None:
    with graph(policy_node__policy="graph_stand_ins:Slow") as nodes:
        publisher = nodes["policy_node"].create_publisher(Keypoints, "keypoints", qos.sensor("lockstep"))
        handle = nodes.send(max_steps=6)
        wait_for(lambda: nodes.executed)
        publisher.publish(convert.percept_to_msg(Percept(NANOSECONDS // 2), "base"))
        counts = nodes["policy_node"].meter.counts
        wait_for(lambda: counts["stamps_from_the_past"] == 1)
        assert nodes.result(handle).outcome == "timeout"


def test_answer_for_an_ended_episode_is_dropped() -> None:
    with graph(affordance_node__affordance="graph_stand_ins:SlowAnswer") as nodes:
        answers: list[Affordance] = []
        nodes["policy_node"].create_subscription(Affordance, "affordance", answers.append, qos.latched())
        handle = nodes.send()
        wait_for(lambda: nodes["affordance_node"]._asked is not None)
        handle.cancel_goal_async()
        assert nodes.result(handle).outcome == "interrupted"
        time.sleep(0.7)
        assert not answers


def test_answer_that_takes_too_long_refuses_the_episode_and_is_dropped() -> None:
    slow = {"affordance_node__affordance": "graph_stand_ins:SlowAnswer"}
    with graph(**slow, affordance_node__affordance_timeout=0.1) as nodes:
        answers: list[Affordance] = []
        nodes["policy_node"].create_subscription(Affordance, "affordance", answers.append, qos.latched())
        result = nodes.run()
        assert (result.outcome, result.steps) == ("refused", 0)
        assert result.error_msg == "timeout: the affordance model gave no answer within 0.1 s."
        time.sleep(0.7)
        assert len(answers) == 1


def test_second_station_is_refused_and_the_first_named() -> None:
    with graph() as nodes:
        second = nodes.add(StationNode())
        assert nodes.trigger(second, "trigger_configure") == TransitionCallbackReturn.FAILURE
        assert second._state() == "unconfigured"
        assert "there is already a station on these topics: /test_" in second.meter.error
        assert nodes.run().outcome == "timeout"


def test_of_two_stations_at_once_exactly_one_is_refused() -> None:
    with ros() as nodes:
        both = [nodes.add(StationNode()), nodes.add(StationNode())]
        nodes.nodes = {"first": both[0], "second": both[1]}
        outcomes = [nodes.trigger(station, "trigger_configure") for station in both]
        assert sorted(map(str, outcomes)) == sorted(
            map(str, (TransitionCallbackReturn.SUCCESS, TransitionCallbackReturn.FAILURE))
        )


@pytest.mark.parametrize(
    ("parameters", "reason"),
    [
        ({("policy_node", "policy"): "hodl"}, "unknown policy 'hodl'. Did you mean 'hold'?"),
        ({("policy_node", "policy"): "graph_stand_ins:Wav"}, "has no class 'Wav'. Did you mean 'Wave'?"),
        ({("policy_node", "polciy"): "x"}, "unknown key 'polciy'. Did you mean 'policy'?"),
        ({("policy_node", "pace"): "lockstop"}, "got 'lockstop'. Did you mean 'lockstep'?"),
    ],
)
def test_bad_config_leaves_the_node_unconfigured_and_says_why(
    parameters: dict[tuple[str, str], str], reason: str
) -> None:
    with ros(parameters=parameters) as nodes:
        node = nodes.add(PolicyNode())
        nodes.nodes = {"policy_node": node}
        assert nodes.trigger(node, "trigger_configure") == TransitionCallbackReturn.FAILURE
        assert node._state() == "unconfigured"
        assert reason in node.meter.error


def test_lockstep_without_a_world_is_refused(hardware_file: WriteHardware) -> None:
    with ros(hardware_file(station=REAL, pace="lockstep")) as nodes:
        node = nodes.add(StationNode())
        nodes.nodes = {"station_node": node}
        assert nodes.trigger(node, "trigger_configure") == TransitionCallbackReturn.FAILURE
        assert "lockstep needs a simulated station" in node.meter.error


def told(status: DiagnosticStatus) -> dict[str, str]:
    return {entry.key: entry.value for entry in status.values}


def test_every_node_reports_its_state_and_its_work() -> None:
    with graph() as nodes:
        nodes.run(max_steps=20)
        wait_for(lambda: set(KINDS) <= set(nodes.diagnostics))
        wait_for(lambda: told(nodes.diagnostics["policy_node"]).get("processed") == "20")
        assert all(told(nodes.diagnostics[name])["state"] == "active" for name in KINDS)
        assert all(nodes.diagnostics[name].level == DiagnosticStatus.OK for name in KINDS)


def test_a_failed_node_reports_its_error() -> None:
    with graph(policy_node__policy="graph_stand_ins:Raising") as nodes:
        nodes.run()
        wait_for(lambda: nodes.level("policy_node") == DiagnosticStatus.ERROR)
        assert "out of ideas" in nodes.diagnostics["policy_node"].message
