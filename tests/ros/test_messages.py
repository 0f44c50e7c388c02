"""Sinew's own messages go through real DDS unchanged, and other tools can find their definitions."""

import json
import math
import os
import subprocess
import sys
import threading
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import rclpy
from ament_index_python import get_resource
from builtin_interfaces.msg import Time
from geometry_msgs.msg import Point
from rclpy.action import ActionClient, ActionServer
from rclpy.context import Context
from rclpy.executors import ExternalShutdownException, SingleThreadedExecutor
from rclpy.serialization import deserialize_message, serialize_message
from sinew_msgs import msg
from sinew_msgs.action import RunEpisode
from std_msgs.msg import Header

DOMAIN = 71
TIMEOUT_S = 20.0

HEADER = Header(stamp=Time(sec=12, nanosec=345), frame_id="base")
KEYPOINT = msg.Keypoint(
    name="red cube",
    position=Point(x=0.2, y=-0.1, z=0.03),
    pixel=[310.5, 22.25],
    has_pixel=True,
    confidence=0.75,
    yaw=-1.25,
    extent=[0.04, 0.03, 0.02],
    visible=True,
    held=True,
)

FILLED = [
    KEYPOINT,
    msg.Feature(name="embedding", value=[0.5, -2.0, 1e-9]),
    msg.Keypoints(
        header=HEADER,
        keypoints=[KEYPOINT],
        features=[msg.Feature(name="f", value=[1.0])],
        lost=["blue bowl"],
    ),
    msg.Affordance(
        header=HEADER,
        episode=2**63,
        instruction="put the red cube in the blue bowl",
        source="rule_grounding",
        grasp="red cube",
        has_grasp_point=True,
        grasp_point=Point(x=0.1, y=0.2, z=0.3),
        moves="red cube",
        target="blue bowl",
        has_target_point=True,
        target_point=Point(x=-0.1, y=0.2, z=0.0),
        waypoints=[Point(x=1.0, y=2.0, z=3.0), Point(z=0.5)],
        closed=[True, False],
        refusal="there is no blue bowl",
        saw=["red cube", "green ball"],
    ),
    msg.Authority(
        header=HEADER,
        owner=msg.Authority.STOPPED,
        previous=msg.Authority.HUMAN,
        reason="the button is pressed",
        took=0.012,
        causes=["emergency_stop: the button is pressed"],
        holds=["camera top: frozen"],
    ),
    msg.Observed(
        header=HEADER,
        episode=3,
        keypoints=Time(sec=12, nanosec=5),
        cameras=["top", "side"],
        frames=[Time(sec=12), Time(sec=11, nanosec=999)],
    ),
    msg.RewardEstimate(
        header=HEADER,
        episode=3,
        value=-0.5,
        success=0.9,
        progress=0.25,
        uncertainty=0.1,
        term_names=["progress", "sparse"],
        term_values=[-0.75, 0.25],
    ),
    msg.ExecutedCommand(
        header=HEADER,
        episode=4,
        joint_names=["shoulder", "gripper"],
        position=[0.5, 1.5],
        source="policy",
        reasons=["velocity"],
        observation_stamp=Time(sec=11, nanosec=999_999_999),
    ),
    msg.Transitions(
        header=HEADER,
        run="push",
        actor="left-3f",
        first=2**63,
        count=4,
        oldest=7,
        format=msg.Transitions.FORMAT,
        data=[0, 255, 7],
    ),
    msg.TransitionsAck(header=HEADER, run="push", actor="left-3f", sequence=2**63, refusal="one too many"),
    msg.PolicyWeights(header=HEADER, run="push", version=3, updates=150, sheet="{}", data=[0, 255, 7]),
    msg.EpisodeEvent(
        header=HEADER,
        episode=5,
        kind=msg.EpisodeEvent.ENDED,
        task="pick_place",
        instruction="put the red cube in the blue bowl",
        seed=2**64 - 1,
        max_steps=400,
        success=True,
        outcome="success",
        message="the cube rests in the bowl",
    ),
]

# Sends every topic's messages back on `<topic>/echo`, from a process of its own.
ECHO = """
import rclpy
from sinew_msgs import msg
rclpy.init()
node = rclpy.create_node("echo")
for name in {names!r}:
    publisher = node.create_publisher(getattr(msg, name), name + "/echo", 10)
    node.create_subscription(getattr(msg, name), name, publisher.publish, 10)
print("ready", flush=True)
rclpy.spin(node)
"""


