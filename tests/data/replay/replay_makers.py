"""Observations that tell their number, episodes of them, and a slow, plain account of what is in them."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any, Protocol

import numpy as np
from sinew_data.replay import Batch, Column, Schema

SCHEMA = Schema(
    {"state": Column((3,), "float32"), "top": Column((4, 5, 3), "uint8")},
    2,
    {"robot": "so101", "action": "tip"},
)


class Taking(Protocol):
    """What episodes can be played into."""

    def begin(self, observation: Any) -> None: ...
    def add(self, action: Any, reward: float, observation: Any, **flags: bool) -> None: ...


def observation(number: int, schema: Schema = SCHEMA) -> dict[str, Any]:
    """Every value of it follows from the number, which is the first entry of `state`."""
    made: dict[str, Any] = {}
    for name, column in schema.observation.items():
        size = int(np.prod(column.shape))
        values = (number * 7 + np.arange(size)) % 251 if column.dtype == "uint8" else number + np.arange(size)
        made[name] = values.astype(column.dtype).reshape(column.shape)
    return made


def action(number: int) -> Any:
    """The action that is taken after observation `number`."""
    return np.array([number, -number], np.float32)


def reward(number: int) -> float:
    """The reward of that action."""
    return float(number % 7 - 2)


def number_of(observation: Any, row: int) -> int:
    """The number of an observation in a batch; AssertionError if any of its values says otherwise."""
    number = int(observation["state"][row][0])
    for name, values in globals()["observation"](number, schema_of(observation)).items():
        assert np.array_equal(observation[name][row], values), f"observation {number}: {name}"
    return number


def schema_of(observation: Any) -> Schema:
    """The schema that a batch of observations has."""
    columns = {name: Column(array.shape[1:], array.dtype.name) for name, array in observation.items()}
    return Schema(columns, SCHEMA.action, {})


@dataclass(frozen=True)
class Episode:
    """Observations `first` to `first + steps`."""

    first: int
    steps: int
    end: str = "truncated"  # terminated, truncated, or broken off
    by_person: frozenset[int] = field(default_factory=frozenset)  # which steps, from 0

    @property
    def last(self) -> int:
        return self.first + self.steps


def lined_up(shapes: Sequence[tuple[int, str]]) -> list[Episode]:
    """Episodes of those lengths and ends, numbered through."""
    episodes, first = [], 0
    for steps, end in shapes:
        episodes.append(Episode(first, steps, end))
        first += steps + 1
    return episodes


def play(buffer: Taking, episode: Episode, schema: Schema = SCHEMA) -> None:
    """Put an episode into a buffer."""
    buffer.begin(observation(episode.first, schema))
    for number in range(episode.first, episode.last):
        over = number + 1 == episode.last
        buffer.add(
            *(action(number), reward(number), observation(number + 1, schema)),
            terminated=over and episode.end == "terminated",
            truncated=over and episode.end == "truncated",
            intervention=number - episode.first in episode.by_person,
        )


def plain_n_step(
    episodes: Sequence[Episode], start: int, n: int, discount: float
) -> tuple[float, int, float]:
    """Reward, next observation's number and discount of the transition from observation `start`."""
    episode = next(e for e in episodes if e.first <= start < e.last)
    total, weight, number = 0.0, 1.0, start
    while number < episode.last and number < start + n:
        total += weight * reward(number)
        weight *= discount
        number += 1
    ended = number == episode.last and episode.end == "terminated"
    return total, number, 0.0 if ended else weight


def check_batch(batch: Batch, episodes: Sequence[Episode], n: int, discount: float) -> set[int]:
    """Compare every transition with the plain account; return the numbers that they start from."""
    starts = set()
    for row in range(len(batch.reward)):
        start = number_of(batch.observation, row)
        total, following, weight = plain_n_step(episodes, start, n, discount)
        assert number_of(batch.next_observation, row) == following
        assert abs(batch.reward[row] - total) < 1e-5
        assert abs(batch.discount[row] - weight) < 1e-6
        assert np.array_equal(batch.action[row], action(start))
        starts.add(start)
    return starts


def newest_starts(episodes: Sequence[Episode], capacity: int) -> set[int]:
    """Numbers of the transitions among the newest `capacity` observations."""
    numbers = [number for e in episodes for number in range(e.first, e.last + 1)]
    kept = set(numbers[-capacity:])
    return {number for e in episodes for number in range(e.first, e.last) if {number, number + 1} <= kept}
