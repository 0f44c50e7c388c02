"""Optimal assignment on small matrices."""

from __future__ import annotations

from itertools import permutations

import numpy as np
import pytest
from sinew_core.types import FloatArray
from sinew_perception.tracking.assignment import assign


def best(costs: FloatArray) -> tuple[int, float]:
    """Return how many finite pairs can be made, and the least cost of so many, by trying everything."""
    rows, columns = costs.shape
    padded = np.full((rows, columns + rows), np.inf)
    padded[:, :columns] = costs
    found = []
    for order in permutations(range(columns + rows), rows):
        picked = padded[np.arange(rows), order]
        picked = picked[np.isfinite(picked)]
        found.append((-len(picked), float(picked.sum())))
    count, cost = min(found)
    return -count, cost


@pytest.mark.parametrize("seed", range(40))
def test_as_many_pairs_as_can_be_at_the_least_cost(seed: int) -> None:
    rng = np.random.default_rng(seed)
    costs = rng.uniform(-1, 3, rng.integers(1, 5, 2))
    costs[rng.uniform(size=costs.shape) < 0.3] = np.inf
    pairs = assign(costs)
    count, cost = best(costs)
    assert len({row for row, _ in pairs}) == len({column for _, column in pairs}) == len(pairs) == count
    assert sum(costs[pair] for pair in pairs) == pytest.approx(cost)


@pytest.mark.parametrize("shape", [(0, 0), (0, 3), (3, 0)])
def test_nothing_is_assigned_to_nothing(shape: tuple[int, int]) -> None:
    assert assign(np.empty(shape)) == []


def test_what_is_impossible_is_left_out() -> None:
    assert assign(np.full((2, 2), np.inf)) == []
