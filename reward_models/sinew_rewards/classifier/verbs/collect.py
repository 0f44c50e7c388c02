"""collect episodes: by hand with a mark at the end of each, or scripted in a simulator"""

from __future__ import annotations

import argparse
from collections.abc import Sequence
from importlib.metadata import entry_points
from pathlib import Path

from rich.console import Console
from sinew_core.cli import GROUP
from sinew_core.errors import ConfigError
from sinew_core.files import write_whole
from sinew_core.hardware import load_hardware
from sinew_data.console import progress
from sinew_eval.options import natural, positive

from sinew_rewards.classifier.frames import EpisodeFacts, frame_files
from sinew_rewards.classifier.simulated import SimulationConfig, episode_path, picture_spec, roll_missing

BY_HAND = """Drive the arm; a mark ends each episode:
  y  success   stay a moment with the task done, then press it: the last frames are the positives
  n  failure   show near misses too: beside the target, the gripper there with nothing in it
  backspace    discard, the same episode again
Twice as many failures as successes are a good beginning. Then: sinew classifier train {folder} --out FILE"""


def main(argv: Sequence[str]) -> int:
    """Run `sinew classifier collect`: the exit code of `sinew teleop`, or 0 for scripted episodes."""
    arguments, rest = _parser().parse_known_args(argv)
    if arguments.teleop:
        return _by_hand(arguments, rest)
    if rest:
        raise ConfigError(f"unknown options: {' '.join(rest)} (with --teleop they go to `sinew teleop`).")
    return _scripted(arguments)


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="sinew classifier collect",
        allow_abbrev=False,  # or an option of `sinew teleop` would be taken for one of these
        description=__doc__,
        epilog="With --teleop, other options go to `sinew teleop`, as --source gamepad. Episodes of `sinew "
        "run --record` and of any other recording with marks serve as well.",
    )
    default = SimulationConfig()
    parser.add_argument("folder", type=Path, metavar="DIR", help="where the episodes go")
    how = parser.add_mutually_exclusive_group(required=True)
    how.add_argument("--teleop", action="store_true", help="record with `sinew teleop`, marks by key press")
    how.add_argument("--scripted", action="store_true", help="roll a scripted policy with noise")
    parser.add_argument("--hardware", default=default.hardware, help="a name or path of a hardware YAML")
    parser.add_argument("--task", default=default.task)
    parser.add_argument("--instruction", default="", help="of every scene; left out, each draws its own")
    parser.add_argument("--episodes", type=positive, default=60, metavar="N", help="how many (60)")
    parser.add_argument("--seed", type=natural, default=0, help="episode i uses seed + i (0)")
    group = parser.add_argument_group("scripted")
    group.add_argument("--cameras", default="", metavar="A,B", help="all that deliver frames")
    group.add_argument("--size", type=int, default=default.size, metavar="PX", help="edge of the pictures")
    group.add_argument("--whole", action="store_true", help="whole images, not where the scene can lie")
    group.add_argument("--noise", type=float, default=default.noise, help="of the joints' targets, rad or m")
    group.add_argument(
        "--calm",
        type=natural,
        default=default.calm,
        metavar="N",
        help="control periods after success in which the policy finishes, before the arm wanders about "
        f"({default.calm}); a push first succeeds at the target's edge",
    )
    group.add_argument("--force", action="store_true", help="remove frames made with other settings")
    return parser


def _by_hand(arguments: argparse.Namespace, rest: Sequence[str]) -> int:
    """Hand over to `sinew teleop`, which records episodes and their marks."""
    found = {entry.name: entry for entry in entry_points(group=GROUP)}
    if "teleop" not in found:
        raise ConfigError("`sinew teleop` is not installed here: pip install 'sinew[ros]' and sinew_nodes.")
    Console(stderr=True, highlight=False).print(BY_HAND.format(folder=arguments.folder), markup=False)
    names = ("hardware", "task", "instruction", "episodes", "seed")
    given = [f"--{name}={getattr(arguments, name)}" for name in names]
    return int(found["teleop"].load()([*given, f"--record={arguments.folder}", *rest]))


def _scripted(arguments: argparse.Namespace) -> int:
    config, folder = _config(arguments), arguments.folder
    picture_spec(config, load_hardware(config.hardware))
    seeds = range(arguments.seed, arguments.seed + arguments.episodes)
    _prepare(config, folder, force=arguments.force)
    done: list[EpisodeFacts] = []
    with progress() as bar:
        task = bar.add_task("running episodes", total=len(seeds))
        for facts in roll_missing(config, folder, seeds):
            done.append(facts)
            bar.advance(task)
    successes = sum(facts.outcome == "success" for facts in done)
    Console(soft_wrap=True, highlight=False).print(
        f"{folder}: {len(done)} episodes, {successes} end in success. "
        f"Next: sinew classifier train {folder} --out FILE.safetensors",
        markup=False,
    )
    return 0


def _config(arguments: argparse.Namespace) -> SimulationConfig:
    try:
        return SimulationConfig(
            hardware=arguments.hardware,
            task=arguments.task,
            instruction=arguments.instruction,
            cameras=tuple(filter(None, arguments.cameras.split(","))),
            size=arguments.size,
            crop_to_scene=not arguments.whole,
            noise=arguments.noise,
            calm=arguments.calm,
        )
    except ValueError as error:
        raise ConfigError(f"sinew classifier collect: {error}") from error


def _prepare(config: SimulationConfig, folder: Path, *, force: bool) -> None:
    """Try to write there; frames made with other settings are refused, as scenes would be there twice."""
    probe = folder / ".probe"
    write_whole(probe, b"")
    probe.unlink()
    others = [path for path in frame_files(folder) if config.digest not in path.name]
    if others and not force:
        raise ConfigError(
            f"{folder} holds frames that were made with other settings, as {others[0].name} (these make "
            f"{episode_path(config, folder, 0).name}). Choose another folder, or remove them by --force."
        )
    for path in others:
        path.unlink()
