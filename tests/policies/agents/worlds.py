"""Small worlds with known answers, and batches of them."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import numpy.typing as npt
import torch
from sinew_data.replay import Column, ReplayBuffer, Schema
from sinew_policies.agents.agent import Encoder, Spaces, TensorBatch
from sinew_policies.agents.encoders import Vector
from torch import Tensor

Floats = npt.NDArray[np.float32]


def spaces(state: int, action: int) -> Spaces:
    return Spaces({"state": (state,)}, action)


def plain(state: int) -> Encoder:
    return Vector("state", torch.zeros(state), torch.ones(state))


def transitions(
    state: Tensor, action: Tensor, reward: Tensor, next_state: Tensor, discount: Tensor
) -> TensorBatch:
    no = torch.zeros(len(reward), dtype=torch.bool)
    return TensorBatch({"state": state}, action, reward, {"state": next_state}, discount, no, no)


def noise_batch(rows: int, state: int, action: int, seed: int) -> TensorBatch:
    """Return transitions that mean nothing."""
    generator = torch.Generator().manual_seed(seed)
    before, after = torch.randn(2, rows, state, generator=generator)
    acted = torch.rand(rows, action, generator=generator) * 2 - 1
    reward = torch.randn(rows, generator=generator)
    return transitions(before, acted, reward, after, torch.full((rows,), 0.9))


class PointWorld:
    """A point in the plane that must come within 0.2 of the middle from somewhere on a circle of radius 1."""

    limit = 20  # steps; too few for a walk at random

    def __init__(self, seed: int) -> None:
        self._rng = np.random.default_rng(seed)

    def reset(self) -> Floats:
        angle = self._rng.uniform(0, 2 * np.pi)
        self._place = np.array([np.cos(angle), np.sin(angle)])
        self._steps = 0
        return self._place.astype(np.float32)

    def step(self, action: Floats) -> tuple[Floats, bool, bool]:
        """Return the state, whether the middle is reached, and whether time is up."""
        self._place = np.clip(self._place + 0.15 * action, -1.5, 1.5)
        self._steps += 1
        reached = bool(np.linalg.norm(self._place) < 0.2)
        return self._place.astype(np.float32), reached, self._steps == self.limit and not reached


def point_buffer() -> ReplayBuffer:
    return ReplayBuffer.create(None, Schema({"state": Column((2,), "float32")}, 2, {}), 10_000)


def run_episode(
    world: PointWorld, act: Callable[[Floats], Floats], buffer: ReplayBuffer | None = None
) -> bool:
    """Return whether the middle was reached; the buffer gets 1 for that, else -0.2 the distance."""
    state = world.reset()
    if buffer is not None:
        buffer.begin({"state": state})
    while True:
        action = act(state)
        state, reached, late = world.step(action)
        if buffer is not None:
            reward = 1.0 if reached else -0.2 * float(np.linalg.norm(state))
            buffer.add(action, reward, {"state": state}, terminated=reached, truncated=late)
        if reached or late:
            return reached


def success(act: Callable[[Floats], Floats], episodes: int = 30) -> float:
    world = PointWorld(1000)
    return float(np.mean([run_episode(world, act) for _ in range(episodes)]))
