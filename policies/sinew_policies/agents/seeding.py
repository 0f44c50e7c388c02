"""Layers of torch that draw from its global generator (first weights, dropout), made to draw from ours."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

import torch


@contextmanager
def seeded(seed: int | torch.Generator) -> Iterator[None]:
    """Within, torch's global generator (CPU) starts from `seed`; after, it is as it was before.

    A generator gives its next number as the seed, so that its state alone says what comes.
    """
    if isinstance(seed, torch.Generator):
        seed = int(torch.randint(2**31, (), generator=seed))
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(seed)
        yield
