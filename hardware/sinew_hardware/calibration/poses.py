"""Which poses to take a board's pictures at: within the limits, seeing the board, telling the most."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
from sinew_core.errors import ConfigError
from sinew_core.robot import Robot
from sinew_core.types import CameraModel, FloatArray

from sinew_hardware.calibration.arm_camera import Links, Mounting, information, linearise, links
from sinew_hardware.calibration.board import BoardConfig
from sinew_hardware.calibration.hand_eye_start import check_motions
from sinew_hardware.calibration.rotations import inverse
from sinew_hardware.calibration.tag import TagConfig

BATCH, BATCHES = 20_000, 20  # random poses a try, and tries
ENOUGH = 300  # poses to choose from
MARGIN = 0.03  # of each joint's travel, at either end
EDGE = 0.08  # of the picture's width, by which the guesses may be wrong


@dataclass(frozen=True, slots=True)
class PoseRules:
    """What a pose must fulfil; m, rad, px."""

    clearance: float = 0.04  # of every link and of a held board above the table
    nearest: float = 0.10  # a camera closer than that is out of focus
    square_px: float = 22.0  # the smallest that a square, or half of a tag, may be
    slant: float = np.radians(60)  # of the board against the line of sight
    seen: float = 0.75  # share of a board's area in the picture; a tag must be there as a whole


def hand_eye_poses(
    robot: Robot,
    camera: CameraModel,
    board: BoardConfig | TagConfig,
    X_MB: FloatArray,
    count: int,
    rng: np.random.Generator,
    *,
    board_link: str = "",
    start: FloatArray | None = None,
    rules: PoseRules | None = None,
) -> FloatArray:
    """Return joint positions (count, n) from which `camera` sees the board, in an order of short ways.

    The camera's mounting and the board's pose `X_MB` (4, 4) in `board_link` (the base link without) are
    guesses: centimetres and degrees suffice. Joints that move neither stay as in `start` (n,), the home
    pose without. Of many random poses those are taken that together tell the mounting best. Links are
    kept above the table, but nothing is known of what stands on it. Raises ConfigError where the board
    is seen from too few poses.
    """
    rules, start = rules or PoseRules(), robot.home if start is None else start
    scene = _Believed(robot, camera, board, X_MB, board_link or robot.base_link)
    found = [np.zeros((0, len(robot.joint_names)))]
    for _ in range(BATCHES):
        found.append(_clear(scene, _seen(scene, _random(scene, start, rng), rules), rules.clearance))
        if sum(map(len, found)) >= ENOUGH:
            break
    q = np.concatenate(found)
    if len(q) < max(count, 2):
        raise ConfigError(
            f"Only {len(q)} of {BATCH * BATCHES} random poses show the board well, {count} were asked for: "
            "put it nearer to the middle of the arm's reach, or take a board of another size, or larger "
            "pictures."
        )
    chosen = q[_most_telling(scene, q, count)]
    check_motions(scene.links(chosen).X_LM)
    return _short_ways(robot, chosen, start)


@dataclass(frozen=True, slots=True)
class _Believed:
    """What the poses are planned by."""

    robot: Robot
    camera: CameraModel
    board: BoardConfig | TagConfig
    X_MB: FloatArray  # (4, 4) m
    board_link: str

    def links(self, q: FloatArray) -> Links:
        return links(self.robot, self.camera.link, self.board_link, q)


def _random(scene: _Believed, start: FloatArray, rng: np.random.Generator) -> FloatArray:
    """Return random positions (BATCH, n) of the joints between the two links; the others stay."""
    lower, upper = scene.robot.lower, scene.robot.upper
    span = upper - lower
    q = rng.uniform(lower + MARGIN * span, upper - MARGIN * span, (BATCH, len(span)))
    moving = np.abs(scene.links(q[:1]).along[0]).max(axis=(1, 2)) > 1e-9
    return np.where(moving, q, start)


def _seen(scene: _Believed, q: FloatArray, rules: PoseRules) -> FloatArray:
    """Return those of the positions (k, n) from which the camera sees the board well."""
    grid, cell = _grid(scene.board)
    X_BC = scene.robot.chain.poses(scene.camera.link, q) @ scene.camera.X_LC
    X_CB = inverse(X_BC) @ scene.robot.chain.poses(scene.board_link, q) @ scene.X_MB
    sight = X_CB[:, :3, :3] @ grid.mean(axis=0) + X_CB[:, :3, 3]
    cosine = np.einsum("ki,ki->k", X_CB[:, :3, 2], sight) / np.linalg.norm(sight, axis=1)
    facing = (cosine > np.cos(rules.slant)) & (sight[:, 2] > rules.nearest)
    q, X_CB, cosine = q[facing], X_CB[facing], cosine[facing]
    p = grid @ np.swapaxes(X_CB[:, :3, :3], 1, 2) + X_CB[:, None, :3, 3]  # (k, m, 3)
    part = rules.seen if isinstance(scene.board, BoardConfig) else 1.0
    good = _in_picture(scene.camera, p).mean(axis=1) >= part
    good &= p[..., 2].min(axis=1) > rules.nearest
    good &= scene.camera.fx * cell * cosine > rules.square_px * p[..., 2].max(axis=1)
    found: FloatArray = q[good]
    return found


def _clear(scene: _Believed, q: FloatArray, clearance: float) -> FloatArray:
    """Return those of the positions (k, n) with all moving links, and a held board, above the table."""
    chain = scene.robot.chain
    for link in chain.links:
        heights = chain.poses(link, q)[:, 2, 3]
        if len(q) and np.ptp(heights) > 1e-9:
            q = q[heights > clearance]
    if scene.board_link != scene.robot.base_link:
        X = chain.poses(scene.board_link, q) @ scene.X_MB
        outline = scene.board.outline()
        corners = outline @ np.swapaxes(X[:, :3, :3], 1, 2) + X[:, None, :3, 3]
        q = q[corners[..., 2].min(axis=1) > clearance]
    return q


def _in_picture(camera: CameraModel, p: FloatArray) -> npt.NDArray[np.bool_]:
    """Return which points (..., 3), in the camera's frame, lie in its picture but for the edge."""
    z = np.maximum(p[..., 2], 1e-6)
    u, v = camera.fx * p[..., 0] / z + camera.cx, camera.fy * p[..., 1] / z + camera.cy
    edge = EDGE * camera.width
    inside: npt.NDArray[np.bool_] = (u > edge) & (u < camera.width - edge) & (p[..., 2] > 0)
    return inside & (v > edge) & (v < camera.height - edge)


