"""A picture of an episode: frames of every camera over time, who drove, what it was worth."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from PIL import Image
from sinew_core.types import NANOSECONDS, ImageArray

from sinew_data import topics
from sinew_data.console import counted
from sinew_data.export.grid import nearest
from sinew_data.export.passes import read_frames
from sinew_data.overview import Overview, Timeline
from sinew_data.reader import Episode, open_episode
from sinew_data.sheet_canvas import (
    FAINT,
    GREY,
    MARGIN,
    OUTCOMES,
    OWNERS,
    PAPER,
    SMALL,
    TEXT,
    TITLE,
    WIDTH,
    Box,
    Canvas,
    fitted,
    text_width,
)
from sinew_data.sheet_timeline import HEIGHT, draw_timeline

FRAMES = 6  # of a camera
BETWEEN = 6  # px
HEADER, CAMERA, COLOUR, GAP = 84, 30, 5, 10  # px, heights


@dataclass(frozen=True, slots=True)
class Shown:
    """A frame on a sheet."""

    at: float  # s since the episode's first step
    pixels: ImageArray


def sampled_frames(
    episode: Episode, timeline: Timeline, count: int = FRAMES, cameras: Sequence[str] | None = None
) -> dict[str, list[Shown]]:
    """Read frames of every camera, or of some, evenly from the episode's first step to its last."""
    last = float(timeline.time[-1]) if timeline.steps else 0.0
    moments = timeline.start + (np.linspace(0.0, last, count) * NANOSECONDS).astype(np.int64)
    wanted = [name for name in timeline.frames if cameras is None or name in cameras]
    chosen = {topics.color_topic(name): nearest(timeline.frames[name], moments) for name in wanted}
    found: dict[str, list[Shown]] = {name: [] for name in wanted}
    names = {topics.color_topic(name): name for name in wanted}
    for frame in read_frames(episode, chosen):
        at = (int(chosen[frame.topic][frame.row]) - timeline.start) / NANOSECONDS
        found[names[frame.topic]].append(Shown(at, frame.pixels))
    return found


def contact_sheet(overview: Overview, count: int = FRAMES) -> Image.Image:
    """Draw the sheet of an episode, 1200 px wide, with so many frames of each camera."""
    with open_episode(overview.summary.path) as episode:
        frames = sampled_frames(episode, overview.timeline, count)
    width = (WIDTH - 2 * MARGIN - (count - 1) * BETWEEN) // count
    heights = {name: scaled_height(shown[0], width) for name, shown in frames.items() if shown}
    above = HEADER + sum(CAMERA + height + GAP for height in heights.values()) + (0 if heights else CAMERA)
    canvas = Canvas(above + HEIGHT + MARGIN)
    _header(canvas, overview)
    y = HEADER
    for name, height in heights.items():
        _camera_name(canvas, overview, frames[name][0], name, y)
        draw_frames(
            canvas,
            overview.timeline,
            frames[name],
            Box(MARGIN, y + CAMERA, MARGIN + width, y + CAMERA + height),
        )
        y += CAMERA + height + GAP
    if not heights:
        canvas.text((MARGIN, y), "no camera was recorded", TEXT, GREY)
    marked = {shown.at for row in frames.values() for shown in row}
    draw_timeline(canvas, overview.timeline, marked, above)
    return canvas.image


def scaled_height(shown: Shown, width: int) -> int:
    """Return how high a frame is at a width, in px."""
    height, across = shown.pixels.shape[:2]
    return max(1, round(width * float(height / across)))


def draw_frames(canvas: Canvas, timeline: Timeline, row: Sequence[Shown], first: Box) -> None:
    """Draw frames in a row, each with its time and the colour of who drove then; `first` is the first's."""
    for i, shown in enumerate(row):
        left, bottom = first.left + i * (first.width + BETWEEN), first.bottom
        width = first.width
        canvas.picture(Box(left, first.top, left + width, bottom), shown.pixels)
        colour = OWNERS.get(_owner_at(timeline, shown.at), FAINT)
        canvas.fill(Box(left, bottom, left + width, bottom + COLOUR), colour)
        canvas.label((left, bottom), f"{shown.at:.2f} s")


def _owner_at(timeline: Timeline, at: float) -> str:
    return next((run.owner for run in timeline.runs if run.begin <= at < run.end), "")


def _camera_name(canvas: Canvas, overview: Overview, shown: Shown, name: str, y: int) -> None:
    rate = overview.rate(name)
    facts = [f"{shown.pixels.shape[1]}x{shown.pixels.shape[0]}", *([f"{rate:.1f} Hz"] if rate else [])]
    facts += ["with depth"] if overview.depth(name) else []
    wide = canvas.text((MARGIN, y + 4), name, TEXT)
    canvas.text((MARGIN + wide + 12, y + 6), ", ".join(facts), SMALL, GREY)


def _header(canvas: Canvas, overview: Overview) -> None:
    summary, timeline = overview.summary, overview.timeline
    start = summary.start
    left = draw_outcome(canvas, summary.end.outcome, 18)
    canvas.text((MARGIN, 18), fitted(start.instruction or start.task, TITLE, left - MARGIN - 20), TITLE)
    facts = [
        summary.name,
        f"{timeline.seconds:.1f} s",
        counted(timeline.steps, "step"),
        counted(len(timeline.interventions), "takeover"),
        f"{start.robot} on {start.hardware}",
        *([start.policy] if start.policy else []),
        *summary.end.marks,
    ]
    canvas.text((MARGIN, 54), fitted("   ·   ".join(facts), SMALL, WIDTH - 2 * MARGIN), SMALL, GREY)


def draw_outcome(canvas: Canvas, outcome: str, y: int) -> int:
    """Draw a badge with an outcome at the right; return where it begins."""
    left, right = WIDTH - MARGIN - int(text_width(outcome, TEXT)) - 24, WIDTH - MARGIN
    canvas.draw.rounded_rectangle((left, y, right, y + 28), 6, fill=OUTCOMES.get(outcome, GREY))
    canvas.text(((left + right) / 2, y + 14), outcome, TEXT, PAPER, anchor="mm")
    return left
