"""Steps that do not fit are refused by name, and nothing of them is stored."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest
from replay_makers import SCHEMA, action, observation, reward
from sinew_data.replay import ReplayBuffer, ReplayError

NAN = float("nan")
GOOD = {"action": action(1), "reward": reward(1), "observation": observation(2)}


def spoilt(name: str, value: Any) -> dict[str, Any]:
    return {"observation": {**observation(2), name: value}}


BAD = [
    ({"reward": NAN}, "reward: got nan"),
    ({"reward": float("inf")}, "reward: got inf"),
    ({"reward": 1e39}, "reward: got 1e\\+39"),
    ({"reward": np.zeros(2)}, "reward"),
    (
        {"action": np.array([1, NAN], np.float32)},
        "action: 1 of 2 numbers are not finite, the first at \\[1\\]",
    ),
    ({"action": np.zeros(3, np.float32)}, r"action: got float32 \(3,\), expected float32 \(2,\)"),
    ({"action": np.zeros(2)}, r"action: got float64 \(2,\), expected float32"),
    (spoilt("state", np.array([0, np.inf, 0], np.float32)), "observation 'state'.*finite"),
    (
        spoilt("state", np.zeros((3, 1), np.float32)),
        r"'state': got float32 \(3, 1\), expected float32 \(3,\)",
    ),
    (spoilt("top", np.zeros((4, 5, 3), np.float32)), "'top': got float32"),
    (spoilt("top", np.zeros((5, 4, 3), np.uint8)), r"'top': got uint8 \(5, 4, 3\)"),
    (spoilt("tip", np.zeros(3, np.float32)), "unknown column 'tip'.*Did you mean 'top'"),
    ({"observation": {"state": observation(2)["state"]}}, "missing top; given: state"),
]


@pytest.mark.parametrize(("change", "sentence"), BAD)
def test_a_bad_step_is_refused_and_nothing_is_written(
    tmp_path: Path, change: dict[str, Any], sentence: str
) -> None:
    with ReplayBuffer.create(tmp_path / "replay", SCHEMA, 10) as buffer:
        buffer.begin(observation(0))
        buffer.add(action(0), reward(0), observation(1))
        before = contents(tmp_path)
        with pytest.raises(ReplayError, match=sentence):
            buffer.add(**(GOOD | change))
        assert contents(tmp_path) == before
        assert buffer.added == 1
        buffer.add(**GOOD)
        assert buffer.added == 2


def contents(folder: Path) -> dict[str, bytes]:
    return {path.name: path.read_bytes() for path in folder.rglob("*") if path.is_file()}


def test_a_bad_first_observation_begins_nothing() -> None:
    buffer = ReplayBuffer.create(None, SCHEMA, 10)
    with pytest.raises(ReplayError, match="missing state"):
        buffer.begin({"top": observation(0)["top"]})
    with pytest.raises(ReplayError, match="no episode is running"):
        buffer.add(**GOOD)


@pytest.mark.parametrize("end", ["terminated", "truncated"])
def test_nothing_can_be_added_after_an_end(end: str) -> None:
    buffer = ReplayBuffer.create(None, SCHEMA, 10)
    buffer.begin(observation(0))
    buffer.add(**(GOOD | {end: True}))
    with pytest.raises(ReplayError, match=r"no episode is running; begin"):
        buffer.add(**GOOD)


def test_views_that_are_not_contiguous_are_stored_as_they_look(tmp_path: Path) -> None:
    flipped = {name: array[::-1] for name, array in observation(5).items()}
    with ReplayBuffer.create(tmp_path / "replay", SCHEMA, 10) as buffer:
        buffer.begin(observation(4))
        buffer.add(action(4), 0.0, flipped)
        for name, array in buffer.newest.items():
            np.testing.assert_array_equal(array, flipped[name])


def test_what_was_given_may_change_afterwards() -> None:
    buffer = ReplayBuffer.create(None, SCHEMA, 10)
    given = observation(0)
    buffer.begin(given)
    given["top"][:] = 0
    np.testing.assert_array_equal(buffer.newest["top"], observation(0)["top"])


def test_a_closed_buffer_says_so(tmp_path: Path) -> None:
    buffer = ReplayBuffer.create(tmp_path / "replay", SCHEMA, 10)
    buffer.close()
    buffer.close()
    for use in (lambda: len(buffer), lambda: buffer.begin(observation(0)), buffer.flush):
        with pytest.raises(ReplayError, match="is closed"):
            use()
