"""list what is in a feedback log, and which of its lines are damaged or not understood"""

from __future__ import annotations

import argparse
import json
import time
from collections.abc import Sequence
from pathlib import Path

from rich.markup import escape
from rich.table import Table
from sinew_core.config import to_mapping
from sinew_core.errors import ConfigError, did_you_mean
from sinew_data.console import output
from sinew_data.feedback.log import read
from sinew_data.feedback.types import (
    KINDS,
    Clip,
    Comparison,
    FactorRanking,
    Feedback,
    Mark,
    Ranking,
    Rating,
    Sentence,
    Stop,
    Takeover,
    Triplet,
)

from sinew_rewards.asking.telling import tell_flaws


def main(argv: Sequence[str]) -> int:
    """Run `sinew feedback list`: 0, whatever the log is like."""
    arguments = _parser().parse_args(argv)
    if arguments.kind and arguments.kind not in KINDS:
        raise ConfigError(f"--kind: there is no '{arguments.kind}'.{did_you_mean(arguments.kind, KINDS)}")
    contents = read(arguments.log)
    entries = [
        entry
        for entry in contents.entries
        if arguments.who in ("", entry.who) and arguments.kind in ("", entry.kind)
    ]
    if arguments.json:
        for entry in entries:
            print(json.dumps({**to_mapping(entry), "kind": entry.kind}))
    else:
        output().print(_table(entries))
    tell_flaws(arguments.log, contents)
    return 0


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="sinew feedback list", description=__doc__)
    parser.add_argument("log", type=Path, metavar="LOG", help="a feedback log (.jsonl)")
    parser.add_argument("--who", default="", help="only what this rater said")
    parser.add_argument("--kind", default="", help=f"only this kind: {', '.join(KINDS)}")
    parser.add_argument("--json", action="store_true", help="print one JSON object a line")
    return parser


def _table(entries: Sequence[Feedback]) -> Table:
    table = Table(box=None, header_style="bold", pad_edge=False)
    for name in ("when", "who", "source", "kind"):
        table.add_column(name, no_wrap=True)
    table.add_column("what", overflow="fold")
    for entry in entries:
        when = time.strftime("%Y-%m-%d %H:%M", time.localtime(entry.when / 1e9))
        table.add_row(when, escape(entry.who), entry.source, entry.kind, escape(in_words(entry)))
    return table


def in_words(entry: Feedback) -> str:  # noqa: PLR0911 - one return a kind
    """Return what an entry says, in a line."""
    match entry.said:
        case Comparison(first, second, preferred):
            sign = "=" if preferred == 0.5 else ">" if preferred > 0.5 else "<"
            return f"{_clip(first)}  {sign}  {_clip(second)}"
        case Ranking(clips):
            return "  >  ".join(map(_clip, clips))
        case Triplet(alike, other):
            return f"{_clip(alike[0])} and {_clip(alike[1])} are alike, {_clip(other)} is not"
        case Rating(clip, score):
            return f"{_clip(clip)}  {score:g}"
        case Mark(clip, success):
            return f"{_clip(clip)}  {'success' if success else 'failure'}"
        case Takeover(clip):
            return _clip(clip)
        case Stop(clip, cause):
            return f"{_clip(clip)}  {cause}"
        case Sentence(text, clip):
            return text if clip is None else f"{_clip(clip)}  {text}"
        case FactorRanking(factors):
            return "  >  ".join(f"{factor.better} {factor.name}" for factor in factors)


def _clip(clip: Clip) -> str:
    if clip.end is None and clip.start == 0:
        return clip.episode
    end = "the end" if clip.end is None else f"{clip.end / 1e9:.2f}"
    return f"{clip.episode} [{clip.start / 1e9:.2f} to {end} s]"
