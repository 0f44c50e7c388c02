"""A picture of a dataset: one row of frames for each episode."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

from PIL import Image

from sinew_data.console import counted
from sinew_data.contact_sheet import (
    BETWEEN,
    COLOUR,
    GAP,
    Shown,
    draw_frames,
    draw_outcome,
    sampled_frames,
    scaled_height,
)
from sinew_data.errors import EpisodeError
from sinew_data.overview import Timeline, read_timeline
from sinew_data.reader import open_episode
from sinew_data.sheet_canvas import GREY, MARGIN, SMALL, TEXT, WIDTH, Box, Canvas, fitted
from sinew_data.summary import EpisodeSummary

FRAMES = 8  # of an episode
MOST = 40  # episodes on a sheet, the newest
HEADER, NAME = 56, 36  # px, heights


@dataclass(frozen=True, slots=True)
class _Row:
    name: str
    summary: EpisodeSummary | None
    timeline: Timeline
    frames: Sequence[Shown]
    problem: str = ""


def dataset_sheet(
    paths: Sequence[Path], title: str, on_episode: Callable[[], None] = lambda: None
) -> Image.Image:
    """Draw the newest episodes of a dataset, by their first camera; what cannot be read says why."""
    rows = []
    for path in paths[-MOST:]:
        rows.append(_read(path))
        on_episode()
    width = (WIDTH - 2 * MARGIN - (FRAMES - 1) * BETWEEN) // FRAMES
    heights = [scaled_height(row.frames[0], width) + COLOUR if row.frames else 0 for row in rows]
    canvas = Canvas(HEADER + sum(heights) + len(rows) * (NAME + GAP) + MARGIN)
    canvas.text((MARGIN, 18), fitted(title, TEXT, WIDTH - 2 * MARGIN), TEXT)
    y = HEADER
    for row, height in zip(rows, heights, strict=True):
        _draw(canvas, row, Box(MARGIN, y, MARGIN + width, y + NAME + height - COLOUR))
        y += NAME + height + GAP
    return canvas.image


def _read(path: Path) -> _Row:
    try:
        with open_episode(path) as episode:
            timeline, camera = read_timeline(episode), episode.summary.cameras[:1]
            frames = sampled_frames(episode, timeline, FRAMES, camera)
            return _Row(path.stem, episode.summary, timeline, [*frames.values(), []][0])
    except EpisodeError as error:
        return _Row(path.stem, None, Timeline(), [], str(error).removeprefix(f"{path}: "))


def _draw(canvas: Canvas, row: _Row, place: Box) -> None:
    summary = row.summary
    if summary is None:
        words = f"{row.name}   ·   {row.problem}"
        canvas.text((MARGIN, place.top + 8), fitted(words, SMALL, WIDTH - 2 * MARGIN), SMALL, (196, 40, 44))
        return
    left = draw_outcome(canvas, summary.end.outcome, place.top)
    facts = [
        summary.start.instruction or summary.start.task,
        f"{row.timeline.seconds:.1f} s",
        *([counted(len(row.timeline.interventions), "takeover")] if row.timeline.interventions else []),
        row.name,
    ]
    words = fitted("   ·   ".join(facts), SMALL, left - MARGIN - 20)
    canvas.text((MARGIN, place.top + 8), words, SMALL, GREY)
    first = Box(place.left, place.top + NAME, place.right, place.bottom)
    draw_frames(canvas, row.timeline, row.frames, first)
