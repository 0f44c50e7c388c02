"""Forward kinematics of a URDF tree in NumPy, for safety and perception, where no simulator may be."""

from __future__ import annotations

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

    def pose(self, link: str, position: FloatArray) -> FloatArray:
        """Return `X_BL` (4, 4), the pose of `link` in the base frame, at joint positions (n,)."""
        path = self._paths.get(link)
        if path is None:
            path = self._paths[link] = self._path(link)
        return path.pose(position)

    def _path(self, link: str) -> _Path:
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
        self._fixed = np.array(before)  # (m + 1, 4, 4)
        leaders = [joint.mimic or (joint.name, 1.0, 0.0) for joint in moving]
        self._columns = np.array([column[name] for name, _, _ in leaders], dtype=np.intp)
        self._scale = np.array([scale for _, scale, _ in leaders])
        self._offset = np.array([offset for _, _, offset in leaders])
        axes = np.array([joint.axis for joint in moving]).reshape(-1, 3)
        self._turns = np.array([joint.kind != "prismatic" for joint in moving], dtype=bool)
        self._slide = np.where(self._turns[:, None], 0.0, axes)
        self._K = np.zeros((len(moving), 3, 3))  # cross-product matrices of the axes
        x, y, z = axes.T
        self._K[:, 0, 1], self._K[:, 0, 2], self._K[:, 1, 2] = -z, y, -x
        self._K[:, 1, 0], self._K[:, 2, 0], self._K[:, 2, 1] = z, -y, x
        self._K[~self._turns] = 0.0
        self._K2 = self._K @ self._K

    def pose(self, position: FloatArray) -> FloatArray:
        """Rodrigues' formula for all joints at once, then the product along the path."""
        q = position[self._columns] * self._scale + self._offset
        moved = np.zeros((len(q), 4, 4))
        moved[:, 3, 3] = 1.0
        moved[:, :3, :3] = (
            np.eye(3) + np.sin(q)[:, None, None] * self._K + (1 - np.cos(q))[:, None, None] * self._K2
        )
        moved[:, :3, 3] = self._slide * q[:, None]
        X: FloatArray = self._fixed[0]
        for link in moved @ self._fixed[1:]:
            X = X @ link
        return np.array(X)
