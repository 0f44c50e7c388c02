"""Single takeovers and stops at random moments of a running graph, and what each comes to."""

from __future__ import annotations

import time
from dataclasses import dataclass

import numpy as np
from sinew_core.authority import HUMAN, POLICY, STOPPED
from sinew_core.hardware import Hardware
from sinew_core.types import NANOSECONDS, ExecutedCommand

from sinew_nodes.authority_client import AuthorityClient

SETTLED = 3  # commands of the policy before the next moment
WAIT = 8.0  # control periods, at most, that a moment is waited for
AFTER = 5  # control periods that are watched after a stop


@dataclass(frozen=True, slots=True)
class Takeover:
    """What one takeover and its hand-back came to."""

    took: float  # control periods
    took_back: float  # control periods, until the policy's first command
    step: float  # of the first command, as a share of what the velocity limit allows in a period
    jerk: (
        float  # of the first command, its change of velocity as a share of what the acceleration limit allows
    )
    fresh: bool  # whether that command answers an observation from after the hand-back


@dataclass(frozen=True, slots=True)
class Stop:
    """What one stop came to."""

    by: str
    took: float  # control periods until the last command that moved the target; 0 for none


class Trials:
    """Runs trials in a graph, one after the other."""

    def __init__(self, client: AuthorityClient, hardware: Hardware, random: np.random.Generator) -> None:
        self._client, self._random = client, random
        self._period = hardware.config.control_period
        self._steps = hardware.robot.velocity * self._period  # (n,) rad or m, in a control period
        self._changes = hardware.robot.acceleration * self._period**2  # (n,) rad or m, of a step

    def take_over(self) -> Takeover:
        """Take over at a random moment, drive for some periods, give back."""
        client = self._client
        self._await_policy()
        asked = client.take_over()
        first = self._first(asked, HUMAN)
        time.sleep(self._random.uniform(2, 6) * self._period)
        returned = client.give_back()
        back = self._first(returned, POLICY)
        step, jerk = self._bump(first)
        return Takeover(
            took=self._periods(asked, first.stamp),
            took_back=self._periods(returned, back.stamp),
            step=step,
            jerk=jerk,
            fresh=back.observation_stamp > returned,
        )

    def stop(self, by: str) -> Stop:
        """Stop at a random moment, watch, and go on."""
        client = self._client
        self._await_policy()
        if by == "topic":
            asked = client.press(True)
        else:
            asked, answer = client.ask("stop")
            client.until(answer.done, "an answer of station/stop")
        watched = asked + round(AFTER * self._period * NANOSECONDS)
        client.until(lambda: client.sent[-1].stamp > watched, "commands after a stop")
        client.until(lambda: client.sent[-1].source == STOPPED, "the stop")
        took = self._last_motion(asked)
        if by == "topic":
            client.press(False)
        client.until(client.episode_over, "the end of the stopped episode")
        client.go_on()
        return Stop(by, took)

    def _await_policy(self) -> None:
        """Wait until the policy moves the arm, then until a random moment."""
        client = self._client
        client.start_episode()
        client.until(
            lambda: client.sent and all(sent.source == POLICY for sent in client.sent[-SETTLED:]),
            "the policy",
        )
        time.sleep(self._random.uniform(0, WAIT) * self._period)

    def _first(self, after: int, source: str) -> ExecutedCommand:
        """Wait for the first command of a source that was written after a moment, and return it."""
        client = self._client

        def found() -> ExecutedCommand | None:
            return next((sent for sent in client.since(after) if sent.source == source), None)

        client.until(found, f"a command of {source}")
        sent = found()
        assert sent is not None
        return sent

    def _bump(self, first: ExecutedCommand) -> tuple[float, float]:
        """Return how far the first command lies from the one before it, and how much faster, as shares."""
        sent = self._client.sent
        at = next(i for i in reversed(range(len(sent))) if sent[i] is first)
        earlier, last, now = (command.position for command in sent[at - 2 : at + 1])
        step, change = now - last, (now - last) - (last - earlier)
        return float(np.max(np.abs(step) / self._steps)), float(np.max(np.abs(change) / self._changes))

    def _last_motion(self, asked: int) -> float:
        last, motion = self._client.before(asked).position, 0.0
        for command in self._client.since(asked):
            if not np.array_equal(command.position, last):
                motion = self._periods(asked, command.stamp)
            last = command.position
        return motion

    def _periods(self, start: int, end: int) -> float:
        return (end - start) / NANOSECONDS / self._period
