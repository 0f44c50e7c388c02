"""grasp and target points of the embedded affordance model, and its refusals, in unseen scenes and words"""

from __future__ import annotations

import argparse
import time
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np
import torch
from rich.console import Console
from rich.progress import track
from sinew_core.config import from_mapping
from sinew_core.types import Observation, Refusal, Task

from sinew_perception.ground.answering import spoken
from sinew_perception.ground.calibration import HARDWARE, verdict
from sinew_perception.ground.grounder import WEIGHTS
from sinew_perception.ground.model import Config, SinewGround
from sinew_perception.ground.trials import Trial, trials

TAG = 3  # of the bench's pictures: no training or calibration has them
WARM_UP = 3  # questions that are not timed
SHOWN = 12  # failures of each kind that the result spells out


@dataclass(frozen=True, slots=True)
class Result:
    """How one question was answered."""

    trial: Trial
    verdict: str  # right, refused, accepted, form, place
    seconds: float
    processor: float  # s of processor time
    said: str  # the answer in words


def main(argv: Sequence[str]) -> int:
    """Run `sinew bench grounding`."""
    from sinew_eval.benches.result import add_result_options, write_result

    parser = argparse.ArgumentParser(prog="sinew bench grounding", description=__doc__)
    parser.add_argument("--scenes", type=int, default=500)
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--weights", type=Path, default=WEIGHTS)
    parser.add_argument(
        "--split", choices=("held_out", "train"), default="held_out", help="of words and colours"
    )
    parser.add_argument("--no-depth", action="store_true", help="show colour images only")
    add_result_options(parser)
    arguments = parser.parse_args(argv)
    threads = torch.get_num_threads()
    torch.set_num_threads(1)
    try:
        results = _measure(arguments)
    finally:
        torch.set_num_threads(threads)
    payload = summarise(results) | {
        "scenes": arguments.scenes,
        "seed": arguments.seed,
        "split": arguments.split,
        "depth": not arguments.no_depth,
    }
    write_result("grounding", payload, arguments.out, list(argv))
    return 0


def _measure(arguments: argparse.Namespace) -> list[Result]:
    console = Console(stderr=True, quiet=arguments.json)
    asked = trials(arguments.split, TAG, arguments.seed, arguments.scenes, HARDWARE)
    config = from_mapping(Config, {"weights": str(arguments.weights)}, "bench grounding")
    base: SinewGround | None = None
    results = []
    for trial in track(
        asked, "questions", total=arguments.scenes, console=console, disable=not console.is_terminal
    ):
        base = base or SinewGround(config, trial.hardware)
        shown = replace(trial, frame=replace(trial.frame, depth=None)) if arguments.no_depth else trial
        results.append(answer(base.at(trial.hardware), shown))
    return results


def answer(model: SinewGround, trial: Trial) -> Result:
    """Return the model's answer to a trial, from the image alone, without any detector's keypoints."""
    text = trial.sentence.text
    observation = Observation(1, trial.joints, {"top": trial.frame}, {}, None, {}, Task("", text))
    start, work = time.perf_counter(), time.process_time()
    given = model.propose(observation, text)
    seconds, processor = time.perf_counter() - start, time.process_time() - work
    if isinstance(given, Refusal):
        return Result(trial, "refused", seconds, processor, given.reason)
    meant = model.ground(model.hear(text), model.view(observation))
    return Result(trial, verdict(meant, trial), seconds, processor, spoken(meant.subject))


def summarise(results: Sequence[Result]) -> dict[str, Any]:
    """Return the figures; shares of the questions of their kind."""

    def share(kinds: Sequence[str], verdict: str, form: str = "") -> float:
        own = [r.verdict for r in results if r.trial.kind in kinds and form in ("", r.trial.sentence.form)]
        return round(sum(v == verdict for v in own) / len(own), 4) if own else float("nan")

    forms = sorted({r.trial.sentence.form for r in results if r.trial.kind == "unique"})
    failures = Counter(f"{r.trial.kind}: {r.verdict}" for r in results if _failed(r))
    return {
        "within_20mm": share(["unique"], "right"),
        "refused_absent": share(["absent"], "refused"),
        "false_refusals": share(["unique"], "refused"),
        "ms_per_question": _milliseconds([r.seconds for r in results]),
        "cpu_ms_per_question": _milliseconds([r.processor for r in results]),
        "refused_alike": share(["alike"], "refused"),
        "refused_nonsense": share(["nonsense"], "refused"),
        "refused_no_request": share(["no_request"], "refused"),
        "by_form": {form: share(["unique"], "right", form) for form in forms},
        "questions": dict(Counter(r.trial.kind for r in results)),
        "failures": dict(failures),
        "examples": [
            f"{r.trial.kind}: {r.verdict}: {r.trial.sentence.text}: {r.said}" for r in results if _failed(r)
        ][: 3 * SHOWN],
    }


def _milliseconds(seconds: Sequence[float]) -> float:
    """Return the median, ms, without the first questions, in which caches fill."""
    return round(1000 * float(np.median(seconds[WARM_UP:])), 2)


def _failed(result: Result) -> bool:
    return result.verdict != ("right" if result.trial.truth else "refused")
