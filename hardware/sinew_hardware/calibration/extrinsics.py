"""Where a camera is mounted: on the wrist, or in the room, from the board it saw at many arm poses."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace

import numpy as np
from sinew_core.cameras import IntrinsicsConfig
from sinew_core.errors import ConfigError
from sinew_core.robot import Robot
from sinew_core.types import FloatArray

from sinew_hardware.calibration.arm_camera import Mounting
from sinew_hardware.calibration.board import spans_plane
from sinew_hardware.calibration.hand_eye_start import hand_eye_start
from sinew_hardware.calibration.lens import project
from sinew_hardware.calibration.mounting_fit import Fit, fit_mounting, joint_misfit
from sinew_hardware.calibration.rotations import difference, inverse
from sinew_hardware.calibration.sightings import Case, Sighting, make_case

VIEWS = 8  # at least
OUTLIER = 3.0  # times the usual error
WRONG_SIZE = 0.02  # of the board, by which its printed size may seem to be off
BELIEVABLE = 10.0  # times the joints' assumed errors: beyond, the views contradict each other
FOLDS = 4


@dataclass(frozen=True, slots=True)
class ExtrinsicsResult:
    """A camera's mounting and what speaks for it."""

    link: str  # which carries the camera
    X_LC: FloatArray  # (4, 4) m, the camera in its link
    board_link: str
    X_MB: FloatArray  # (4, 4) m, the board in its link
    std_mm: float  # standard errors of X_LC, of the position's length and the rotation's angle
    std_deg: float
    held_out_mm: float  # rms, where pictures that were not fitted show the board against where
    held_out_deg: float  # the arm puts it; the joints' own errors are in it
    reprojection_px: float  # rms, taking the joints at their word
    joint_noise: float  # of what was assumed; above 2 or 3, homing or the joints' play is worth a look
    rejected: Mapping[int, str] = field(default_factory=dict)  # sighting: reason


def calibrate_wrist_camera(
    robot: Robot, link: str, sightings: Sequence[Sighting], lens: IntrinsicsConfig, board_link: str = ""
) -> ExtrinsicsResult:
    """Return the mounting of a camera on `link`, from pictures of a board that lies still on the table."""
    return calibrate_mounting(robot, link, board_link or robot.base_link, sightings, lens)


def calibrate_fixed_camera(
    robot: Robot, sightings: Sequence[Sighting], lens: IntrinsicsConfig, held_by: str = ""
) -> ExtrinsicsResult:
    """Return the pose in the base frame of a camera in the room; the gripper holds the board or tag.

    `held_by` is the link it is fixed to, the tip without. Where in the gripper it is need not be known.
    """
    return calibrate_mounting(robot, robot.base_link, held_by or robot.tip_link, sightings, lens)


def calibrate_mounting(
    robot: Robot,
    camera_link: str,
    board_link: str,
    sightings: Sequence[Sighting],
    lens: IntrinsicsConfig,
    joint_noise: float = np.radians(0.15),
) -> ExtrinsicsResult:
    """Return the mounting of a camera on one link from sightings of a board on another.

    `lens` is that of the pictures: without distortion where a driver has undistorted them.
    `joint_noise` is a standard deviation in rad (m for a sliding joint). Raises ConfigError, and says
    what to do, where the sightings are too few, turn about one axis only, or contradict the board's size.
    """
    rejected: dict[int, str] = {}
    for i, sighting in enumerate(sightings):
        if not spans_plane(sighting.corners):
            rejected[i] = "the board is not seen, or too little of it"
    used = [i for i in range(len(sightings)) if i not in rejected]
    _check_count(used, rejected)
    case = make_case(robot, camera_link, board_link, [sightings[i] for i in used], lens, joint_noise)
    start = Mounting(*hand_eye_start(np.array([v.X_LM for v in case.views]), case.candidates))
    fit = fit_mounting(start, case.views, case.noise, scale=True)
    while (worst := _outlier(fit.mounting, case)) is not None:
        rejected[used.pop(worst[0])] = worst[1]
        _check_count(used, rejected)
        case = case.without([worst[0]])
        fit = fit_mounting(fit.mounting, case.views, case.noise, scale=True)
    _check_believable(fit, case)
    _check_size(fit, case)
    fit = fit_mounting(replace(fit.mounting, scale=1.0), case.views, case.noise)
    return _result(camera_link, board_link, fit, case, rejected)


def _check_count(used: Sequence[int], rejected: Mapping[int, str]) -> None:
    if len(used) < VIEWS:
        dropped = "".join(f" Sighting {i}: {reason}." for i, reason in sorted(rejected.items()))
        raise ConfigError(
            f"{len(used)} usable sighting(s) of the board, at least {VIEWS} are needed, better 20.{dropped}"
        )


