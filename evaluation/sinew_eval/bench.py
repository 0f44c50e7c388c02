"""measure a figure: success rates, simulator speed, the graph's latency, keypoint accuracy"""

from __future__ import annotations

from collections.abc import Sequence
from importlib.metadata import entry_points

from sinew_core.cli import run_entry

GROUP = "sinew.benches"


def main(argv: Sequence[str]) -> int:
    """Run `sinew bench NAME ...`: the bench's own exit code, or 2 for an unknown name."""
    benches = {entry.name: entry for entry in entry_points(group=GROUP)}
    note = "Each ends with one JSON object on the last line of stdout."
    return run_entry("bench", benches, argv, kind="bench", word="NAME", note=note)
