"""Forward kinematics of a URDF tree in NumPy, for safety and perception, where no simulator may be."""

from __future__ import annotations

import math
import xml.etree.ElementTree as ET
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from sinew_core.errors import ConfigError
from sinew_core.types import FloatArray

MOVABLE = ("revolute", "continuous", "prismatic")


@dataclass(frozen=True, slots=True)
class UrdfJoint:
    """One joint of a URDF."""

    name: str
    kind: str
    parent: str
    child: str
    X_PJ: FloatArray  # (4, 4) joint frame in the parent link, at zero
    axis: FloatArray  # (3,) unit, in the joint frame
    limits: tuple[float, float]
    mimic: tuple[str, float, float] | None  # leader, multiplier, offset

    @property
    def movable(self) -> bool:
        """Whether the joint has a degree of freedom."""
        return self.kind in MOVABLE


def read_urdf(path: Path) -> list[UrdfJoint]:
    """Read the joints of a URDF; anything unreadable is a ConfigError that names the file."""
    try:
        root = ET.parse(path).getroot()
    except OSError as error:
        raise ConfigError(f"{path}: cannot be read ({error.strerror}).") from error
    except ET.ParseError as error:
        raise ConfigError(f"{path}: not valid XML: {error}") from error
    return [_read_joint(element, path) for element in root.findall("joint")]


def _read_joint(element: ET.Element, path: Path) -> UrdfJoint:
    name, kind = element.get("name", ""), element.get("type", "")
    if kind not in (*MOVABLE, "fixed"):
        raise ConfigError(f"{path}: joint '{name}' has type '{kind}'; expected one of {MOVABLE} or fixed.")
    parent, child = element.find("parent"), element.find("child")
    if parent is None or child is None:
        raise ConfigError(f"{path}: joint '{name}' lacks its parent or child link.")
    origin, axis = element.find("origin"), element.find("axis")
    limit, mimic = element.find("limit"), element.find("mimic")
    direction = _numbers(axis, "xyz", (1.0, 0.0, 0.0))
    unlimited = kind == "continuous" or limit is None
    return UrdfJoint(
        name=name,
        kind=kind,
        parent=parent.get("link", ""),
        child=child.get("link", ""),
        X_PJ=transform(_numbers(origin, "xyz", (0, 0, 0)), rpy_matrix(*_numbers(origin, "rpy", (0, 0, 0)))),
        axis=direction / np.linalg.norm(direction),
        limits=(-np.inf, np.inf)
        if unlimited or limit is None
        else (float(limit.get("lower", 0)), float(limit.get("upper", 0))),
        mimic=None
        if mimic is None
        else (mimic.get("joint", ""), float(mimic.get("multiplier", 1)), float(mimic.get("offset", 0))),
    )


def _numbers(element: ET.Element | None, key: str, default: Sequence[float]) -> FloatArray:
    text = None if element is None else element.get(key)
    return np.array(default if text is None else [float(part) for part in text.split()], dtype=np.float64)


def rpy_matrix(roll: float, pitch: float, yaw: float) -> FloatArray:
    """Return the rotation of URDF's roll, pitch and yaw: about fixed x, then y, then z."""
    cr, sr, cp, sp, cy, sy = (f(a) for a in (roll, pitch, yaw) for f in (np.cos, np.sin))
    return np.array(
        [
            [cy * cp, cy * sp * sr - sy * cr, cy * sp * cr + sy * sr],
            [sy * cp, sy * sp * sr + cy * cr, sy * sp * cr - cy * sr],
            [-sp, cp * sr, cp * cr],
        ]
    )


def transform(translation: FloatArray, rotation: FloatArray) -> FloatArray:
    """Return the (4, 4) homogeneous transform of a translation (3,) and a rotation (3, 3)."""
    X = np.eye(4)
    X[:3, :3], X[:3, 3] = rotation, translation
    return X


class KinematicChain:
    """Link poses in the base frame from joint positions in command order; immutable, thread-safe."""

    def __init__(self, joints: Sequence[UrdfJoint], order: Sequence[str], base_link: str) -> None:
        self._by_child = {joint.child: joint for joint in joints}
        self._column = {name: i for i, name in enumerate(order)}
        self._base = base_link
        self._paths: dict[str, _Path] = {}

    @property
    def links(self) -> tuple[str, ...]:
        """Every link but the base."""
        return tuple(self._by_child)

    def pose(self, link: str, position: FloatArray) -> FloatArray:
        """Return `X_BL` (4, 4), the pose of `link` in the base frame, at joint positions (n,)."""
        pose: FloatArray = self.poses(link, position[None])[0]
        return pose

    def poses(self, link: str, positions: FloatArray) -> FloatArray:
        """Return `X_BL` (k, 4, 4) at joint positions (k, n); many at once cost little more than one."""
        return self._path(link).poses(positions)

    def point(self, link: str, position: FloatArray) -> tuple[float, float, float]:
        """Return the origin of `link` in the base frame at joint positions (n,), faster than a pose."""
        return self._path(link).point(position)

    def _path(self, link: str) -> _Path:
        path = self._paths.get(link)
        if path is None:
            path = self._paths[link] = self._make_path(link)
        return path

    def _make_path(self, link: str) -> _Path:
        joints: list[UrdfJoint] = []
        while link != self._base:
            if link not in self._by_child:
                raise ConfigError(f"link '{link}' does not hang from '{self._base}'.")
            joints.insert(0, self._by_child[link])
            link = joints[0].parent
        return _Path(joints, self._column)


