"""A small ray caster: objects of known geometry, shaded, with exact depth in whole millimetres."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np
from sinew_core.cameras import CameraConfig
from sinew_core.hardware import Hardware, HardwareConfig, SafetyConfig, SceneConfig
from sinew_core.robot import load_robot
from sinew_core.types import CameraFrame, CameraModel, FloatArray, JointState
from sinew_sim.scene import Part, make_object

ROBOTS = Path(__file__).resolve().parents[2] / "hardware_configs" / "robots"
TABLE = (204, 199, 189)
GREY = (102, 102, 102)
LIGHT = np.array([0.25, 0.35, 0.9]) / np.linalg.norm([0.25, 0.35, 0.9])

CAMERAS = {
    "top": CameraConfig(320, 240, 45.0, (0.22, 0.0, 0.55), (0.22, 0.0, 0.0), up=(1.0, 0.0, 0.0)),
    "side": CameraConfig(320, 240, 45.0, (0.30, -0.45, 0.30), (0.20, 0.0, 0.02)),
}


@dataclass(frozen=True)
class Solid:
    """Parts with a colour and a pose."""

    rgb: tuple[int, int, int]
    parts: Sequence[Part]
    position: tuple[float, float, float]
    yaw: float = 0.0


def thing(name: str, x: float, y: float, yaw: float = 0.0, lift: float = 0.0, **size: float) -> Solid:
    """Return "red cube" and the like, standing `lift` m above the table."""
    colour, shape = name.split()
    spec = make_object(colour, shape, **size)  # type: ignore[arg-type]
    rgb = tuple(int(255 * part) for part in spec.rgb)
    return Solid(rgb, spec.parts(), (x, y, lift + spec.height / 2), yaw)  # type: ignore[arg-type]


def slab(
    rgb: tuple[int, int, int], centre: tuple[float, float, float], size: tuple[float, float, float]
) -> Solid:
    """Return a box that hides things."""
    half = tuple(length / 2 for length in size)
    return Solid(rgb, (Part("box", half),), centre)  # type: ignore[arg-type]


def hardware(**cameras: CameraConfig) -> Hardware:
    """Return an SO-101 before the given cameras, or the usual top and side ones."""
    robot = load_robot(ROBOTS / "so101")
    config = HardwareConfig(
        robot=ROBOTS / "so101",
        station={},
        control_period=0.05,
        cameras=cameras or CAMERAS,
        safety=SafetyConfig(0.0, (-1.0, -1.0, 0.0), (1.0, 1.0, 1.0)),
        scene=SceneConfig((0.14, -0.12), (0.3, 0.12)),
        perception={},
    )
    models = {name: camera.model(name, robot.base_link) for name, camera in config.cameras.items()}
    return Hardware("painted", Path("painted.yaml"), robot, config, models)


def joints(hardware: Hardware) -> JointState:
    """Return the robot at home."""
    home = hardware.robot.home
    return JointState(1, home.copy(), np.zeros_like(home))


def look(hardware: Hardware, *solids: Solid) -> dict[str, CameraFrame]:
    """Return what every camera of the hardware sees of a table with these things on it."""
    home = hardware.robot.home
    return {
        name: cast(model, hardware.robot.chain.pose(model.link, home) @ model.X_LC, solids)
        for name, model in hardware.cameras.items()
    }


@dataclass
class _Canvas:
    depth: FloatArray  # (n,)
    rgb: FloatArray  # (n, 3)
    rays: FloatArray  # (n, 3) world, depth 1
    eye: FloatArray
    everything: FloatArray = field(init=False)

    def __post_init__(self) -> None:
        self.everything = np.arange(len(self.depth))


def cast(model: CameraModel, X_BC: FloatArray, solids: Sequence[Solid]) -> CameraFrame:
    """Return the frame of one camera."""
    columns, rows = np.meshgrid(np.arange(model.width), np.arange(model.height))
    x, y = (columns - model.cx) / model.fx, (rows - model.cy) / model.fy
    rays = np.stack([x, y, np.ones_like(x)], axis=-1).reshape(-1, 3) @ X_BC[:3, :3].T
    n = len(rays)
    canvas = _Canvas(np.full(n, np.inf), np.tile(np.array([90.0, 90.0, 90.0]), (n, 1)), rays, X_BC[:3, 3])
    with np.errstate(divide="ignore", invalid="ignore"):
        t = -canvas.eye[2] / rays[:, 2]
        _paint(canvas, canvas.everything, t, np.tile([0.0, 0.0, 1.0], (n, 1)), TABLE)
        for solid in solids:
            for part in solid.parts:
                _cast_part(canvas, solid, part)
    canvas.depth[~np.isfinite(canvas.depth)] = 0.0
    depth = (np.round(canvas.depth * 1000) / 1000).astype(np.float32)
    shape = (model.height, model.width)
    return CameraFrame(1, canvas.rgb.astype(np.uint8).reshape(*shape, 3), depth.reshape(shape))


def _cast_part(canvas: _Canvas, solid: Solid, part: Part) -> None:
    w, i, j, k = part.quaternion
    turn = np.array(
        [
            [1 - 2 * (j * j + k * k), 2 * (i * j - k * w), 2 * (i * k + j * w)],
            [2 * (i * j + k * w), 1 - 2 * (i * i + k * k), 2 * (j * k - i * w)],
            [2 * (i * k - j * w), 2 * (j * k + i * w), 1 - 2 * (i * i + j * j)],
        ]
    )
    c, s = np.cos(solid.yaw), np.sin(solid.yaw)
    yaw = np.array([[c, -s, 0], [s, c, 0], [0, 0, 1]])
    R, p = yaw @ turn, np.array(solid.position) + yaw @ np.array(part.position)
    reach = np.linalg.norm(part.size) if part.kind != "cylinder" else np.hypot(part.size[0], part.size[1])
    towards = p - canvas.eye
    along = canvas.rays @ towards / (canvas.rays**2).sum(axis=1)
    miss = np.linalg.norm(towards - along[:, None] * canvas.rays, axis=1)
    near = np.flatnonzero(miss < reach)
    origin, direction = R.T @ (canvas.eye - p), canvas.rays[near] @ R
    t, normal = _HIT[part.kind](origin, direction, np.array(part.size))
    _paint(canvas, near, t, normal @ R.T, solid.rgb)


def _paint(
    canvas: _Canvas, at: FloatArray, t: FloatArray, normal: FloatArray, rgb: tuple[int, int, int]
) -> None:
    with np.errstate(invalid="ignore"):
        seen = np.isfinite(t) & (t > 0.01) & (t < canvas.depth[at])
    at, t, normal = at[seen], t[seen], normal[seen]
    canvas.depth[at] = t
    shade = 0.45 + 0.55 * np.clip(normal @ LIGHT, 0, 1)
    canvas.rgb[at] = shade[:, None] * np.array(rgb)


def _hit_box(o: FloatArray, d: FloatArray, half: FloatArray) -> tuple[FloatArray, FloatArray]:
    a, b = (-half - o) / d, (half - o) / d
    entry = np.minimum(a, b)
    t = entry.max(axis=1)
    axis = entry.argmax(axis=1)
    normal = np.zeros_like(d)
    normal[np.arange(len(d)), axis] = -np.sign(d[np.arange(len(d)), axis])
    return np.where(t <= np.maximum(a, b).min(axis=1), t, np.inf), normal


def _hit_sphere(o: FloatArray, d: FloatArray, size: FloatArray) -> tuple[FloatArray, FloatArray]:
    t = _quadratic((d * d).sum(axis=1), d @ o, o @ o - size[0] ** 2)
    return t, (o + np.where(np.isfinite(t), t, 0)[:, None] * d) / size[0]


def _hit_cylinder(o: FloatArray, d: FloatArray, size: FloatArray) -> tuple[FloatArray, FloatArray]:
    radius, half = size[0], size[1]
    t = _quadratic((d[:, :2] ** 2).sum(axis=1), d[:, :2] @ o[:2], o[:2] @ o[:2] - radius**2)
    side = o + np.where(np.isfinite(t), t, 0)[:, None] * d
    t = np.where(np.abs(side[:, 2]) <= half, t, np.inf)
    normal = np.column_stack([side[:, :2] / radius, np.zeros(len(d))])
    lid = (half - o[2]) / d[:, 2]
    on_lid = np.hypot(*(o[:2] + lid[:, None] * d[:, :2]).T) <= radius
    lid = np.where(on_lid & (lid > 0), lid, np.inf)
    normal[lid < t] = [0.0, 0.0, 1.0]
    return np.minimum(t, lid), normal


def _quadratic(a: FloatArray, b: FloatArray, c: float) -> FloatArray:
    root = b * b - a * c
    return np.where(root >= 0, (-b - np.sqrt(np.maximum(root, 0))) / a, np.inf)


_HIT = {"box": _hit_box, "sphere": _hit_sphere, "cylinder": _hit_cylinder}
