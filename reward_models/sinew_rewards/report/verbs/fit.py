"""fit a learned reward to feedback on recorded episodes"""

from __future__ import annotations

import argparse
from collections.abc import Sequence
from pathlib import Path

import torch
from rich.console import Console
from sinew_core.config import from_mapping, load_yaml
from sinew_core.errors import ConfigError
from sinew_data.feedback.types import Feedback
from sinew_eval.options import natural, positive

from sinew_rewards.learned.features import FeatureConfig
from sinew_rewards.report.episodes import EpisodeSet
from sinew_rewards.report.feedback_use import check_learnable, usable
from sinew_rewards.report.fitting import Recipe, fit_and_save, learner_spec
from sinew_rewards.report.options import add_episode_options, command_of, episodes_of, messages, on_one_core
from sinew_rewards.report.splits import Split, split


def main(argv: Sequence[str]) -> int:
    """Run `sinew reward fit`."""
    arguments = _parser().parse_args(argv)
    _check_out(arguments.out)
    on_one_core()
    console = messages()
    fields = load_yaml(arguments.config) if arguments.config else {}
    spec = learner_spec(arguments.learner, fields, str(arguments.config or arguments.learner))
    episodes = episodes_of(arguments, _features(arguments.features), console, arguments.camera)
    parts = split(episodes.episodes, arguments.held_out, arguments.seed)
    feedback, crossing = _feedback(arguments.feedback, episodes, parts, console)
    paths = [arguments.episodes, arguments.feedback, arguments.out, arguments.config, arguments.features]
    command = command_of("fit", argv, [*paths, arguments.cache])
    recipe = Recipe(spec, episodes, parts, feedback, crossing, arguments.seed, command)
    torch.set_num_threads(arguments.threads)
    _, facts = fit_and_save(arguments.out, recipe)
    made = facts.provenance
    Console(highlight=False, soft_wrap=True).print(
        f"{arguments.out}: learnt from {len(parts.train.trajectories)} episodes and {len(feedback)} entries "
        f"in {made['fit_s']:.1f} s; {len(parts.held_out.trajectories)} episodes are held out. "
        f"Next: sinew reward report {arguments.out} --episodes {arguments.episodes}"
        + (f" --feedback {arguments.feedback}" if arguments.feedback else ""),
        markup=False,
    )
    return 0


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="sinew reward fit",
        description=__doc__,
        epilog="A share of the episodes is held out, for the report card. What branched from one episode is "
        "never split.",
    )
    add = parser.add_argument
    add("learner", metavar="LEARNER", help="a short name, as bradley_terry, or module:Class")
    add_episode_options(parser)
    add("--feedback", type=Path, metavar="LOG", help="a feedback log (.jsonl); some learners need none")
    add("--out", type=Path, required=True, metavar="FILE", help="the weights (.safetensors)")
    add("--config", type=Path, metavar="YAML", help="fields of the learner's configuration")
    add("--features", type=Path, metavar="YAML", help="what it looks at: kind, cameras, frozen, without")
    add("--camera", default="", help="whose pictures the learner is given besides features")
    add("--held-out", type=float, default=0.25, metavar="SHARE", help="of the episodes (0.25)")
    add("--threads", type=positive, default=2, help="of the arithmetic (2)")
    add("--seed", type=natural, default=0, help="of the split and of all that is drawn (0)")
    return parser


def _check_out(out: Path) -> None:
    if out.suffix != ".safetensors":
        raise ConfigError(f"--out {out}: expected a name that ends in .safetensors.")


def _features(path: Path | None) -> FeatureConfig:
    return FeatureConfig() if path is None else from_mapping(FeatureConfig, load_yaml(path), str(path))


def _feedback(
    path: Path | None, episodes: EpisodeSet, parts: Split, console: Console
) -> tuple[list[Feedback], int]:
    """Return the entries to learn from, and how many are about held-out episodes."""
    if path is None:
        return [], 0
    found = usable(path, {item.name for item in episodes.episodes.trajectories})
    for note in found.notes:
        console.print(note, style="yellow", markup=False)
    entries = found.about({item.name for item in parts.train.trajectories})
    check_learnable(entries)
    return entries, len(found.entries) - len(entries)
