"""The options that say which board or tag is shown to a camera."""

from __future__ import annotations

import argparse

import numpy as np
from sinew_core.errors import ConfigError
from sinew_core.types import ImageArray

from sinew_hardware.calibration.board import BoardConfig, Corners, find_corners
from sinew_hardware.calibration.tag import TagConfig, find_tag

Target = BoardConfig | TagConfig


def add_board_options(parser: argparse.ArgumentParser) -> None:
    """Add them."""
    plain = BoardConfig()
    parser.add_argument(
        "--squares",
        type=int,
        nargs=2,
        default=plain.squares,
        metavar=("COLUMNS", "ROWS"),
        help="of the board",
    )
    parser.add_argument(
        "--square", type=float, default=1000 * plain.square, help="mm, measured on the print (30)"
    )
    parser.add_argument("--tag", type=int, metavar="ID", help="an AprilTag instead of a board")
    parser.add_argument("--tag-size", type=float, default=40.0, help="mm, of its black edge (40)")


def target_of(arguments: argparse.Namespace) -> BoardConfig | TagConfig:
    """Return the board or tag that the options describe; raises ConfigError for an impossible one."""
    try:
        if arguments.tag is not None:
            return TagConfig(id=arguments.tag, size=arguments.tag_size / 1000)
        marker = BoardConfig().marker / BoardConfig().square
        square = arguments.square / 1000
        return BoardConfig(tuple(arguments.squares), square, marker * square)
    except ValueError as error:
        raise ConfigError(f"the board: {error}") from error


def find(target: Target, rgb: ImageArray) -> Corners:
    """Return the corners of a board or tag in a picture (h, w, 3)."""
    rgb = np.ascontiguousarray(rgb)
    return find_corners(target, rgb) if isinstance(target, BoardConfig) else find_tag(target, rgb)
