"""Every type comes back from its message bit for bit, without ROS."""

from __future__ import annotations

import struct
from types import SimpleNamespace

import numpy as np
import pytest
from episode_makers import same
from sinew_core.types import (
    ActionChunk,
    Affordance,
    CameraModel,
    ExecutedCommand,
    JointState,
    Keypoint,
    Percept,
    Refusal,
    RewardEstimate,
    Task,
)
from sinew_data import messages
from sinew_data.definitions import decoder, definition, encode, make, own_definitions
from sinew_data.messages import AuthorityChange, EpisodeEvent, Observed

NAMES = ("a", "bc", "def")
RNG = np.random.default_rng(0)
STAMP = 1_700_000_000_123_456_789
FULL = Keypoint(RNG.normal(size=3), RNG.normal(size=2), 0.3, -1.2, RNG.normal(size=3), False, True)
WAY = RNG.normal(size=(4, 3))
CLOSED = np.array([True, False, True, False])
OLD_FIELDS = ("name", "position", "pixel", "has_pixel", "confidence", "yaw", "extent")
TASK = Task("stack", "put it there", 7)

CASES = [
    ("joints", JointState(STAMP, RNG.normal(size=3), RNG.normal(size=3)), (NAMES,)),
    ("joints", JointState(STAMP, RNG.normal(size=3), RNG.normal(size=3), RNG.normal(size=3)), (NAMES,)),
    ("percept", Percept(STAMP), ("base",)),
    ("percept", Percept(STAMP, {"x": Keypoint(WAY[0]), "full": FULL}, {"f": WAY[1]}, ("gone",)), ("base",)),
    ("affordance", Affordance(STAMP, "put", "red", WAY, WAY[0], "r", CLOSED, "red"), (7, "base")),
    ("affordance", Affordance(STAMP, "put", WAY[1], WAY[:0], None, "r", CLOSED[:0]), (7, "base")),
    ("affordance", Refusal(STAMP, "put", "no bowl", ("red", "blue"), "r"), (7, "base")),
    ("reward", RewardEstimate(STAMP, -1 / 3), (7,)),
    ("reward", RewardEstimate(STAMP, 1.0, 0.5, 0.25, 0.125, {"way": 0.1, "fall": -1.0}), (7,)),
    ("chunk", ActionChunk(STAMP, 0.05, RNG.normal(size=(1, 3))), (NAMES,)),
    ("chunk", ActionChunk(STAMP, 0.05, RNG.normal(size=(8, 3))), (NAMES,)),
    ("chunk", ActionChunk(STAMP, 0.0, np.empty((0, 3))), (NAMES,)),
    ("executed", ExecutedCommand(STAMP, WAY[0], "human", ("velocity:a", "b"), STAMP - 5), (STAMP, 7, NAMES)),
    ("event", EpisodeEvent(STAMP, 7, True, TASK, seed=3), ()),
    ("event", EpisodeEvent(STAMP, 7, False, TASK, 3, "failure", "marked by a person"), ()),
    ("authority", AuthorityChange(STAMP, "stopped", "human", "key", 0.02, ("a: b",), ("c", "d")), ()),
    ("observed", Observed(STAMP, 7), ()),
    ("observed", Observed(STAMP, 7, STAMP - 9, {"top": STAMP - 1, "side": STAMP - 2}), ()),
]


@pytest.mark.parametrize(("kind", "value", "how"), CASES)
def test_a_value_comes_back_bit_for_bit(kind: str, value: object, how: tuple[object, ...]) -> None:
    message = getattr(messages, f"{kind}_to_msg")(make, value, *how)
    decode = decoder(message.__msgtype__, definition(message.__msgtype__))
    names = (NAMES,) if kind in ("joints", "chunk") else ()
    back = getattr(messages, f"{kind}_from_msg")(decode(encode(message)), *names)
    assert same(value, back)


def test_numbers_come_back_as_pythons_own() -> None:
    message = messages.reward_to_msg(make, RewardEstimate(1, 2.0, terms={"a": 3.0}), 1)
    reward = messages.reward_from_msg(
        decoder(message.__msgtype__, definition(message.__msgtype__))(encode(message))
    )
    assert {type(value) for value in (reward.value, reward.terms["a"], reward.stamp)} == {float, int}


def test_keypoints_recorded_before_there_were_trackers_count_as_seen() -> None:
    message = messages.percept_to_msg(make, Percept(STAMP, {"full": FULL}), "base")
    old = SimpleNamespace(**{name: getattr(message.keypoints[0], name) for name in OLD_FIELDS})
    percept = messages.percept_from_msg(SimpleNamespace(header=message.header, keypoints=[old], features=[]))
    assert percept.keypoints["full"].visible
    assert not percept.keypoints["full"].held
    assert percept.lost == ()


@pytest.mark.parametrize("type_name", sorted(own_definitions()))
def test_an_embedded_definition_says_all_that_decoding_needs(type_name: str) -> None:
    message = make[type_name]()
    decode = decoder(type_name, definition(type_name))
    assert encode(decode(encode(message))) == encode(message)


