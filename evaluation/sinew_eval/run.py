"""run episodes of a task and write a report: success rate, rewards, timing and a video of each"""

from __future__ import annotations

import argparse
import json
import logging
import sys
import time
import traceback
from collections.abc import Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

from sinew_core.errors import ConfigError, DeviceError
from sinew_core.runtime import EpisodeResult
from sinew_core.types import ImageArray

from sinew_eval.alternation import Turn
from sinew_eval.interrupts import Interrupts
from sinew_eval.names import check_names, open_graph
from sinew_eval.options import add_run_options, natural, run_config
from sinew_eval.progress import RunProgress, score_text
from sinew_eval.recording import EpisodeRecorder
from sinew_eval.records import Graph, StepRecord
from sinew_eval.results import RunResults, default_folder, discard, prepare_folder

log = logging.getLogger(__name__)


def main(argv: Sequence[str]) -> int:
    """Run `sinew run`: 0 when all episodes ran, 1 after an error, 2 for a wrong name, 130 after Ctrl-C."""
    arguments = _parser().parse_args(argv)
    config = run_config(arguments, video=not arguments.no_video)
    config = replace(config, plain_video=arguments.plain_video, **_alternating(arguments))
    with Interrupts() as interrupts:
        try:
            with interrupts.interruptible():
                check_names(config, arguments.graph)
        except KeyboardInterrupt:
            return interrupts.exit_code  # nothing was begun
        folder = arguments.out or default_folder(config.task)
        prepare_folder(folder, force=arguments.force)
        results = RunResults(folder, config, arguments.graph, arguments.episodes, arguments.seed, list(argv))
        progress = RunProgress(arguments.episodes)
        results.write()
        _run(results, interrupts, progress)
        _print_outcome(results, progress, as_json=arguments.json)
        return _exit_code(results, interrupts)


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="sinew run",
        description="Run episodes of a task and write summary.json, episodes.csv and report.html.",
        epilog="Exit code: 0 when all episodes ran, whatever their success; 1 when one ended in an error; "
        "2 for a wrong name or option; 130 after Ctrl-C, with a report of what was done.",
    )
    add_run_options(parser, episodes=10, seed=0)
    parser.add_argument("--graph", default="process", metavar="ros|process", help="what drives the episodes")
    parser.add_argument("--out", type=Path, metavar="DIR", help="where to write (runs/<task>-<time>)")
    parser.add_argument("--force", action="store_true", help="replace the run that --out holds")
    parser.add_argument("--json", action="store_true", help="end with one JSON object on stdout")
    parser.add_argument("--no-video", action="store_true", help="record no videos")
    parser.add_argument("--plain-video", action="store_true", help="draw nothing on the videos")
    group = parser.add_argument_group("without resets")
    group.add_argument(
        "--alternate",
        action="store_true",
        help="run the task and its way back in turn, each in the scene that the last episode left",
    )
    group.add_argument(
        "--retries", type=natural, default=2, help="tries of a way that failed until the scene is reset (2)"
    )
    group.add_argument(
        "--back", default="", metavar="SENTENCE", help="the way back; left out, the simulator says it"
    )
    group.add_argument(
        "--by-hand", action="store_true", help="a person resets the scene: hold, say so and wait for Enter"
    )
    return parser


def _alternating(arguments: argparse.Namespace) -> dict[str, Any]:
    """Return the fields of a RunConfig about running without resets."""
    if not arguments.alternate and (arguments.back or arguments.by_hand):
        raise ConfigError("--back and --by-hand say how to go on without resets; add --alternate.")
    return {name: getattr(arguments, name) for name in ("alternate", "retries", "back", "by_hand")}


def _run(results: RunResults, interrupts: Interrupts, progress: RunProgress) -> None:
    """Run every episode; whatever happens, the graph is closed and the files are written."""
    graph: Graph | None = None
    try:
        with progress:
            graph = _open_graph(results, interrupts, progress)
            for index in range(results.episodes):
                _run_episode(graph, index, results, interrupts, progress)
    except KeyboardInterrupt:
        progress.say("interrupted: holding the arm and writing the report ...", style="yellow")
    except DeviceError as error:  # a sentence that says all there is to know
        results.failure = str(error)
        progress.say(results.failure, style="red")
    except Exception as error:
        if graph is None and isinstance(error, ConfigError):
            results.close()
            discard(results.folder)
            raise
        results.failure = f"{type(error).__name__}: {error}"
        progress.say(traceback.format_exc(), style="red")
    finally:
        try:
            if graph is not None:
                graph.close()
        finally:
            results.write()


