"""Recording without ROS: the steps of the in-process loop as the messages that the graph would send."""

from __future__ import annotations

import time
from collections.abc import Mapping
from concurrent.futures import Future
from pathlib import Path
from typing import Any

from sinew_core.authority import HUMAN
from sinew_core.hardware import Hardware
from sinew_core.runtime import Step
from sinew_core.types import Affordance, CameraFrame, ExecutedCommand, Observation, Percept

from sinew_data import messages, topics
from sinew_data.definitions import encode, make
from sinew_data.episode import EpisodeEnd, EpisodeStart
from sinew_data.messages import AuthorityChange, EpisodeEvent, Observed
from sinew_data.writer import EpisodeWriter


class RecordedEpisode:
    """Takes the steps of one episode and hands them to a writer. One thread uses it."""

    def __init__(self, writer: EpisodeWriter, hardware: Hardware, start: EpisodeStart) -> None:
        self.writer = writer
        self._hardware, self._start = hardware, start
        self._names, self._base = hardware.robot.joint_names, hardware.robot.base_link
        self._frames: dict[str, int] = {}  # stamp of the last recorded frame by camera
        self._percept: Percept | None = None
        self._affordance: Affordance | None = None
        self._last: ExecutedCommand | None = None
        self._steps = self._interventions = 0
        self._wall = time.time_ns() - time.monotonic_ns()  # log times are steady, whatever sets the clock

    def add_step(self, step: Step, frames: Mapping[str, CameraFrame] | None = None) -> None:
        """Record a control period.

        `frames` are further ones, captured in the period but not observed.
        """
        observation = step.observation
        if not self._steps:
            self._put_event(observation, started=True)
        joints = messages.joints_to_msg(make, observation.joints, self._names)
        self._put(topics.JOINTS, observation.stamp, joints)
        for name, frame in (frames or {}).items():
            self._add_frame(name, frame)
        fresh = [self._add_frame(name, frame) for name, frame in observation.frames.items()]
        percept = self._add_percept(observation, looked=any(fresh))
        self._add_affordance(observation)
        seen = {name: frame.stamp for name, frame in observation.frames.items()}
        observed = Observed(observation.stamp, self._start.episode, percept, seen)
        self._put(topics.OBSERVED, observation.stamp, messages.observed_to_msg(make, observed))
        reward = messages.reward_to_msg(make, step.reward, self._start.episode)
        self._put(topics.REWARD, step.reward.stamp, reward)
        for source, chunk in step.chunks.items():
            self._put(topics.CHUNKS[source], chunk.stamp, messages.chunk_to_msg(make, chunk, self._names))
        self._add_executed(step.executed)
        self._steps += 1
        self._observation = observation

    def finish(self, outcome: str, message: str = "", marks: tuple[str, ...] = ()) -> Future[Path]:
        """End the episode; the future is the committed file."""
        end = EpisodeEnd(outcome, message, self._steps, self._interventions, marks)
        if self._steps:
            self._put_event(self._observation, started=False, outcome=outcome, message=message)
        return self.writer.finish(end)

    def _put(self, topic: str, stamp: int, message: Any) -> None:
        self._put_bytes(topic, stamp, encode(message))

    def _put_bytes(self, topic: str, stamp: int, data: bytes) -> None:
        log_time = self._wall + time.monotonic_ns()
        self.writer.write(topic, topics.type_of(topic), log_time, stamp, data)

    def _put_event(self, observation: Observation, *, started: bool, **how: str) -> None:
        stamp, episode = observation.stamp, self._start.episode
        event = EpisodeEvent(stamp, episode, started, observation.task, self._start.seed, **how)
        self._put(topics.EPISODE, stamp, messages.event_to_msg(make, event))

    def _add_frame(self, name: str, frame: CameraFrame) -> bool:
        """Record a frame if it is new, with the first one the camera's intrinsics; return whether it is."""
        if self._frames.get(name) == frame.stamp:
            return False
        optical = f"{name}_optical_frame"
        if name not in self._frames:
            info = messages.camera_info_to_msg(make, frame.stamp, self._hardware.cameras[name], optical)
            self._put(topics.info_topic(name), frame.stamp, info)
        self._frames[name] = frame.stamp
        rgb = messages.rgb_to_wire(frame.stamp, frame.rgb, optical)
        self._put_bytes(topics.color_topic(name), frame.stamp, rgb)
        if frame.depth is not None:
            depth = messages.depth_to_wire(frame.stamp, frame.depth, optical)
            self._put_bytes(topics.depth_topic(name), frame.stamp, depth)
        return True

    def _add_percept(self, observation: Observation, *, looked: bool) -> int:
        """Record what was seen, if that is new; return its stamp, 0 for none.

        An observation does not say when its keypoints were captured. The loop looks at every new frame,
        so that they are of the newest one.
        """
        if not observation.keypoints and not observation.features:
            return 0
        if looked or self._percept is None:
            stamp = max((frame.stamp for frame in observation.frames.values()), default=observation.stamp)
            self._percept = Percept(stamp, observation.keypoints, observation.features)
            self._put(topics.KEYPOINTS, stamp, messages.percept_to_msg(make, self._percept, self._base))
        return self._percept.stamp

    def _add_affordance(self, observation: Observation) -> None:
        answer = observation.affordance
        if answer is not None and answer is not self._affordance:
            message = messages.affordance_to_msg(make, answer, self._start.episode, self._base)
            self._put(topics.AFFORDANCE, answer.stamp, message)
        self._affordance = answer

    def _add_executed(self, executed: ExecutedCommand) -> None:
        """Record a command, and who sends it when that changes."""
        previous = "hold" if self._last is None else self._last.source
        if self._last is None or previous != executed.source:
            reason = executed.reasons[0] if executed.reasons else ""
            change = AuthorityChange(executed.stamp, executed.source, previous, reason)
            self._put(topics.AUTHORITY, executed.stamp, messages.authority_to_msg(make, change))
        message = messages.executed_to_msg(make, executed, executed.stamp, self._start.episode, self._names)
        self._put(topics.EXECUTED, executed.stamp, message)
        self._interventions += executed.source == HUMAN and previous != HUMAN
        self._last = executed


def record_episode(dataset: Path, hardware: Hardware, start: EpisodeStart, **options: Any) -> RecordedEpisode:
    """Open an episode in a dataset; `options` are those of EpisodeWriter."""
    return RecordedEpisode(EpisodeWriter(dataset, start, **options), hardware, start)
