"""Writes an episode message by message, as a test tells it to."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

import numpy as np
from sinew_core.types import (
    NANOSECONDS,
    Affordance,
    ExecutedCommand,
    JointState,
    Keypoint,
    Percept,
    Refusal,
    RewardEstimate,
)
from sinew_data import messages, topics
from sinew_data.definitions import encode, make
from sinew_data.episode import EpisodeStart
from sinew_data.messages import Observed
from sinew_data.writer import EpisodeWriter

NAMES = ("a", "b")
MS = NANOSECONDS // 1000
START = EpisodeStart("t", "do it", 0, "h", "r", NAMES, 0.05, max_age=0.3, max_steps=9, episode=4)
PIXELS = np.arange(2 * 3 * 3, dtype=np.uint8).reshape(2, 3, 3)


@dataclass
class Script:
    """Writes messages in the order in which a recorder got them, a millisecond apart unless told."""

    writer: EpisodeWriter
    now: int = 10 * NANOSECONDS
    counts: dict[str, int] = field(default_factory=dict)

    def put(self, topic: str, stamp: int, message: Any) -> None:
        data = message if isinstance(message, bytes) else encode(message)
        self.now += MS
        assert self.writer.write(topic, topics.type_of(topic), self.now, stamp, data)

    def joints(self, stamp: int) -> None:
        state = JointState(stamp, np.full(2, float(stamp)), np.zeros(2))
        self.put(topics.JOINTS, stamp, messages.joints_to_msg(make, state, NAMES))

    def executed(self, stamp: int, source: str = "policy", episode: int = 4) -> None:
        command = ExecutedCommand(stamp, np.zeros(2), source)
        self.put(topics.EXECUTED, stamp, messages.executed_to_msg(make, command, stamp, episode, NAMES))

    def keypoints(self, stamp: int) -> None:
        percept = Percept(stamp, {"k": Keypoint(np.full(3, float(stamp)))})
        self.put(topics.KEYPOINTS, stamp, messages.percept_to_msg(make, percept, "base"))

    def color(self, stamp: int, camera: str = "top") -> None:
        wire = messages.rgb_to_wire(stamp, PIXELS + np.uint8(stamp % 7), camera)
        self.put(topics.color_topic(camera), stamp, wire)

    def depth(self, stamp: int, camera: str = "top") -> None:
        self.put(
            topics.depth_topic(camera), stamp, messages.depth_to_wire(stamp, np.ones((2, 3), np.float32), "")
        )

    def observed(self, stamp: int, keypoints: int = 0, frames: Mapping[str, int] | None = None) -> None:
        observed = Observed(stamp, 4, keypoints, frames or {})
        self.put(topics.OBSERVED, stamp, messages.observed_to_msg(make, observed))

    def affordance(self, stamp: int, source: str) -> None:
        """Put an answer, or a refusal from nobody."""
        answer: Affordance | Refusal = Refusal(stamp, "do it", "cannot", (), "")
        if source:
            answer = Affordance(stamp, "do it", "k", np.zeros((1, 3)), None, source, np.ones(1, np.bool_))
        self.put(topics.AFFORDANCE, stamp, messages.affordance_to_msg(make, answer, 4, "base"))

    def reward(self, stamp: int) -> None:
        self.put(topics.REWARD, stamp, messages.reward_to_msg(make, RewardEstimate(stamp, float(stamp)), 4))