def test_definitions_keep_their_comments() -> None:
    assert "# rad or m, one target per joint" in definition("sinew_msgs/msg/ExecutedCommand")


def test_definitions_name_each_needed_type_once() -> None:
    text = definition("sinew_msgs/msg/Keypoints")
    assert [line for line in text.splitlines() if line.startswith("MSG: ")] == [
        "MSG: std_msgs/Header",
        "MSG: builtin_interfaces/Time",
        "MSG: sinew_msgs/Keypoint",
        "MSG: geometry_msgs/Point",
        "MSG: sinew_msgs/Feature",
    ]


def test_a_field_that_does_not_exist_is_named() -> None:
    with pytest.raises(TypeError, match="sinew_msgs/msg/Feature has no field wert; it has name, value"):
        make["sinew_msgs/msg/Feature"](wert=1.0)


def test_what_lies_behind_a_message_does_not_matter() -> None:
    message = messages.joints_to_msg(make, CASES[0][1], NAMES)  # type: ignore[arg-type]
    decode = decoder(message.__msgtype__, definition(message.__msgtype__))
    back = messages.joints_from_msg(decode(encode(message) + b"\x00" * 12), NAMES)
    assert same(CASES[0][1], back)


@pytest.mark.parametrize("size", [0, 3, 4, 20, 60])
def test_a_message_that_is_cut_off_is_a_value_error(size: int) -> None:
    message = messages.joints_to_msg(make, CASES[0][1], NAMES)  # type: ignore[arg-type]
    with pytest.raises(ValueError, match="JointState"):
        decoder(message.__msgtype__, definition(message.__msgtype__))(encode(message)[:size])


def test_a_definition_that_is_none_is_a_value_error() -> None:
    with pytest.raises(ValueError, match="definition of x/msg/Y cannot be read"):
        decoder("x/msg/Y", "what is this?")


def test_joints_of_another_robot_are_refused() -> None:
    message = messages.joints_to_msg(make, JointState(0, np.zeros(3), np.zeros(3)), NAMES)
    with pytest.raises(ValueError, match="joints a, bc, def; expected a, b, c"):
        messages.joints_from_msg(message, ("a", "b", "c"))


def test_an_observation_with_more_cameras_than_stamps_is_refused() -> None:
    message = make["sinew_msgs/msg/Observed"](cameras=["top"])
    with pytest.raises(ValueError, match="0 stamps for 1 cameras"):
        messages.observed_from_msg(message)


@pytest.mark.parametrize("frame", ["", "a", "ab", "abc", "top_optical_frame"])
def test_images_lie_in_cdr_as_the_definition_says(frame: str) -> None:
    rgb = RNG.integers(0, 255, (3, 5, 3), dtype=np.uint8)
    wire = messages.rgb_to_wire(STAMP, rgb, frame)
    message = decoder("sensor_msgs/msg/Image", definition("sensor_msgs/msg/Image"))(wire)
    assert (message.header.frame_id, messages.header_stamp(message)) == (frame, STAMP)
    assert np.array_equal(messages.rgb_from_msg(message), rgb)
    assert np.array_equal(messages.rgb_from_msg(messages.image_from_wire(wire)), rgb)
    assert encode(message) == wire


def test_an_image_of_a_big_endian_sender_is_read() -> None:
    head = struct.pack(">iI", 5, 7) + struct.pack(">I2s2x", 2, b"f\x00")
    body = struct.pack(">II", 2, 3) + struct.pack(">I6s", 6, b"16UC1\x00") + b"\x01\x00"
    data = np.arange(6, dtype=">u2").tobytes()
    view = messages.image_from_wire(
        b"\x00\x00\x00\x00" + head + body + struct.pack(">II", 6, len(data)) + data
    )
    assert (view.stamp, view.frame) == (5_000_000_007, "f")
    expected = np.arange(6, dtype=np.float32).reshape(2, 3) / np.float32(1000)
    assert np.array_equal(messages.depth_from_msg(view), expected)


@pytest.mark.parametrize("wire", [b"", b"\x00\x07\x00\x00" + bytes(40), b"\x00\x01\x00\x00" + bytes(3)])
def test_bytes_that_are_no_image_are_a_value_error(wire: bytes) -> None:
    with pytest.raises(ValueError, match="image"):
        messages.image_from_wire(wire)


def test_intrinsics_are_those_of_the_model() -> None:
    model = CameraModel("top", 64, 48, 50.0, 51.0, 31.5, 23.5, "base", np.eye(4))
    message = messages.camera_info_to_msg(make, STAMP, model, "f")
    assert message.k.reshape(3, 3).tolist() == [[50.0, 0.0, 31.5], [0.0, 51.0, 23.5], [0.0, 0.0, 1.0]]
    assert (message.width, message.height, message.d.tolist()) == (64, 48, [0.0] * 5)
