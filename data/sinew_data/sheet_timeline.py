"""The lower part of a contact sheet: who drove, where safety changed commands, and the reward over time."""

from __future__ import annotations

from collections.abc import Collection

import numpy as np
from PIL import Image, ImageDraw
from sinew_core.types import FloatArray

from sinew_data.overview import Timeline
from sinew_data.sheet_canvas import (
    FAINT,
    GREY,
    INK,
    MARGIN,
    OWNERS,
    SMALL,
    TEXT,
    WIDTH,
    Box,
    Canvas,
    Colour,
)

NAMES = 72  # px at the left, for names and figures
DRIVER, SAFETY, CURVE, FOOT = 22, 12, 150, 48  # px, heights
HEIGHT = 6 + DRIVER + 6 + SAFETY + 12 + CURVE + FOOT
CHANGED: Colour = (150, 60, 170)
SHADE = 0.18  # of a driver's colour behind the curve
FINE = 4  # times, in which the curve is drawn and scaled down


def draw_timeline(canvas: Canvas, timeline: Timeline, marked: Collection[float], y: int) -> None:
    """Draw everything on one axis of time from y on; `marked` are the moments of frames, in s."""
    box = Box(MARGIN + NAMES, y, WIDTH - MARGIN, y)
    scale = _Scale(box.left, box.right, timeline.seconds or 1.0)
    y = _driver(canvas, timeline, scale, marked, y + 6)
    y = _safety(canvas, timeline, scale, y + 6)
    curve = Box(box.left, y + 12, box.right, y + 12 + CURVE)
    _takeovers(canvas, timeline, scale, curve)
    _reward(canvas, timeline, scale, curve)
    _axis(canvas, scale, curve.bottom)
    _legend(canvas, timeline, curve.bottom + 30)


class _Scale:
    """Where on the sheet a moment lies."""

    def __init__(self, left: int, right: int, span: float) -> None:
        self.left, self.right, self.span = left, right, span

    def x(self, at: float) -> int:
        """Return the place of a moment, in s."""
        return self.left + round(min(max(at / self.span, 0.0), 1.0) * (self.right - self.left))


def _driver(canvas: Canvas, timeline: Timeline, scale: _Scale, marked: Collection[float], y: int) -> int:
    """Draw who drove, with a notch where there is a frame above; return where the line ends."""
    canvas.text((MARGIN, y + DRIVER / 2), "driver", SMALL, GREY, anchor="lm")
    canvas.fill(Box(scale.left, y, scale.right, y + DRIVER), FAINT)
    for run in timeline.runs:
        canvas.fill(Box(scale.x(run.begin), y, scale.x(run.end), y + DRIVER), OWNERS.get(run.owner, GREY))
    for at in marked:
        x = scale.x(at)
        canvas.draw.polygon(((x - 5, y - 4), (x + 5, y - 4), (x, y + 4)), fill=INK)
    return y + DRIVER


def _safety(canvas: Canvas, timeline: Timeline, scale: _Scale, y: int) -> int:
    canvas.text((MARGIN, y + SAFETY / 2), "safety", SMALL, GREY, anchor="lm")
    canvas.fill(Box(scale.left, y, scale.right, y + SAFETY), FAINT)
    begins = [*timeline.time.tolist(), timeline.seconds]
    for i in np.flatnonzero(timeline.changed).tolist():
        left = scale.x(begins[i])
        canvas.fill(Box(left, y, max(scale.x(begins[i + 1]), left + 2), y + SAFETY), CHANGED)
    return y + SAFETY


def _takeovers(canvas: Canvas, timeline: Timeline, scale: _Scale, box: Box) -> None:
    red, green, blue = (round(255 - SHADE * (255 - part)) for part in OWNERS["human"])
    for run in timeline.interventions:
        canvas.fill(Box(scale.x(run.begin), box.top, scale.x(run.end), box.bottom), (red, green, blue))
    canvas.draw.rectangle((box.left, box.top, box.right - 1, box.bottom - 1), outline=FAINT)


def _reward(canvas: Canvas, timeline: Timeline, scale: _Scale, box: Box) -> None:
    """Draw the reward with its largest and smallest value, broken where there is none."""
    canvas.text((MARGIN, box.top + box.height / 2), "reward", SMALL, GREY, anchor="lm")
    known = timeline.reward[np.isfinite(timeline.reward)]
    if not len(known):
        middle = (box.left + box.width / 2, box.top + box.height / 2)
        canvas.text(middle, "no reward was recorded", TEXT, GREY, anchor="mm")
        return
    low, high = float(known.min()), float(known.max())

    def y(value: float) -> float:
        share = (value - low) / (high - low) if high > low else 0.5
        return box.bottom - 12 - share * (box.height - 24)

    figures = {high: y(high), low: y(low)}
    if low < 0 < high:
        canvas.draw.line((box.left, y(0.0), box.right, y(0.0)), fill=FAINT)
        clear = all(abs(y(0.0) - place) > SMALL for place in figures.values())
        figures |= {0.0: y(0.0)} if clear else {}
    for value, place in figures.items():
        canvas.text((box.left - 6, place), f"{value:.3g}", SMALL, GREY, anchor="rm")
    heights = np.array([y(value) for value in timeline.reward.tolist()])
    _line(canvas, box, np.array([scale.x(at) for at in timeline.time.tolist()]), heights)


def _line(canvas: Canvas, box: Box, x: FloatArray, y: FloatArray) -> None:
    """Draw a smooth line through places on the sheet (k,); NaN breaks it."""
    part = canvas.image.crop((box.left, box.top, box.right, box.bottom))
    fine = part.resize((FINE * box.width, FINE * box.height), Image.Resampling.NEAREST)
    draw = ImageDraw.Draw(fine)
    breaks = np.flatnonzero(~np.isfinite(y))
    for piece in np.split(np.arange(len(y)), breaks):
        at = piece[np.isfinite(y[piece])]
        places = [(FINE * (x[i] - box.left), FINE * (y[i] - box.top)) for i in at.tolist()]
        if places:
            draw.line([*places, (places[-1][0] + FINE, places[-1][1])], INK, width=2 * FINE, joint="curve")
    canvas.image.paste(fine.resize(part.size, Image.Resampling.BOX), (box.left, box.top))


def _axis(canvas: Canvas, scale: _Scale, y: int) -> None:
    """Write round moments below the lines."""
    raw = scale.span / 8
    unit = 10.0 ** np.floor(np.log10(raw))
    step = next(factor * unit for factor in (1, 2, 5, 10) if factor * unit >= raw * 0.999)
    for i in range(int(scale.span / step + 1e-9) + 1):
        x = scale.x(i * step)
        canvas.draw.line((x, y, x, y + 5), fill=GREY)
        canvas.text((x, y + 7), f"{i * step:g}{' s' if i == 0 else ''}", SMALL, GREY, anchor="ma")


def _legend(canvas: Canvas, timeline: Timeline, y: int) -> None:
    """Write how many steps each driver had."""
    canvas.text((MARGIN, y + 2), "steps", SMALL, GREY)
    x: float = MARGIN + NAMES
    owners = [name for name in OWNERS if timeline.steps_of(name)]
    entries = [(f"{name} {timeline.steps_of(name)}", OWNERS[name]) for name in owners]
    entries.append((f"changed by safety {int(timeline.changed.sum())}", CHANGED))
    for words, colour in entries:
        canvas.fill(Box(int(x), y + 3, int(x) + 14, y + 17), colour)
        x += 42 + canvas.text((x + 20, y + 2), words, SMALL, GREY)
