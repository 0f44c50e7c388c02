"""show an episode or a dataset: a table, and a picture of its frames"""

from __future__ import annotations

import argparse
import json
import secrets
from collections.abc import Callable, Sequence
from importlib.util import find_spec
from pathlib import Path
from typing import TYPE_CHECKING

from sinew_core.errors import ConfigError

from sinew_data.choosing import add_episode, chosen_episode
from sinew_data.console import output, progress
from sinew_data.dataset import Dataset
from sinew_data.overview import read_overview
from sinew_data.show_dataset import dataset_title, plain_dataset, print_dataset, read_dataset
from sinew_data.show_episode import plain_episode, print_episode

if TYPE_CHECKING:
    from PIL import Image

FRAMES = 6
SUFFIXES = (".png", ".jpg", ".jpeg")


def main(argv: Sequence[str]) -> int:
    """Run `sinew data show`: 0, or 1 if the episode is damaged inside."""
    arguments = _arguments(argv)
    if arguments.episode.is_dir() and arguments.name is None:
        return _show_dataset(Dataset(arguments.episode), arguments)
    return _show_episode(chosen_episode(arguments.episode, arguments.name), arguments)


def _arguments(argv: Sequence[str]) -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="sinew data show", description=__doc__)
    add_episode(parser)
    parser.add_argument("--sheet", type=Path, metavar="FILE.png", help="draw a picture, too")
    parser.add_argument("--frames", type=int, default=FRAMES, metavar="N", help=f"of each camera ({FRAMES})")
    parser.add_argument("--force", action="store_true", help="replace the picture if it is there")
    parser.add_argument("--json", action="store_true", help="print one JSON object")
    arguments = parser.parse_args(argv)
    if not 1 <= arguments.frames <= 12:
        raise ConfigError(f"--frames {arguments.frames}: expected 1 to 12.")
    sheet = arguments.sheet
    if sheet is not None and sheet.suffix.lower() not in SUFFIXES:
        raise ConfigError(f"--sheet {sheet}: expected a name that ends in {', '.join(SUFFIXES)}.")
    if sheet is not None and sheet.exists() and not arguments.force:
        raise ConfigError(f"{sheet} exists already; --force replaces it.")
    if sheet is not None and find_spec("PIL") is None:
        raise ConfigError("--sheet needs pillow: pip install 'sinew[data]'.")
    return arguments


def _show_dataset(dataset: Dataset, arguments: argparse.Namespace) -> int:
    overview = read_dataset(dataset)
    if arguments.json:
        print(json.dumps(plain_dataset(overview), allow_nan=False))
    else:
        print_dataset(output(), overview)
    if arguments.sheet is not None:
        from sinew_data.dataset_sheet import MOST, dataset_sheet

        paths = dataset.paths()[-MOST:]
        with progress() as bar:
            task = bar.add_task("drawing", total=len(paths))
            _save(
                arguments,
                lambda: dataset_sheet(paths, dataset_title(overview), lambda: bar.advance(task)),
            )
    return 0


def _show_episode(path: Path, arguments: argparse.Namespace) -> int:
    size = path.stat().st_size if path.is_file() else 1
    with progress() as bar:
        task = bar.add_task("reading", total=size)
        overview = read_overview(path, lambda read: bar.advance(task, read))
    if arguments.json:
        print(json.dumps(plain_episode(overview), allow_nan=False))
    else:
        print_episode(output(), overview)
    if arguments.sheet is not None:
        from sinew_data.contact_sheet import contact_sheet

        _save(arguments, lambda: contact_sheet(overview, arguments.frames))
    return 1 if overview.damaged else 0


def _save(arguments: argparse.Namespace, draw: Callable[[], Image.Image]) -> None:
    """Draw a picture and put it in its place as a whole."""
    target: Path = arguments.sheet
    aside = target.with_name(f".{target.name}.{secrets.token_hex(3)}{target.suffix}")
    try:
        draw().save(aside, quality=90)
        aside.replace(target)
    except OSError as error:
        raise ConfigError(f"{target}: cannot be written ({error.strerror or error}).") from error
    finally:
        aside.unlink(missing_ok=True)
    if not arguments.json:
        output().print(f"drawn: {target}", markup=False, soft_wrap=True)
