"""A dataset as `sinew data show` prints it: what was asked for, how often, and how it went."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from rich.console import Console
from rich.markup import escape
from rich.table import Table

from sinew_data.console import counted, listed, size_text, time_text
from sinew_data.dataset import Dataset, DatasetEntry
from sinew_data.layout import DISCARDED, UNFINISHED
from sinew_data.summary import EpisodeSummary


@dataclass(frozen=True, slots=True)
class DatasetOverview:
    """A dataset's episodes, read from their ends alone."""

    path: str
    readable: tuple[EpisodeSummary, ...]
    unreadable: tuple[DatasetEntry, ...]
    unfinished: int
    discarded: int


def read_dataset(dataset: Dataset) -> DatasetOverview:
    """Read what every episode says of itself."""
    entries = list(dataset.entries())
    return DatasetOverview(
        str(dataset.path),
        tuple(entry.summary for entry in entries if entry.summary is not None),
        tuple(entry for entry in entries if entry.summary is None),
        len(dataset.paths(UNFINISHED)),
        len(dataset.paths(DISCARDED)),
    )


def seconds_of(summaries: Iterable[EpisodeSummary]) -> float:
    """Return how long episodes are on the robot's clock, in s."""
    return sum(summary.seconds for summary in summaries)


def dataset_title(overview: DatasetOverview) -> str:
    """Return a dataset in one line."""
    readable = overview.readable
    outcomes = Counter(summary.end.outcome for summary in readable)
    facts = [
        counted(len(readable), "episode"),
        *(f"{count} {outcome}" for outcome, count in outcomes.most_common()),
        time_text(seconds_of(readable)),
        size_text(sum(summary.size for summary in readable)),
    ]
    return f"{overview.path}: {', '.join(facts)}"


def print_dataset(console: Console, overview: DatasetOverview) -> None:
    """Print a dataset's instructions with their outcomes, and what it was recorded with."""
    console.print(f"[bold]{escape(dataset_title(overview))}[/]", soft_wrap=True)
    if overview.readable:
        console.print(_instructions(overview.readable))
    facts = Table.grid(padding=(0, 2))
    facts.add_column(style="bold", no_wrap=True)
    facts.add_column(overflow="fold")
    for name, texts in _settings(overview.readable).items():
        facts.add_row(
            name, escape(listed(f"{text} ({count})" for text, count in texts.most_common()) or "none")
        )
    facts.add_row("unfinished", str(overview.unfinished))
    facts.add_row("discarded", str(overview.discarded))
    console.print(facts)
    for entry in overview.unreadable:
        console.print(f"[red]unreadable[/] {escape(entry.problem)}", soft_wrap=True)


def _settings(summaries: Sequence[EpisodeSummary]) -> dict[str, Counter[str]]:
    """Count what episodes were recorded with, by kind."""
    starts = [summary.start for summary in summaries]
    return {
        "robots": Counter(start.robot for start in starts),
        "hardware": Counter(f"{start.hardware}, {start.control_period:g} s a period" for start in starts),
        "policies": Counter(start.policy or "none told" for start in starts),
        "cameras": Counter(name for summary in summaries for name in summary.cameras),
        "marks": Counter(mark for summary in summaries for mark in summary.end.marks),
    }


def _by_instruction(summaries: Iterable[EpisodeSummary]) -> dict[tuple[str, str], list[EpisodeSummary]]:
    groups: dict[tuple[str, str], list[EpisodeSummary]] = {}
    for summary in summaries:
        groups.setdefault((summary.start.task, summary.start.instruction), []).append(summary)
    return dict(sorted(groups.items(), key=lambda item: -len(item[1])))


def _instructions(summaries: Sequence[EpisodeSummary]) -> Table:
    table = Table(box=None, header_style="bold", pad_edge=False)
    for name in ("task", "instruction"):
        table.add_column(name)
    for name in ("episodes", "success", "steps", "length", "takeovers"):
        table.add_column(name, justify="right", no_wrap=True)
    for (task, instruction), group in _by_instruction(summaries).items():
        table.add_row(
            escape(task),
            escape(instruction),
            str(len(group)),
            str(sum(summary.end.success for summary in group)),
            str(sum(summary.end.steps for summary in group)),
            time_text(seconds_of(group)),
            str(sum(summary.end.interventions for summary in group)),
        )
    return table


def plain_dataset(overview: DatasetOverview) -> dict[str, object]:
    """Return everything about a dataset as one JSON object."""
    return {
        "path": overview.path,
        "episodes": len(overview.readable),
        "outcomes": dict(Counter(summary.end.outcome for summary in overview.readable)),
        "seconds": seconds_of(overview.readable),
        "size": sum(summary.size for summary in overview.readable),
        "steps": sum(summary.end.steps for summary in overview.readable),
        "takeovers": sum(summary.end.interventions for summary in overview.readable),
        **{name: dict(counts) for name, counts in _settings(overview.readable).items()},
        "instructions": [
            {
                "task": task,
                "instruction": instruction,
                "episodes": len(group),
                "success": sum(summary.end.success for summary in group),
                "steps": sum(summary.end.steps for summary in group),
            }
            for (task, instruction), group in _by_instruction(overview.readable).items()
        ],
        "unfinished": overview.unfinished,
        "discarded": overview.discarded,
        "unreadable": {entry.name: entry.problem for entry in overview.unreadable},
    }
