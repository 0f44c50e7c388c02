"""let a vision-language model compare moments of episodes, or judge their steps, into the feedback log"""

from __future__ import annotations

import argparse
import json
import time
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from rich.console import Console
from sinew_core.errors import ConfigError
from sinew_core.plugins import build
from sinew_data.console import counted, progress
from sinew_data.feedback.log import append, read
from sinew_data.feedback.types import Feedback
from sinew_eval.options import natural, positive
from sinew_perception.visual_prompting.provider import Provider
from sinew_perception.visual_prompting.recording import FOLDER, MODEL
from sinew_perception.visual_prompting.voting import Agreement

from sinew_rewards.judges.drawing import drawn_pairs, drawn_steps
from sinew_rewards.judges.judging import Judged, judge_all
from sinew_rewards.judges.look import Look
from sinew_rewards.judges.pair_judge import PairConfig, PairJudge
from sinew_rewards.judges.step_judge import StepConfig, StepJudge
from sinew_rewards.judges.verdict import Judge
from sinew_rewards.learned.features import FeatureConfig
from sinew_rewards.learned.trajectory import Episodes
from sinew_rewards.report.episodes import Wanted, open_episodes
from sinew_rewards.report.options import add_episode_options, messages

PLUGINS = {
    "chat": "sinew_perception.visual_prompting.chat:Chat",
    "recorded": "sinew_perception.visual_prompting.recorded:Recorded",
}


def main(argv: Sequence[str]) -> int:
    """Run `sinew reward judge`: 0, or 1 where a fault ended the judging early."""
    arguments = _parser().parse_args(argv)
    judge = _judge(arguments, _provider(arguments))
    pairs = _pairs(arguments, _episodes(arguments))
    with progress() as bar:
        task = bar.add_task("judging", total=len(pairs))
        judged = judge_all(judge, pairs, time.time_ns(), lambda: bar.advance(task))
    new = _new(judged.entries, arguments.log)
    append(arguments.log, new)
    _tell(arguments, judged, len(pairs), len(new))
    return 1 if judged.stopped else 0


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="sinew reward judge",
        description=__doc__,
        epilog="Answers are kept in --answers; --provider recorded repeats them without any network. What "
        "the log holds already is not added again. Exit code: 0, 1 where a fault ended the judging, 2 for a "
        "wrong input.",
    )
    add_episode_options(parser)
    add = parser.add_argument
    add("--goal", required=True, metavar="SENTENCE", help="what the pictures are judged by")
    add("--log", type=Path, required=True, metavar="LOG", help="the feedback log that is added to (.jsonl)")
    add(
        "--how", choices=("pairs", "steps"), default="pairs", help="compare moments, or judge steps by a vote"
    )
    add("--camera", default="", help="whose pictures are shown; needed for a dataset")
    add("--size", type=positive, default=256, metavar="PX", help="of the pictures of a dataset (256)")
    add("--count", type=positive, default=40, metavar="N", help="pairs, or steps at most (40)")
    add("--every", type=positive, default=30, metavar="N", help="control periods of a step (30)")
    add("--samples", type=positive, default=3, metavar="N", help="answers to a step that are voted on (3)")
    add("--share", type=float, default=0.6, help="of them that has to agree (0.6)")
    add("--both-ways", action="store_true", help="pairs: count only what is answered alike both ways round")
    add("--flip", action="store_true", help="pairs: turn answers round, for a goal that must not be reached")
    add("--provider", choices=tuple(PLUGINS), default="chat", help="who answers (chat)")
    add("--base-url", help="of a chat-completions server")
    add("--model", default=MODEL, help=f"which one answers ({MODEL})")
    add("--key-env", help="environment variable that holds the key; '' sends none")
    add("--answers", type=Path, default=FOLDER, metavar="DIR", help=f"where answers are kept ({FOLDER})")
    add("--calls", type=positive, metavar="N", help="requests, at most (1000)")
    add("--seed", type=natural, default=0, help="of the pairs that are drawn (0)")
    add("--json", action="store_true", help="print one JSON object")
    return parser


def _provider(arguments: argparse.Namespace) -> Provider:
    spec: dict[str, Any] = {"plugin": PLUGINS[arguments.provider], "model": arguments.model}
    if arguments.provider == "recorded":
        spec["folder"] = arguments.answers
    else:
        given = {"base_url": arguments.base_url, "key_env": arguments.key_env}
        spec |= {name: value for name, value in given.items() if value is not None}
        spec |= {"record": arguments.answers}
        spec |= {"limits": {"calls": arguments.calls}} if arguments.calls else {}
    return build(spec, Provider, f"--provider {arguments.provider}")


def _judge(arguments: argparse.Namespace, provider: Provider) -> Judge:
    try:
        if arguments.how == "pairs":
            pairs = PairConfig(arguments.goal, both_ways=arguments.both_ways, flip=arguments.flip)
            return PairJudge(pairs, provider)
        agreement = Agreement(arguments.samples, arguments.share)
        return StepJudge(StepConfig(arguments.goal, agreement), provider)
    except ValueError as error:
        raise ConfigError(f"--goal, --samples, --share: {error}") from error


def _episodes(arguments: argparse.Namespace) -> Episodes:
    wanted = Wanted(FeatureConfig(), arguments.task, arguments.hardware, arguments.camera, arguments.size)
    found = open_episodes(arguments.episodes, wanted, arguments.cache)
    for problem in found.problems[:3]:
        messages().print(problem, style="yellow", markup=False)
    return found.episodes


def _pairs(arguments: argparse.Namespace, episodes: Episodes) -> list[tuple[Look, Look]]:
    if arguments.how == "steps":
        return drawn_steps(episodes, arguments.count, arguments.seed, arguments.every)
    return drawn_pairs(episodes, arguments.count, arguments.seed)


def _new(entries: Sequence[Feedback], log: Path) -> list[Feedback]:
    """Return the entries that the log does not hold yet, whenever they were made."""
    known = {(entry.said, entry.who) for entry in read(log).entries} if log.exists() else set()
    return [entry for entry in entries if (entry.said, entry.who) not in known]


def _tell(arguments: argparse.Namespace, judged: Judged, pairs: int, new: int) -> None:
    if arguments.json:
        facts = {"judged": pairs, "entries": len(judged.entries), "added": new}
        print(json.dumps({**facts, "dropped": dict(judged.dropped), "stopped": judged.stopped}))
        return
    console = Console(highlight=False, soft_wrap=True)
    dropped = ", ".join(f"{count} {why}" for why, count in judged.dropped.items()) or "none"
    what = counted(pairs, "pair" if arguments.how == "pairs" else "step")
    console.print(f"{what}, dropped: {dropped}; {new} entries added to {arguments.log}", markup=False)
    if judged.stopped:
        console.print(f"stopped early: {judged.stopped}", style="red", markup=False)
