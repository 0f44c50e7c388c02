"""list the episodes of a dataset"""

from __future__ import annotations

import json
from collections.abc import Sequence

from rich.markup import escape
from rich.table import Table

from sinew_data.console import counted, output, parser_for, size_text, time_text
from sinew_data.dataset import Dataset, DatasetEntry
from sinew_data.layout import DISCARDED, EPISODES, UNFINISHED
from sinew_data.summary import EpisodeSummary

COLORS = {"success": "green", "failure": "red", "error": "red", "stopped": "red", "interrupted": "yellow"}


def main(argv: Sequence[str]) -> int:
    """Run `sinew data list`: 0, whatever the episodes are like."""
    parser = parser_for("list", __doc__)
    parser.add_argument("--discarded", action="store_true", help="list what was discarded instead")
    parser.add_argument("--json", action="store_true", help="print one JSON object a line")
    arguments = parser.parse_args(argv)
    dataset = Dataset(arguments.dataset)
    entries = list(dataset.entries(DISCARDED if arguments.discarded else EPISODES))
    if arguments.json:
        for entry in entries:
            print(json.dumps(_plain(entry), allow_nan=False))
        return 0
    console = output()
    console.print(_table(entries))
    for entry in entries:
        if entry.problem:
            console.print(f"[red]{escape(entry.problem)}[/]", soft_wrap=True)
    console.print(_total(dataset, entries), soft_wrap=True)
    return 0


def _table(entries: Sequence[DatasetEntry]) -> Table:
    table = Table(box=None, header_style="bold", pad_edge=False)
    table.add_column("episode", no_wrap=True)
    for name in ("outcome", "task", "instruction"):
        table.add_column(name)
    for name in ("steps", "s", "takeovers", "cameras", "size"):
        table.add_column(name, justify="right", no_wrap=True)
    table.add_column("note")
    for entry in entries:
        table.add_row(*_row(entry))
    return table


def _row(entry: DatasetEntry) -> list[str]:
    summary = entry.summary
    if summary is None:
        return [entry.name, "[red]unreadable[/]", *[""] * 7, "see below"]
    start, end = summary.start, summary.end
    outcome = f"[{COLORS.get(end.outcome, 'default')}]{escape(end.outcome)}[/]"
    return [
        entry.name,
        outcome,
        escape(start.task),
        escape(start.instruction),
        str(end.steps),
        f"{summary.seconds:.1f}",
        str(end.interventions),
        str(len(summary.cameras)),
        size_text(summary.size),
        escape(", ".join(notes(summary))),
    ]


def notes(summary: EpisodeSummary) -> list[str]:
    """Return what is out of the ordinary about an episode."""
    found = ["repaired"] if summary.end.repaired else []
    if summary.end.dropped:
        found.append(f"{sum(summary.end.dropped.values())} messages dropped")
    return [*found, *summary.end.marks]


def _total(dataset: Dataset, entries: Sequence[DatasetEntry]) -> str:
    good = [entry.summary for entry in entries if entry.summary is not None]
    length = time_text(sum(summary.seconds for summary in good))
    size = size_text(sum(summary.size for summary in good))
    text = f"{counted(len(good), 'episode')}, {length}, {size}"
    bad = len(entries) - len(good)
    text += f"; {bad} unreadable" if bad else ""
    left = len(dataset.paths(UNFINISHED))
    hint = f"sinew data repair {dataset.path}"
    return text + (f"; {left} unfinished: being recorded now, or for `{hint}`" if left else "")


def _plain(entry: DatasetEntry) -> dict[str, object]:
    summary = entry.summary
    if summary is None:
        return {"name": entry.name, "problem": entry.problem}
    start, end = summary.start, summary.end
    return {
        "name": entry.name,
        "outcome": end.outcome,
        "message": end.message,
        "task": start.task,
        "instruction": start.instruction,
        "seed": start.seed,
        "hardware": start.hardware,
        "robot": start.robot,
        "steps": end.steps,
        "seconds": summary.seconds,
        "interventions": end.interventions,
        "marks": list(end.marks),
        "repaired": end.repaired,
        "dropped": dict(end.dropped),
        "size": summary.size,
        "counts": dict(summary.counts),
    }
