"""how far rewards are from one another on the same episodes: STARC distance and order of returns"""

from __future__ import annotations

import argparse
import json
from collections.abc import Sequence
from itertools import combinations
from pathlib import Path

from rich.console import Console
from rich.table import Table
from sinew_core.errors import ConfigError, InferenceError

from sinew_rewards.learned.features import FeatureConfig
from sinew_rewards.learned.saved import load_facts
from sinew_rewards.report.comparison import Compared, compared
from sinew_rewards.report.making import is_learned, reference_of
from sinew_rewards.report.options import add_episode_options, episodes_of, messages, on_one_core


def main(argv: Sequence[str]) -> int:
    """Run `sinew reward compare`."""
    arguments = _parser().parse_args(argv)
    on_one_core()
    if len(set(arguments.models)) < len(arguments.models) or len(arguments.models) < 2:
        raise ConfigError("compare: expected two or more different rewards.")
    rows = _compare(arguments)
    if arguments.json:
        print(json.dumps([row.facts() for row in rows]), flush=True)
        return 0
    table = Table("reward", "other", "STARC distance", "order of returns", box=None)
    for row in rows:
        table.add_row(row.first, row.second, f"{row.starc_distance:.3f}", f"{row.return_correlation:.2f}")
    Console(highlight=False).print(table)
    return 0


def _compare(arguments: argparse.Namespace) -> list[Compared]:
    learned = [name for name in arguments.models if is_learned(name)]
    features = load_facts(Path(learned[0])).features if learned else FeatureConfig()
    episodes = episodes_of(arguments, features, messages())
    trajectories = episodes.episodes.trajectories
    try:
        values = {name: reference_of(name, episodes, trajectories)[0] for name in arguments.models}
    except InferenceError as error:
        raise ConfigError(str(error)) from error
    pairs = combinations(arguments.models, 2)
    return [compared(first, second, values[first], values[second], trajectories) for first, second in pairs]


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="sinew reward compare",
        description=__doc__,
        epilog="STARC: 0 where two rewards order all policies alike, whatever their scale and shaping; 1/2 "
        "is the distance from a reward that prefers nothing, 1 that of the opposite. Order of returns: rank "
        "correlation over episodes.",
    )
    help_ = "learned weights, any reward, or `truth` where the episodes know it"
    parser.add_argument("models", nargs="+", metavar="MODEL", help=help_)
    add_episode_options(parser)
    parser.add_argument("--json", action="store_true", help="print JSON on stdout")
    return parser
