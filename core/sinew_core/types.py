"""The values that cross every seam: numpy arrays, SI units, radians, integer-nanosecond stamps.

Stamps are of the station's clock. Positions are in the robot's base frame (x forward, y left, z up,
z = 0 on the table) unless a name says otherwise. `X_AB` maps points from frame B into frame A.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

import numpy as np
import numpy.typing as npt

FloatArray = npt.NDArray[np.float64]
ImageArray = npt.NDArray[np.uint8]
DepthArray = npt.NDArray[np.float32]

NANOSECONDS = 1_000_000_000


@dataclass(frozen=True, slots=True)
class JointState:
    """Measured joints, in the robot's command order."""

    stamp: int
    position: FloatArray  # (n,) rad or m
    velocity: FloatArray  # (n,) rad/s or m/s
    effort: FloatArray | None = None  # (n,) N m or N


@dataclass(frozen=True, slots=True)
class JointCommand:
    """A joint position target for one control period."""

    stamp: int
    position: FloatArray  # (n,) rad or m


@dataclass(frozen=True, slots=True)
class CameraFrame:
    """One capture of one camera; depth is a whole number of millimetres, 0 where there is none."""

    stamp: int
    rgb: ImageArray  # (h, w, 3)
    depth: DepthArray | None = None  # (h, w) m along the optical axis


@dataclass(frozen=True, slots=True)
class CameraModel:
    """Pinhole intrinsics and the mounting of a camera.

    The camera frame is optical: x right, y down, z forward. `X_LC` maps it into the link that carries
    the camera; a camera fixed in the room is carried by the base link.
    """

    name: str
    width: int  # px
    height: int  # px
    fx: float  # px
    fy: float  # px
    cx: float  # px
    cy: float  # px
    link: str
    X_LC: FloatArray  # (4, 4)


@dataclass(frozen=True, slots=True)
class Keypoint:
    """A named point of interest on an object, seen or, by a tracker, believed to be somewhere."""

    position: FloatArray  # (3,) m, base frame, centre of the object
    pixel: FloatArray | None = None  # (2,) px, column and row in the first camera that saw it
    confidence: float = 1.0  # 0 to 1
    yaw: float | None = None  # rad about +z of the longer horizontal axis, in [-pi/2, pi/2)
    extent: FloatArray | None = None  # (3,) m along the yaw axis, across it, and up
    visible: bool = True  # in the newest frames; False: where a tracker believes it to be
    held: bool = False  # by the gripper, as far as a tracker can tell: it moves with the tip


@dataclass(frozen=True, slots=True)
class Percept:
    """What perception made of one set of frames."""

    stamp: int
    keypoints: Mapping[str, Keypoint] = field(default_factory=dict)
    features: Mapping[str, FloatArray] = field(default_factory=dict)
    lost: tuple[str, ...] = ()  # names given up with this percept: unseen for too long


@dataclass(frozen=True, slots=True)
class Affordance:
    """Where to act and by which way, as an affordance model answered.

    `grasp` and `target` are keypoint names or (3,) points. `moves` names the keypoint that is to end at
    the target; without a grasp it is pushed there, and without `moves` the tip itself goes there. The
    waypoints are the way of the tip (after the grasp, when there is one), with the gripper `closed[i]`
    on the way to waypoint i.
    """

    stamp: int
    instruction: str
    grasp: str | FloatArray | None
    waypoints: FloatArray  # (k, 3) m, base frame
    target: str | FloatArray | None
    source: str
    closed: npt.NDArray[np.bool_]  # (k,)
    moves: str | None = None


@dataclass(frozen=True, slots=True)
class Refusal:
    """An affordance model's statement that it cannot ground a sentence, with what it saw instead."""

    stamp: int
    instruction: str
    reason: str
    saw: tuple[str, ...]
    source: str


@dataclass(frozen=True, slots=True)
class Task:
    """What is asked of the robot in one episode."""

    name: str
    instruction: str
    max_steps: int = 400  # control periods


@dataclass(frozen=True, slots=True)
class Observation:
    """Everything known at one control period; each part carries its own capture stamp."""

    stamp: int
    joints: JointState
    frames: Mapping[str, CameraFrame]
    keypoints: Mapping[str, Keypoint]
    affordance: Affordance | None
    features: Mapping[str, FloatArray]
    task: Task


@dataclass(frozen=True, slots=True)
class RewardEstimate:
    """A reward with its named terms; `success`, `progress` and `uncertainty` where the model has them."""

    stamp: int
    value: float
    success: float | None = None  # probability
    progress: float | None = None  # 0 to 1
    uncertainty: float | None = None  # standard deviation of value
    terms: Mapping[str, float] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class ActionChunk:
    """Joint targets from an observation on: row i is wanted from `stamp + i * dt` on."""

    stamp: int  # of the observation it answers
    dt: float  # s between rows
    position: FloatArray  # (horizon, n) rad or m


@dataclass(frozen=True, slots=True)
class ExecutedCommand:
    """What was really sent to the arm, by whom, and why it differs from what was asked."""

    stamp: int
    position: FloatArray  # (n,) rad or m
    source: str  # hold | policy | human | stopped
    reasons: tuple[str, ...] = ()
    observation_stamp: int = 0  # of the observation that it answers; 0 for none
