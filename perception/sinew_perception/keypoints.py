"""RGB-D keypoint detection: coloured objects on and above a table, named by colour and shape."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from itertools import pairwise

import numpy as np
from sinew_core.errors import ConfigError, did_you_mean
from sinew_core.hardware import Hardware
from sinew_core.types import CameraFrame, FloatArray, JointState, Keypoint, Percept, Task

from sinew_perception.clusters import group, join_severed
from sinew_perception.segmentation import COLOURS
from sinew_perception.shapes import WHOLE, Sight, describe
from sinew_perception.touching import divide
from sinew_perception.views import Indices, Lens, View, make_lens, make_view, unhidden

ENOUGH = 1500  # points; a large object is described by every second or third of its own
MIN_SHOWN = 8  # px; a camera with less does not count as seeing an object


@dataclass(frozen=True, slots=True)
class Config:
    """Which cameras are fused, and what counts as an object."""

    cameras: tuple[str, ...] = ("top", "side")
    work_width: int = 320  # px; larger images are thinned to about this
    min_chroma: int = 24  # of 255; greyer or darker pixels belong to the robot and the table
    min_saturation: float = 0.25
    max_depth: float = 3.0  # m
    min_points: int = 12  # px, over all cameras
    min_confidence: float = 0.3  # less of an outline than this is not an object seen

    def __post_init__(self) -> None:
        """Check the ranges."""
        if not self.cameras or self.work_width < 16 or self.min_points < 4:
            raise ValueError("expected at least one camera, work_width >= 16 and min_points >= 4.")
        if not (
            0 <= self.min_chroma <= 255 and 0 <= self.min_saturation <= 1 and 0 <= self.min_confidence <= 1
        ):
            raise ValueError("expected 0 <= min_chroma <= 255; min_saturation and min_confidence in [0, 1].")


class KeypointDetector:
    """Finds coloured objects in RGB-D frames; it keeps nothing from one set of frames to the next."""

    def __init__(self, config: Config, hardware: Hardware) -> None:
        self._config = config
        self._chain = hardware.robot.chain
        self._lenses: dict[str, Lens] = {}
        for name in config.cameras:
            if name not in hardware.cameras:
                where = f"{hardware.path}: perception: cameras"
                raise ConfigError(f"{where}: no camera '{name}'.{did_you_mean(name, hardware.cameras)}")
            self._lenses[name] = make_lens(hardware.cameras[name], config.work_width)

    def reset(self, task: Task) -> None:
        """Begin an episode: there is nothing to forget."""

    def process(self, frames: Mapping[str, CameraFrame], joints: JointState) -> Percept:
        """Return the objects seen in those of the configured cameras that delivered a frame.

        Raises ValueError, naming the camera, for a frame without depth or of another size.
        """
        views = [
            self._view(frames[name], lens, joints) for name, lens in self._lenses.items() if name in frames
        ]
        stamp = max((frame.stamp for frame in frames.values()), default=joints.stamp)
        found = self._detect(views) if any(len(view.pixels) for view in views) else []
        return Percept(stamp, _named(found))

    def _view(self, frame: CameraFrame, lens: Lens, joints: JointState) -> View:
        config = self._config
        X_BC = self._chain.pose(lens.model.link, joints.position) @ lens.model.X_LC
        return make_view(
            frame,
            lens,
            X_BC,
            min_chroma=config.min_chroma,
            min_saturation=config.min_saturation,
            max_depth=config.max_depth,
        )

    def _detect(self, views: Sequence[View]) -> list[tuple[str, Keypoint]]:
        points = np.concatenate([view.points for view in views], axis=1)
        colours = np.concatenate([view.colours for view in views])
        spacing = max(view.spacing for view in views)
        cell = min(max(1.2 * spacing, 0.003), 0.006)
        objects = group(points, colours, cell, self._config.min_points)
        own = unhidden(views, objects)
        found = []
        for whole, share in join_severed(points, colours, objects, own):
            for members in divide(points, whole) if share >= WHOLE else [whole]:
                keypoint = self._keypoint(views, points, members, spacing, share)
                if keypoint is not None:
                    kind, point = keypoint
                    found.append((f"{COLOURS[colours[members[0]]]}_{kind}", point))
        return found

    def _keypoint(
        self, views: Sequence[View], points: FloatArray, members: Indices, spacing: float, own: float
    ) -> tuple[str, Keypoint] | None:
        """Return the kind of an object and its keypoint, or None for one too little seen to be sure of."""
        part = _Part(views, members)
        enough = points[:, members[:: 1 + len(members) // ENOUGH]]
        shape = describe(enough, Sight(part.best.eye, spacing, own, part.cameras))
        if shape is None or own * shape.seen < self._config.min_confidence:
            return None
        return shape.kind, Keypoint(shape.centre, part.pixel, own * shape.seen, shape.yaw, shape.extent)


class _Part:
    """Which views show an object, given its members (k,) among the points of all views."""

    def __init__(self, views: Sequence[View], members: Indices) -> None:
        starts = np.cumsum([0, *(len(view.pixels) for view in views)])
        shown = [members[(members >= a) & (members < b)] - a for a, b in pairwise(starts)]
        self.cameras = sum(len(part) >= MIN_SHOWN for part in shown)
        self.best = views[int(np.argmax([len(part) for part in shown]))]
        view, part = next((view, part) for view, part in zip(views, shown, strict=True) if len(part))
        rows, columns = np.divmod(view.pixels[part], view.depth.shape[1])
        self.pixel: FloatArray = np.array([columns.mean(), rows.mean()]) * view.lens.stride


def _named(found: Sequence[tuple[str, Keypoint]]) -> dict[str, Keypoint]:
    """Give each object its own name: of two alike, the one nearer to the base goes without a number."""
    named: dict[str, Keypoint] = {}
    counts: dict[str, int] = {}
    for name, keypoint in sorted(found, key=lambda item: float(np.hypot(*item[1].position[:2]))):
        counts[name] = counts.get(name, 0) + 1
        named[name if counts[name] == 1 else f"{name}_{counts[name]}"] = keypoint
    return named
