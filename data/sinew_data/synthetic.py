"""Episodes without a robot, for benches and tests: messages at the rate of two cameras with depth."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
from sinew_core.types import NANOSECONDS, ExecutedCommand, ImageArray, JointState, RewardEstimate, Task

from sinew_data import messages, topics
from sinew_data.definitions import encode, make
from sinew_data.episode import EpisodeStart
from sinew_data.messages import EpisodeEvent, Observed
from sinew_data.writer import EpisodeWriter

JOINTS = ("a", "b", "c", "d", "e", "f")
PATTERNS = 4  # different images, in turn
QUEUE = 64 << 20  # bytes that may wait for the disk while time does not matter


@dataclass(frozen=True, slots=True)
class Cameras:
    """What the cameras of a synthetic episode deliver."""

    names: Sequence[str] = ("top", "side")
    width: int = 640
    height: int = 480
    noise: float = 2.0  # of 255, standard deviation; without any, images shrink to nothing


class SyntheticScene:
    """Makes the messages of one control period after the other."""

    def __init__(self, cameras: Cameras, rate: float = 30.0, episode: int = 1) -> None:
        self.period = round(NANOSECONDS / rate)
        self._cameras, self._episode = cameras, episode
        self._pixels = [_paint(cameras, seed) for seed in range(PATTERNS)]

    def start(self, episode: int = 1) -> EpisodeStart:
        """Return what such an episode is about."""
        self._episode = episode
        return EpisodeStart(
            task="none",
            instruction="do nothing",
            seed=episode,
            hardware="synthetic",
            robot="none",
            joints=JOINTS,
            control_period=self.period / NANOSECONDS,
            max_age=0.3,
            episode=episode,
        )

    def event(self, stamp: int, *, started: bool) -> tuple[str, bytes]:
        """Return the episode's start or end."""
        task = Task("none", "do nothing")
        event = EpisodeEvent(stamp, self._episode, started, task, outcome="" if started else "success")
        return topics.EPISODE, encode(messages.event_to_msg(make, event))

    def step(self, index: int, stamp: int) -> Iterator[tuple[str, bytes]]:
        """Yield topic and content of each message of a control period."""
        position = np.sin(index / 30 + np.arange(len(JOINTS)))
        joints = JointState(stamp, position, np.zeros_like(position))
        yield topics.JOINTS, encode(messages.joints_to_msg(make, joints, JOINTS))
        rgb, depth = self._pixels[index % PATTERNS]
        for name in self._cameras.names:
            yield topics.color_topic(name), messages.image_to_wire(stamp, rgb, name, "rgb8")
            yield topics.depth_topic(name), messages.image_to_wire(stamp, depth, name, "16UC1")
        observed = Observed(stamp, self._episode, frames=dict.fromkeys(self._cameras.names, stamp))
        yield topics.OBSERVED, encode(messages.observed_to_msg(make, observed))
        reward = RewardEstimate(stamp, float(position[0]))
        yield topics.REWARD, encode(messages.reward_to_msg(make, reward, self._episode))
        executed = ExecutedCommand(stamp, position, "policy", (), stamp)
        message = messages.executed_to_msg(make, executed, stamp, self._episode, JOINTS)
        yield topics.EXECUTED, encode(message)


def write_synthetic(
    writer: EpisodeWriter,
    scene: SyntheticScene,
    steps: int,
    *,
    realtime: bool = False,
    on_step: Callable[[int], None] = lambda _: None,
) -> None:
    """Write an episode's messages; `on_step` hears the stamp of each control period that was handed in."""
    begin, due = time.time_ns(), time.monotonic()
    _put(writer, *scene.event(begin, started=True), begin)
    for index in range(steps):
        stamp = begin + index * scene.period
        for topic, data in scene.step(index, stamp):
            _put(writer, topic, data, stamp)
        on_step(stamp)
        due += scene.period / NANOSECONDS
        if realtime:
            time.sleep(max(0.0, due - time.monotonic()))
        while writer.waiting_bytes > QUEUE and writer.error is None:
            time.sleep(0.001)  # faster than real time, the disk sets the pace
    _put(writer, *scene.event(begin + steps * scene.period, started=False), begin + steps * scene.period)


def _put(writer: EpisodeWriter, topic: str, data: bytes, stamp: int) -> None:
    writer.write(topic, topics.type_of(topic), stamp, stamp, data)


def _paint(cameras: Cameras, seed: int) -> tuple[ImageArray, npt.NDArray[np.uint16]]:
    """Return colour (h, w, 3) and depth (h, w) in mm: slopes under noise, as of a camera."""
    rng = np.random.default_rng(seed)
    slope = np.linspace(0.0, 1.0, cameras.width)
    shape = (cameras.height, cameras.width)
    rgb = 60 + 130 * slope[:, None] + rng.normal(0.0, cameras.noise, (*shape, 3))
    depth = 300 + 900 * slope + rng.normal(0.0, cameras.noise, shape)
    return rgb.clip(0, 255).astype(np.uint8), depth.astype(np.uint16)
