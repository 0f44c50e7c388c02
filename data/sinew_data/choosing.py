"""Which episode a command line means: a file, or a dataset and a name in it."""

from __future__ import annotations

import argparse
from pathlib import Path

from sinew_core.errors import ConfigError

from sinew_data.dataset import Dataset
from sinew_data.layout import DISCARDED, EPISODES, UNFINISHED


def add_episode(parser: argparse.ArgumentParser) -> None:
    """Add the arguments that `chosen_episode` reads."""
    parser.add_argument("episode", type=Path, metavar="EPISODE", help="an episode's file, or a dataset")
    parser.add_argument("name", nargs="?", metavar="NAME", help="in a dataset: its name, or a part of it")


def chosen_episode(path: Path, name: str | None) -> Path:
    """Return the file that is meant; ConfigError where none or several are."""
    if not path.is_dir():
        if name is not None:
            raise ConfigError(f"{path} is no dataset, so there is no '{name}' in it.")
        return path
    dataset = Dataset(path)
    if name is not None:
        return dataset.find(name, (EPISODES, UNFINISHED, DISCARDED))
    paths = dataset.paths()
    if len(paths) == 1:
        return paths[0]
    shown = ", ".join(found.stem for found in paths[-5:]) or "none"
    raise ConfigError(f"{path} has {len(paths)} episodes: which one? The last: {shown}.")
