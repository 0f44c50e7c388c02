"""measure a station: its servos, lenses, mountings and latencies, written beside its hardware file"""

from __future__ import annotations

import argparse
from collections.abc import Callable, Sequence
from pathlib import Path

from rich.console import Console
from sinew_core.errors import DeviceError

from sinew_hardware.calibration.board_options import add_board_options, target_of
from sinew_hardware.calibration.verb_camera import calibrate_camera
from sinew_hardware.calibration.verb_latency import calibrate_latency
from sinew_hardware.calibration.verb_mounting import calibrate_camera_mounting
from sinew_hardware.calibration.verb_servos import calibrate_servos

Verb = Callable[[argparse.Namespace, Console], int]


def main(argv: Sequence[str]) -> int:
    """Run `sinew calibrate`: 0 when it was written, 1 when a device or the measurement failed."""
    arguments = _parser().parse_args(argv)
    console = Console(stderr=True, highlight=False)
    verb: Verb = arguments.verb
    try:
        return verb(arguments, console)
    except DeviceError as error:
        console.print(f"[red]{error}[/]")
        return 1
    except KeyboardInterrupt:
        console.print("interrupted; nothing was written")
        return 130


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="sinew calibrate", description=__doc__)
    verbs = parser.add_subparsers(required=True, metavar="WHAT")
    board = verbs.add_parser("board", help="write a board or a tag for printing, at true scale")
    board.add_argument("path", type=Path, help="a .pdf or .png")
    add_board_options(board)
    board.set_defaults(verb=print_board)
    _verb(verbs, "servos", "zeros and ranges: move each joint from end to end by hand", calibrate_servos)
    camera = _verb(verbs, "camera", "the lens: show the board to the camera from all sides", calibrate_camera)
    camera.add_argument(
        "--from-device", action="store_true", help="take the lens that a RealSense has stored"
    )
    camera.add_argument("--views", type=int, default=24, help="pictures to take (24)")
    mounting = _verb(
        verbs, "mounting", "where the camera is: the arm moves, slowly", calibrate_camera_mounting
    )
    mounting.add_argument("--poses", type=int, default=20, help="poses of the arm (20)")
    mounting.add_argument("--seed", type=int, default=0, help="of the choice of poses")
    latency = _verb(verbs, "latency", "how late frames are: one joint sways for a while", calibrate_latency)
    latency.add_argument("--joint", default="", help="the one that sways; the first when left out")
    latency.add_argument("--seconds", type=float, default=12.0)
    latency.add_argument("--amplitude", type=float, default=0.25, help="rad (0.25)")
    for each in (camera, mounting, latency):
        each.add_argument("--camera", required=True, metavar="NAME")
        add_board_options(each)
    return parser


def _verb(
    verbs: argparse._SubParsersAction[argparse.ArgumentParser], name: str, help_text: str, run: Verb
) -> argparse.ArgumentParser:
    verb = verbs.add_parser(name, help=help_text)
    verb.add_argument("--hardware", required=True, metavar="NAME")
    verb.add_argument("--out", type=Path, default=Path("runs/calibration"), help="where pictures go")
    verb.add_argument("--dry", action="store_true", help="measure, and write nothing")
    verb.set_defaults(verb=run)
    return verb


def print_board(arguments: argparse.Namespace, console: Console) -> int:
    """Write a board for printing."""
    from sinew_hardware.calibration.board_print import write_board

    write_board(arguments.path, target_of(arguments))
    console.print(f"{arguments.path}: print it at 100 %, glue it to something flat, and measure a square.")
    return 0
