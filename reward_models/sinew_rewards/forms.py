"""How a dense reward along a path and a success become the one reward that is handed out."""

from __future__ import annotations

import math
from typing import Literal

Form = Literal["shifted", "plain", "distance"]


def dense_reward(along: float, blocks_beside: float, weight: float) -> float:
    """Return weight * u * exp(-e^2 / 2) for a share u of the path and a distance e in block widths."""
    return weight * along * math.exp(-0.5 * blocks_beside**2)


def distance_reward(distance: float, diagonal: float) -> float:
    """Return -||p_t - b_g|| / L, at least -1: distance to the next block over diagonal."""
    return -min(distance / diagonal, 1.0)


def combine(
    dense: float,
    success: bool,
    form: Form,
    loitering: float = 0.0,
    interest: float = 0.0,
    idling: float = 0.0,
) -> float:
    """Return the reward that is handed out: success wins over whatever the dense term says.

    `shifted`: 0 on success, else dense - 1. Every step costs something, so that finishing is worth more
    than any wait. What resting on an unfinished block pays is taken back, with interest, as `loitering`
    goes from 0 to 1: dense becomes -interest * dense. Resting at all, at the start too, costs `idling`.
    `plain`: 1 on success, else the dense reward. Where success ends the episode this pays an agent for
    loitering before the end, up to weight / (1 - discount).
    `distance`: 1 on success, else the dense reward, which is minus a distance.
    """
    if form == "shifted":
        return 0.0 if success else dense - ((1.0 + interest) * dense + idling) * loitering - 1.0
    return 1.0 if success else dense
