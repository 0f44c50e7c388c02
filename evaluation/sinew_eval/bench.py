"""measure a figure: success rates, simulator speed, the graph's latency, keypoint accuracy"""

from __future__ import annotations

from collections.abc import Sequence
from importlib.metadata import entry_points

from sinew_core.cli import summaries
from sinew_core.errors import ConfigError, did_you_mean

GROUP = "sinew.benches"


def main(argv: Sequence[str]) -> int:
    """Run `sinew bench NAME ...`: the bench's own exit code, or 2 for an unknown name."""
    benches = {entry.name: entry for entry in entry_points(group=GROUP)}
    if not argv or argv[0] in ("-h", "--help"):
        print("usage: sinew bench NAME [options]    (sinew bench NAME --help for its options)\n")
        print("Each ends with one JSON object on the last line of stdout.\n")
        print(summaries(benches))
        return 0 if argv else 2
    name, *rest = argv
    if name not in benches:
        raise ConfigError(f"unknown bench '{name}'.{did_you_mean(name, benches)}")
    return int(benches[name].load()(rest))
