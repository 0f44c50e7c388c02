"""The parts of observations by their capture stamps, kept for as long as an observation may name them."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Mapping
from typing import Any, Protocol

from sinew_core.types import NANOSECONDS, Affordance, CameraFrame, JointState, Percept, RewardEstimate

from sinew_data import messages, topics
from sinew_data.messages import Observed, image_from_wire
from sinew_data.summary import EpisodeSummary

READERS: Mapping[str, Callable[[Any], Any]] = {
    topics.KEYPOINTS: messages.percept_from_msg,
    topics.REWARD: messages.reward_from_msg,
    topics.OBSERVED: messages.observed_from_msg,
}
KEPT = 2 * NANOSECONDS  # ns of stamps that a command may come later than what belongs to it


class Message(Protocol):
    """A message as it lies in the file."""

    @property
    def topic(self) -> str:
        """Its topic."""

    @property
    def log_time(self) -> int:
        """When the recorder got it, in ns."""

    @property
    def data(self) -> bytes:
        """CDR."""

    def decode(self) -> Any:
        """Return the message."""


class Parts:
    """A window of an episode's parts. Images stay undecoded until somebody wants them."""

    def __init__(self, summary: EpisodeSummary, *, frames: bool, seen: bool) -> None:
        self._start = summary.start
        self._max_age = round(summary.start.max_age * NANOSECONDS)
        self._cameras = {
            name: topics.depth_topic(name) in summary.counts for name in (summary.cameras if frames else ())
        }
        images = [topic for name in self._cameras for topic in self._images(name)]
        small = (topics.JOINTS, topics.KEYPOINTS, topics.AFFORDANCE, topics.REWARD)
        wanted = (*small, *([topics.OBSERVED] if seen else []), *images)
        self.topics = tuple(topic for topic in wanted if summary.counts.get(topic))
        self._window: dict[str, dict[int, Any]] = defaultdict(dict)  # by topic and stamp
        self._newest: dict[str, int] = defaultdict(lambda: -1)
        self._answers: list[tuple[int, Affordance | None]] = []  # with their log times

    def add(self, message: Message) -> None:
        """Take a message of one of `topics`."""
        topic = message.topic
        if topics.camera_of(topic):
            self._keep(topic, image_from_wire(message.data).stamp, message.data)
            return
        decoded = message.decode()
        if topic == topics.JOINTS:
            joints = messages.joints_from_msg(decoded, self._start.joints)
            self._keep(topic, joints.stamp, joints)
        elif topic == topics.KEYPOINTS or decoded.episode == self._start.episode:
            if topic == topics.AFFORDANCE:
                answer = messages.affordance_from_msg(decoded)
                self._answers.append((message.log_time, answer if isinstance(answer, Affordance) else None))
            else:
                value = READERS[topic](decoded)
                self._keep(topic, value.stamp, value)

    def _keep(self, topic: str, stamp: int, value: Any) -> None:
        self._window[topic][stamp] = value
        self._newest[topic] = max(stamp, self._newest[topic])

    def forget(self, waiting: int | None, done: int) -> None:
        """Drop what is too old to count at the step that is waited for.

        While none is, that of the next command is later than the last step that is `done`; but a command
        that is long overdue is not waited for.
        """
        newest = self._newest[topics.JOINTS]
        needed = max(done, newest - KEPT) if waiting is None else waiting
        oldest = needed - self._max_age
        at = self.joints_stamp(needed)
        for topic, values in self._window.items():
            for stamp in [stamp for stamp in values if stamp < oldest]:
                if topic != topics.JOINTS or stamp != at:
                    del values[stamp]

    def settled(self, topic: str, stamp: int) -> bool:
        """Whether the message of this stamp has come, or will not come any more."""
        return topic not in self.topics or stamp in self._window[topic] or self._newest[topic] > stamp

    def complete(self, stamp: int) -> bool:
        """Whether everything that belongs to the observation at some joints has come."""
        if not (self.settled(topics.OBSERVED, stamp) and self.settled(topics.REWARD, stamp)):
            return False
        observed = self.observed(stamp)
        if observed is not None and topics.AFFORDANCE in self.topics and not self._answers:
            return False  # a policy that has acted had its affordance, if the episode has one
        if observed is None:
            wanted = {topic: stamp for name in self._cameras for topic in self._images(name)}
            wanted[topics.KEYPOINTS] = stamp
        else:
            frames = {name: at for name, at in observed.frames.items() if name in self._cameras}
            wanted = {topic: at for name, at in frames.items() for topic in self._images(name)}
            wanted[topics.KEYPOINTS] = observed.keypoints
        return all(self.settled(topic, at) for topic, at in wanted.items())

    def joints_stamp(self, stamp: int) -> int | None:
        """Return the stamp of the newest joints that are not later than `stamp`."""
        return max((at for at in self._window[topics.JOINTS] if at <= stamp), default=None)

    def joints(self, stamp: int) -> JointState:
        """Return the joints of this stamp."""
        joints: JointState = self._window[topics.JOINTS][stamp]
        return joints

    def reward(self, stamp: int) -> RewardEstimate | None:
        """Return the reward of the observation of this stamp."""
        return self._window[topics.REWARD].get(stamp)

    def observed(self, stamp: int) -> Observed | None:
        """Return what the policy's observation of this stamp was made of, if it answered one."""
        return self._window[topics.OBSERVED].get(stamp)

    def observed_after(self, stamp: int) -> list[int]:
        """Return the stamps of observations that the policy answered after this one."""
        return sorted(at for at in self._window[topics.OBSERVED] if at > stamp)

    def newest(self, stamp: int) -> Observed:
        """Return the newest of everything at a stamp, as if it had been observed."""
        frames = {}
        for name in self._cameras:
            color, *depth = (self._window[topic] for topic in self._images(name))
            whole = (at for at in color if at <= stamp and all(at in other for other in depth))
            at = max(whole, default=0)
            if at:
                frames[name] = at
        keypoints = max((at for at in self._window[topics.KEYPOINTS] if at <= stamp), default=0)
        return Observed(stamp, self._start.episode, keypoints, frames)

    def percept(self, stamp: int) -> Percept | None:
        """Return the percept of this stamp."""
        return self._window[topics.KEYPOINTS].get(stamp)

    def frame(self, name: str, stamp: int) -> CameraFrame | None:
        """Return the frame of a camera, if it has come with everything that belongs to it."""
        wires: list[Any] = [self._window[topic].get(stamp) for topic in self._images(name)]
        if any(wire is None for wire in wires):
            return None
        color, *depth = map(image_from_wire, wires)
        rgb = messages.rgb_from_msg(color).copy()
        return CameraFrame(stamp, rgb, messages.depth_from_msg(depth[0]) if depth else None)

    def affordance(self, stamp: int, log_time: int) -> Affordance | None:
        """Return the affordance known at a log time, or else the first one grounded by `stamp`."""
        known = [answer for at, answer in self._answers if at <= log_time]
        late = (answer for _, answer in self._answers if answer is not None and answer.stamp <= stamp)
        return known[-1] if known else next(late, None)

    def has_camera(self, name: str) -> bool:
        """Whether the images of a camera are wanted and recorded."""
        return name in self._cameras

    def _images(self, name: str) -> list[str]:
        return [topics.color_topic(name), *([topics.depth_topic(name)] if self._cameras[name] else [])]
