"""A camera's lens from views of a board: fitted, checked on views that were held out, or refused."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

import cv2
import numpy as np
from sinew_core.cameras import IntrinsicsConfig
from sinew_core.errors import ConfigError
from sinew_core.types import FloatArray

from sinew_hardware.calibration.board import Corners, spans_plane
from sinew_hardware.calibration.coverage import corner_counts, coverage, tilt_spread, tilts, where_empty
from sinew_hardware.calibration.lens import board_pose, matrix, misfit

VIEWS = 8  # at least
CORNERS = 8  # of a view
COVERAGE = 0.6  # of the cells of the picture
TILT = np.radians(30)  # from the one extreme to the other, in the direction of the least
OUTLIER = 3.0  # times the usual error
ALWAYS_GOOD = 0.3  # px: what fits this well is no outlier, however well the others fit
FOCAL = 0.01  # a greater relative uncertainty is refused
FOLDS = 4


@dataclass(frozen=True, slots=True)
class IntrinsicsResult:
    """A lens and what speaks for it; lengths in px of the picture."""

    intrinsics: IntrinsicsConfig
    reprojection_px: float  # rms, of views that the lens was not fitted to
    fit_px: float  # rms, of the views that it was fitted to
    per_view_px: tuple[float | None, ...]  # rms of each view given; None where it was dropped
    coverage: float  # share of the picture's cells (4 x 6) in which corners were seen
    focal_std: float  # relative standard error of the focal length
    rejected: Mapping[int, str] = field(default_factory=dict)  # view: reason


@dataclass(frozen=True, slots=True)
class _Fit:
    lens: IntrinsicsConfig
    per_view: FloatArray  # (k,) rms px
    focal_std: float

    @property
    def rms(self) -> float:
        return float(np.sqrt(np.mean(self.per_view**2)))


def calibrate_intrinsics(
    views: Sequence[Corners], size: tuple[int, int], guess: IntrinsicsConfig | None = None
) -> IntrinsicsResult:
    """Return the lens that explains the views of a picture of `size` (width, height).

    `guess` is a lens to start from (the nominal one, say). Views that do not fit are dropped with a
    reason. Raises ConfigError, and says what to photograph, where the views cannot tell the lens.
    """
    start = guess or IntrinsicsConfig(size[0], size[0], (size[0] - 1) / 2, (size[1] - 1) / 2)
    rejected = {i: reason for i, view in enumerate(views) if (reason := _too_little(view))}
    used = [i for i in range(len(views)) if i not in rejected]
    _check([views[i] for i in used], size, start, rejected)
    fit = _fit([views[i] for i in used], size, start)
    while (worst := _outlier(fit.per_view)) is not None:
        rejected[used.pop(worst[0])] = worst[1]
        _check([views[i] for i in used], size, start, rejected)
        fit = _fit([views[i] for i in used], size, start)
    kept = [views[i] for i in used]
    held_out, radial3 = _best_model(kept, size, start)
    fit = _fit(kept, size, start, radial3)
    if fit.focal_std > FOCAL:
        raise ConfigError(
            f"The focal length stays uncertain by {100 * fit.focal_std:.1f} % (at most {100 * FOCAL:.0f} %): "
            "add views with the board tilted by 30 to 45 degrees, near enough to fill half of the picture."
        )
    errors = dict(zip(used, fit.per_view.tolist(), strict=True))
    per_view = tuple(errors.get(i) for i in range(len(views)))
    share = coverage(corner_counts(kept, size))
    return IntrinsicsResult(fit.lens, held_out, fit.rms, per_view, share, fit.focal_std, rejected)


def held_out_error(lens: IntrinsicsConfig, views: Sequence[Corners]) -> float:
    """Return the rms error in px, per corner, of views that the lens was not fitted to.

    Each view's pose has to be fitted to its own corners; what these 6 numbers hide is added again.
    """
    squares = [misfit(lens, board_pose(lens, view), view) ** 2 * len(view) for view in views]
    free = sum(len(view) - 3 for view in views)
    return float(np.sqrt(sum(squares) / free))


def _too_little(view: Corners) -> str:
    """Return why a view cannot be used by itself, or nothing."""
    if not len(view):
        return "the board is not seen"
    if len(view) < CORNERS:
        return f"only {len(view)} corners are seen, {CORNERS} are needed"
    return "" if spans_plane(view) else "its corners are all in one row of the board"


def _check(
    views: Sequence[Corners], size: tuple[int, int], lens: IntrinsicsConfig, rejected: Mapping[int, str]
) -> None:
    """Raise ConfigError where the views are too few or too much alike."""
    if len(views) < VIEWS:
        dropped = "".join(f" View {i}: {reason}." for i, reason in sorted(rejected.items()))
        raise ConfigError(
            f"{len(views)} usable view(s) of the board, at least {VIEWS} are needed, better 20.{dropped}"
        )
    counts = corner_counts(views, size)
    share = coverage(counts)
    if share < COVERAGE:
        raise ConfigError(
            f"The board was seen in {100 * share:.0f} % of the picture, {100 * COVERAGE:.0f} % are needed: "
            f"show it at the {where_empty(counts)} too."
        )
    spread = tilt_spread(tilts(views, lens))
    if spread < TILT:
        raise ConfigError(
            f"The board is tilted by {np.degrees(spread):.0f} degrees between the views, in one direction; "
            f"{np.degrees(TILT):.0f} are needed in each: lean it towards and away from the camera, to the "
            "left and to the right. From boards that all face the camera alike no focal length follows."
        )


def _fit(
    views: Sequence[Corners], size: tuple[int, int], start: IntrinsicsConfig, radial3: bool = True
) -> _Fit:
    """Fit focal lengths, principal point and distortion; `radial3`: its third radial term, too."""
    flags = cv2.CALIB_USE_INTRINSIC_GUESS | (0 if radial3 else cv2.CALIB_FIX_K3)
    distortion = np.zeros(5)
    distortion[: min(len(start.distortion), 4)] = start.distortion[:4]
    stop = (cv2.TERM_CRITERIA_COUNT + cv2.TERM_CRITERIA_EPS, 100, 1e-9)
    try:
        _, K, bend, _, _, deviation, _, per_view = cv2.calibrateCameraExtended(
            [view.points.astype(np.float32) for view in views],
            [view.pixels.astype(np.float32) for view in views],
            size,
            matrix(start),
            distortion,
            flags=flags,
            criteria=stop,
        )
    except cv2.error as error:
        raise ConfigError(
            f"No lens explains these views ({error.err}): photograph the board anew."
        ) from error
    fx, fy, cx, cy = (float(K[at]) for at in ((0, 0), (1, 1), (0, 2), (1, 2)))
    lens = IntrinsicsConfig(fx, fy, cx, cy, tuple(np.ravel(bend)[:5].tolist()))
    focal_std = float(np.max(np.ravel(deviation)[:2] / [lens.fx, lens.fy]))
    return _Fit(lens, np.ravel(per_view), focal_std)


def _outlier(per_view: FloatArray) -> tuple[int, str] | None:
    """Return the view that fits worst, with the reason, if it fits much worse than the others."""
    worst, usual = int(np.argmax(per_view)), float(np.median(per_view))
    if per_view[worst] <= max(OUTLIER * usual, ALWAYS_GOOD):
        return None
    return worst, f"its corners are off by {per_view[worst]:.2f} px, the others by {usual:.2f} (moved, bent?)"


def _best_model(
    views: Sequence[Corners], size: tuple[int, int], start: IntrinsicsConfig
) -> tuple[float, bool]:
    """Return the held-out error and whether the third radial term lowers it; the simpler lens wins ties."""
    errors = {radial3: _cross_validated(views, size, start, radial3) for radial3 in (False, True)}
    radial3 = errors[True] < 0.98 * errors[False]
    return errors[radial3], radial3


def _cross_validated(
    views: Sequence[Corners], size: tuple[int, int], start: IntrinsicsConfig, radial3: bool
) -> float:
    """Return the held-out error with each view held out once, in turns."""
    errors = []
    for fold in range(FOLDS):
        seen = [view for i, view in enumerate(views) if i % FOLDS != fold]
        lens = _fit(seen, size, start, radial3).lens
        errors.append(held_out_error(lens, views[fold::FOLDS]))
    return float(np.sqrt(np.mean(np.square(errors))))
