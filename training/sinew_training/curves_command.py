"""compare trainings: success over decisions, by groups of seeds, as a page and as JSON"""

from __future__ import annotations

import argparse
import json
from collections.abc import Sequence
from pathlib import Path

from sinew_core.errors import ConfigError

from sinew_training.curves import Group, read_group, summary
from sinew_training.curves_page import render_curves


def main(argv: Sequence[str]) -> int:
    """Run `sinew curves`: 0 when the page was written."""
    arguments = _parser().parse_args(argv)
    if not 0 < arguments.level <= 1:
        raise ConfigError(f"--level: expected a share above 0 and at most 1, got {arguments.level}.")
    groups = _groups(arguments.group)
    figures = summary(groups, arguments.level)
    page = render_curves(arguments.title, groups, arguments.level)
    try:
        arguments.out.write_text(page, encoding="utf-8")
        if arguments.json is not None:
            arguments.json.write_text(json.dumps(figures, indent=1) + "\n", encoding="utf-8")
    except OSError as error:
        raise ConfigError(f"{error.filename}: cannot be written ({error.strerror}).") from error
    for group, facts in zip(groups, figures["groups"], strict=True):
        steps = facts["steps_to_level_median"]
        reached = f"after {steps:,} decisions" if steps is not None else "not reached"
        print(f"{group.name}: {100 * arguments.level:.0f} % {reached} (median of {len(group.runs)})")
    print(arguments.out)
    return 0


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="sinew curves", description=__doc__)
    add = parser.add_argument
    add(
        "--group",
        nargs="+",
        action="append",
        required=True,
        metavar=("NAME", "DIR"),
        help="a name, and the directories of its trainings; once for each group",
    )
    add("--out", type=Path, required=True, metavar="FILE", help="the page, HTML")
    add("--json", type=Path, metavar="FILE", help="the figures, too")
    add("--level", type=float, default=0.8, help="the success to count decisions to (0.8)")
    add("--title", default="Learning curves")
    return parser


def _groups(asked: Sequence[Sequence[str]]) -> list[Group]:
    groups = []
    for name, *folders in asked:
        if not folders:
            raise ConfigError(f"--group {name}: give the directories of its trainings after the name.")
        groups.append(read_group(name, [Path(folder) for folder in folders]))
    return groups
