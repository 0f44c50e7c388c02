"""what killing the recorder costs: SIGKILL at random moments, then repair, then every message counted"""

from __future__ import annotations

import argparse
import random
import statistics
import tempfile
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from rich.console import Console
from rich.progress import Progress
from sinew_data.durability import SIZES, Losses, kill_once

from sinew_eval.benches.result import add_result_options, write_result
from sinew_eval.options import positive

ALLOWED = 1.0  # s of an interrupted episode that may be lost


def main(argv: Sequence[str]) -> int:
    """Run `sinew bench durability`: 0 if nothing finished is lost and of the rest at most a second."""
    parser = argparse.ArgumentParser(prog="sinew bench durability", description=__doc__)
    parser.add_argument("--kills", type=positive, default=100, metavar="N")
    parser.add_argument("--seed", type=int, default=0, help="of the moments")
    parser.add_argument(
        "--folder", type=Path, metavar="DIR", help="on the disk to measure (the temporary one)"
    )
    add_result_options(parser)
    arguments = parser.parse_args(argv)
    rng = random.Random(arguments.seed)
    results = []
    console = Console(stderr=True, highlight=False)
    with (
        tempfile.TemporaryDirectory(dir=arguments.folder) as folder,
        Progress(console=console, transient=True, disable=not console.is_terminal) as bar,
    ):
        for index in bar.track(range(arguments.kills), description="killing"):
            results.append(kill_once(Path(folder) / str(index), rng, SIZES[index % len(SIZES)]))
            for sentence in results[-1].finished_lost:
                console.print(sentence, markup=False)
    figures = summarise(results)
    write_result("durability", figures, arguments.out, list(argv))
    return 1 if figures["finished_lost"] or figures["interrupted_lost_s_max"] > ALLOWED else 0


def summarise(results: Sequence[Losses]) -> dict[str, Any]:
    """Return the figures of some kills."""
    lost = [seconds for result in results for seconds in result.lost]
    return {
        "kills": len(results),
        "finished": sum(result.finished for result in results),
        "finished_lost": sum(len(result.finished_lost) for result in results),
        "interrupted": len(lost),
        "interrupted_lost_s_max": round(max(lost, default=0.0), 3),
        "interrupted_lost_s_median": round(statistics.median(lost), 3) if lost else None,
        "cameras": "two at 30 Hz with depth, noisy, of 640x480 and of 64x48 in turn",
    }
