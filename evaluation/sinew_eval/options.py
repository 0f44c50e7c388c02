"""The options that everything which runs episodes takes, and the RunConfig they make."""

from __future__ import annotations

import argparse
from typing import get_args

from sinew_core.hardware import Pace, load_hardware

from sinew_eval.records import RunConfig


def add_run_options(parser: argparse.ArgumentParser, *, episodes: int, seed: int) -> None:
    """Add the options that say what is run, how often and from which seed on."""
    plugin = "a short name, module:Class, or a YAML file"
    parser.add_argument("--hardware", default="sim_mujoco", help="a name or path of a hardware YAML")
    parser.add_argument("--task", default="pick_place")
    parser.add_argument(
        "--instruction", default="", help="the sentence; left out or empty, the task draws one"
    )
    parser.add_argument("--policy", default="affordance_follower", help=plugin)
    parser.add_argument("--reward", default="affordance_path", help=plugin)
    parser.add_argument("--affordance", default="rule_grounding", help=plugin)
    parser.add_argument("--episodes", type=positive, default=episodes, metavar="N")
    parser.add_argument("--seed", type=natural, default=seed, help=f"episode i uses seed + i ({seed})")
    parser.add_argument(
        "--pace",
        choices=get_args(Pace),
        help="lockstep (default of simulators): as fast as can be, the same for a seed; realtime (default of "
        "real devices): graph ros only",
    )
    parser.add_argument("--max-steps", type=natural, default=0, help="control periods; 0: the task's own")
    parser.add_argument(
        "--record",
        default="",
        metavar="DIR",
        help="record every episode into this dataset (see `sinew data`)",
    )


def run_config(arguments: argparse.Namespace, *, video: bool) -> RunConfig:
    """Return what `add_run_options` read; without video no camera is named for it."""
    fields = {
        name: getattr(arguments, name)
        for name in (
            *("hardware", "task", "policy", "reward", "affordance", "instruction", "max_steps", "record"),
        )
    }
    fields["pace"] = arguments.pace or _natural_pace(arguments.hardware)
    return RunConfig(**fields) if video else RunConfig(**fields, video_camera="")


def _natural_pace(hardware: str) -> Pace:
    return "realtime" if load_hardware(hardware).config.real else "lockstep"


def natural(text: str) -> int:
    """Read a whole number of at least 0."""
    if not text.isdecimal():
        raise argparse.ArgumentTypeError(f"expected a whole number of at least 0, got '{text}'")
    return int(text)


def positive(text: str) -> int:
    """Read a whole number of at least 1."""
    if not text.isdecimal() or int(text) == 0:
        raise argparse.ArgumentTypeError(f"expected a whole number of at least 1, got '{text}'")
    return int(text)
