"""What the verbs share: the options that say which episodes, and how a command is put into provenance."""

from __future__ import annotations

import argparse
import shlex
from collections.abc import Sequence
from pathlib import Path

from rich.console import Console
from sinew_data.console import listed

from sinew_rewards.learned.features import FeatureConfig
from sinew_rewards.report.episodes import EpisodeSet, Wanted, default_cache, open_episodes


def add_episode_options(parser: argparse.ArgumentParser) -> None:
    """Add what says which episodes, and where what is computed of them is kept."""
    parser.add_argument(
        "--episodes", type=Path, required=True, metavar="PATH", help="a dataset, or a file of trajectories"
    )
    parser.add_argument("--task", default="", help="of the episodes, where a dataset has several")
    parser.add_argument("--hardware", default="", help="a name or path of a hardware YAML (the recorded one)")
    parser.add_argument(
        "--cache", type=Path, default=default_cache(), metavar="DIR", help="keeps features of recordings"
    )


def episodes_of(
    arguments: argparse.Namespace, features: FeatureConfig, console: Console, camera: str = ""
) -> EpisodeSet:
    """Return the episodes that the options name, and say what is wrong with some; raises ConfigError."""
    wanted = Wanted(features, arguments.task, arguments.hardware, camera)
    found = open_episodes(arguments.episodes, wanted, arguments.cache)
    if found.problems:
        console.print(
            f"left out: {len(found.problems)} episodes: {listed(found.problems, 3)}",
            style="yellow",
            markup=False,
        )
    if found.unknown_rows:
        console.print(
            f"left out: {found.unknown_rows} control periods at which not all features were known",
            markup=False,
        )
    return found


def on_one_core() -> None:
    """Let torch work on one core: networks of one row are slower on two, as is a robot's control loop."""
    import torch

    torch.set_num_threads(1)


def messages() -> Console:
    """Return a console for what is said beside a result."""
    return Console(stderr=True, highlight=False, soft_wrap=True)


def command_of(verb: str, argv: Sequence[str], paths: Sequence[Path | None]) -> str:
    """Return a command line with its paths reduced to their names."""
    names = {str(path): path.name for path in paths if path is not None}
    return shlex.join(["sinew", "reward", verb, *(names.get(argument, argument) for argument in argv)])
