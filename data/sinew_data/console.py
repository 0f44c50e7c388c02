"""What the verbs of `sinew data` share: the dataset argument, progress bars, sizes and times as text."""

from __future__ import annotations

import argparse
from collections.abc import Iterable
from pathlib import Path

from rich.console import Console
from rich.progress import BarColumn, Progress, TaskProgressColumn, TextColumn, TimeRemainingColumn

PLAIN_WIDTH = 160  # columns where there is no terminal to ask


def parser_for(verb: str, description: str | None) -> argparse.ArgumentParser:
    """Return the parser of a verb that works on one dataset."""
    parser = argparse.ArgumentParser(prog=f"sinew data {verb}", description=description)
    parser.add_argument("dataset", type=Path, help="the folder that holds episodes/")
    return parser


def output() -> Console:
    """Return a console for results."""
    console = Console(highlight=False)
    return console if console.is_terminal else Console(highlight=False, width=PLAIN_WIDTH)


def progress() -> Progress:
    """Return a progress bar on stderr, which is silent where there is no terminal."""
    console = Console(stderr=True, highlight=False)
    return Progress(
        TextColumn("{task.description}"),
        BarColumn(),
        TaskProgressColumn(),
        TimeRemainingColumn(),
        console=console,
        transient=True,
        disable=not console.is_terminal,
    )


def size_text(size: float) -> str:
    """Return a number of bytes as a person reads it."""
    for unit in ("B", "kB", "MB"):
        if size < 1000:
            return f"{size:.0f} {unit}" if unit == "B" else f"{size:.1f} {unit}"
        size /= 1000
    return f"{size:.1f} GB"


def time_text(seconds: float) -> str:
    """Return a duration as a person reads it."""
    if seconds < 60:
        return f"{seconds:.1f} s"
    return f"{seconds / 60:.1f} min" if seconds < 3600 else f"{seconds / 3600:.2f} h"


def counted(count: int, what: str) -> str:
    """Return how many there are of something, in words."""
    return f"{count} {what}" if count == 1 else f"{count} {what}s"


def listed(items: Iterable[str], limit: int = 5) -> str:
    """Return some names, and how many more there are."""
    names = list(items)
    more = f" and {len(names) - limit} more" if len(names) > limit else ""
    return ", ".join(names[:limit]) + more
