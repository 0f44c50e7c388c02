"""count what is in a feedback log by kind and rater, and say what is wrong with it"""

from __future__ import annotations

import argparse
import json
from collections import Counter
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from sinew_core.config import to_mapping
from sinew_data.console import output
from sinew_data.dataset import Dataset
from sinew_data.feedback.checks import problems
from sinew_data.feedback.log import Contents, read
from sinew_data.feedback.pairs import comparisons_of
from sinew_data.feedback.problem import Problem

from sinew_rewards.asking.telling import tell_flaws

COLOURS = {"error": "red", "warning": "yellow"}


def main(argv: Sequence[str]) -> int:
    """Run `sinew feedback stats`: 0, or 1 if no reward should be fitted to this."""
    arguments = _parser().parse_args(argv)
    contents = read(arguments.log)
    episodes = None
    if arguments.dataset is not None:
        episodes = {path.stem for path in Dataset(arguments.dataset).paths()}
    found = problems(contents.entries, episodes)
    if arguments.json:
        print(json.dumps(_facts(contents, found)))
    else:
        _show(contents, found)
    tell_flaws(arguments.log, contents)
    return int(any(problem.level == "error" for problem in found))


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="sinew feedback stats",
        description=__doc__,
        epilog="Exit code: 0, or 1 if no reward should be fitted to it.",
    )
    parser.add_argument("log", type=Path, metavar="LOG", help="a feedback log (.jsonl)")
    parser.add_argument("--dataset", type=Path, metavar="D", help="tell which episodes are not in there")
    parser.add_argument("--json", action="store_true", help="print everything as one JSON object")
    return parser


def _facts(contents: Contents, found: Sequence[Problem]) -> dict[str, Any]:
    entries = contents.entries
    pairs = comparisons_of(entries)
    return {
        "entries": len(entries),
        "kinds": dict(Counter(entry.kind for entry in entries).most_common()),
        "raters": dict(Counter(entry.who for entry in entries).most_common()),
        "sources": dict(Counter(entry.source for entry in entries).most_common()),
        "episodes": len({clip.episode for entry in entries for clip in entry.clips()}),
        "comparisons": len(pairs),
        "ties": sum(comparison.tied for comparison, _ in pairs),
        "damaged": len(contents.damaged),
        "unknown": len(contents.unknown),
        "problems": [to_mapping(problem) for problem in found],
    }


def _show(contents: Contents, found: Sequence[Problem]) -> None:
    facts, console = _facts(contents, found), output()
    lines = {
        "entries": facts["entries"],
        "kinds": _counts(facts["kinds"]),
        "raters": _counts(facts["raters"]),
        "sources": _counts(facts["sources"]),
        "episodes": facts["episodes"],
        "comparisons": f"{facts['comparisons']} in all kinds together, {facts['ties']} of them ties",
    }
    for name, value in lines.items():
        console.print(f"{name:<12} {value}", markup=False, soft_wrap=True)
    for problem in found:
        sentence = f"{problem.level}: {problem.sentence}"
        console.print(sentence, style=COLOURS[problem.level], markup=False, soft_wrap=True)


def _counts(counts: dict[str, int]) -> str:
    return ", ".join(f"{count} {name}" for name, count in counts.items())
