"""A robot, a camera and a board of which everything is known, to measure calibrations against."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
from sinew_core.cameras import CameraConfig, IntrinsicsConfig
from sinew_core.hardware import load_hardware
from sinew_core.kinematics import rpy_matrix, transform
from sinew_core.robot import Robot
from sinew_core.types import NANOSECONDS, CameraModel, FloatArray, ImageArray

from sinew_hardware.calibration.board import BoardConfig, Corners, find_corners
from sinew_hardware.calibration.poses import hand_eye_poses
from sinew_hardware.calibration.rotations import inverse
from sinew_hardware.calibration.sightings import Sighting
from sinew_hardware.calibration.sweep import chirp
from sinew_hardware.calibration.tag import TagConfig, find_tag
from sinew_hardware.emulators.board_view import BoardView, Look

SIZE = (640, 480)
TABLE_BOARD = BoardConfig()
HELD_BOARD = BoardConfig((5, 4), 0.024, 0.018)
JOINT_NOISE = np.radians(0.15)  # between where the arm is and where it says it is
JOINT_RATE, FRAME_RATE = 50.0, 30.0  # Hz
JITTER = 0.003  # s, standard deviation of when a frame is stamped


@dataclass(frozen=True, slots=True)
class Sweep:
    """A recorded sweep of one joint, and the latency that is to be found in it."""

    joint_stamps: npt.NDArray[np.int64]  # (k,) ns
    joint: FloatArray  # (k,) rad
    frame_stamps: npt.NDArray[np.int64]  # (m,) ns
    pictures: list[ImageArray]
    latency: float  # s


@dataclass(frozen=True, slots=True)
class Scene:
    """A camera that sees a board on another link of the robot; `camera` is what is believed of it."""

    robot: Robot
    camera: CameraModel
    board: BoardConfig | TagConfig
    board_link: str
    board_guess: FloatArray  # (4, 4) where in that link it is believed to be
    lens: IntrinsicsConfig  # the truth, as everything below
    X_LC: FloatArray  # (4, 4) m
    X_MB: FloatArray  # (4, 4) m
    rng: np.random.Generator
    size: tuple[int, int] = SIZE
    joint_noise: float = JOINT_NOISE  # rad

    def find(self, picture: ImageArray) -> Corners:
        """Return the corners of this scene's board or tag in a picture."""
        if isinstance(self.board, TagConfig):
            return find_tag(self.board, picture)
        return find_corners(self.board, picture)

    def view(self, look: Look | None = None) -> BoardView:
        """Return what renders this scene's pictures."""
        return BoardView(self.board, self.lens, self.size, look, seed=int(self.rng.integers(1 << 31)))

    def board_in_camera(self, position: FloatArray) -> FloatArray:
        """Return the true `X_CB` (4, 4) where the joints truly are at `position` (n,)."""
        X_BC = self.robot.chain.pose(self.camera.link, position) @ self.X_LC
        X: FloatArray = inverse(X_BC) @ self.robot.chain.pose(self.board_link, position) @ self.X_MB
        return X

    def lens_pictures(self, count: int) -> list[ImageArray]:
        """Return pictures as a person takes them: the board held all over the picture, near and tilted."""
        view = BoardView(TABLE_BOARD, self.lens, self.size, seed=1)
        pictures: list[ImageArray] = []
        width, height = TABLE_BOARD.size
        middle, focal = np.array([width / 2, height / 2, 0]), self.lens.fx
        while len(pictures) < count:
            R = rpy_matrix(*self.rng.uniform([-0.7, -0.7, -0.5], [0.7, 0.7, 0.5]))
            depth = self.rng.uniform(0.45, 1.0) * focal * width / self.size[0] / 0.55
            pixel = self.rng.uniform(0.15, 0.85, 2) * self.size
            ray = [(pixel[0] - self.lens.cx) / focal, (pixel[1] - self.lens.cy) / focal, 1.0]
            pictures.append(view.render(transform(depth * np.array(ray) - R @ middle, R), self.rng))
        return pictures

    def lens_views(self, count: int) -> list[Corners]:
        """Return the board's corners in as many such pictures."""
        return [find_corners(TABLE_BOARD, picture) for picture in self.lens_pictures(count)]

    def poses(self, count: int) -> FloatArray:
        """Return joint positions (count, n) to calibrate at, from what is believed of camera and board."""
        believed = (self.robot, self.camera, self.board, self.board_guess)
        return hand_eye_poses(*believed, count, self.rng, board_link=self.board_link)

    def pictures(self, positions: FloatArray) -> list[ImageArray]:
        """Return a picture with the arm at each of the joint positions (k, n), or nearly there."""
        view = self.view()
        noise = self.rng.normal(0.0, self.joint_noise, positions.shape)
        return [view.render(self.board_in_camera(q), self.rng) for q in positions + noise]

    def sightings(self, count: int) -> list[Sighting]:
        """Return what a calibration run at `count` poses would have seen."""
        positions = self.poses(count)
        pictures = self.pictures(positions)
        return [Sighting(q, self.find(p)) for q, p in zip(positions, pictures, strict=True)]

    def sweep(self, seconds: float = 8.0, samples: int = 2) -> Sweep:
        """Return frames and readings of the first joint's chirp, with the board amid the picture.

        `samples` is the quality of the frames: `Look.samples`.
        """
        rng, latency = self.rng, float(self.rng.uniform(0.03, 0.15))
        middle, times = self._middle_pose(), np.arange(0.0, seconds, 0.001)
        offsets = chirp(times, amplitude=0.2)
        shown = np.arange(0.1, seconds, 1 / FRAME_RATE)
        read = np.arange(0.0, seconds, 1 / JOINT_RATE)
        read = read + rng.uniform(0, 0.3 / JOINT_RATE, len(read))
        step = np.eye(len(middle))[0]
        view = self.view(Look(samples=samples))
        at = [middle + step * offset for offset in np.interp(shown, times, offsets)]
        stamped = shown + latency + rng.normal(0.0, JITTER, len(shown))
        readings = middle[0] + np.interp(read, times, offsets) + rng.normal(0.0, 0.001, len(read))
        return Sweep(
            joint_stamps=np.round(read * NANOSECONDS).astype(np.int64),
            joint=readings,
            frame_stamps=np.round(stamped * NANOSECONDS).astype(np.int64),
            pictures=[view.render(self.board_in_camera(q), rng) for q in at],
            latency=latency,
        )

    def _middle_pose(self) -> FloatArray:
        """Return the pose (n,) of some that has the board nearest to the middle of the picture."""
        outline = self.board.outline().mean(axis=0)

        def off(q: FloatArray) -> float:
            p = (self.board_in_camera(q) @ np.append(outline, 1.0))[:3]
            return float(np.hypot(p[0], p[1]) / p[2])

        return min(self.poses(20), key=off)


