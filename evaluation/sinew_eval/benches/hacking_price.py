"""The occupancy penalty of a training, on a desk: it learns from samples of what policies visit."""

from __future__ import annotations

import numpy as np
from sinew_core.types import FloatArray
from sinew_rewards.exploits.desk import Indices
from sinew_training.occupancy import Occupancy, OccupancyConfig

SAMPLE = 1024  # observations of the present policy, at each call
CONFIG = OccupancyConfig(base_episodes=0, window=SAMPLE, learning_rate=3e-3, updates=6)
FIRST = 60  # updates of the first call, after which few do


class LearnedPrice:
    """What being in each state costs, given how often each is visited; looks (S, d), base states (n,)."""

    def __init__(self, looks: FloatArray, base: Indices, seed: int, config: OccupancyConfig = CONFIG) -> None:
        self._looks, self._rng = looks, np.random.default_rng(seed)
        self._occupancy = Occupancy(config, looks.shape[1], seed)
        self._occupancy.take_base(looks[base])
        self._called = False

    def __call__(self, visited: FloatArray) -> FloatArray:
        """Return the price (S,)."""
        alive = visited[:-1] / visited[:-1].sum()
        states = self._rng.choice(len(alive), SAMPLE, p=alive)
        self._occupancy.take(self._looks[states])
        self._occupancy.learn(None if self._called else FIRST)
        self._called = True
        return self._occupancy.price(self._looks)
