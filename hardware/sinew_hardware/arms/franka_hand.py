"""The hand of a Franka arm through `franky.Gripper`, whose commands last as long as the fingers move."""

from __future__ import annotations

import contextlib
import logging
import threading
from dataclasses import dataclass
from typing import Any

log = logging.getLogger(__name__)
INTERVAL = 0.02  # s between looks at the hand
PAUSE = 1.0  # s until one that does not answer is asked again


@dataclass(frozen=True, slots=True)
class FrankaHandConfig:
    """The hand: `width` apart when open, metres; it closes with a force, and opens without one."""

    width: float = 0.08  # m between the fingers when the gripper's joint is at `open`; 0 at `closed`
    speed: float = 0.1  # m/s
    force: float = 30.0  # N
    step: float = 0.004  # m by which a target must change to be sent

    def __post_init__(self) -> None:
        """Check the signs."""
        if min(self.width, self.speed, self.force, self.step) <= 0:
            raise ValueError("width, speed, force and step must be positive.")


class FrankaHand:
    """Keeps the width between the fingers and sends the newest target, in a thread of its own.

    The hand's commands last until it has arrived or holds something; a new one ends the one under way.
    """

    def __init__(self, franky: Any, host: str, config: FrankaHandConfig) -> None:
        self._franky, self._host, self._config = franky, host, config
        self._target: float | None = None
        self._motion: Any = None  # what is under way
        self.fault = ""
        self._gripper = franky.Gripper(host)
        if self._gripper.state.max_width < config.width / 2:
            log.warning("%s: the hand is homed: its fingers move", host)
            self._gripper.homing()
        self.width: float = self._gripper.state.width  # m
        self._closing = threading.Event()
        self._thread = threading.Thread(target=self._serve, name="franka hand", daemon=True)
        self._thread.start()

    def command(self, width: float) -> None:
        """Have the fingers go that far apart, in m; returns at once."""
        self._target = width

    def close(self) -> None:
        """End the thread; the hand keeps its grip."""
        self._closing.set()
        self._thread.join(timeout=PAUSE)

    def _serve(self) -> None:
        sent: float | None = self.width  # to stay as it is needs no order, which might loosen a grip
        while not self._closing.wait(INTERVAL):
            try:
                self.width = self._gripper.state.width
                target = self._target
                if target is not None and (sent is None or abs(target - sent) > self._config.step):
                    self._begin(target)
                    sent = target
                self.fault = ""
            except self._franky.Exception as error:
                if not self.fault:
                    log.warning("%s: the hand does not answer (%s)", self._host, error)
                self.fault = f"the hand does not answer ({error})"
                sent = None
                self._closing.wait(PAUSE)

    def _begin(self, target: float) -> None:
        if self._motion is not None:
            if not self._motion.wait(0.0):
                self._gripper.stop()
            with contextlib.suppress(self._franky.CommandException):  # it was ended, or held nothing
                self._motion.get()
        hand, slack = self._config, self._config.width
        if target < self.width:  # whatever is between the fingers is what is to be held
            self._motion = self._gripper.grasp_async(target, hand.speed, hand.force, slack, slack)
        else:
            self._motion = self._gripper.move_async(target, hand.speed)
