"""export all comparisons that a feedback log means, as JSON, CSV or npz"""

from __future__ import annotations

import argparse
from collections.abc import Sequence
from pathlib import Path

from sinew_core.files import write_whole
from sinew_data.console import counted, output
from sinew_data.feedback.log import read
from sinew_data.feedback.pairs import comparisons_of

from sinew_rewards.asking.exporting import exported
from sinew_rewards.asking.telling import tell_flaws


def main(argv: Sequence[str]) -> int:
    """Run `sinew feedback export`."""
    parser = argparse.ArgumentParser(
        prog="sinew feedback export",
        description=__doc__,
        epilog="Rankings, ratings and marks give comparisons, too. Stamps are ns; an end of -1 is the "
        "episode's. `weight` keeps any rater from having more say than all the others together.",
    )
    parser.add_argument("log", type=Path, metavar="LOG", help="a feedback log (.jsonl)")
    parser.add_argument("--out", type=Path, required=True, metavar="FILE", help=".json, .csv or .npz")
    arguments = parser.parse_args(argv)
    contents = read(arguments.log)
    pairs = comparisons_of(contents.entries)
    write_whole(arguments.out, exported(pairs, arguments.out.suffix))
    words = f"{counted(len(pairs), 'comparison')} written to {arguments.out}"
    output().print(words, markup=False, soft_wrap=True)
    tell_flaws(arguments.log, contents)
    return 0
