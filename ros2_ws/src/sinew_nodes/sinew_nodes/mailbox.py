"""What the graph sends to the control loop, handed over from the executor's thread to the loop's."""

from __future__ import annotations

import threading
import time
from dataclasses import dataclass

from sinew_core.types import ActionChunk, Affordance, Refusal, RewardEstimate


@dataclass(frozen=True, slots=True)
class Goal:
    """An episode that is asked for; `token` identifies whoever asked."""

    seed: int
    instruction: str
    max_steps: int
    token: object
    again: bool = False  # in the scene as it lies


@dataclass(frozen=True, slots=True)
class Parcel:
    """A chunk, whose it is, and when it came, in ns of the monotonic clock; perhaps why it is refused."""

    source: str
    chunk: ActionChunk
    arrival: int
    refused: str = ""


class Mailbox:
    """Holds what has come and not been dealt with; every field is touched under its condition only."""

    def __init__(self) -> None:
        self.condition = threading.Condition()
        self.active = False
        self.closing = False
        self.goal: Goal | None = None
        self.human_forgotten = False
        self._faulty: set[str] = set()
        self._clear()

    def _clear(self) -> None:
        self.episode = 0
        self.chunks: list[Parcel] = []
        self.answer: Affordance | Refusal | None = None
        self.reward: RewardEstimate | None = None
        self.fault = ""
        self.mark = ""
        self.cancelled = False

    def begin(self, episode: int) -> None:
        """Forget what belongs to earlier episodes."""
        with self.condition:
            self._clear()
            self.episode = episode

    def set_active(self, active: bool) -> None:
        """Allow or end motion."""
        with self.condition:
            self.active = active
            self.condition.notify_all()

    def close(self) -> None:
        """Have the loop end."""
        with self.condition:
            self.active, self.closing = False, True
            self.condition.notify_all()

    def offer_goal(self, goal: Goal) -> bool:
        """Ask for an episode; False if one is asked for or running, or motion is not allowed."""
        with self.condition:
            if not self.active or self.goal is not None:
                return False
            self.goal = goal
            self.condition.notify_all()
            return True

    def put_chunk(self, source: str, chunk: ActionChunk, refused: str = "") -> None:
        """Hand in a chunk, or that one of `source` is refused, and why."""
        with self.condition:
            self.chunks.append(Parcel(source, chunk, time.monotonic_ns(), refused))
            self.condition.notify_all()

    def wake(self) -> None:
        """Have the loop look up from whatever it waits for: the authority has changed."""
        with self.condition:
            self.condition.notify_all()

    def put_answer(self, episode: int, answer: Affordance | Refusal) -> None:
        """Hand in the affordance model's answer for an episode."""
        with self.condition:
            if episode == self.episode:
                self.answer = answer
                self.condition.notify_all()

    def put_reward(self, episode: int, reward: RewardEstimate) -> None:
        """Hand in a reward estimate of an episode."""
        with self.condition:
            if episode == self.episode:
                self.reward = reward
                self.condition.notify_all()

    def forget_human(self) -> None:
        """Have the loop forget a person who was driving and has not given back."""
        with self.condition:
            self.human_forgotten = True
            self.condition.notify_all()

    def put_mark(self, outcome: str) -> str:
        """End the running episode by a person's word; return why that cannot be, or ''."""
        with self.condition:
            if self.goal is None or not self.episode:
                return "no episode is running"
            if self.mark:
                return f"the episode is marked already: {self.mark}"
            self.mark = outcome
            self.condition.notify_all()
            return ""

    def put_fault(self, message: str, node: str = "") -> None:
        """Report the failure of a node."""
        with self.condition:
            self.fault = self.fault or message
            self._faulty.add(node)
            self.condition.notify_all()

    def take_faulty(self) -> set[str]:
        """Return the nodes that have failed since the last call."""
        with self.condition:
            faulty, self._faulty = self._faulty, set()
        return faulty

    def cancel(self, token: object) -> None:
        """Cancel the episode that `token` asked for."""
        with self.condition:
            if self.goal is not None and self.goal.token is token:
                self.cancelled = True
                self.condition.notify_all()
