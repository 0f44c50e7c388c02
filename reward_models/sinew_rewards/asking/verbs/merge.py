"""merge feedback logs into one: every entry once, by its id"""

from __future__ import annotations

import argparse
from collections.abc import Sequence
from pathlib import Path

from sinew_data.console import output
from sinew_data.feedback.log import add_missing, read

from sinew_rewards.asking.telling import tell_flaws


def main(argv: Sequence[str]) -> int:
    """Run `sinew feedback merge`: 0, or 1 if a damaged line was left behind."""
    parser = argparse.ArgumentParser(prog="sinew feedback merge", description=__doc__)
    parser.add_argument("logs", nargs="+", type=Path, metavar="LOG")
    parser.add_argument("--into", type=Path, required=True, metavar="LOG", help="new, or one to add to")
    arguments = parser.parse_args(argv)
    sources = [(path, read(path)) for path in arguments.logs]
    added = len(add_missing(arguments.into, sources))
    there = sum(len(contents.lines) for _, contents in sources) - added
    words = f"{added} added to {arguments.into}, {there} were there already"
    output().print(words, markup=False, soft_wrap=True)
    for path, contents in sources:
        tell_flaws(path, contents)
    return int(any(contents.damaged for _, contents in sources))
