"""Where one object is now: the detection if it shows all of it, else the place that the pictures support."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace

import numpy as np
from sinew_core.types import FloatArray, Keypoint

from sinew_perception.tracking.eyes import Eye
from sinew_perception.tracking.flow import follow
from sinew_perception.tracking.matching import same_size
from sinew_perception.tracking.surface import Evidence, Surface, judge, take_surface
from sinew_perception.tracking.track import Track, kind_of

STEP = 0.005  # m; an object seen farther than this from where it was is looked for there, too
FIRM = 0.6  # share of its surface by which an object is plainly still where it was
CLEAR = 0.08  # share of what is in view that may be off for a place to be taken without another look
LIFTED = 0.02  # m; jaws that have moved this far either have the object with them or left it


@dataclass(frozen=True, slots=True)
class Moment:
    """One set of frames and the arm at that time."""

    stamp: int  # ns
    eyes: Mapping[str, Eye]
    X_BT: FloatArray  # (4, 4), the gripper's tip
    aperture: float


@dataclass(frozen=True, slots=True)
class Glimpse:
    """A detection that shows a part of an object, or something else in its place."""

    keypoint: Keypoint
    alike: bool  # whether it is of the object's kind

    @property
    def position(self) -> FloatArray:
        """The centre (3,) m."""
        return self.keypoint.position


@dataclass(frozen=True, slots=True)
class Guess:
    """A place where an object may be."""

    position: FloatArray  # (3,) m
    evidence: Evidence
    grasped: bool = True  # whether it may be in the jaws there

    @property
    def merit(self) -> int:
        """How many points speak for it."""
        return self.evidence.there - self.evidence.gone


def is_whole(track: Track, name: str, seen: Keypoint, least: float) -> bool:
    """Tell whether a detection shows all of the track's object, with `least` confidence."""
    alike = kind_of(name) == track.kind and (same_size(track, seen) or not track.sure)
    return alike and seen.confidence >= least


def with_surface(track: Track, before: Moment | None) -> Track:
    """Return the track with its surface taken from the frames before, if those showed all of it."""
    if not track.pictured or before is None:
        return track
    held_then = track.grasp is not None
    position, yaw = track.position, track.keypoint.yaw
    if held_then and track.grasp is not None:
        position, _, yaw = track.grasp.carried(before.X_BT)
    surface = take_surface(before.eyes, position, yaw, track.extent)
    return replace(track, surface=surface, pictured=False)


def confirm(track: Track, seen: Keypoint, now: Moment, before: Moment | None) -> Track:
    """Take a detection that shows all of an object, unless the object is plainly still where it was.

    Something of its colour that comes to touch it makes one large thing of both.
    """
    if track.sure and np.linalg.norm(seen.position - track.position) > STEP:
        kept = with_surface(track, before)
        if kept.surface:
            evidence = judge(now.eyes, kept.surface, kept.position, kept.rotation)
            if evidence.share >= FIRM and evidence.gone <= CLEAR / 2 * (evidence.there + evidence.gone):
                return _shown(kept, kept.position, evidence, now)
    return replace(
        track,
        keypoint=seen,
        seen=now.stamp,
        pictured=True,
        sure=True,
        surface=None,
        rotation=np.eye(3),
        empty_since=None,
        otherwise=("", 0),
    )


def search(
    track: Track,
    partial: Glimpse | None,
    now: Moment,
    before: Moment | None,
    floor: FloatArray,
) -> Track:
    """Return the track at the place that the pictures support best; unseen where they support none.

    `partial` is a detection that may show a part of it, `floor` (3,) where it would lie if it fell.
    """
    track = with_surface(track, before)
    if not track.surface:
        return _unsupported(track, partial, None, now)
    best: Guess | None = None
    first: Guess | None = None
    for guess in _guesses(track, track.surface, partial, now, before, floor):
        first = first or guess
        if guess.evidence.supports and (best is None or guess.merit > best.merit):
            best = guess
            if guess.evidence.gone <= CLEAR * (guess.evidence.there + guess.evidence.gone):
                break
    if best is None:
        return _unsupported(track, partial, first, now)
    if not best.grasped:
        track = replace(track, grasp=None)
    return _shown(track, best.position, best.evidence, now)


def _guesses(
    track: Track,
    surface: Surface,
    partial: Glimpse | None,
    now: Moment,
    before: Moment | None,
    floor: FloatArray,
) -> Iterator[Guess]:
    """Yield the places where it may be, the likeliest and cheapest first."""

    def guess(position: FloatArray, grasped: bool = True) -> Guess:
        return Guess(position, judge(now.eyes, surface, position, track.rotation), grasped)

    yield guess(track.position)
    if partial is not None:
        yield guess(partial.position)
    if track.grasp is not None:
        if np.linalg.norm(track.grasp.place - track.position) > LIFTED:
            yield guess(track.grasp.place, grasped=False)
        return
    if before is not None and track.seen == before.stamp:
        way = follow(before.eyes, now.eyes, surface, track.position, track.rotation)
        if way is not None:
            yield guess(track.position + way)
    if floor[2] < track.position[2] - STEP:
        yield guess(floor)


def _shown(track: Track, position: FloatArray, evidence: Evidence, now: Moment) -> Track:
    """Return the track seen in part, at a place where its surface is."""
    keypoint = replace(track.keypoint, position=position, pixel=evidence.pixel, confidence=evidence.share)
    return replace(track, keypoint=keypoint, seen=now.stamp, pictured=False, empty_since=None)


def _unsupported(track: Track, partial: Glimpse | None, first: Guess | None, now: Moment) -> Track:
    """Return the track seen as its detection has it, or else unseen where it was believed to be.

    A piece that shows where the object was, and nothing speaks against it, does not move it. Something
    of another kind is taken for it only where it is plainly gone from its place.
    """
    contradicted = first is not None and first.evidence.contradicts
    if partial is not None and (partial.alike or contradicted):
        seen = partial.keypoint
        inside = np.linalg.norm(seen.position - track.position) < track.extent[:2].max() / 2
        if track.sure and inside and first is not None and not contradicted:
            keypoint = replace(track.keypoint, pixel=seen.pixel, confidence=seen.confidence)
            return replace(track, keypoint=keypoint, seen=now.stamp, pictured=False, empty_since=None)
        keypoint = replace(seen, extent=track.keypoint.extent) if track.sure else seen
        return replace(track, keypoint=keypoint, seen=now.stamp, pictured=False, empty_since=None)
    empty = first is not None and first.evidence.empty
    since = None
    if empty:
        since = now.stamp if track.empty_since is None else track.empty_since
    return replace(track, empty_since=since, pictured=False)