@pytest.fixture(scope="module")
def context() -> Iterator[Context]:
    """An rclpy context that only this machine can hear, in a domain of its own."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("ROS_AUTOMATIC_DISCOVERY_RANGE", "LOCALHOST")
        context = Context()
        rclpy.init(context=context, domain_id=DOMAIN)
        yield context
        rclpy.try_shutdown(context=context)


@pytest.fixture(scope="module")
def echo_process() -> Iterator[None]:
    names = [type(message).__name__ for message in FILLED]
    environment = {
        **os.environ,
        "ROS_AUTOMATIC_DISCOVERY_RANGE": "LOCALHOST",
        "ROS_DOMAIN_ID": str(DOMAIN),
    }
    process = subprocess.Popen(
        [sys.executable, "-c", ECHO.format(names=names)],
        env=environment,
        stdout=subprocess.PIPE,
        text=True,
    )
    try:
        assert process.stdout is not None
        assert process.stdout.readline() == "ready\n"
        yield
    finally:
        process.kill()
        process.communicate()


def filled_fields(message: Any) -> list[str]:
    default = type(message)()
    return [
        name
        for name in message.get_fields_and_field_types()
        if str(getattr(message, name)) != str(getattr(default, name))
    ]


@pytest.mark.parametrize("message", FILLED, ids=lambda message: type(message).__name__)
def test_message_comes_back_unchanged_from_another_process(
    message: Any, context: Context, echo_process: None
) -> None:
    kind = type(message)
    node = rclpy.create_node("sender", context=context)
    executor = SingleThreadedExecutor(context=context)
    executor.add_node(node)
    returned: list[Any] = []
    publisher = node.create_publisher(kind, kind.__name__, 10)
    node.create_subscription(kind, f"{kind.__name__}/echo", returned.append, 10)
    node.create_timer(0.05, lambda: publisher.publish(message))  # until discovery has finished
    deadline = node.get_clock().now().nanoseconds + int(TIMEOUT_S * 1e9)
    try:
        while not returned and node.get_clock().now().nanoseconds < deadline:
            executor.spin_once(timeout_sec=0.1)
    finally:
        executor.shutdown()
        node.destroy_node()
    assert returned, f"no {kind.__name__} came back within {TIMEOUT_S} s"
    assert returned[0] == message


@pytest.mark.parametrize("message", FILLED, ids=lambda message: type(message).__name__)
def test_round_trip_covers_every_field(message: Any) -> None:
    assert filled_fields(message) == list(message.get_fields_and_field_types())


def test_every_message_has_a_filled_example() -> None:
    defined = {name for name in vars(msg) if isinstance(getattr(msg, name), type)}
    assert {type(message).__name__ for message in FILLED} == defined


def test_unknown_is_nan_and_survives_serialisation() -> None:
    estimate = msg.RewardEstimate(success=math.nan)
    assert math.isnan(deserialize_message(serialize_message(estimate), type(estimate)).success)


def test_action_gives_feedback_and_a_result(context: Context) -> None:
    server_node = rclpy.create_node("episode_server", context=context)
    client_node = rclpy.create_node("episode_client", context=context)
    executor = SingleThreadedExecutor(context=context)
    executor.add_node(server_node)
    executor.add_node(client_node)
    feedback: list[tuple[int, float]] = []

    def run(handle: Any) -> Any:
        goal = handle.request
        handle.publish_feedback(RunEpisode.Feedback(step=1, reward=0.5))
        handle.succeed()
        return RunEpisode.Result(
            error_code=RunEpisode.Result.TIMEOUT,
            error_msg="no step came back",
            episode=goal.seed + 1,
            success=True,
            outcome="timeout",
            steps=goal.max_steps,
            instruction=goal.instruction,
        )

    server = ActionServer(server_node, RunEpisode, "run_episode", run)
    client = ActionClient(client_node, RunEpisode, "run_episode")

    def spin() -> None:
        try:
            executor.spin()
        except ExternalShutdownException:
            return

    thread = threading.Thread(target=spin)
    thread.start()
    try:
        assert client.wait_for_server(TIMEOUT_S)
        response = client.send_goal(
            RunEpisode.Goal(seed=41, instruction="push the ball", max_steps=7),
            feedback_callback=lambda message: feedback.append(
                (message.feedback.step, message.feedback.reward)
            ),
        )
    finally:
        executor.shutdown()
        thread.join(TIMEOUT_S)
        client.destroy()
        server.destroy()
        server_node.destroy_node()
        client_node.destroy_node()
    result = response.result
    assert (result.episode, result.steps, result.instruction) == (42, 7, "push the ball")
    assert (result.error_code, result.error_msg) == (2, "no step came back")
    assert feedback == [(1, 0.5)]


@pytest.fixture
def share(monkeypatch: pytest.MonkeyPatch) -> Path:
    """The package's share folder, found as any ROS tool finds it."""
    if not os.environ.get("AMENT_PREFIX_PATH"):  # set where ROS is sourced
        monkeypatch.setenv("AMENT_PREFIX_PATH", sys.prefix)
    _, prefix = get_resource("packages", "sinew_msgs")
    return Path(prefix) / "share/sinew_msgs"


def test_definitions_are_in_the_ament_index(share: Path) -> None:
    listed = set(get_resource("rosidl_interfaces", "sinew_msgs")[0].split())
    assert {"msg/Keypoints.msg", "msg/Keypoints.idl", "action/RunEpisode.action"} <= listed
    assert [name for name in listed if not (share / name).is_file()] == []


def test_type_description_names_the_nested_types(share: Path) -> None:
    description = json.loads((share / "msg/Keypoints.json").read_text())
    referenced = description["type_description_msg"]["referenced_type_descriptions"]
    assert "sinew_msgs/msg/Keypoint" in {nested["type_name"] for nested in referenced}