def _open_graph(results: RunResults, interrupts: Interrupts, progress: RunProgress) -> Graph:
    begin = time.perf_counter()
    with interrupts.interruptible():
        progress.say(f"starting the graph '{results.graph}' on {results.config.hardware} ...")
        graph = open_graph(results.graph, results.config)
    results.startup = time.perf_counter() - begin
    return graph


def _run_episode(
    graph: Graph, index: int, results: RunResults, interrupts: Interrupts, progress: RunProgress
) -> None:
    """Run one episode and write it down; raises what ended it, after that."""
    video = bool(results.config.video_camera)
    recorder = EpisodeRecorder(index, results.video_stem(index) if video else None)
    alternation, given = results.alternation, results.config.instruction
    turn = Turn(results.seed + index, "forward", None) if alternation is None else alternation.turn
    seed = turn.seed
    if turn.again is None and results.config.by_hand:
        _ask_person(interrupts, progress)

    def on_record(record: StepRecord) -> None:
        interrupts.check()  # one that a library's callback swallowed comes back here
        with interrupts.shield():
            recorder.add(record)
            progress.step(index, recorder.steps, recorder.instruction or given)

    begin = time.perf_counter()
    failure: BaseException | None = None
    try:
        with interrupts.interruptible():
            asked = () if turn.again is None else (turn.again,)
            result = graph.run_episode(seed, on_record, *asked)
    except KeyboardInterrupt as error:
        failure = error
        message = "interrupted by the user"
        result = EpisodeResult(seed, recorder.instruction or given, "interrupted", recorder.steps, message)
    except Exception as error:  # noqa: BLE001 - written down first, raised again below
        failure = error
        message = f"{type(error).__name__}: {error}"
        result = EpisodeResult(seed, recorder.instruction or given, "error", recorder.steps, message)
    record = recorder.finish(result, time.perf_counter() - begin, _picture(graph))
    results.add(record)
    if alternation is not None and record.counted:
        alternation.tell(result)
    results.write()
    progress.episode_done(record, results.records)
    if failure is not None:
        raise failure
    if result.outcome == "interrupted":
        raise KeyboardInterrupt


def _picture(graph: Graph) -> ImageArray | None:
    try:
        return graph.picture()
    except Exception:  # the episode stands without its picture
        log.exception("the affordance model's picture cannot be drawn")
        return None


def _ask_person(interrupts: Interrupts, progress: RunProgress) -> None:
    """Have a person lay the scene out; the arm is held. Raises EOFError where nobody can answer."""
    progress.say("the arm holds. Put the scene in order, then press Enter ...", style="yellow")
    with interrupts.interruptible():
        if not sys.stdin.readline():
            raise EOFError("a person was asked to put the scene in order, but nobody is at the keyboard")


def _print_outcome(results: RunResults, progress: RunProgress, *, as_json: bool) -> None:
    score = score_text(results.successes, len(results.counted))
    if as_json:
        progress.say(f"success {score}; report: {results.report}")
        print(json.dumps({**results.summary(), "report": str(results.report)}, allow_nan=False), flush=True)
        return
    print(f"success {score}")
    if results.alternation is not None:
        print(_alternation_text(results.alternation.summary()))
    if results.config.record:
        print(f"dataset: {Path(results.config.record).absolute()}")
    print(f"report: {results.report.resolve()}", flush=True)


def _alternation_text(told: Mapping[str, Any]) -> str:
    ways = [f"{way} {told[way]['successes']} of {told[way]['episodes']}" for way in ("forward", "backward")]
    return f"{', '.join(ways)}; resets by a person: {told['person_resets']}"


def _exit_code(results: RunResults, interrupts: Interrupts) -> int:
    if interrupts.received:
        return interrupts.exit_code
    failed = results.failure or any(record.result.outcome == "error" for record in results.records)
    return 1 if failed else 0