def _outlier(mounting: Mounting, case: Case) -> tuple[int, str] | None:
    """Return the sighting that fits worst, with the reason, if it fits much worse than the others."""
    sharp, usual = np.array(case.misfits), float(np.median(case.misfits))
    worst = int(np.argmax(sharp))
    if sharp[worst] > max(OUTLIER * usual, 0.3):
        return (
            worst,
            f"its corners are off by {sharp[worst]:.2f} px, the others by {usual:.2f} (bent, blurred?)",
        )
    off = np.array([joint_misfit(mounting, view, case.noise) for view in case.views])
    worst, usual = int(np.argmax(off)), max(float(np.median(off)), 1.0)
    if off[worst] <= OUTLIER * usual:
        return None
    return worst, (
        f"the arm was not where its joints say, or the board was moved: {off[worst] / usual:.0f} times as "
        "far off as usual"
    )


def _check_believable(fit: Fit, case: Case) -> None:
    """Raise ConfigError where no small errors of the joints explain the views."""
    factor = _noise_factor(fit, case)
    if factor > BELIEVABLE:
        degrees = np.degrees(factor * float(np.median(case.noise.joints)))
        raise ConfigError(
            f"The views fit together only if every joint errs by about {degrees:.0f} degrees: the board was "
            "moved between them, camera or board are on other links than given, or the joints are not homed."
        )


def _check_size(fit: Fit, case: Case) -> None:
    """Raise ConfigError where the board seems larger or smaller than it was said to be."""
    scale, std = fit.mounting.scale, float(np.sqrt(fit.covariance[12, 12])) * _noise_factor(fit, case)
    if abs(scale - 1) > max(WRONG_SIZE, 4 * std):
        raise ConfigError(
            f"By the arm's motion the board is {scale:.3f} (+- {std:.3f}) times as large as it was said to "
            f"be: a square of 30 mm would be one of {30 * scale:.1f}. Measure the print; printers that fit "
            "a page shrink it. If it is right, the lens or the robot's link lengths are not."
        )


def _noise_factor(fit: Fit, case: Case) -> float:
    """Return the joints' errors in units of what was assumed."""
    off = np.array([joint_misfit(fit.mounting, view, case.noise) for view in case.views])
    joints = sum(np.count_nonzero(np.abs(view.along).max(axis=(1, 2)) > 1e-9) for view in case.views)
    free = 1 - 12 / joints  # so many residuals that joints can explain, and 12 spent on the fit
    return float(np.sqrt(np.mean(off**2) / free))


def _result(
    camera_link: str, board_link: str, fit: Fit, case: Case, rejected: Mapping[int, str]
) -> ExtrinsicsResult:
    factor = _noise_factor(fit, case)
    std = np.sqrt(np.diag(fit_mounting(fit.mounting, case.views, case.noise.louder(factor)).covariance))
    expected = _expected(fit.mounting, case)
    gaps = np.concatenate(
        [
            project(case.lens, X, s.corners.points) - s.corners.pixels
            for X, s in zip(expected, case.sightings, strict=True)
        ]
    )
    metres, angle = _held_out(fit.mounting, case)
    return ExtrinsicsResult(
        link=camera_link,
        X_LC=fit.mounting.X_LC,
        board_link=board_link,
        X_MB=fit.mounting.X_MB,
        std_mm=1000 * float(np.linalg.norm(std[3:6])),
        std_deg=float(np.degrees(np.linalg.norm(std[:3]))),
        held_out_mm=1000 * metres,
        held_out_deg=float(np.degrees(angle)),
        reprojection_px=float(np.sqrt((gaps**2).sum(axis=1).mean())),
        joint_noise=factor,
        rejected=rejected,
    )


def _expected(mounting: Mounting, case: Case) -> FloatArray:
    """Return where the arm puts the board in each picture: `X_CB` (k, 4, 4)."""
    X: FloatArray = inverse(mounting.X_LC) @ np.array([v.X_LM for v in case.views]) @ mounting.X_MB
    return X


def _held_out(start: Mounting, case: Case) -> tuple[float, float]:
    """Return how far the board is from where the arm puts it, in m and rad (rms), each view left out once."""
    apart: list[tuple[float, float]] = []
    for fold in range(FOLDS):
        asked = range(fold, len(case.views), FOLDS)
        fit = fit_mounting(start, case.without(asked).views, case.noise)
        for i in asked:
            X = _expected(fit.mounting, case)[i]
            middle = np.append(case.views[i].points.mean(axis=0), 1.0)
            seen = min(case.candidates[i], key=lambda Y, X=X: difference(X, Y)[1])  # type: ignore[misc]
            apart.append((float(np.linalg.norm((X - seen) @ middle)), difference(X, seen)[1]))
    metres, angle = np.sqrt(np.mean(np.array(apart) ** 2, axis=0))
    return float(metres), float(angle)