class _Path:
    """The joints from the base to one link, with runs of fixed transforms folded together."""

    def __init__(self, joints: Sequence[UrdfJoint], column: dict[str, int]) -> None:
        before = [np.eye(4)]
        moving: list[UrdfJoint] = []
        for joint in joints:
            before[-1] = before[-1] @ joint.X_PJ
            if joint.movable:
                moving.append(joint)
                before.append(np.eye(4))
        leaders = [joint.mimic or (joint.name, 1.0, 0.0) for joint in moving]
        self._columns = np.array([column[name] for name, _, _ in leaders], dtype=np.intp)
        self._scale = np.array([scale for _, scale, _ in leaders])
        self._offset = np.array([offset for _, _, offset in leaders])
        axes = np.array([joint.axis for joint in moving]).reshape(-1, 3)
        turns = np.array([joint.kind != "prismatic" for joint in moving], dtype=bool)
        # sin(q) A + (1 - cos(q)) B + q C + D is each joint's motion followed by the fixed way to the next.
        m = len(moving)
        K, still, slide = np.zeros((m, 4, 4)), np.zeros((m, 4, 4)), np.zeros((m, 4, 4))
        x, y, z = axes.T
        K[:, 0, 1], K[:, 0, 2], K[:, 1, 2] = -z, y, -x  # cross-product matrices of the axes
        K[:, 1, 0], K[:, 2, 0], K[:, 2, 1] = z, -y, x
        K[~turns] = 0.0
        still[:] = np.eye(4)
        slide[:, :3, 3] = np.where(turns[:, None], 0.0, axes)
        self._steps = [
            (column, scale, offset, bool(turn), axis, tuple(fixed[:3].ravel().tolist()))
            for column, scale, offset, turn, axis, fixed in zip(
                self._columns.tolist(),
                self._scale.tolist(),
                self._offset.tolist(),
                turns,
                axes.tolist(),
                before[:-1],
                strict=True,
            )
        ][::-1]
        self._end = tuple(before[-1][:3, 3].tolist())
        self._base = before[0]
        after = np.array(before[1:]).reshape(m, 4, 4)
        terms = [K @ after, K @ K @ after, slide @ after, still @ after]
        self._terms = np.stack(terms, axis=1).reshape(m, 4, 16)

    def poses(self, positions: FloatArray) -> FloatArray:
        """Rodrigues' formula for all joints at once, then the product along the path; (k, 4, 4)."""
        q = positions[:, self._columns] * self._scale + self._offset  # (k, m)
        k, m = q.shape
        factors = np.empty((m, k, 4))
        factors[:, :, 0], factors[:, :, 1] = np.sin(q).T, 1.0 - np.cos(q).T
        factors[:, :, 2], factors[:, :, 3] = q.T, 1.0
        links = (factors @ self._terms).reshape(m, k, 4, 4)
        X: FloatArray = np.repeat(self._base[None], k, axis=0)
        for link in links:
            X = X @ link
        return X

    def point(self, position: FloatArray) -> tuple[float, float, float]:
        """The link's origin carried back to the base, in plain floats, where NumPy's overhead would rule."""
        joints = position.tolist()
        x, y, z = self._end
        for column, scale, offset, turns, (a, b, c), fixed in self._steps:
            q = joints[column] * scale + offset
            if turns:
                sine, cosine = math.sin(q), math.cos(q)
                along = (a * x + b * y + c * z) * (1.0 - cosine)
                x, y, z = (
                    x * cosine + (b * z - c * y) * sine + a * along,
                    y * cosine + (c * x - a * z) * sine + b * along,
                    z * cosine + (a * y - b * x) * sine + c * along,
                )
            else:
                x, y, z = x + a * q, y + b * q, z + c * q
            m = fixed
            x, y, z = (
                m[0] * x + m[1] * y + m[2] * z + m[3],
                m[4] * x + m[5] * y + m[6] * z + m[7],
                m[8] * x + m[9] * y + m[10] * z + m[11],
            )
        return x, y, z