def _grid(board: BoardConfig | TagConfig) -> tuple[FloatArray, float]:
    """Return points (m, 3) spread over a board, and the edge in m of its smallest part to be made out."""
    outline = board.outline()
    sides = np.stack(np.meshgrid(np.linspace(0, 1, 5), np.linspace(0, 1, 4)), axis=-1).reshape(-1, 2)
    points = outline[0] + sides[:, :1] * (outline[1] - outline[0]) + sides[:, 1:] * (outline[3] - outline[0])
    return points, board.square if isinstance(board, BoardConfig) else board.size / 2


def _most_telling(scene: _Believed, q: FloatArray, count: int) -> list[int]:
    """Return the places of poses that together leave the least uncertainty, one by one the best next."""
    at, mounting = scene.links(q), Mounting(scene.camera.X_LC, scene.X_MB)
    points, focal = _grid(scene.board)[0], np.array([scene.camera.fx, scene.camera.fy])
    linears = [
        linearise(mounting, X, along, points, np.zeros((len(points), 2)), focal)
        for X, along in zip(at.X_LM, at.along, strict=True)
    ]
    told = information(linears, np.full(q.shape[1], np.radians(0.15)), 0.2)
    H = np.diag(np.tile([1 / 0.2**2] * 3 + [1 / 0.05**2] * 3, 2))  # what the guess is worth: rad, m
    chosen: list[int] = []
    for _ in range(count):
        gain = np.linalg.slogdet(H + told)[1]
        gain[chosen] = -np.inf
        chosen.append(int(np.argmax(gain)))
        H = H + told[chosen[-1]]
    return chosen


def _short_ways(robot: Robot, q: FloatArray, start: FloatArray) -> FloatArray:
    """Return the positions (k, n) in an order in which the next is the one soonest reached."""
    left, order, at = list(range(len(q))), [], start
    while left:
        at_next = min(left, key=lambda i, at=at: float((np.abs(q[i] - at) / robot.velocity).max()))  # type: ignore[misc]
        left.remove(at_next)
        order.append(at_next)
        at = q[at_next]
    ordered: FloatArray = q[order]
    return ordered
