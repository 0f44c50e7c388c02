import json
import struct

import numpy as np
import pytest
from arm_data import SCHEMA, SIZE, data, fragment
from safetensors.numpy import save
from sinew_data.replay import Column, Schema
from sinew_training.wire import LARGEST, MOST, WireError, decode, encode


def test_a_fragment_comes_back_unchanged():
    sent = fragment(4, 5, begins=True, terminated=True, person=(5, 6))
    came = decode(encode(sent, SCHEMA), SCHEMA)
    assert (len(came), came.begins, came.ends) == (5, True, True)
    for name in ("action", "reward", "flags"):
        assert np.array_equal(getattr(sent, name), getattr(came, name)), name
    assert np.array_equal(sent.observation["state"], came.observation["state"])


@pytest.mark.parametrize("length", [0, 3, 8, 40, 200, -1])
def test_truncated_bytes_are_refused(length):
    whole = data(1)
    with pytest.raises(WireError):
        decode(whole[:length], SCHEMA)


def test_bytes_that_are_something_else_are_refused():
    for foreign in (b"x" * 500, struct.pack("<Q", 2) + b"[]", struct.pack("<Q", 4) + b"null"):
        with pytest.raises(WireError):
            decode(foreign, SCHEMA)


def test_a_header_that_promises_too_much_is_refused_without_being_read():
    with pytest.raises(WireError, match="truncated: a header of 1099511627776 bytes"):
        decode(struct.pack("<Q", 1 << 40) + b"{}", SCHEMA)


def test_oversize_bytes_are_refused_by_their_number():
    with pytest.raises(WireError, match=f"expected at most {LARGEST}"):
        decode(bytearray(LARGEST + 1), SCHEMA)


def test_another_robots_transitions_are_refused_naming_both():
    other = Schema(SCHEMA.observation, SCHEMA.action, {**SCHEMA.tag, "robot": "panda"})
    with pytest.raises(WireError, match="panda.*so101"):
        decode(encode(fragment(1), other), SCHEMA)


def test_another_shape_is_refused_naming_the_column():
    other = Schema({"state": Column((SIZE + 1,), "float32")}, SCHEMA.action, SCHEMA.tag)
    with pytest.raises(WireError, match=r"observation\.state is float32 \(4, "):
        encode(fragment(1), other)


def columns_with(**changes):
    sent = fragment(1)
    columns = {
        "observation.state": sent.observation["state"],
        "action": sent.action,
        "reward": sent.reward,
        "flags": sent.flags,
    }
    columns = {name: value for name, value in {**columns, **changes}.items() if value is not None}
    return save(columns, {"tag": json.dumps(dict(SCHEMA.tag), sort_keys=True)})


@pytest.mark.parametrize(
    ("changes", "told"),
    [
        ({"reward": np.array([1, np.nan, 3], np.float32)}, "reward holds values that are not finite"),
        ({"action": np.full((3, 5), np.inf, np.float32)}, "action holds values that are not finite"),
        ({"action": np.zeros((3, 4), np.float32)}, r"action is float32 \(3, 4\)"),
        ({"reward": np.zeros(3, np.float64)}, "reward is float64"),
        ({"reward": np.zeros((3, 1), np.float32)}, r"reward is float32 \(3, 1\)"),
        ({"reward": None}, "columns are"),
        ({"more": np.zeros(3, np.float32)}, "columns are"),
        ({"flags": np.array([0, 0, 1, 0], np.uint8)}, "begins in row 0 only"),
        ({"flags": np.array([0, 2, 0, 0], np.uint8)}, "ends in the last row only"),
        ({"flags": np.array([0, 0, 0, 128], np.uint8)}, "begins in row 0 only"),
    ],
)
def test_what_does_not_fit_is_named(changes, told):
    with pytest.raises(WireError, match=told):
        decode(columns_with(**changes), SCHEMA)


def test_there_are_limits_to_a_fragment():
    with pytest.raises(WireError, match=f"expected 1 to {MOST}"):
        encode(fragment(1, MOST + 1), SCHEMA)
