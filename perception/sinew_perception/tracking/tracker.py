"""Keypoints that keep their names: a detector's findings, followed through motion, occlusion and grasps."""

from __future__ import annotations

import logging
from collections.abc import Mapping, Sequence
from dataclasses import replace

import numpy as np
from sinew_core.errors import ConfigError, did_you_mean
from sinew_core.hardware import Hardware
from sinew_core.plugins import build
from sinew_core.protocols import PerceptionModel
from sinew_core.types import NANOSECONDS, CameraFrame, JointState, Keypoint, Percept, Task

from sinew_perception.tracking.config import Config
from sinew_perception.tracking.eyes import open_eyes
from sinew_perception.tracking.grasping import JawWatch, take
from sinew_perception.tracking.matching import Detections, is_fragment, match, only_one
from sinew_perception.tracking.newcomers import Newcomers
from sinew_perception.tracking.sighting import Glimpse, Moment, confirm, is_whole, search
from sinew_perception.tracking.support import resting
from sinew_perception.tracking.track import Track, carried, kind_of

SLIPPED = 0.03  # m; what is seen this far from where the jaws would have it is not in them

logger = logging.getLogger(__name__)


class KeypointTracker:
    """A perception model around another one, whose detections get names that stay.

    What is not seen is reported where it is believed to be, with `visible` False and a confidence that
    falls, until it is given up and named in `lost`. Frames older than the last ones begin everything
    anew. Deterministic.
    """

    def __init__(self, config: Config, hardware: Hardware) -> None:
        self._config, self._hardware, self._robot = config, hardware, hardware.robot
        where = f"{hardware.path}: perception"
        for name in config.cameras:
            if name not in hardware.cameras:
                raise ConfigError(
                    f"{where}: cameras: no camera '{name}'.{did_you_mean(name, hardware.cameras)}"
                )
        self._detector: PerceptionModel = build(
            config.detector,
            PerceptionModel,
            f"{where}: detector",
            hardware=hardware,
            robot=hardware.robot,
            cameras=hardware.cameras,
        )
        self._jaws = JawWatch(config.closing, config.empty_aperture)
        self._newcomers = Newcomers(config.born_after, config.gate)
        self._forget()

    def _forget(self) -> None:
        self._tracks: dict[str, Track] = {}
        self._lost: dict[str, Track] = {}  # as they were when they were given up
        self._before: Moment | None = None
        self._jaws.reset()
        self._newcomers.reset()

    def reset(self, task: Task) -> None:
        """Begin an episode: every name is free again."""
        self._detector.reset(task)
        self._forget()

    def process(self, frames: Mapping[str, CameraFrame], joints: JointState) -> Percept:
        """Return all objects that are seen or believed to be somewhere.

        Raises ValueError as the detector does, and for joints that are no numbers; the tracks are then as
        they were. Cameras without a frame show nothing.
        """
        self._check(joints)
        percept = self._detector.process(frames, joints)
        if self._before is not None and percept.stamp < self._before.stamp:
            behind = (self._before.stamp - percept.stamp) / NANOSECONDS
            logger.warning("frames lie %.3f s before the last ones; the tracker begins anew", behind)
            self._forget()
        eyes = open_eyes(self._hardware, self._config.cameras, frames, joints)
        X_BT = self._robot.chain.pose(self._robot.tip_link, joints.position)
        now = Moment(percept.stamp, eyes, X_BT, self._robot.aperture(joints.position))
        lost = self._update(percept.keypoints, now)
        self._before = now
        half_life = self._config.half_life
        reported = {name: track.report(now.stamp, half_life) for name, track in self._tracks.items()}
        return Percept(now.stamp, reported, percept.features, tuple(lost))

    def _check(self, joints: JointState) -> None:
        for name, value in zip(self._robot.joint_names, joints.position, strict=True):
            if not np.isfinite(value):
                raise ValueError(f"joint '{name}': got the position {value}, expected a number.")

    def _update(self, found: Detections, now: Moment) -> list[str]:
        """Bring every track to this moment; return the names that are given up."""
        if self._before is None:
            self._tracks = {name: self._born(name, seen, now) for name, seen in found.items()}
            return []
        before = self._before if now.stamp - self._before.stamp <= self._seconds("longest_gap") else None
        if before is None:
            self._jaws.reset()
        tracks = {name: carried(self._released(track, now), now.X_BT) for name, track in self._tracks.items()}
        left = self._settle(tracks, found, now, before)
        self._grasp(now)
        lost = [track for track in self._tracks.values() if self._given_up(track, now)]
        for track in lost:
            self._lost[track.name] = replace(self._tracks.pop(track.name), grasp=None)
        self._welcome(left, now)
        return [track.name for track in lost]

    def _settle(
        self, tracks: Mapping[str, Track], found: Detections, now: Moment, before: Moment | None
    ) -> dict[str, Keypoint]:
        """Say of every track where it is; return the detections that are nobody's."""
        config = self._config
        pairs = match(list(tracks.values()), found, now.stamp, config.gate, config.speed)
        for name, track in tracks.items():
            self._tracks[name] = self._locate(track, pairs.get(name), found, now, before)
        left = [name for name in found if name not in pairs.values()]
        missing = [track for name, track in self._tracks.items() if track.empty_since is not None]
        for name, detection in only_one(missing, left).items():
            self._tracks[name] = self._born(name, found[detection], now)
            left.remove(detection)
        seen = list(self._tracks.values())
        return {name: found[name] for name in left if not is_fragment(name, found[name], seen, now.stamp)}

    def _locate(
        self, track: Track, name: str | None, found: Detections, now: Moment, before: Moment | None
    ) -> Track:
        seen = None if name is None else found[name]
        if name is not None and seen is not None and is_whole(track, name, seen, self._config.whole):
            located = confirm(track, seen, now, before)
        else:
            floor = resting(track, self._tracks.values())
            partial = None if name is None or seen is None else Glimpse(seen, kind_of(name) == track.kind)
            located = search(track, partial, now, before, floor)
            if name is not None and seen is not None and seen.confidence >= self._config.whole:
                located = self._seen_as(located, name, seen, now)
            if located.seen == now.stamp and not located.pictured:
                located = self._no_less_sure(located, track)
        if located.grasp is not None and located.pictured:
            k = located.keypoint
            if np.linalg.norm(k.position - track.position) > SLIPPED:
                return replace(located, grasp=None)
            grasp = take(now.X_BT, located.grasp.aperture, k.position, located.rotation, k.yaw)
            located = replace(located, grasp=replace(grasp, place=located.grasp.place))
        return located

    def _no_less_sure(self, located: Track, track: Track) -> Track:
        """Let the confidence in what is seen in part fall no faster than in what is not seen at all."""
        least = track.report(located.seen, self._config.half_life).confidence
        keypoint = replace(located.keypoint, confidence=max(located.keypoint.confidence, least))
        return replace(located, keypoint=keypoint)

    def _seen_as(self, track: Track, name: str, seen: Keypoint, now: Moment) -> Track:
        """Bring a track to where all of its object is seen, as another shape or size, time and again.

        What has fallen over keeps its name. What was never plainly seen as what it was called is given
        up, for a name keeps its meaning, and gets another one.
        """
        last, times = track.otherwise
        times = times + 1 if kind_of(name) == last else 1
        track = replace(track, otherwise=(kind_of(name), times))
        if not track.sure and kind_of(name) != track.kind:
            wrong = times >= self._config.renamed_after
            return replace(track, empty_since=now.stamp - self._seconds("empty_after")) if wrong else track
        if times >= self._config.born_after and track.seen < now.stamp:
            return replace(self._born(track.name, seen, now), sure=True, otherwise=track.otherwise)
        return track

    def _released(self, track: Track, now: Moment) -> Track:
        """Let go of what the jaws no longer hold: they have opened, or closed on nothing."""
        grasp, config = track.grasp, self._config
        if grasp is None or config.empty_aperture < now.aperture < grasp.aperture + config.opening:
            return track
        return replace(track, grasp=None)

    def _grasp(self, now: Moment) -> None:
        """Give what is between the jaws into their hold, when they have just closed on something."""
        if not self._jaws.closed_on_something(now.aperture):
            return
        tip, config = now.X_BT[:3, 3], self._config
        near = [
            track
            for track in self._tracks.values()
            if np.linalg.norm(track.position - tip) < config.jaw_reach and track.extent[2] > 0.006
        ]
        for track in sorted(near, key=lambda track: float(np.linalg.norm(track.position - tip)))[:1]:
            grasp = take(now.X_BT, now.aperture, track.position, track.rotation, track.keypoint.yaw)
            self._tracks[track.name] = replace(track, grasp=grasp)

    def _given_up(self, track: Track, now: Moment) -> bool:
        if track.empty_since is not None and now.stamp - track.empty_since >= self._seconds("empty_after"):
            return True
        return track.grasp is None and now.stamp - track.seen >= self._seconds("lose_after")

    def _welcome(self, left: Detections, now: Moment) -> None:
        """Give names to what is new: an old one if it can be told whose it is, else one never used."""
        back = only_one(list(self._lost.values()), list(left))
        for name, detection in back.items():
            self._tracks[name] = self._born(name, left[detection], now)
            del self._lost[name]
        strangers = {name: seen for name, seen in left.items() if name not in back.values()}
        grown_up = self._newcomers.grown_up(strangers)
        for kind, seen in grown_up:
            hidden = [t.name for t in self._tracks.values() if t.kind == kind and t.seen < now.stamp]
            alone = len(hidden) == 1 and [other for other, _ in grown_up].count(kind) == 1
            name = hidden[0] if alone else unused(kind, [*self._tracks, *self._lost])
            self._tracks[name] = self._born(name, seen, now)

    def _born(self, name: str, seen: Keypoint, now: Moment) -> Track:
        sure = seen.confidence >= self._config.whole
        return Track(name, seen, now.stamp, pictured=True, sure=sure)

    def _seconds(self, field: str) -> int:
        seconds: float = getattr(self._config, field)
        return round(seconds * NANOSECONDS)


def unused(kind: str, names: Sequence[str]) -> str:
    """Return the kind, or the kind with the first number from 2 on, that is no name yet."""
    number = 1
    while (name := kind if number == 1 else f"{kind}_{number}") in names:
        number += 1
    return name
