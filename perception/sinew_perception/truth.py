"""What a simulator knows about a scene, for benches and tests: true places, and how much cameras see."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np
from sinew_core.hardware import Hardware
from sinew_core.protocols import Station
from sinew_core.types import CameraFrame, CameraModel, FloatArray

TOLERANCE = 0.006  # m between the depth of a surface point and of the pixel that it falls on


def true_objects(
    hardware: Hardware, station: Station, frames: Mapping[str, CameraFrame]
) -> dict[str, tuple[FloatArray, float]]:
    """Return each object's centre (3,) and how much of its near side is seen in the best camera, 0 to 1.

    Names are those of keypoints: "red_cube" for the simulator's "red cube".
    """
    world: Any = station.world
    state = world.state()
    joints = station.arm.read().position
    poses = {name: _pose(hardware, hardware.cameras[name], joints) for name in frames}
    truth = {}
    for placed in world.scene.objects:
        there = state.objects[placed.spec.name]
        points, normals = _surface(placed.spec.parts())
        R = _rotation(there.quaternion)
        points, normals = points @ R.T + there.position, normals @ R.T
        seen = max(
            _seen(points, normals, frame, hardware.cameras[name], poses[name])
            for name, frame in frames.items()
        )
        truth[placed.spec.name.replace(" ", "_")] = (there.position, seen)
    return truth


def _pose(hardware: Hardware, camera: CameraModel, joints: FloatArray) -> FloatArray:
    return hardware.robot.chain.pose(camera.link, joints) @ camera.X_LC


def _seen(
    points: FloatArray, normals: FloatArray, frame: CameraFrame, camera: CameraModel, X_BC: FloatArray
) -> float:
    """Return the share of the points facing the camera that its depth image shows."""
    assert frame.depth is not None
    facing = ((X_BC[:3, 3] - points) * normals).sum(axis=1) > 0
    x, y, z = X_BC[:3, :3].T @ (points[facing] - X_BC[:3, 3]).T
    column = np.round(camera.fx * x / z + camera.cx).astype(int)
    row = np.round(camera.fy * y / z + camera.cy).astype(int)
    inside = (column >= 0) & (column < camera.width) & (row >= 0) & (row < camera.height)
    shown = np.zeros(len(z), dtype=bool)
    shown[inside] = np.abs(frame.depth[row[inside], column[inside]] - z[inside]) < TOLERANCE
    return float(shown.mean())


def _surface(parts: Any) -> tuple[FloatArray, FloatArray]:
    """Return points (n, 3) and outward normals (n, 3) over the surfaces of an object's parts."""
    pieces = [_part_surface(part) for part in parts]
    return np.vstack([points for points, _ in pieces]), np.vstack([normals for _, normals in pieces])


def _part_surface(part: Any) -> tuple[FloatArray, FloatArray]:
    rng = np.random.default_rng(0)
    normals = rng.normal(size=(600, 3))
    if part.kind == "sphere":
        normals /= np.linalg.norm(normals, axis=1, keepdims=True)
        points = normals * part.size[0]
    elif part.kind == "box":
        half = np.array(part.size)
        points = rng.uniform(-half, half, (600, 3))
        axis = rng.choice(3, 600, p=_face_areas(half) / _face_areas(half).sum())
        side = rng.choice([-1.0, 1.0], 600)
        normals = np.zeros((600, 3))
        normals[np.arange(600), axis] = side
        points[np.arange(600), axis] = side * half[axis]
    else:
        points, normals = _cylinder_surface(rng, part.size[0], part.size[1])
    R = _rotation(part.quaternion)
    return points @ R.T + np.array(part.position), normals @ R.T


def _face_areas(half: FloatArray) -> FloatArray:
    return np.array([half[1] * half[2], half[0] * half[2], half[0] * half[1]])


def _cylinder_surface(rng: np.random.Generator, radius: float, half: float) -> tuple[FloatArray, FloatArray]:
    angle = rng.uniform(0, 2 * np.pi, 600)
    out = np.column_stack([np.cos(angle), np.sin(angle), np.zeros(600)])
    on_lid = rng.uniform(size=600) < radius / (radius + 2 * half)
    up = np.array([0.0, 0.0, 1.0])
    height = np.where(on_lid, half, rng.uniform(-half, half, 600))
    reach = np.where(on_lid, np.sqrt(rng.uniform(size=600)), 1.0) * radius
    return out * reach[:, None] + height[:, None] * up, np.where(on_lid[:, None], up, out)


def _rotation(quaternion: Any) -> FloatArray:
    """Return the matrix of a unit quaternion (w, x, y, z)."""
    w, x, y, z = quaternion
    return np.array(
        [
            [1 - 2 * (y * y + z * z), 2 * (x * y - z * w), 2 * (x * z + y * w)],
            [2 * (x * y + z * w), 1 - 2 * (x * x + z * z), 2 * (y * z - x * w)],
            [2 * (x * z - y * w), 2 * (y * z + x * w), 1 - 2 * (x * x + y * y)],
        ]
    )
