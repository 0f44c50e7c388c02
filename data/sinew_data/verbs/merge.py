"""copy the episodes of datasets into a new or another one"""

from __future__ import annotations

import argparse
from collections.abc import Sequence
from pathlib import Path

from sinew_core.errors import ConfigError

from sinew_data.console import counted, output, progress
from sinew_data.dataset import Dataset
from sinew_data.layout import EPISODES, UNFINISHED
from sinew_data.merging import Plan, copy_episodes, plan_merge


def main(argv: Sequence[str]) -> int:
    """Run `sinew data merge`: 0, or 1 if an episode could not be read and was left out."""
    parser = argparse.ArgumentParser(prog="sinew data merge", description=__doc__)
    parser.add_argument("sources", nargs="+", type=Path, metavar="DATASET")
    parser.add_argument("--into", type=Path, required=True, metavar="DATASET", help="new, or one to add to")
    parser.add_argument(
        "--force", action="store_true", help="merge different robots; replace other episodes of the same name"
    )
    arguments = parser.parse_args(argv)
    target: Path = arguments.into
    if target.exists() and not _may_hold(target):
        raise ConfigError(f"{target} is there and no dataset; give a new folder or a dataset.")
    plan = plan_merge([Dataset(path) for path in arguments.sources], target, force=arguments.force)
    _copy(plan)
    console = output()
    for entry in plan.unreadable:
        console.print(f"left out: {entry.problem}", markup=False, soft_wrap=True)
    there = f", {len(plan.there)} were there already" if plan.there else ""
    copied = counted(len(plan.copies), "episode")
    console.print(f"{copied} copied to {target}{there}", markup=False, soft_wrap=True)
    return 1 if plan.unreadable else 0


def _may_hold(target: Path) -> bool:
    """Whether a folder is a dataset, or empty."""
    if not target.is_dir():
        return False
    names = {path.name for path in target.iterdir()}
    return not names or bool(names & {EPISODES, UNFINISHED})


def _copy(plan: Plan) -> None:
    try:
        with progress() as bar:
            task = bar.add_task("copying", total=plan.size)
            for _ in copy_episodes(plan, lambda count: bar.advance(task, count)):
                pass
    except OSError as error:
        raise ConfigError(f"{plan.target}: {error.strerror or error}; what was copied is whole.") from error
