"""What is recorded without ROS is what the graph would send: rclpy reads it, and the other way round."""

from __future__ import annotations

import numpy as np
import pytest
from rclpy.serialization import deserialize_message, serialize_message
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
from sinew_data import definitions, messages
from sinew_data.messages import AuthorityChange, EpisodeEvent, Observed
from sinew_nodes import convert

NAMES = ("a", "bc")
RNG = np.random.default_rng(0)
STAMP = 1_700_000_000_123_456_789
FULL = Keypoint(RNG.normal(size=3), RNG.normal(size=2), 0.3, -1.2, RNG.normal(size=3))
WAY = RNG.normal(size=(4, 3))
TASK = Task("stack", "put it there", 7)
MODEL = CameraModel("top", 64, 48, 50.0, 51.0, 31.5, 23.5, "base", np.eye(4))

CASES = [
    ("joints", JointState(STAMP, RNG.normal(size=2), RNG.normal(size=2)), (NAMES,)),
    ("joints", JointState(STAMP, RNG.normal(size=2), RNG.normal(size=2), RNG.normal(size=2)), (NAMES,)),
    ("percept", Percept(STAMP, {"x": Keypoint(WAY[0]), "full": FULL}, {"f": WAY[1], "g": WAY[2]}), ("b",)),
    ("affordance", Affordance(STAMP, "put", "red", WAY, WAY[0], "r", np.ones(4, np.bool_)), (7, "base")),
    ("affordance", Refusal(STAMP, "put", "no bowl", ("red", "blue"), "r"), (7, "base")),
    ("reward", RewardEstimate(STAMP, 1.0, 0.5, terms={"way": 0.1, "fall": -1.0}), (7,)),
    ("chunk", ActionChunk(STAMP, 0.05, RNG.normal(size=(3, 2))), (NAMES,)),
    ("chunk", ActionChunk(STAMP, 0.0, np.empty((0, 2))), (NAMES,)),
    ("executed", ExecutedCommand(STAMP, WAY[0, :2], "human", ("a:b", "c"), 5), (STAMP, 7, NAMES)),
    ("event", EpisodeEvent(STAMP, 7, False, TASK, 3, "failure", "marked by a person"), ()),
    ("authority", AuthorityChange(STAMP, "stopped", "human", "key", 0.02, ("a: b",), ("c", "d")), ()),
    ("observed", Observed(STAMP, 7, STAMP - 9, {"top": STAMP - 1, "side": STAMP - 2}), ()),
]


@pytest.mark.parametrize(("kind", "value", "how"), CASES)
def test_both_vocabularies_serialise_alike(kind: str, value: object, how: tuple[object, ...]) -> None:
    here = getattr(messages, f"{kind}_to_msg")(definitions.make, value, *how)
    there = getattr(convert, f"{kind}_to_msg")(value, *how)
    assert_alike(here, there)


def test_intrinsics_serialise_alike() -> None:
    here = messages.camera_info_to_msg(definitions.make, STAMP, MODEL, "f")
    assert_alike(here, convert.camera_info_to_msg(STAMP, MODEL, "f"))


def assert_alike(here: object, there: object) -> None:
    """Each reads the other's bytes, and gives its own for them: equal but for rclpy's random padding."""
    type_name = here.__msgtype__  # type: ignore[attr-defined]
    own, theirs = definitions.encode(here), serialize_message(there)
    decode = definitions.decoder(type_name, definitions.definition(type_name))
    assert definitions.encode(decode(theirs)) == own
    understood = deserialize_message(own, convert.make[type_name])
    assert definitions.encode(decode(serialize_message(understood))) == own


@pytest.mark.parametrize("name", sorted(definitions.own_definitions()))
def test_every_definition_of_ours_can_be_sent(name: str) -> None:
    assert name in convert.make
