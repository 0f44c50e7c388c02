"""What a run keeps of an episode: its outcome, reward curves, timing, limits and video."""

from __future__ import annotations

import logging
from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np
from sinew_core.runtime import EpisodeResult
from sinew_core.types import NANOSECONDS, FloatArray, ImageArray

from sinew_eval.records import StepRecord
from sinew_eval.video import EpisodeVideo, VideoError, write_picture

CURVE_POINTS = 300  # at most; longer curves are thinned

log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class Curves:
    """Reward over the robot's time: the whole and its terms."""

    time: FloatArray  # (k,) s since the first step
    reward: FloatArray  # (k,)
    terms: Mapping[str, FloatArray]  # (k,) each; NaN where a step lacks the term
    total: float  # of the reward over every step
    means: Mapping[str, float]  # of each term over the steps that have it


@dataclass(frozen=True, slots=True)
class EpisodeRecord:
    """One finished episode."""

    index: int
    result: EpisodeResult
    reward_sum: float
    wall: float  # s
    step_ms: FloatArray  # (steps - 1,) time from step to step
    limits: Mapping[str, int]  # steps in which a limit or fault had its say, by its name
    limited_steps: int
    curves: Curves | None = None
    video: Path | None = None
    picture: Path | None = None  # of the affordance model's answer
    notes: tuple[str, ...] = field(default=())

    @property
    def counted(self) -> bool:
        """Whether the episode says something about the policy; one that a person broke off does not."""
        return self.result.outcome not in ("interrupted", "discarded")


class EpisodeRecorder:
    """Collects the records of one episode; a failing video never costs the episode."""

    def __init__(self, index: int, video_stem: Path | None) -> None:
        self.steps = 0
        self.instruction = ""
        self._index = index
        self._stem = video_stem
        self._video = EpisodeVideo(video_stem) if video_stem is not None else None
        self._notes: list[str] = []
        self._stamps: list[int] = []
        self._walls: list[float] = []
        self._rewards: list[float] = []
        self._terms: list[Mapping[str, float]] = []
        self._limits: Counter[str] = Counter()
        self._limited = 0

    def add(self, record: StepRecord) -> None:
        """Take one step."""
        self.steps = record.index + 1
        self.instruction = record.instruction or self.instruction
        self._stamps.append(record.stamp)
        self._walls.append(record.wall)
        self._rewards.append(record.reward)
        self._terms.append(record.terms)
        self._limits.update({reason.split(": ")[0] for reason in record.reasons})
        self._limited += bool(record.reasons)
        if self._video is not None:
            try:
                self._video.add(record.stamp, record.frame)
            except (VideoError, OSError) as error:
                self._without_video(error)

    def finish(self, result: EpisodeResult, wall: float, picture: ImageArray | None = None) -> EpisodeRecord:
        """Close the video and return what the episode was; `wall` is its duration in s.

        `picture`, (h, w, 3), is the affordance model's, if it draws one.
        """
        path = None
        if self._video is not None:
            try:
                path = self._video.close()
            except (VideoError, OSError) as error:
                self._without_video(error)
        return EpisodeRecord(
            index=self._index,
            result=result,
            reward_sum=float(np.nansum(self._rewards)),
            wall=wall,
            step_ms=1000 * np.diff(self._walls),
            limits=dict(self._limits.most_common()),
            limited_steps=self._limited,
            curves=self._curves(),
            video=path,
            picture=self._keep(picture),
            notes=tuple(self._notes),
        )

    def _keep(self, picture: ImageArray | None) -> Path | None:
        if picture is None or self._stem is None:
            return None
        try:
            return write_picture(self._stem, picture)
        except (VideoError, OSError) as error:
            self._notes.append(f"no picture: {error}")
            return None

    def _without_video(self, error: Exception) -> None:
        self._video = None
        self._notes.append(f"no video: {error}")
        log.warning("episode %d has no video: %s", self._index, error)

    def _curves(self) -> Curves | None:
        if not self._stamps:
            return None
        names = list(dict.fromkeys(name for terms in self._terms for name in terms))
        columns = {name: np.array([terms.get(name, np.nan) for terms in self._terms]) for name in names}
        count = len(self._stamps)
        keep = np.unique(np.linspace(0, count - 1, min(count, CURVE_POINTS)).round().astype(int))
        time = (np.array(self._stamps, dtype=np.int64) - self._stamps[0]) / NANOSECONDS
        return Curves(
            time=time[keep],
            reward=np.array(self._rewards)[keep],
            total=float(np.sum(self._rewards)),
            terms={name: column[keep] for name, column in columns.items()},
            means={name: float(np.nanmean(column)) for name, column in columns.items()},
        )