def wrist_scene(seed: int, size: tuple[int, int] = SIZE) -> Scene:
    """Return an SO-101 with a camera on its wrist, about where its URDF says, and a board on the table."""
    on_table = transform(np.array([0.33, 0.10, 0.0]), rpy_matrix(np.pi, 0, -np.pi / 2))
    camera = _nominal("wrist_camera", np.eye(4), 0.7 * size[0], size)
    return _scene(seed, camera, TABLE_BOARD, "base_link", on_table)


def fixed_scene(
    seed: int, size: tuple[int, int] = SIZE, target: BoardConfig | TagConfig = HELD_BOARD
) -> Scene:
    """Return an SO-101 that holds a board or tag, standing up from its jaws, and a camera in the room."""
    place = CameraConfig(*size, 42.0, (0.53, -0.24, 0.38), (0.18, 0.0, 0.10)).model("", "").X_LC
    width, height = np.ptp(target.outline(), axis=0)[:2]
    upright = np.array([[1.0, 0, 0], [0, 0, 1], [0, -1, 0]])  # its face across the jaws' motion
    corner = np.array([-width / 2, 0, height]) - upright @ target.outline()[0]
    camera = _nominal("base_link", place, size[0], size)
    return _scene(seed, camera, target, "gripper_tip", transform(corner, upright))


def _nominal(link: str, X_LC: FloatArray, focal: float, size: tuple[int, int]) -> CameraModel:
    return CameraModel(link, *size, focal, focal, (size[0] - 1) / 2, (size[1] - 1) / 2, link, X_LC)


def _scene(
    seed: int, camera: CameraModel, board: BoardConfig | TagConfig, board_link: str, X_MB: FloatArray
) -> Scene:
    """Return a scene that is a little other than what is believed of it, in all that is to be calibrated."""
    rng = np.random.default_rng(seed)
    return Scene(
        robot=load_hardware("sim_mujoco").robot,
        camera=camera,
        board=board,
        board_link=board_link,
        board_guess=X_MB,
        lens=_true_lens(camera, rng),
        X_LC=_shaken(camera.X_LC, rng),
        X_MB=_shaken(X_MB, rng) if board_link != "base_link" else _shifted(X_MB, rng),
        rng=rng,
        size=(camera.width, camera.height),
    )


def _true_lens(camera: CameraModel, rng: np.random.Generator) -> IntrinsicsConfig:
    fx = camera.fx * rng.uniform(0.95, 1.05)
    distortion = rng.uniform([-0.3, 0.0, -0.001, -0.001, 0.0], [-0.05, 0.1, 0.001, 0.001, 0.0])
    return IntrinsicsConfig(
        fx=float(fx),
        fy=float(fx * rng.uniform(0.99, 1.01)),
        cx=float(camera.cx + 0.02 * camera.width * rng.uniform(-1, 1)),
        cy=float(camera.cy + 0.02 * camera.width * rng.uniform(-1, 1)),
        distortion=tuple(distortion.tolist()),
    )


def _shaken(X: FloatArray, rng: np.random.Generator) -> FloatArray:
    """Return a pose up to a centimetre and 5 degrees away along and about each axis."""
    return X @ transform(rng.uniform(-0.01, 0.01, 3), rpy_matrix(*rng.uniform(-0.09, 0.09, 3)))


def _shifted(X: FloatArray, rng: np.random.Generator) -> FloatArray:
    """Return a pose that far away in its own plane: a board on the table stays there."""
    step, turn = rng.uniform(-0.01, 0.01, 2), rng.uniform(-0.09, 0.09)
    return X @ transform(np.append(step, 0.0), rpy_matrix(0.0, 0.0, turn))
