"""ask a person which of two clips is better, again and again, and log each answer at once"""

from __future__ import annotations

import argparse
import getpass
import time
from collections.abc import Sequence
from pathlib import Path
from typing import get_args

from rich.console import Console
from sinew_core.errors import ConfigError
from sinew_data.console import counted, progress
from sinew_data.dataset import Dataset
from sinew_data.feedback.log import read
from sinew_data.feedback.types import Clip, Comparison

from sinew_rewards.asking.choosing import Rule
from sinew_rewards.asking.file_screen import FileScreen
from sinew_rewards.asking.preparing import Questions, Request, prepare
from sinew_rewards.asking.question import Screen
from sinew_rewards.asking.session import Session
from sinew_rewards.asking.telling import errors, tell_flaws


def main(argv: Sequence[str]) -> int:
    """Run `sinew feedback ask`: 0, also where `q` or Ctrl-C ends it; every answer is in the log."""
    arguments = _parser().parse_args(argv)
    request, who, console = _request(arguments), arguments.who or _login(), errors()
    questions = _prepare(request, _answered(arguments.log, who), console)
    session = Session(arguments.log, who, time.time_ns)
    screen = _screen(arguments, console)
    try:
        session.run(len(questions.pairs), questions.question, screen)
    except KeyboardInterrupt:
        console.print()
    finally:
        screen.close()
    done = session.sitting
    words = f"{counted(done.answered, 'answer')} by '{who}' in {arguments.log}, {done.skipped} skipped"
    console.print(words, markup=False)
    return 0


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="sinew feedback ask",
        description=__doc__,
        epilog="Keys: 1 left, 2 right, = alike, s skip, u undo, q quit. Without --window, each question is "
        "a picture in a file (--sheet) that a viewer shows, also over SSH; --video makes a film of it.",
    )
    parser.add_argument("--dataset", type=Path, required=True, metavar="D", help="recorded episodes")
    parser.add_argument("--log", type=Path, required=True, metavar="FILE", help="the log (.jsonl)")
    parser.add_argument("--model", type=Path, metavar="W", help="a learned reward (.safetensors)")
    parser.add_argument(
        "--by", choices=get_args(Rule), help="how to choose (information with --model, else random)"
    )
    parser.add_argument("--siblings", action="store_true", help="only clips that branched from one state")
    parser.add_argument("--count", type=int, default=20, metavar="N", help="questions at most (20)")
    parser.add_argument("--seconds", type=float, default=3.0, help="of a clip (3)")
    parser.add_argument("--task", default="", help="episodes of this task only")
    parser.add_argument("--camera", default="", metavar="A,B", help="shown; the first that all have")
    parser.add_argument("--who", default="", metavar="NAME", help="who answers (the login name)")
    parser.add_argument("--seed", type=int, default=0, help="of the draws (0)")
    parser.add_argument("--window", action="store_true", help="play the clips in a window")
    parser.add_argument("--sheet", type=Path, metavar="FILE", help="picture (LOG with the ending .png)")
    parser.add_argument("--video", type=Path, metavar="FILE", help="a film besides, .mp4 or .gif")
    return parser


def _request(arguments: argparse.Namespace) -> Request:
    """Return what is asked for; ConfigError for options that do not go together."""
    if arguments.count < 1 or not 0 < arguments.seconds < float("inf"):
        raise ConfigError("expected --count of at least 1 and --seconds above 0.")
    rule: Rule = arguments.by or ("random" if arguments.model is None else "information")
    if rule != "random" and arguments.model is None:
        raise ConfigError(f"--by {rule} needs a learned reward: --model W.safetensors.")
    if arguments.window and (arguments.sheet or arguments.video):
        raise ConfigError("--window shows the clips itself; leave out --sheet and --video.")
    names = ("dataset", "model", "siblings", "count", "seconds", "task", "seed")
    cameras = tuple(name for name in arguments.camera.split(",") if name)
    return Request(rule=rule, cameras=cameras, **{name: getattr(arguments, name) for name in names})


def _answered(log: Path, who: str) -> set[frozenset[Clip]]:
    """Return the pairs that somebody has answered already."""
    if not log.exists():
        return set()
    contents = read(log)
    tell_flaws(log, contents)
    said = [entry.said for entry in contents.entries if entry.who == who]
    return {frozenset((each.first, each.second)) for each in said if isinstance(each, Comparison)}


def _prepare(request: Request, answered: set[frozenset[Clip]], console: Console) -> Questions:
    with progress() as bar:
        total = len(Dataset(request.dataset).paths())
        reading = bar.add_task("reading episodes", total=total)
        questions = prepare(request, answered, lambda: bar.advance(reading))
    for problem in questions.problems:
        console.print(f"left out: {problem}", style="yellow", markup=False)
    return questions


def _login() -> str:
    try:
        return getpass.getuser()
    except (OSError, KeyError) as error:
        raise ConfigError("nobody knows who you are here: say it by --who NAME.") from error


def _screen(arguments: argparse.Namespace, console: Console) -> Screen:
    if arguments.window:
        try:
            from sinew_rewards.asking.window_screen import WindowScreen
        except ImportError as error:
            raise ConfigError(f"windows need Tk ({error}); leave out --window.") from error
        return WindowScreen()
    sheet = arguments.sheet or (None if arguments.video else arguments.log.with_suffix(".png"))
    return FileScreen(sheet, arguments.video, lambda words: console.print(words, markup=False))
