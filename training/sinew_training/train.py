"""train a policy: by reinforcement with demonstrations and takeovers, or from demonstrations alone"""

from __future__ import annotations

import argparse
import json
import signal
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import torch
from rich.console import Console
from sinew_core.config import from_mapping, load_yaml
from sinew_core.errors import ConfigError
from sinew_core.files import write_whole
from sinew_core.models import named_spec
from sinew_core.plugins import plugin_spec
from sinew_eval.options import natural, positive

from sinew_training.config import AGENTS, TrainConfig
from sinew_training.final import final_score
from sinew_training.run_directory import Progress, RunDirectory, create_run, open_run
from sinew_training.screen import Screen
from sinew_training.trainer import Trainer


def main(argv: Sequence[str]) -> int:
    """Run `sinew train`: 0 when it came to its end, 130 when interrupted, with a checkpoint either way."""
    arguments = _parser().parse_args(argv)
    console = Console(stderr=True, highlight=False, soft_wrap=True)
    torch.set_num_threads(arguments.threads)
    torch.set_flush_denormal(True)  # moments that fade would make every update several times slower
    run, config = _open(arguments)
    with _stoppable(), Screen(console, config, run) as screen:
        trainer = Trainer(config, run, screen, resume=arguments.resume)
        try:
            counters = trainer.train()
        except KeyboardInterrupt:
            trainer.save()
            console.print(f"interrupted; go on with: sinew train --resume --out {run.path}", markup=False)
            return 130
        finally:
            trainer.close()
    score = _score(run, config, arguments.final_episodes)
    result = {"steps": counters.steps, "wall_s": counters.wall_s, **score}
    write_whole(run.path / "result.json", (json.dumps(result, indent=1) + "\n").encode())
    if not arguments.json:
        console.print(f"policy:={run.policy}", markup=False)
    print(json.dumps(result))
    return 0


def _parser() -> argparse.ArgumentParser:
    defaults = TrainConfig()
    parser = argparse.ArgumentParser(prog="sinew train", description=__doc__)
    add = parser.add_argument
    add("--out", type=Path, required=True, metavar="DIR", help="directory of the run")
    add("--resume", action="store_true", help="go on with the run in --out; nothing else may be given anew")
    add("--config", type=Path, metavar="FILE", help="YAML with any field of a training")
    add("--algo", help="an agent, as rlpd, sac, iql, cloning, or a YAML file or module:Class")
    add("--task", help=f"a task, or a YAML file ({defaults.task})")
    add("--hardware", help=f"a simulated station ({defaults.hardware})")
    add("--reward", help=f"a reward model, or `sparse` for bare success ({defaults.reward})")
    add("--judge", help="a reward model that says when the task is done, in place of the simulator")
    add("--dataset", metavar="DIR", help="recorded episodes that demonstrate")
    add("--labels", metavar="NAME", help="of the reward beside the dataset's episodes; else graded anew")
    add(
        "--demos", type=int, dest="demonstrations", help="scripted demonstrations, besides those of --dataset"
    )
    add("--offline", action="store_true", help="no episodes: learn from the demonstrations alone")
    add("--steps", type=positive, help=f"decisions ({defaults.steps})")
    add("--minutes", type=float, help="of wall clock, after which it ends, too")
    add("--until", type=float, help="success rate on validation scenes at which it ends, too")
    add("--interventions", type=int, help="control periods that a scripted person may act in all")
    add("--seed", type=int, help="of everything (0)")
    add("--threads", type=positive, default=2, help="of the arithmetic")
    add(
        "--final-episodes",
        type=natural,
        default=100,
        help="that the best policy is measured by in the end, through the cameras; 0: none",
    )
    add("--json", action="store_true", help="only the JSON line")
    return parser


def _score(run: RunDirectory, config: TrainConfig, episodes: int) -> dict[str, Any]:
    """Return the figures of the best policy on fresh scenes, or those of the last validation."""
    if episodes:
        return final_score(run.policy, config.hardware, config.task, episodes=episodes, jobs=2)
    last = [record for record in Progress(run.progress).read() if record["kind"] == "evaluation"][-1]
    return {name: last[name] for name in ("success_rate", "wilson_95", "episodes")}


GIVEN = (
    *("task", "hardware", "reward", "dataset", "labels", "demonstrations", "steps", "minutes", "until"),
    *("interventions", "seed"),
)


def _open(arguments: argparse.Namespace) -> tuple[RunDirectory, TrainConfig]:
    given: dict[str, Any] = {name: value for name in GIVEN if (value := getattr(arguments, name)) is not None}
    if arguments.resume:
        if given or arguments.config or arguments.algo or arguments.judge:
            raise ConfigError("--resume goes on with what the run was begun with; give --out alone.")
        return open_run(arguments.out)
    data = load_yaml(arguments.config) if arguments.config else {}
    if arguments.algo:
        data["agent"] = _agent(arguments.algo)
    if arguments.judge:
        told = data.get("judge")  # of the configuration: its other settings stay
        rest = told if isinstance(told, Mapping) else {}
        data["judge"] = {**rest, "success": named_spec("reward", arguments.judge)}
    if "dataset" in given and "demonstrations" not in given:
        given["demonstrations"] = 0
    if arguments.offline:
        given["offline"] = True
    where = str(arguments.config) if arguments.config else "sinew train"
    config = from_mapping(TrainConfig, data | given, where)
    return create_run(arguments.out, config), config


def _agent(name: str) -> Mapping[str, Any]:
    """Return the agent of a name; the one of the defaults comes with their settings."""
    spec, usual = plugin_spec(name, AGENTS, "algorithm"), TrainConfig().agent
    return usual if spec == {"plugin": usual["plugin"]} else spec


@contextmanager
def _stoppable() -> Iterator[None]:
    """Let SIGINT and SIGTERM end a training with its checkpoint; a shell's background ignores the first."""
    numbers = (signal.SIGINT, signal.SIGTERM)
    previous = [signal.signal(number, signal.default_int_handler) for number in numbers]
    try:
        yield
    finally:
        for number, handler in zip(numbers, previous, strict=True):
            signal.signal(number, handler)
