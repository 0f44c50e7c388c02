"""train the goal encoder on simulated videos, so that distances between pictures say how far it is to go"""

from __future__ import annotations

import argparse
import json
from collections.abc import Sequence
from dataclasses import asdict
from pathlib import Path
from typing import Any

import torch
from rich.console import Console
from rich.progress import Progress
from safetensors.numpy import save
from sinew_core.errors import ConfigError
from sinew_core.files import write_whole
from sinew_eval.options import natural, positive
from sinew_eval.reward_episodes import simulated_trajectories
from sinew_perception.encoders.frozen_features import FrozenFeatures
from sinew_perception.encoders.goal_encoder import PLUGIN, SHIPPED, SIZE, GoalEncoder, shipped_config

from sinew_rewards.files import sha256_of, write_json
from sinew_rewards.learned.trajectory import Trajectory
from sinew_rewards.learners.goal_encoder_training import TrainingConfig, time_order, train_encoder

TASKS = ("pick_place", "push")
LATEST = 50  # steps of which the mean loss is told


def main(argv: Sequence[str]) -> int:
    """Run `sinew reward encoder`: 0 when the encoder is written."""
    arguments = _parser().parse_args(argv)
    config = _config(arguments)
    if arguments.out.suffix != ".safetensors":
        raise ConfigError(f"--out: expected a name that ends in .safetensors, got {arguments.out}.")
    torch.set_num_threads(arguments.threads)
    console = Console(stderr=True, highlight=False)
    tasks = arguments.task or list(TASKS)
    with Progress(console=console, transient=True, disable=not console.is_terminal) as bar:
        found = bar.add_task("episodes", total=None)
        videos = {task: _episodes(arguments, task, arguments.seed, arguments.episodes) for task in tasks}
        bar.remove_task(found)
        network, losses = _train(list(videos.values()), config, arguments.training_seed, bar)
    weights = {name: tensor.detach().contiguous().numpy() for name, tensor in network.state_dict().items()}
    write_whole(arguments.out, save(weights))
    facts = _facts(arguments, config, losses, tasks)
    write_json(arguments.out.with_suffix(".json"), facts)
    print(json.dumps(facts) if arguments.json else _told(arguments.out, facts), flush=True)
    return 0


def _parser() -> argparse.ArgumentParser:
    default = TrainingConfig()
    parser = argparse.ArgumentParser(
        prog="sinew reward encoder",
        description=__doc__,
        epilog=f"The encoder that comes with Sinew, {SHIPPED.name}, is what this makes without other options "
        "than --out.",
    )
    add = parser.add_argument
    add("--out", type=Path, required=True, metavar="FILE", help="weights (.safetensors); a .json goes beside")
    add(
        "--task", action="append", help=f"whose videos are looked at; may be given again ({', '.join(TASKS)})"
    )
    add("--episodes", type=positive, default=400, metavar="N", help="of each task, bad ones among them (400)")
    add("--seed", type=natural, default=0, help="episode i uses seed + i (0)")
    add("--held-out", type=positive, default=20, metavar="N", help="episodes after these, to test on (20)")
    add("--steps", type=positive, default=default.steps, help=f"of the training ({default.steps})")
    add("--batch", type=positive, default=default.batch, help=f"clips a step ({default.batch})")
    add("--training-seed", type=natural, default=0, help="of weights, clips and augmentation (0)")
    add("--threads", type=positive, default=1, metavar="N", help="of the processor (1)")
    add("--json", action="store_true", help="print one JSON object on stdout")
    return parser


def _config(arguments: argparse.Namespace) -> TrainingConfig:
    return TrainingConfig(steps=arguments.steps, batch=arguments.batch)


def _episodes(arguments: argparse.Namespace, task: str, seed: int, count: int) -> tuple[Trajectory, ...]:
    """Return the episodes of a task; a person waits for minutes where they are not kept yet."""
    return simulated_trajectories(task, count, seed, size=SIZE)


def _train(
    videos: Sequence[Sequence[Trajectory]], config: TrainingConfig, seed: int, bar: Progress
) -> tuple[GoalEncoder, list[float]]:
    """Return the network and the loss of each step."""
    losses: list[float] = []
    steps = bar.add_task("training", total=config.steps)

    def told(step: int, loss: float) -> None:
        losses.append(loss)
        bar.update(steps, completed=step + 1, description=f"loss {_mean(losses):.3f}")

    return train_encoder(videos, config, seed, told), losses


def _facts(
    arguments: argparse.Namespace, config: TrainingConfig, losses: Sequence[float], tasks: Sequence[str]
) -> dict[str, Any]:
    """Return what the encoder is, and how well it orders episodes that it has not seen."""
    features = FrozenFeatures(shipped_config(arguments.out))
    order = {}
    for task in tasks:
        held_out = _episodes(arguments, task, arguments.seed + arguments.episodes, arguments.held_out)
        order[task] = time_order(features, held_out)
    return {
        "plugin": PLUGIN,
        "tag": features.tag,
        "sha256": sha256_of(arguments.out),
        "tasks": list(tasks),
        "episodes": arguments.episodes,
        "seed": arguments.seed,
        "training_seed": arguments.training_seed,
        "training": asdict(config),
        "loss": round(_mean(losses), 4),
        "time_order_held_out": order,
    }


def _mean(losses: Sequence[float]) -> float:
    latest = losses[-LATEST:]
    return sum(latest) / len(latest)


def _told(path: Path, facts: dict[str, Any]) -> str:
    order = ", ".join(
        f"{task} {'unknown' if value is None else f'{value:.2f}'}"
        for task, value in facts["time_order_held_out"].items()
    )
    return f"wrote {path}: loss {facts['loss']:.3f}, order of unseen successes: {order}"
