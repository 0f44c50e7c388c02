"""Pictures by which a person judges a calibration: what was found, where it errs, what was dropped."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import cv2
import numpy as np
from sinew_core.cameras import IntrinsicsConfig
from sinew_core.robot import Robot
from sinew_core.types import FloatArray, ImageArray

from sinew_hardware.calibration.board import Corners
from sinew_hardware.calibration.coverage import corner_counts, coverage
from sinew_hardware.calibration.extrinsics import ExtrinsicsResult
from sinew_hardware.calibration.intrinsics import IntrinsicsResult
from sinew_hardware.calibration.lens import board_pose, project
from sinew_hardware.calibration.rotations import inverse
from sinew_hardware.calibration.sightings import Sighting

GREEN, RED, YELLOW, WHITE = (60, 230, 80), (240, 60, 50), (255, 210, 0), (255, 255, 255)
ARROWS = (1, 2, 5, 10, 20, 50, 100, 200)  # how much longer arrows may be drawn than errors are
LONGEST = 0.05  # of the picture's width, about what the usual arrow may take
SHEET = 320  # px, width of a picture on a contact sheet


def by_lens(lens: IntrinsicsConfig, corners: Corners) -> FloatArray:
    """Return the pixels (m, 2) where a lens puts the corners of a board in the pose that suits them best."""
    return project(lens, board_pose(lens, corners), corners.points)


def by_arm(robot: Robot, result: ExtrinsicsResult, sighting: Sighting, lens: IntrinsicsConfig) -> FloatArray:
    """Return the pixels (m, 2) where the arm and the calibrated mounting put the corners."""
    X_BC = robot.chain.pose(result.link, sighting.position) @ result.X_LC
    X_CB = inverse(X_BC) @ robot.chain.pose(result.board_link, sighting.position) @ result.X_MB
    return project(lens, X_CB, sighting.corners.points)


def annotated(
    rgb: ImageArray, corners: Corners, expected: FloatArray | None = None, note: str = ""
) -> ImageArray:
    """Return a picture (h, w, 3) with its corners, and arrows to where they are `expected` (m, 2).

    Arrows are drawn longer than they are, by a factor that is written on the picture with the error.
    """
    picture, words = _marked(rgb, corners, expected)
    _write(picture, [note, words] if note else [words])
    return picture


def _marked(rgb: ImageArray, corners: Corners, expected: FloatArray | None) -> tuple[ImageArray, str]:
    """Return a picture with corners and arrows, and what to write on or under it."""
    picture: ImageArray = np.ascontiguousarray(rgb).copy()
    size = max(rgb.shape[1] // 160, 2)
    words = f"{len(corners)} corners"
    if expected is not None and len(corners):
        gaps = expected - corners.pixels
        lengths = np.linalg.norm(gaps, axis=1)
        factor = _factor(float(np.median(lengths)), rgb.shape[1])
        for start, gap in zip(corners.pixels, gaps, strict=True):
            _arrow(picture, start, start + factor * gap, size)
        words = f"{words}, off by {np.sqrt(np.mean(lengths**2)):.2f} px (arrows x{factor})"
    for pixel in corners.pixels:
        cv2.circle(picture, _at(pixel), size, GREEN, 1, cv2.LINE_AA)
    return picture, words


def coverage_picture(views: Sequence[Corners], size: tuple[int, int]) -> ImageArray:
    """Return a picture of `size` (width, height): every corner seen, on cells that glow with their number."""
    counts = corner_counts(views, size)
    heat = np.clip(255 * np.log1p(counts) / np.log1p(max(int(counts.max()), 1)), 0, 255).astype(np.uint8)
    large = cv2.resize(heat, size, interpolation=cv2.INTER_NEAREST)
    picture: ImageArray = cv2.cvtColor(cv2.applyColorMap(large, cv2.COLORMAP_INFERNO), cv2.COLOR_BGR2RGB)
    for view in views:
        for pixel in view.pixels:
            cv2.circle(picture, _at(pixel), max(size[0] // 320, 1), GREEN, -1, cv2.LINE_AA)
    _write(picture, [f"coverage {100 * coverage(counts):.0f} %"])
    return picture


def contact_sheet(
    pictures: Sequence[ImageArray], notes: Sequence[str], rejected: Mapping[int, str]
) -> ImageArray:
    """Return all pictures in rows, numbered and with their notes; the rejected ones crossed out, with why."""
    columns = int(np.ceil(np.sqrt(len(pictures))))
    cells = [
        _cell(i, p, n, rejected.get(i, "")) for i, (p, n) in enumerate(zip(pictures, notes, strict=True))
    ]
    tallest = max(cell.shape[0] for cell in cells)
    cells = [cv2.copyMakeBorder(c, 0, tallest - c.shape[0], 0, 0, cv2.BORDER_CONSTANT) for c in cells]
    cells += [np.zeros_like(cells[0])] * (-len(cells) % columns)
    rows = [np.hstack(cells[i : i + columns]) for i in range(0, len(cells), columns)]
    sheet: ImageArray = np.vstack(rows)
    return sheet


def intrinsics_sheet(
    pictures: Sequence[ImageArray], views: Sequence[Corners], result: IntrinsicsResult
) -> ImageArray:
    """Return the contact sheet of a lens' calibration, with the coverage as its last picture."""
    marked = [
        _marked(p, v, by_lens(result.intrinsics, v) if i not in result.rejected else None)
        for i, (p, v) in enumerate(zip(pictures, views, strict=True))
    ]
    kept = [v for i, v in enumerate(views) if i not in result.rejected]
    size = (pictures[0].shape[1], pictures[0].shape[0])
    marked.append((coverage_picture(kept, size), "where corners were seen"))
    return contact_sheet([p for p, _ in marked], [words for _, words in marked], result.rejected)


