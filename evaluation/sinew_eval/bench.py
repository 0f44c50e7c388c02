"""measure a figure: success rates, simulator speed, the graph's latency, keypoint accuracy"""

from __future__ import annotations

import ast
import importlib.util
from collections.abc import Sequence
from importlib.metadata import EntryPoint, entry_points
from pathlib import Path

from sinew_core.errors import ConfigError, did_you_mean

GROUP = "sinew.benches"


def main(argv: Sequence[str]) -> int:
    """Run `sinew bench NAME ...`: the bench's own exit code, or 2 for an unknown name."""
    benches = {entry.name: entry for entry in entry_points(group=GROUP)}
    if not argv or argv[0] in ("-h", "--help"):
        print(_usage(benches))
        return 0 if argv else 2
    name, *rest = argv
    if name not in benches:
        raise ConfigError(f"unknown bench '{name}'.{did_you_mean(name, benches)}")
    return int(benches[name].load()(rest))


def _usage(benches: dict[str, EntryPoint]) -> str:
    lines = [
        "usage: sinew bench NAME [options]    (sinew bench NAME --help for its options)",
        "",
        "Each ends with one JSON object on the last line of stdout.",
        "",
        *(f"  {name:<12} {_summary(entry)}" for name, entry in sorted(benches.items())),
    ]
    return "\n".join(lines)


def _summary(entry: EntryPoint) -> str:
    """Return the first line of a bench's module, read without importing it: that may be heavy."""
    try:
        spec = importlib.util.find_spec(entry.module)
    except ModuleNotFoundError:
        return "(not installed)"
    if spec is None or spec.origin is None:
        return ""
    text = ast.get_docstring(ast.parse(Path(spec.origin).read_text(encoding="utf-8"))) or ""
    return text.splitlines()[0] if text else ""
