"""What sampling returns: arrays of one leading length."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from sinew_data.replay.layout import AnyArray
from sinew_data.replay.schema import Schema

FloatColumn = npt.NDArray[np.float32]
BoolArray = npt.NDArray[np.bool_]


@dataclass(frozen=True, slots=True)
class Batch:
    """Transitions over m <= n steps: m is smaller than n where the episode has no more.

    The arrays are filled anew by the next `sample` of the same buffer or mixture: whoever keeps a batch
    longer copies it.
    """

    observation: Mapping[str, AnyArray]  # (b, *shape) own dtype
    action: FloatColumn  # (b, a) as executed
    reward: FloatColumn  # (b,) sum over k < m of discount^k r_k
    next_observation: Mapping[str, AnyArray]  # m steps later
    discount: FloatColumn  # (b,) discount^m, 0 where the episode terminated within
    intervention: BoolArray  # (b,) a person acted in the first step

    def part(self, rows: slice) -> Batch:
        """Return those rows, on the same memory."""
        return Batch(
            {name: array[rows] for name, array in self.observation.items()},
            self.action[rows],
            self.reward[rows],
            {name: array[rows] for name, array in self.next_observation.items()},
            self.discount[rows],
            self.intervention[rows],
        )


@dataclass(frozen=True, slots=True)
class Sequences:
    """Observations with the actions that followed. Past an episode's end the last action is repeated.

    The observations are filled anew by the next `sample_sequences` of the same buffer.
    """

    observation: Mapping[str, AnyArray]  # (b, *shape) own dtype
    actions: FloatColumn  # (b, h, a) as executed
    valid: BoolArray  # (b, h) False past the end


def empty_batch(schema: Schema, size: int) -> Batch:
    """Return arrays for `size` transitions, to be filled."""
    return Batch(
        empty_observation(schema, size),
        np.empty((size, schema.action), np.float32),
        np.empty(size, np.float32),
        empty_observation(schema, size),
        np.empty(size, np.float32),
        np.empty(size, np.bool_),
    )


def empty_observation(schema: Schema, size: int) -> dict[str, AnyArray]:
    """Return arrays for `size` observations, to be filled."""
    return {name: np.empty((size, *c.shape), c.dtype) for name, c in schema.observation.items()}
