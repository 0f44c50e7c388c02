"""export a dataset for other tools: LeRobot v3.0, or .npz files"""

from __future__ import annotations

import argparse
import json
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from rich.console import Console
from rich.markup import escape
from rich.table import Table
from sinew_core.errors import ConfigError
from sinew_core.types import NANOSECONDS

from sinew_data import topics
from sinew_data.console import output, parser_for, progress, size_text
from sinew_data.dataset import Dataset

if TYPE_CHECKING:
    from sinew_data.export.lerobot_videos import DecodingError
    from sinew_data.export.plan import ExportPlan
    from sinew_data.export.request import ExportRequest, OnBytes

HIGH_ERROR = 5.0  # of 255, mean; above it the sentence about the error says so
FORMATS = ("lerobot", "npz")


@dataclass(frozen=True, slots=True)
class _Result:
    plan: ExportPlan
    errors: dict[str, DecodingError]
    size: int  # bytes


def main(argv: Sequence[str]) -> int:
    """Run `sinew data export`."""
    arguments = _arguments(argv)
    dataset = Dataset(arguments.dataset)
    result = _export(dataset, arguments)
    if arguments.json:
        print(json.dumps(_plain(result, arguments), allow_nan=False))
    else:
        _say(output(), result, arguments)
    return 0


def _arguments(argv: Sequence[str]) -> argparse.Namespace:
    parser = parser_for("export", __doc__)
    add = parser.add_argument
    add("--format", choices=FORMATS, required=True)
    add("--out", type=Path, required=True, metavar="DIR", help="the folder to make")
    add("--fps", type=float, metavar="N", help="rows a second (the control rate)")
    add("--tolerance", type=float, metavar="S", help="a frame's distance from its row (half a frame)")
    add("--cameras", nargs="*", metavar="NAME", help="these only; without a name: none (all)")
    add("--episodes", nargs="+", default=(), metavar="NAME", help="names or parts of them (all)")
    add("--allow-gaps", action="store_true", help="leave rows without a frame out")
    add("--force", action="store_true", help="replace an export that is there, once the new one is complete")
    add("--json", action="store_true", help="print one JSON object")
    video = parser.add_argument_group("videos, of --format lerobot")
    video.add_argument("--codec", choices=("h264", "hevc", "av1"), default="h264")
    video.add_argument("--crf", type=int, metavar="N", help="constant rate factor: smaller is better, larger")
    video.add_argument("--pixels", choices=("yuv420p", "yuv444p"), default="yuv420p")
    arguments = parser.parse_args(argv)
    _check(arguments)
    return arguments


def _check(arguments: argparse.Namespace) -> None:
    fps, whole = arguments.fps, arguments.format == "lerobot"
    if fps is not None and (not 0.1 <= fps <= 1000 or (whole and fps != int(fps))):
        kind = "a whole number of at least 1" if whole else "a number from 0.1"
        raise ConfigError(f"--fps {fps:g}: expected {kind} to 1000.")
    if arguments.tolerance is not None and not 0 <= arguments.tolerance < 3600:
        raise ConfigError(f"--tolerance {arguments.tolerance:g}: expected seconds.")
    if arguments.crf is not None and not 0 <= arguments.crf <= 63:
        raise ConfigError(f"--crf {arguments.crf}: expected 0 to 63.")


def _request(arguments: argparse.Namespace) -> ExportRequest:
    from sinew_data.export.request import ExportRequest

    return ExportRequest(
        fps=arguments.fps,
        tolerance=arguments.tolerance,
        cameras=None if arguments.cameras is None else tuple(dict.fromkeys(arguments.cameras)),
        episodes=tuple(arguments.episodes),
        allow_gaps=arguments.allow_gaps,
        depth=arguments.format == "npz",
        whole_fps=arguments.format == "lerobot",
    )


def _export(dataset: Dataset, arguments: argparse.Namespace) -> _Result:
    """Plan, write aside, check, and give the folder its name."""
    from sinew_data.export.aside import check_target, written_aside
    from sinew_data.export.index import is_export
    from sinew_data.export.plan import make_plan

    target = Path(arguments.out).absolute()
    check_target(target, force=arguments.force, ours=is_export)
    write = _writer(arguments)
    with progress() as bar:
        task = bar.add_task("reading", total=sum(path.stat().st_size for path in dataset.paths()))
        plan = make_plan(dataset, _request(arguments), lambda size: bar.advance(task, size))
        passes = 2 if arguments.format == "lerobot" and plan.cameras else 1
        bar.reset(task, description="writing", total=passes * plan.size)
        with written_aside(target, force=arguments.force, ours=is_export) as folder:
            errors = write(folder, plan, lambda size: bar.advance(task, size))
            size = sum(path.stat().st_size for path in folder.rglob("*") if path.is_file())
            bar.update(task, description="syncing")
    return _Result(plan, errors, size)


