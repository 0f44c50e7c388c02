"""list the rewards beside recorded episodes, or drop one"""

from __future__ import annotations

import argparse
from collections import defaultdict
from collections.abc import Sequence
from pathlib import Path

from rich.console import Console
from rich.table import Table
from sinew_data.console import counted
from sinew_data.dataset import Dataset
from sinew_data.rewards_beside_files import Beside, drop_beside, list_beside

from sinew_rewards.report.options import messages


def main(argv: Sequence[str]) -> int:
    """Run `sinew reward labels`: 1 where some cannot be read, else 0."""
    arguments = _parser().parse_args(argv)
    dataset = Dataset(arguments.dataset)
    console = Console(highlight=False, soft_wrap=True)
    if arguments.drop:
        count = drop_beside(dataset, arguments.drop)
        console.print(f"{dataset.path}: {counted(count, 'file')} of '{arguments.drop}' deleted", markup=False)
        return 0
    found = list(list_beside(dataset))
    bad = [one for one in found if one.problem]
    for one in bad:
        messages().print(one.problem, style="yellow", markup=False)
    if found:
        console.print(_table(found))
    else:
        console.print(f"{dataset.path}: no reward beside an episode; `sinew reward relabel` makes one")
    return int(bool(bad))


def _table(found: Sequence[Beside]) -> Table:
    names: dict[tuple[str, str, str], list[Beside]] = defaultdict(list)
    for one in found:
        made = one.provenance
        names[one.name, str(made.get("model", "unknown")), str(made.get("digest", ""))[:8]].append(one)
    table = Table("name", "model", "digest", "episodes", "forced", box=None)
    for (name, model, digest), ones in sorted(names.items()):
        forced = sum(bool(one.provenance.get("forced")) for one in ones)
        table.add_row(name, model, digest, str(len(ones)), str(forced) if forced else "")
    return table


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="sinew reward labels", description=__doc__)
    parser.add_argument("dataset", type=Path, metavar="DATASET")
    parser.add_argument("--drop", default="", metavar="NAME", help="delete this one beside every episode")
    return parser
