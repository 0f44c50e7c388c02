"""Pictures of a board with the joints at which they were taken, prepared for the fit of a mounting."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np
from sinew_core.cameras import IntrinsicsConfig
from sinew_core.robot import Robot
from sinew_core.types import FloatArray

from sinew_hardware.calibration.arm_camera import links
from sinew_hardware.calibration.board import Corners
from sinew_hardware.calibration.lens import board_poses, misfit, rays
from sinew_hardware.calibration.mounting_fit import Noise, View

PIXEL = 0.05  # px, along each axis: no corner is trusted more than this


@dataclass(frozen=True, slots=True)
class Sighting:
    """One picture: the joints that were measured, the arm at rest, and the corners that were seen."""

    position: FloatArray  # (n,) rad or m
    corners: Corners


@dataclass(frozen=True, slots=True)
class Case:
    """Sightings with what follows from each by itself; all of the same length."""

    sightings: tuple[Sighting, ...]
    views: tuple[View, ...]
    candidates: tuple[Sequence[FloatArray], ...]  # poses X_CB that each picture allows
    misfits: tuple[float, ...]  # px, of the best of them
    lens: IntrinsicsConfig
    noise: Noise

    def without(self, left_out: Sequence[int]) -> Case:
        """Return the case without some of its sightings."""
        keep = [i for i in range(len(self.views)) if i not in left_out]
        return replace(
            self,
            sightings=tuple(self.sightings[i] for i in keep),
            views=tuple(self.views[i] for i in keep),
            candidates=tuple(self.candidates[i] for i in keep),
            misfits=tuple(self.misfits[i] for i in keep),
        )


def make_case(
    robot: Robot,
    camera_link: str,
    board_link: str,
    sightings: Sequence[Sighting],
    lens: IntrinsicsConfig,
    joint_noise: float,
) -> Case:
    """Prepare sightings (at least one) of a board on one link by a camera on another."""
    at = links(robot, camera_link, board_link, np.array([s.position for s in sightings]))
    views = tuple(
        View(X, along, s.corners.points, rays(lens, s.corners.pixels))
        for X, along, s in zip(at.X_LM, at.along, sightings, strict=True)
    )
    candidates = tuple(board_poses(lens, s.corners) for s in sightings)
    misfits = tuple(misfit(lens, c[0], s.corners) for c, s in zip(candidates, sightings, strict=True))
    free = [1 - 3 / len(s.corners) for s in sightings]  # a pose fits some of the noise away
    pixels = max(PIXEL, float(np.median(np.array(misfits) / np.sqrt(free))) / np.sqrt(2))
    noise = Noise(np.full(len(robot.joint_names), joint_noise), pixels, np.array([lens.fx, lens.fy]))
    return Case(tuple(sightings), views, candidates, misfits, lens, noise)