def extrinsics_sheet(
    pictures: Sequence[ImageArray],
    sightings: Sequence[Sighting],
    result: ExtrinsicsResult,
    robot: Robot,
    lens: IntrinsicsConfig,
) -> ImageArray:
    """Return the contact sheet of a mounting's calibration: arrows lead to where the arm puts each corner."""
    marked = [
        _marked(p, s.corners, by_arm(robot, result, s, lens) if len(s.corners) else None)
        for p, s in zip(pictures, sightings, strict=True)
    ]
    return contact_sheet([p for p, _ in marked], [words for _, words in marked], result.rejected)


def _factor(error: float, width: int) -> int:
    """Return the greatest round factor by which arrows of this length still suit the picture."""
    fitting = [factor for factor in ARROWS if factor * error <= LONGEST * width]
    return fitting[-1] if fitting else 1


def _arrow(picture: ImageArray, start: FloatArray, end: FloatArray, size: int) -> None:
    cv2.arrowedLine(picture, _at(start), _at(end), YELLOW, max(size // 2, 1), cv2.LINE_AA, 0, 0.25)


def _cell(number: int, picture: ImageArray, note: str, reason: str) -> ImageArray:
    """Return a picture at the sheet's width, framed; crossed out if there is a reason."""
    scale = SHEET / picture.shape[1]
    cell = cv2.resize(picture, None, fx=scale, fy=scale, interpolation=cv2.INTER_AREA)
    height, width = cell.shape[:2]
    if reason:
        cv2.line(cell, (0, 0), (width, height), RED, 2, cv2.LINE_AA)
        cv2.line(cell, (0, height), (width, 0), RED, 2, cv2.LINE_AA)
    cv2.rectangle(cell, (0, 0), (width - 1, height - 1), RED if reason else WHITE, 3 if reason else 1)
    strip = np.zeros((34, width, 3), dtype=np.uint8)
    words = f"{number}: {reason or note}" if reason or note else f"{number}"
    for row, line in enumerate(_wrapped(words, 2)):
        cv2.putText(
            strip, line, (4, 13 + 15 * row), cv2.FONT_HERSHEY_SIMPLEX, 0.4, RED if reason else WHITE, 1
        )
    return np.vstack([cell, strip])


def _wrapped(text: str, rows: int, length: int = 48) -> list[str]:
    """Return text in at most so many rows of about so many letters."""
    lines = [""]
    for word in text.split():
        if len(lines[-1]) + len(word) >= length and len(lines) < rows:
            lines.append("")
        lines[-1] = f"{lines[-1]} {word}".strip()
    return lines


def _write(picture: ImageArray, lines: Sequence[str]) -> None:
    """Write lines into the upper left corner, on a dark ground."""
    scale = picture.shape[1] / 1000
    tall, wide = round(38 * scale), max(_width(line, scale) for line in lines)
    picture[: len(lines) * tall + round(10 * scale), : wide + round(24 * scale)] //= 4
    for row, line in enumerate(lines):
        at = (round(12 * scale), round((34 + 38 * row) * scale))
        cv2.putText(picture, line, at, cv2.FONT_HERSHEY_SIMPLEX, scale, WHITE, 1, cv2.LINE_AA)


def _width(line: str, scale: float) -> int:
    return int(cv2.getTextSize(line, cv2.FONT_HERSHEY_SIMPLEX, scale, 1)[0][0])


def _at(pixel: FloatArray) -> tuple[int, int]:
    return round(float(pixel[0])), round(float(pixel[1]))
