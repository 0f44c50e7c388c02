"""Boards and tags for the printer: at their true size, with that size and a ruler written under them."""

from __future__ import annotations

import struct
import zlib
from pathlib import Path

import cv2
import numpy as np
from sinew_core.errors import ConfigError
from sinew_core.types import ImageArray

from sinew_hardware.calibration.board import BoardConfig, GreyArray, draw_board
from sinew_hardware.calibration.tag import TagConfig, draw_tag

INCH = 0.0254  # m
POINT = INCH / 72  # m, the unit of a PDF
PAGES = {"A4": (0.210, 0.297), "A3": (0.297, 0.420)}  # m
MARGIN = 0.004  # m that printers leave white


def board_picture(config: BoardConfig | TagConfig, dpi: int = 300) -> ImageArray:
    """Return a board or tag (h, w, 3) at `true_dpi(config, dpi)`, with its sizes and a ruler under it."""
    cell, pixels = _cell(config, dpi)
    bare = draw_board(config, pixels) if isinstance(config, BoardConfig) else draw_tag(config, pixels)
    per_mm = pixels / (1000 * cell)
    margin = round(8 * per_mm)
    page = cv2.copyMakeBorder(bare, margin, 3 * margin, margin, margin, cv2.BORDER_CONSTANT, value=255)
    _write_under(page, _sizes(config), margin, bare.shape[0] + 2 * margin, per_mm)
    return np.repeat(page[..., None], 3, axis=2)


def true_dpi(config: BoardConfig | TagConfig, dpi: int = 300) -> float:
    """Return the resolution near `dpi` at which a square is a whole number of pixels."""
    cell, pixels = _cell(config, dpi)
    return pixels * INCH / cell


def write_board(path: Path, config: BoardConfig | TagConfig, dpi: int = 300) -> None:
    """Write a board or tag for printing at 100 %, as .pdf or .png; raises ConfigError for other endings."""
    picture, true = board_picture(config, dpi), true_dpi(config, dpi)
    if path.suffix == ".pdf":
        path.write_bytes(_pdf(picture[..., 0], true))
    elif path.suffix == ".png":
        path.write_bytes(_png(picture[..., 0], true))
    else:
        raise ConfigError(f"{path}: a board is written as .pdf or .png, got '{path.suffix}'.")


def _cell(config: BoardConfig | TagConfig, dpi: int) -> tuple[float, int]:
    """Return the edge of what must be whole pixels, in m and in px."""
    cell = config.square if isinstance(config, BoardConfig) else config.size
    return cell, max(round(cell * dpi / INCH), 16)


def _sizes(config: BoardConfig | TagConfig) -> str:
    if isinstance(config, TagConfig):
        return f"{config.dictionary} {config.id}, edge {1000 * config.size:.1f} mm"
    columns, rows = config.squares
    sizes = f"squares {1000 * config.square:.1f} mm, markers {1000 * config.marker:.1f} mm"
    return f"{columns} x {rows}, {sizes}, {config.dictionary}"


def _write_under(page: GreyArray, text: str, left: int, top: int, per_mm: float) -> None:
    """Write the sizes and draw a ruler; both shrink with the page."""
    width = page.shape[1] - 2 * left
    length = 10 * max(int(width / per_mm / 10), 1)  # mm
    lines = (f"Ruler: {length} mm. Print at 100 %, then measure.", text)
    thick = max(round(per_mm / 4), 1)
    longest = max(cv2.getTextSize(line, cv2.FONT_HERSHEY_SIMPLEX, 1.0, thick)[0][0] for line in lines)
    scale = min(width / longest, 0.1 * per_mm)
    cv2.line(page, (left, top), (left + round(length * per_mm), top), 0, thick)
    for mm in range(0, length + 1, 10):
        x = left + round(mm * per_mm)
        cv2.line(page, (x, top - round(1.5 * per_mm)), (x, top), 0, thick)
    for row, line in enumerate(lines):
        at = (left, top + round((5 + 5 * row) * per_mm))
        cv2.putText(page, line, at, cv2.FONT_HERSHEY_SIMPLEX, scale, 0, thick, cv2.LINE_AA)


def _png(picture: GreyArray, dpi: float) -> bytes:
    """Return a PNG that knows its resolution, which OpenCV's writer does not say."""
    data = bytes(cv2.imencode(".png", picture)[1])
    per_metre = round(dpi / INCH)
    chunk = b"pHYs" + struct.pack(">IIB", per_metre, per_metre, 1)
    size = struct.pack(">I", len(chunk) - 4) + chunk + struct.pack(">I", zlib.crc32(chunk))
    header = 8 + 25  # the signature and IHDR, which comes first
    return data[:header] + size + data[header:]


def _pdf(picture: GreyArray, dpi: float) -> bytes:
    """Return a PDF of one page, A4 or A3 or as large as it takes, with the picture in its middle."""
    h, w = picture.shape
    width, height = w * INCH / dpi, h * INCH / dpi  # m
    page = _page(width, height)
    across, down = width / POINT, height / POINT
    left, bottom = (page[0] - across) / 2, (page[1] - down) / 2
    draw = f"{across:.5f} 0 0 {down:.5f} {left:.5f} {bottom:.5f} cm /Board Do".encode()
    pixels = zlib.compress(picture.tobytes(), 9)
    return _pdf_file(
        b"<< /Type /Catalog /Pages 2 0 R /ViewerPreferences << /PrintScaling /None >> >>",
        b"<< /Type /Pages /Kids [3 0 R] /Count 1 >>",
        b"<< /Type /Page /Parent 2 0 R /Contents 4 0 R /Resources << /XObject << /Board 5 0 R >> >> "
        + f"/MediaBox [0 0 {page[0]:.5f} {page[1]:.5f}] >>".encode(),
        b"<< /Length %d >>\nstream\n%b\nendstream" % (len(draw), draw),
        b"<< /Type /XObject /Subtype /Image /ColorSpace /DeviceGray /BitsPerComponent 8 /Filter /FlateDecode "
        b"/Width %d /Height %d /Length %d >>\nstream\n%b\nendstream" % (w, h, len(pixels), pixels),
    )


def _page(width: float, height: float) -> tuple[float, float]:
    """Return the size in points of the smallest usual page, upright or not, for a picture of this size."""
    for short, long in PAGES.values():
        page = (long, short) if width > height else (short, long)
        if width + 2 * MARGIN <= page[0] and height + 2 * MARGIN <= page[1]:
            return page[0] / POINT, page[1] / POINT
    return (width + 2 * MARGIN) / POINT, (height + 2 * MARGIN) / POINT


def _pdf_file(*objects: bytes) -> bytes:
    """Return the objects, numbered from 1, as a file with its table of places."""
    parts, places = [b"%PDF-1.4\n"], []
    for number, body in enumerate(objects, start=1):
        places.append(sum(map(len, parts)))
        parts.append(b"%d 0 obj\n%b\nendobj\n" % (number, body))
    start = sum(map(len, parts))
    table = b"".join(b"%010d 00000 n \n" % place for place in places)
    count = len(objects) + 1
    parts.append(b"xref\n0 %d\n0000000000 65535 f \n%b" % (count, table))
    parts.append(b"trailer\n<< /Size %d /Root 1 0 R >>\nstartxref\n%d\n%%%%EOF\n" % (count, start))
    return b"".join(parts)
