"""Checks of what is given to a buffer, before anything is written."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
from sinew_core.errors import did_you_mean

from sinew_data.replay.errors import ReplayError
from sinew_data.replay.layout import AnyArray, observation_field
from sinew_data.replay.schema import Column, Schema

LARGEST = float(np.finfo(np.float32).max)


def checked_observation(schema: Schema, observation: Mapping[str, AnyArray]) -> dict[str, AnyArray]:
    """Return an observation by the names that it is stored under; ReplayError where it does not fit."""
    for name in observation:
        if name not in schema.observation:
            raise ReplayError(
                f"observation: unknown column '{name}'.{did_you_mean(name, schema.observation)}"
            )
    missing = [name for name in schema.observation if name not in observation]
    if missing:
        raise ReplayError(f"observation: missing {', '.join(missing)}; given: {', '.join(observation)}.")
    return {
        observation_field(name): checked_array(f"observation '{name}'", observation[name], column)
        for name, column in schema.observation.items()
    }


def checked_array(what: str, value: AnyArray, column: Column) -> AnyArray:
    """Return the value as an array of exactly that shape and type, with finite numbers only."""
    array = np.asarray(value)
    if array.shape != column.shape or array.dtype != column.dtype:
        raise ReplayError(f"{what}: got {array.dtype} {array.shape}, expected {column}.")
    if array.dtype.kind == "f" and not np.isfinite(array).all():
        places = np.argwhere(~np.isfinite(array)).tolist()
        raise ReplayError(
            f"{what}: {len(places)} of {array.size} numbers are not finite, the first at {places[0]}."
        )
    return array


def checked_reward(reward: float) -> AnyArray:
    """Return the reward as a float32; ReplayError where it is none."""
    try:
        number = float(reward)
    except (TypeError, ValueError) as error:
        raise ReplayError(f"reward: got {reward!r}, expected a number.") from error
    if not abs(number) <= LARGEST:
        raise ReplayError(f"reward: got {number}, expected a finite float32.")
    return np.array(number, np.float32)


def checked_sampling(size: int, n_step: int, discount: float) -> None:
    """Check what is asked of `sample`."""
    if size < 1 or n_step < 1:
        raise ReplayError(f"sample: size {size} and n_step {n_step}; expected at least 1 each.")
    if not 0.0 <= discount <= 1.0:
        raise ReplayError(f"sample: discount {discount}; expected 0 to 1.")
