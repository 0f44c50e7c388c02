"""Everything that is marked on the two images, and what each mark means in the room."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
from sinew_core.hardware import Hardware
from sinew_core.types import CameraFrame, DepthArray, FloatArray, ImageArray, Observation

from sinew_perception.geometry import (
    Mask,
    PosedCamera,
    meet_height,
    object_mask,
    posed_camera,
)
from sinew_perception.visual_prompting.candidates import Candidate, find_candidates
from sinew_perception.visual_prompting.faults import Fault
from sinew_perception.visual_prompting.grid import Grid
from sinew_perception.visual_prompting.levels import Levels


@dataclass(frozen=True, slots=True)
class MarkConfig:
    """Which cameras are marked, and how densely."""

    top: str = "top"
    side: str = "side"  # empty: none
    candidates: int = 3  # on each object
    columns: int = 5
    rows: int = 5
    levels: int = 6
    highest: float = 0.20  # m, of the last level
    width: int = 640  # px, to which smaller images are enlarged before anything is drawn

    def __post_init__(self) -> None:
        """Check the counts: labels are one letter and a number."""
        if not (1 <= self.columns <= 26 and 1 <= self.rows <= 99):
            raise ValueError(f"expected 1 to 26 columns and 1 to 99 rows, got {self.columns}x{self.rows}.")
        if not (1 <= self.candidates <= 12 and 2 <= self.levels <= 26 and self.highest > 0):
            raise ValueError("expected 1 to 12 candidates, 2 to 26 levels, and highest above 0 m.")


@dataclass(frozen=True, slots=True)
class MarkedImage:
    """An image of the observation, before anything is drawn on it."""

    name: str
    camera: PosedCamera
    rgb: ImageArray


@dataclass(frozen=True, slots=True)
class Marks:
    """The marks of one observation."""

    top: MarkedImage
    side: MarkedImage | None
    candidates: tuple[Candidate, ...]
    objects: Mask  # (h, w), where the top image shows any of them
    grid: Grid
    levels: Levels
    within: tuple[str, ...]  # the cells that lie over the arm's workspace
    lower: FloatArray  # (3,) m, of the workspace
    upper: FloatArray  # (3,) m

    def by_object(self) -> Mapping[str, list[Candidate]]:
        """Return the candidates of each object, in the order of their labels."""
        groups: dict[str, list[Candidate]] = {}
        for candidate in self.candidates:
            groups.setdefault(candidate.object, []).append(candidate)
        return groups

    def candidate(self, label: str) -> Candidate | None:
        """Return the candidate of a label, None for a cell; raises Fault for a label that is not drawn."""
        found = next((item for item in self.candidates if item.label == label), None)
        if found is None and label not in self.within:
            why = "lies outside the workspace" if label in self.grid.cells() else "is not drawn"
            points = ", ".join(item.label for item in self.candidates)
            raise Fault(
                "unknown mark", f"'{label}' {why}. Points: {points}. Cells: {', '.join(self.within)}."
            )
        return found

    def height(self, label: str) -> float:
        """Return the height of a level, m; raises Fault for one that is not drawn."""
        heights = self.levels.heights()
        if label not in heights:
            raise Fault("unknown mark", f"height '{label}' is not drawn. Heights: {', '.join(heights)}.")
        return heights[label]

    def place(self, label: str, height: float) -> FloatArray:
        """Return the point (3,) over a cell or a candidate at a height, m, kept within the workspace.

        A cell's is on the ray through the cell's middle or, where the camera hangs lower, straight above
        the place on the table; a candidate's is straight above it or below.
        """
        candidate = self.candidate(label)
        if candidate is None:
            middle, highest = self.grid.centre(label)[None], min(height, float(self.upper[2]))
            point = meet_height(self.top.camera, middle, highest)[0]
            if np.isnan(point).any():
                point = np.array([*meet_height(self.top.camera, middle, 0.0)[0, :2], height])
        else:
            point = np.array([*candidate.point[:2], height])
        within: FloatArray = np.clip(point, self.lower, self.upper)
        return within


def make_marks(config: MarkConfig, hardware: Hardware, observation: Observation) -> Marks:
    """Mark an observation's images.

    Raises Fault where there is no image of the top camera, an image has a wrong size, or no object shows.
    """
    top = _image(config.top, hardware, observation)
    if top is None:
        got = ", ".join(observation.frames) or "none"
        raise Fault("no image", f"the camera '{config.top}' delivered no image (cameras that did: {got}).")
    side = _image(config.side, hardware, observation) if config.side else None
    keypoints, depth = observation.keypoints, _clean(observation.frames[config.top].depth)
    candidates = find_candidates(top.camera, depth, keypoints, config.candidates)
    if not candidates:
        raise Fault("nothing in view", f"the camera '{config.top}' shows no object that could be marked.")
    model, area, safety = top.camera.model, hardware.config.scene, hardware.config.safety
    grid = Grid(config.columns, config.rows, model.width, model.height)
    levels = Levels(config.levels, config.highest, (np.array(area.lower) + area.upper) / 2)
    lower, upper = np.array(safety.workspace_lower), np.array(safety.workspace_upper)
    objects = np.any([object_mask(top.camera, depth, item) for item in keypoints.values()], axis=0)
    within = _within(grid, top.camera, lower, upper)
    return Marks(top, side, candidates, objects, grid, levels, within, lower, upper)


def _image(name: str, hardware: Hardware, observation: Observation) -> MarkedImage | None:
    frame = observation.frames.get(name)
    if frame is None or name not in hardware.cameras:
        return None
    camera = posed_camera(hardware, name, observation.joints)
    _check_size(frame, camera)
    return MarkedImage(name, camera, frame.rgb)


def _clean(depth: DepthArray | None) -> DepthArray | None:
    """Return depth with 0 wherever it says nothing."""
    return None if depth is None else np.where(np.isfinite(depth) & (depth > 0), depth, np.float32(0.0))


def _check_size(frame: CameraFrame, camera: PosedCamera) -> None:
    model = camera.model
    expected = (model.height, model.width)
    if frame.rgb.shape != (*expected, 3):
        given = "x".join(map(str, frame.rgb.shape))
        wanted = f"{model.height}x{model.width}x3"
        raise Fault("wrong image", f"camera '{model.name}': got {given}, expected {wanted}.")
    if frame.depth is not None and frame.depth.shape != expected:
        given = "x".join(map(str, frame.depth.shape))
        wanted = f"{model.height}x{model.width}"
        raise Fault("wrong image", f"camera '{model.name}': got depth of {given}, expected {wanted}.")


def _within(grid: Grid, camera: PosedCamera, lower: FloatArray, upper: FloatArray) -> tuple[str, ...]:
    """Return the cells whose middle, on the table, lies within the workspace."""
    cells = grid.cells()
    points = meet_height(camera, np.array([grid.centre(cell) for cell in cells]), 0.0)[:, :2]
    outside = np.maximum(lower[:2] - points, points - upper[:2]).max(axis=1)  # nan where no table is
    return tuple(cell for cell, far in zip(cells, outside, strict=True) if far <= 0)
