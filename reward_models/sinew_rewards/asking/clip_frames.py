"""The pictures of a clip, scaled to be looked at."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from PIL import Image
from sinew_core.errors import ConfigError, did_you_mean
from sinew_core.types import NANOSECONDS, ImageArray
from sinew_data import topics
from sinew_data.errors import EpisodeError
from sinew_data.export.passes import pixels_of
from sinew_data.feedback.types import Clip
from sinew_data.messages import image_from_wire
from sinew_data.reader import RawMessage, damage_of, open_episode
from sinew_data.summary import EpisodeSummary

WIDTH = 560  # px
LINE = 6  # px, between cameras


@dataclass(frozen=True, slots=True)
class ClipFrame:
    """A picture of a clip."""

    at: float  # s since the clip's first control period
    pixels: ImageArray  # (h, w, 3)


def common_cameras(summaries: Sequence[EpisodeSummary], wanted: Sequence[str]) -> tuple[str, ...]:
    """Return the cameras to show: the wanted ones, or the first that all have; ConfigError for none."""
    common = [c for c in summaries[0].cameras if all(c in other.cameras for other in summaries)]
    for name in wanted:
        if name not in common:
            hint = did_you_mean(name, common)
            raise ConfigError(f"--camera: not every episode has a camera '{name}'.{hint}")
    if not common:
        raise ConfigError("the episodes have no camera in common; there is nothing to show.")
    return tuple(wanted) or (common[0],)


def read_clip(path: Path, clip: Clip, cameras: Sequence[str]) -> list[ClipFrame]:
    """Return a clip's frames, cameras one below the other, at the moments of the first one's frames.

    The first is what was seen at the clip's beginning. EpisodeError where a camera has none.
    """
    views = [_read(path, clip, camera) for camera in cameras]
    return [ClipFrame(frame.at, _stacked([at_moment(v, frame.at) for v in views])) for frame in views[0]]


def _stacked(frames: Sequence[ClipFrame]) -> ImageArray:
    first, *rest = (frame.pixels for frame in frames)
    line = np.full((LINE, WIDTH, 3), 255, np.uint8)
    return np.concatenate([first, *(part for pixels in rest for part in (line, pixels))])


def _read(path: Path, clip: Clip, camera: str) -> list[ClipFrame]:
    topic, found = topics.color_topic(camera), list[RawMessage]()
    end = np.inf if clip.end is None else clip.end
    with open_episode(path) as episode:
        for raw in episode.raw_messages([topic]):
            if raw.publish_time > end:
                continue
            if raw.publish_time <= clip.start:
                found = [raw]
            else:
                found.append(raw)
        if not found:
            raise EpisodeError(
                f"{path}: the camera '{camera}' has no frame from {clip.start} to {clip.end} ns."
            )
        with damage_of(path):
            return [_frame(raw, clip) for raw in found]


def _frame(raw: RawMessage, clip: Clip) -> ClipFrame:
    pixels = pixels_of(image_from_wire(raw.data))
    height, width = pixels.shape[:2]
    size = (WIDTH, max(1, round(WIDTH * height / width)))
    scaled = np.asarray(Image.fromarray(pixels).resize(size, Image.Resampling.BICUBIC))
    return ClipFrame(max(0.0, (raw.publish_time - clip.start) / NANOSECONDS), scaled)


def at_moment(frames: Sequence[ClipFrame], moment: float) -> ClipFrame:
    """Return what is seen at a moment, in s: the newest frame by then."""
    return max(
        (frame for frame in frames if frame.at <= moment + 1e-6), key=lambda f: f.at, default=frames[0]
    )