def _writer(
    arguments: argparse.Namespace,
) -> Callable[[Path, ExportPlan, OnBytes], dict[str, DecodingError]]:
    """Return what writes the wanted format; ConfigError if a package for it is missing."""
    if arguments.format == "npz":
        return _write_npz
    try:
        from sinew_data.export.lerobot import LeRobotExport
    except ImportError as error:
        raise ConfigError(f"--format lerobot needs {error.name}: pip install 'sinew[export]'.") from error
    from sinew_data.export.video import VideoSettings

    settings = VideoSettings(arguments.codec, arguments.crf, arguments.pixels)

    def write(folder: Path, plan: ExportPlan, on_bytes: OnBytes) -> dict[str, DecodingError]:
        export = LeRobotExport(folder, plan, settings)
        export.write(on_bytes)
        return export.verify(on_bytes)

    return write


def _write_npz(folder: Path, plan: ExportPlan, on_bytes: OnBytes) -> dict[str, DecodingError]:
    from sinew_data.export.npz import write_npz

    write_npz(folder, plan, on_bytes)
    return {}


def _say(console: Console, result: _Result, arguments: argparse.Namespace) -> None:
    plan = result.plan
    for sentence in plan.skipped:
        console.print(f"[yellow]{escape(sentence)}[/]", soft_wrap=True)
    for episode in plan.episodes:
        if episode.left_out or episode.alignment.trimmed:
            console.print(
                f"{escape(episode.name)}: {episode.left_out} rows left out in gaps, "
                f"{episode.alignment.trimmed} at the ends.",
                soft_wrap=True,
            )
    console.print(_streams(result))
    if result.errors:
        mean = max(max(error.mean) for error in result.errors.values())
        hint = "; that is much: try a smaller --crf, or --pixels yuv444p" if mean > HIGH_ERROR else ""
        console.print(f"error: decoded once more and compared, mean absolute difference of 255{hint}.")
    if arguments.format == "lerobot" and plan.cameras:
        console.print("Depth images have no place in this format and were left out.")
    count, seconds = len(plan.episodes), plan.rows / plan.fps
    console.print(
        f"[green]{count} episode{'' if count == 1 else 's'}[/], {plan.rows} rows at {float(plan.fps):g} Hz "
        f"({float(seconds):.1f} s), {size_text(result.size)}: {escape(str(arguments.out))}",
        soft_wrap=True,
    )


def _streams(result: _Result) -> Table:
    """Return a table of how far the rows' contents are from their moments, and how well they decode."""
    table = Table(box=None, header_style="bold", pad_edge=False)
    table.add_column("stream", no_wrap=True)
    for name in ("farthest, ms", "tolerance, ms", "error R", "G", "B", "worst frame"):
        table.add_column(name, justify="right", no_wrap=True)
    for stream, (worst, tolerance) in _distances(result.plan).items():
        camera = topics.camera_of(stream)
        error = result.errors.get(camera[0]) if camera is not None else None
        figures = [] if error is None else [f"{value:.2f}" for value in (*error.mean, error.worst)]
        name = "joints and commands" if camera is None else f"camera {camera[0]}"
        table.add_row(name, f"{worst / 1e6:.1f}", f"{tolerance / 1e6:.1f}", *figures)
    return table


def _distances(plan: ExportPlan) -> dict[str, tuple[int, int]]:
    """Return the worst distance and the widest tolerance of each stream, in ns."""
    found: dict[str, tuple[int, int]] = {}
    for episode in plan.episodes:
        for stream, worst in episode.alignment.worst.items():
            before = found.get(stream, (0, 0))
            found[stream] = max(before[0], worst), max(before[1], episode.alignment.tolerance[stream])
    return found


def _plain(result: _Result, arguments: argparse.Namespace) -> dict[str, Any]:
    plan = result.plan
    return {
        "out": str(arguments.out),
        "format": arguments.format,
        "episodes": [episode.name for episode in plan.episodes],
        "skipped": list(plan.skipped),
        "rows": plan.rows,
        "fps": float(plan.fps),
        "size": result.size,
        "left_out": {
            episode.name: {"gaps": episode.left_out, "ends": episode.alignment.trimmed}
            for episode in plan.episodes
        },
        "farthest_s": {name: worst / NANOSECONDS for name, (worst, _) in _distances(plan).items()},
        "tolerance_s": {name: limit / NANOSECONDS for name, (_, limit) in _distances(plan).items()},
        "decoding_error": {
            name: {"mean": list(error.mean), "worst_frame": error.worst, "frames": error.frames}
            for name, error in result.errors.items()
        },
    }
