"""bring back episodes whose recording was cut off"""

from __future__ import annotations

import json
from collections.abc import Sequence
from pathlib import Path

from rich.console import Console
from rich.markup import escape

from sinew_data.console import output, parser_for, progress
from sinew_data.dataset import Dataset
from sinew_data.repair import Repair, repair_file, unfinished

DROP = "`sinew data drop` puts it aside"


def main(argv: Sequence[str]) -> int:
    """Run `sinew data repair`: 0, or 1 if a file could not be repaired."""
    parser = parser_for("repair", __doc__)
    parser.add_argument("--json", action="store_true", help="print one JSON object a line")
    arguments = parser.parse_args(argv)
    dataset = Dataset(arguments.dataset)
    sources = unfinished(dataset.path)
    results = []
    with progress() as bar:
        for source in bar.track(sources, description="repairing"):
            results.append(_repair(dataset.path, source))
    console = output()
    for result in results:
        if arguments.json:
            print(json.dumps(_plain(result)))
        else:
            _say(console, result)
    if not results and not arguments.json:
        console.print(f"{dataset.path}: nothing to repair.", markup=False, soft_wrap=True)
    return 1 if any(result.target is None and not result.recording for result in results) else 0


def _repair(dataset: Path, source: Path) -> Repair:
    """Repair one file; one that fails does not keep the others from it."""
    try:
        return repair_file(dataset, source)
    except OSError as error:
        return Repair(source, reason=f"{error.strerror or error}")


def _say(console: Console, result: Repair) -> None:
    name = escape(result.source.name)
    if result.target is not None:
        how = result.reason or f"{result.messages} messages"
        console.print(f"[green]repaired[/] {name}: {escape(how)}", soft_wrap=True)
    elif result.recording:
        console.print(f"[yellow]skipped[/]  {name}: {result.reason}", soft_wrap=True)
    else:
        console.print(f"[red]left[/]     {name}: {escape(result.reason)}; {DROP}", soft_wrap=True)
    for place in result.damage:
        console.print(f"         {escape(place)}", soft_wrap=True)


def _plain(result: Repair) -> dict[str, object]:
    return {
        "source": str(result.source),
        "target": None if result.target is None else str(result.target),
        "reason": result.reason,
        "messages": result.messages,
        "recording": result.recording,
        "damage": list(result.damage),
    }
