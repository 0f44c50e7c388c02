"""Episodes with a person at the arm, one after the other, until enough are done or the person quits."""

from __future__ import annotations

import threading
import time
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import Any

from rclpy.action import ActionClient
from rclpy.action.client import ClientGoalHandle
from sinew_core.errors import ConfigError
from sinew_msgs.action import RunEpisode
from sinew_teleop.source import TeleopEvent

from sinew_nodes.teleop_node import TeleopNode
from sinew_nodes.teleop_screen import Run

Result = RunEpisode.Result
COUNTED = ("success", "failure", "timeout")  # the others are done again
HOPELESS = ("error", "refused")  # would only end so again
TICK = 0.03  # s
LAST_WORDS = 2.0  # s for a cancelled episode to end
DISCOVERY = 15.0  # s until a graph that is to be joined must be there

NO_STATION = "there is no station: start a graph on this ROS_DOMAIN_ID, or leave out --join."


@dataclass(frozen=True, slots=True)
class SessionConfig:
    """Which episodes are run."""

    episodes: int  # 0: none; whoever else runs some, the person only drives
    seed: int  # of the first one
    instruction: str = ""  # empty: the task's own
    max_steps: int = 0  # control periods; 0: the task's own
    pause: float | None = 2.0  # s between episodes; None: until the person says so


class SessionError(RuntimeError):
    """The session cannot go on."""


class TeleopSession:
    """Runs episodes through the action of the station. `run` belongs to the main thread."""

    def __init__(self, node: TeleopNode, config: SessionConfig, run: Run) -> None:
        self._node, self._config, self.state = node, config, run
        self.check: Callable[[], None] = lambda: None  # raises if the graph has gone down
        self._client = ActionClient(node, RunEpisode, "run_episode")
        self._goal: ClientGoalHandle | None = None
        self._next = False
        self.quit = threading.Event()
        self.helping = True
        self.outcomes: Counter[str] = Counter()
        node.on_event = self._on_event

    def run(self) -> None:
        """Run every episode; returns early when the person quits. Raises SessionError or ConfigError."""
        if not self._config.episodes:
            self._phase("drive whenever you like; episodes are run by others")
            self._until(lambda: False)
            return
        self._phase("looking for the station")
        self._until(self._client.server_is_ready, DISCOVERY, NO_STATION)
        done = 0
        while done < self._config.episodes and not self.quit.is_set():
            self.state = replace(self.state, index=done, step=0)
            self._until(self._armed)
            result = self._run_episode(self._config.seed + done)
            if result is None:
                break
            self.outcomes[result.outcome] += 1
            done += result.outcome in COUNTED
            if done < self._config.episodes:
                self._pause(again=result.outcome not in COUNTED)

    def cancel(self) -> None:
        """End the running episode, if there is one."""
        goal, self._goal = self._goal, None
        if goal is None:
            return
        ended = goal.get_result_async()
        goal.cancel_goal_async()
        deadline = time.monotonic() + LAST_WORDS
        while not ended.done() and time.monotonic() < deadline:
            time.sleep(TICK)

    def _run_episode(self, seed: int) -> RunEpisode.Result | None:
        """Run one episode; None if the person quits in it."""
        c = self._config
        request = RunEpisode.Goal(seed=seed, instruction=c.instruction, max_steps=c.max_steps)
        self.state = replace(self.state, max_steps=c.max_steps)
        self._phase("running: mark success, failure or discard to end it")
        sent = self._client.send_goal_async(request, feedback_callback=self._on_feedback)
        if not self._until(sent.done):
            return None
        self._goal = sent.result()
        answer = self._goal.get_result_async()
        if not self._until(answer.done):
            return None
        self._goal = None
        result = answer.result().result
        if result.outcome in HOPELESS:
            raise SessionError(f"the episode ended as {result.outcome}: {result.error_msg}")
        return result

    def _armed(self) -> bool:
        """Whether the station takes an episode; says what it waits for."""
        seen = self._node.view.situation()
        if seen.owner == "stopped":
            self._phase("stopped: clear, then arm")
        elif seen.episode:
            self._phase("an episode that somebody else has started is running")
        return seen.owner not in ("", "stopped") and not seen.episode

    def _pause(self, *, again: bool) -> None:
        """Wait before the next episode, as long as configured or until the person says so."""
        self._next = False
        what = "the same episode again" if again else "next episode"
        pause = self._config.pause
        if pause is None:
            self._phase(f"enter: {what}")
            self._until(lambda: self._next)
            return
        end = time.monotonic() + pause

        def over() -> bool:
            left = end - time.monotonic()
            self._phase(f"{what} in {max(0.0, left):.0f} s (enter: now)")
            return left <= 0 or self._next

        self._until(over)

    def _until(self, ready: Callable[[], Any], timeout: float | None = None, otherwise: str = "") -> bool:
        """Wait; False if the person quits.

        Raises ConfigError when it takes too long, SessionError if the node failed.
        """
        deadline = None if timeout is None else time.monotonic() + timeout
        while not ready():
            if self.quit.wait(TICK):
                return False
            self.check()
            if not self._node.active:
                raise SessionError(self._node.meter.error or "the teleop node was taken down")
            if deadline is not None and time.monotonic() > deadline:
                raise ConfigError(otherwise)
        return True

    def _phase(self, sentence: str) -> None:
        self.state = replace(self.state, phase=sentence)

    def _on_feedback(self, message: Any) -> None:
        self.state = replace(self.state, step=int(message.feedback.step))

    def _on_event(self, event: TeleopEvent) -> None:
        """Take what the node does not deal with; called in the executor's thread."""
        if event is TeleopEvent.QUIT:
            self.quit.set()
        elif event is TeleopEvent.HELP:
            self.helping = not self.helping
        elif event is TeleopEvent.NEXT:
            if self._goal is not None:
                self._node.say("an episode is running: a mark ends it", well=False)
            self._next = True
