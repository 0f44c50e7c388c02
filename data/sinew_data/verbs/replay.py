"""send an episode's commands to an arm once more, through the safety path"""

from __future__ import annotations

import argparse
import json
import math
import signal
import sys
from collections.abc import Iterator, Sequence
from contextlib import closing, contextmanager
from types import FrameType

from rich.console import Console
from rich.markup import escape
from rich.table import Table
from sinew_core.errors import ConfigError, DeviceError
from sinew_core.hardware import Hardware, load_hardware
from sinew_core.protocols import Station, World
from sinew_core.types import FloatArray

from sinew_data.choosing import add_episode, chosen_episode
from sinew_data.console import output, progress
from sinew_data.episode import EpisodeStart
from sinew_data.reader import Episode, open_episode
from sinew_data.recorded_motion import ExecutedOffers, Offers, read_chunks, read_motion, resampled
from sinew_data.replaying import Replay, ReplayReport
from sinew_data.same_robot import check_robot

FASTEST = 2.0  # times the recorded speed
INTERRUPTED = 130


def main(argv: Sequence[str]) -> int:
    """Run `sinew data replay`: 0, 1 if it ended early, 130 if Ctrl-C ended it."""
    arguments = _arguments(argv)
    hardware = load_hardware(arguments.hardware)
    path = chosen_episode(arguments.episode, arguments.name)
    with open_episode(path) as episode:
        start = episode.summary.start
        check_robot(path.name, episode.attachments(), hardware.robot)
        offers = _offers(episode, hardware, arguments.source, arguments.speed)
    with one_interrupt(), closing(hardware.open_station(start.task)) as station:
        seed = start.seed if arguments.seed is None else arguments.seed
        _prepare(station, start, seed, len(offers.rows) * hardware.config.control_period, arguments)
        replay = Replay(station, hardware, offers, approach=arguments.approach)
        code, message = _run(replay, len(offers.rows))
        report = replay.report()
    if arguments.json:
        print(json.dumps(_plain(report, hardware, message)))
    else:
        _say(output(), report, hardware, message)
    return code


def _arguments(argv: Sequence[str]) -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="sinew data replay", description=__doc__)
    add_episode(parser)
    parser.add_argument("--hardware", required=True, help="a name or path of a hardware YAML")
    parser.add_argument("--speed", type=float, default=1.0, help="of the recorded one (1.0)")
    parser.add_argument(
        "--source",
        choices=("executed", "chunk"),
        default="executed",
        help="executed (default): what was sent; chunk: what policy and person asked for",
    )
    parser.add_argument("--approach", action="store_true", help="lead the arm to the first command, slowly")
    parser.add_argument("--seed", type=int, help="of the simulator's scene (the episode's)")
    parser.add_argument("--yes", action="store_true", help="move a real arm without asking")
    parser.add_argument("--json", action="store_true", help="print one JSON object")
    arguments = parser.parse_args(argv)
    if not 0 < arguments.speed <= FASTEST:
        raise ConfigError(f"--speed {arguments.speed}: expected more than 0 and at most {FASTEST}.")
    return arguments


def _offers(episode: Episode, hardware: Hardware, source: str, speed: float) -> Offers:
    """Return what is to be offered; commands are taken between two where speed or period differ."""
    motion, recorded = read_motion(episode), episode.summary.start.control_period
    ratio = speed * hardware.config.control_period / recorded
    if source == "executed":
        return ExecutedOffers(resampled(motion.commands, ratio), hardware.period)
    if not math.isclose(ratio, 1.0, rel_tol=1e-9):
        raise ConfigError(
            f"--source chunk needs the recorded speed and control period, {recorded} s; "
            f"here: speed {speed}, {hardware.config.control_period} s. --source executed does not."
        )
    return read_chunks(episode, motion)


def _prepare(
    station: Station, start: EpisodeStart, seed: int, duration: float, arguments: argparse.Namespace
) -> None:
    """Lay out the simulator's scene, or ask whether the real arm may move."""
    if station.world is not None:
        lay_out(station.world, seed, start.instruction)
    elif not arguments.yes:
        confirm(f"The arm of '{arguments.hardware}' will move for {duration:.1f} s. Go on? [y/N] ")


def lay_out(world: World, seed: int, instruction: str) -> None:
    """Reset to the scene of an episode.

    A drawn instruction and the same one given lead to different scenes: given it is only where the seed
    draws another one.
    """
    if world.reset(seed).instruction != instruction:
        world.reset(seed, instruction)


def confirm(question: str) -> None:
    """Ask in the terminal; ConfigError without a yes."""
    if not sys.stdin.isatty():
        raise ConfigError("a real arm moves only after a yes, and there is no terminal to ask; give --yes.")
    if input(question).strip().lower() not in ("y", "yes"):
        raise ConfigError("not replayed.")


@contextmanager
def one_interrupt() -> Iterator[None]:
    """Let the first SIGINT or SIGTERM raise KeyboardInterrupt, and no further one hinder the hold."""

    def first(number: int, frame: FrameType | None) -> None:
        for each in before:
            signal.signal(each, signal.SIG_IGN)
        raise KeyboardInterrupt

    before = {number: signal.getsignal(number) for number in (signal.SIGINT, signal.SIGTERM)}
    for number in before:
        signal.signal(number, first)
    try:
        yield
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)


def _run(replay: Replay, count: int) -> tuple[int, str]:
    """Return the exit code and what ended the replay early, or ''."""
    with progress() as bar:
        task = bar.add_task("replaying", total=count)
        try:
            replay.run(lambda done: bar.update(task, completed=done))
        except KeyboardInterrupt:
            return INTERRUPTED, "interrupted; the arm holds"
        except DeviceError as error:
            return 1, f"{error}; the arm holds"
    report = replay.report()
    return (0, "") if report.outcome == "done" else (1, f"{report.outcome}: {report.message}; the arm holds")


def _say(console: Console, report: ReplayReport, hardware: Hardware, message: str) -> None:
    table = Table(box=None, header_style="bold", pad_edge=False)
    table.add_column("joint", no_wrap=True)
    table.add_column("tracking error, mean", justify="right")
    table.add_column("largest", justify="right")
    for name, mean, largest in zip(
        hardware.robot.joint_names, report.mean_error, report.max_error, strict=True
    ):
        table.add_row(name, f"{mean:.5f}", f"{largest:.5f}")
    console.print(table)
    console.print("rad or m, of the measured joints from the command, one control period later")
    console.print(
        f"{report.periods} of {report.planned} commands sent, {report.equal} of them bit by bit as in the "
        f"episode; safety changed {report.changed}."
    )
    for reason, count in report.reasons.items():
        console.print(f"  {count:5d} x {escape(reason)}")
    if report.success is not None:
        console.print(f"in the simulator the task is {'done' if report.success else 'not done'}.")
    if message:
        console.print(f"[red]{escape(message)}[/]", soft_wrap=True)


def _plain(report: ReplayReport, hardware: Hardware, message: str) -> dict[str, object]:
    def by_joint(values: FloatArray) -> dict[str, float | None]:
        numbers = (None if math.isnan(value) else value for value in values.tolist())
        return dict(zip(hardware.robot.joint_names, numbers, strict=True))

    return {
        "outcome": report.outcome,
        "message": message,
        "periods": report.periods,
        "planned": report.planned,
        "equal": report.equal,
        "changed": report.changed,
        "reasons": dict(report.reasons),
        "mean_error": by_joint(report.mean_error),
        "max_error": by_joint(report.max_error),
        "success": report.success,
    }
