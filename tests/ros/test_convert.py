"""Every type comes back from its message bit for bit."""

from __future__ import annotations

import numpy as np
import pytest
from rclpy.serialization import deserialize_message, serialize_message
from sensor_msgs.msg import Image
from sinew_core.types import (
    ActionChunk,
    Affordance,
    ExecutedCommand,
    JointState,
    Keypoint,
    Percept,
    Refusal,
    RewardEstimate,
)
from sinew_nodes import convert
from sinew_nodes.image_wire import image_from_wire, image_to_wire

NAMES = ("a", "b", "c")
RNG = np.random.default_rng(0)
STAMP = 1_700_000_000_123_456_789


def wire(message):
    return deserialize_message(serialize_message(message), type(message))


def received(image: bytes) -> Image:
    return deserialize_message(image, Image)


def same(a, b) -> bool:
    if isinstance(a, np.ndarray):
        return isinstance(b, np.ndarray) and a.dtype == b.dtype and np.array_equal(a, b)
    if hasattr(a, "__dataclass_fields__"):
        return type(a) is type(b) and all(same(getattr(a, k), getattr(b, k)) for k in a.__dataclass_fields__)
    if isinstance(a, dict):
        return list(a) == list(b) and all(same(a[k], b[k]) for k in a)
    return a == b


@pytest.mark.parametrize("effort", [None, RNG.normal(size=3)])
def test_joints_round_trip(effort: np.ndarray | None) -> None:
    joints = JointState(STAMP, RNG.normal(size=3), RNG.normal(size=3), effort)
    assert same(joints, convert.joints_from_msg(wire(convert.joints_to_msg(joints, NAMES)), NAMES))


def test_joints_of_another_robot_are_refused() -> None:
    message = convert.joints_to_msg(JointState(0, np.zeros(3), np.zeros(3)), NAMES)
    with pytest.raises(ValueError, match="joints a, b, c; expected a, c, b"):
        convert.joints_from_msg(message, ("a", "c", "b"))


def test_colour_round_trip() -> None:
    rgb = RNG.integers(0, 255, (5, 7, 3), dtype=np.uint8)
    assert same(rgb, convert.rgb_from_msg(received(convert.rgb_to_wire(STAMP, rgb, "f"))))


@pytest.mark.parametrize("frame", ["", "a", "ab", "abc", "abcd", "top_optical_frame"])
@pytest.mark.parametrize("dtype", [np.uint8, np.uint16])
def test_wire_format_is_that_of_rclpy(frame: str, dtype: type) -> None:
    pixels = RNG.integers(0, 255, (3, 5)).astype(dtype)
    wire = image_to_wire(STAMP, pixels, frame, "mono")
    message = received(wire)
    assert (message.header.frame_id, message.encoding, message.step) == (frame, "mono", pixels.strides[0])
    assert bytes(message.data) == pixels.tobytes()
    assert image_from_wire(serialize_message(message)) == image_from_wire(wire)
    view = image_from_wire(wire)
    assert (view.stamp, view.frame, view.height, view.width) == (STAMP, frame, 3, 5)
    assert bytes(view.data) == pixels.tobytes()


def test_every_millimetre_of_depth_round_trips() -> None:
    metres = np.arange(65536).reshape(256, 256) / 1000
    depth = (np.round(metres * 1000) / 1000).astype(np.float32)  # as the stations round it
    assert same(depth, convert.depth_from_msg(received(convert.depth_to_wire(STAMP, depth, "f"))))


def test_no_depth_stays_no_depth() -> None:
    depth = np.array([[np.nan, np.inf], [-1.0, 70.0]], dtype=np.float32)
    assert not convert.depth_from_msg(received(convert.depth_to_wire(STAMP, depth, "f"))).any()


def test_an_image_of_another_encoding_is_refused() -> None:
    message = received(convert.rgb_to_wire(STAMP, np.zeros((2, 2, 3), np.uint8), "f"))
    with pytest.raises(ValueError, match="expected '16UC1'"):
        convert.depth_from_msg(message)


def test_percept_round_trips() -> None:
    full = Keypoint(RNG.normal(size=3), RNG.normal(size=2), 0.3, -1.2, RNG.normal(size=3), False, True)
    percept = Percept(
        STAMP, {"bare": Keypoint(RNG.normal(size=3)), "full": full}, {"f": RNG.normal(size=4)}, ("gone",)
    )
    assert same(percept, convert.percept_from_msg(wire(convert.percept_to_msg(percept, "base"))))


@pytest.mark.parametrize("grasp", [None, "red cube", RNG.normal(size=3)])
@pytest.mark.parametrize("moves", [None, "red cube"])
def test_affordance_round_trips(grasp: object, moves: str | None) -> None:
    way = RNG.normal(size=(4, 3))
    answer = Affordance(STAMP, "put", grasp, way, way[-1], "rules", np.array([1, 0, 1, 0], bool), moves)
    assert same(answer, convert.affordance_from_msg(wire(convert.affordance_to_msg(answer, 7, "base"))))


def test_refusal_round_trips() -> None:
    answer = Refusal(STAMP, "put", "no bowl", ("red cube", "ball"), "rules")
    assert same(answer, convert.affordance_from_msg(wire(convert.affordance_to_msg(answer, 7, "base"))))


@pytest.mark.parametrize("known", [None, 0.25])
def test_reward_round_trips(known: float | None) -> None:
    reward = RewardEstimate(STAMP, -1 / 3, known, known, known, {"way": 0.1, "fall": -1.0})
    assert same(reward, convert.reward_from_msg(wire(convert.reward_to_msg(reward, 7))))


@pytest.mark.parametrize(("horizon", "dt"), [(1, 0.05), (5, 0.05), (3, 1 / 30)])
def test_chunk_round_trips_to_the_nanosecond(horizon: int, dt: float) -> None:
    chunk = ActionChunk(STAMP, dt, RNG.normal(size=(horizon, 3)))
    back = convert.chunk_from_msg(wire(convert.chunk_to_msg(chunk, NAMES)), NAMES)
    assert (back.stamp, same(back.position, chunk.position)) == (STAMP, True)
    assert abs(back.dt - dt) <= 0.5e-9


def test_a_trajectory_with_uneven_times_is_refused() -> None:
    message = convert.chunk_to_msg(ActionChunk(STAMP, 0.1, np.zeros((3, 3))), NAMES)
    message.points[2].time_from_start.nanosec += 1
    with pytest.raises(ValueError, match="dt, 2 dt, 3 dt"):
        convert.chunk_from_msg(message, NAMES)


def test_executed_command_round_trips() -> None:
    executed = ExecutedCommand(STAMP, RNG.normal(size=3), "policy", ("velocity:a",), STAMP - 5)
    message = wire(convert.executed_to_msg(executed, STAMP, 3, NAMES))
    assert same(executed, convert.executed_from_msg(message))
