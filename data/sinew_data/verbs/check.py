"""look through every message for gaps, losses, missing topics and stamps that go backwards"""

from __future__ import annotations

import json
from collections.abc import Sequence

from rich.console import Console
from rich.markup import escape
from rich.table import Table

from sinew_data.console import counted, output, parser_for, progress
from sinew_data.dataset import Dataset
from sinew_data.inspection import Inspection, inspect
from sinew_data.layout import UNFINISHED


def main(argv: Sequence[str]) -> int:
    """Run `sinew data check`: 0, or 1 if an episode has a problem."""
    parser = parser_for("check", __doc__)
    parser.add_argument("episodes", nargs="*", metavar="EPISODE", help="its name, or a part of it (all)")
    parser.add_argument("--json", action="store_true", help="print one JSON object a line")
    parser.add_argument("--topics", action="store_true", help="show the figures of each topic, too")
    arguments = parser.parse_args(argv)
    dataset = Dataset(arguments.dataset)
    paths = [dataset.find(name) for name in arguments.episodes] or dataset.paths()
    console, bad = output(), 0
    with progress() as bar:
        task = bar.add_task("checking", total=sum(path.stat().st_size for path in paths))
        for path in paths:
            found = inspect(path)
            bar.advance(task, path.stat().st_size)
            bad += bool(found.problems)
            if arguments.json:
                print(json.dumps(_plain(found)))
            else:
                _say(console, found, topics=arguments.topics)
    if not arguments.json:
        console.print(_total(dataset, len(paths), bad), markup=False, soft_wrap=True)
    return 1 if bad else 0


def _say(console: Console, found: Inspection, *, topics: bool) -> None:
    mark = "[red]problem[/]" if found.problems else "[green]good[/]   "
    console.print(f"{mark} {escape(found.path.stem)}", soft_wrap=True)
    for problem in found.problems:
        console.print(f"        {escape(problem)}", soft_wrap=True)
    if topics and found.facts:
        console.print(_table(found))


def _table(found: Inspection) -> Table:
    table = Table(box=None, header_style="bold", pad_edge=False)
    table.add_column("topic", no_wrap=True)
    for name in ("messages", "Hz", "longest gap, s", "backwards", "lost"):
        table.add_column(name, justify="right", no_wrap=True)
    for topic, fact in sorted(found.facts.items()):
        rate = f"{fact.rate:.1f}" if fact.rate else ""
        gap = f"{fact.longest:.3f}" if fact.count > 1 else ""
        table.add_row(topic, str(fact.count), rate, gap, str(fact.backwards or ""), str(fact.lost or ""))
    return table


def _total(dataset: Dataset, count: int, bad: int) -> str:
    left = len(dataset.paths(UNFINISHED))
    text = f"{counted(count, 'episode')} checked, {bad} with problems"
    return text + (f"; {left} unfinished, see `sinew data repair {dataset.path}`" if left else "")


def _plain(found: Inspection) -> dict[str, object]:
    return {
        "name": found.path.stem,
        "problems": list(found.problems),
        "topics": {
            topic: {
                "count": fact.count,
                "rate_hz": round(fact.rate, 3),
                "longest_gap_s": round(fact.longest, 6),
                "backwards": fact.backwards,
                "lost": fact.lost,
            }
            for topic, fact in sorted(found.facts.items())
        },
    }
