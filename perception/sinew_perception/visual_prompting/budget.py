"""How many calls and tokens may be spent, in one episode and in all."""

from __future__ import annotations

import threading
from dataclasses import dataclass

from sinew_perception.visual_prompting.faults import Fault


@dataclass(frozen=True, slots=True)
class Limits:
    """A call is one request that is sent, repetitions included. Tokens count question and answer."""

    episode_calls: int = 20
    calls: int = 1000
    tokens: int = 2_000_000

    def __post_init__(self) -> None:
        """Check that there is something to spend."""
        if min(self.episode_calls, self.calls, self.tokens) < 1:
            raise ValueError("episode_calls, calls and tokens must be at least 1.")


class Budget:
    """What is spent; lives as long as its provider. Thread-safe."""

    def __init__(self, limits: Limits) -> None:
        self._limits = limits
        self._lock = threading.Lock()
        self._episode = 0
        self.calls = 0
        self.tokens = 0

    def begin(self) -> None:
        """Begin an episode."""
        with self._lock:
            self._episode = 0

    def left(self) -> int:
        """Return how many calls may still be made; raises Fault `budget` when none may."""
        with self._lock:
            self._check()
            limits = self._limits
            return min(limits.episode_calls - self._episode, limits.calls - self.calls)

    def spend_call(self) -> None:
        """Count a request that is about to be sent; raises Fault `budget` when none is left."""
        with self._lock:
            self._check()
            self._episode += 1
            self.calls += 1

    def add_tokens(self, count: int) -> None:
        """Count what an answer cost."""
        with self._lock:
            self.tokens += max(count, 0)

    def _check(self) -> None:
        limits = self._limits
        for name, spent, limit in (
            ("calls in this episode", self._episode, limits.episode_calls),
            ("calls", self.calls, limits.calls),
            ("tokens", self.tokens, limits.tokens),
        ):
            if spent >= limit:
                raise Fault("budget", f"{spent} {name} are spent, of {limit}.")
