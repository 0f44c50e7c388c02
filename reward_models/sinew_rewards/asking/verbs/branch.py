"""record simulated episodes that go on differently from one moment: what people compare best"""

from __future__ import annotations

import argparse
from collections.abc import Sequence
from pathlib import Path

from sinew_core.errors import ConfigError
from sinew_data.console import counted, output


def main(argv: Sequence[str]) -> int:
    """Run `sinew feedback branch`: 0, or 1 if no moment had siblings."""
    parser = argparse.ArgumentParser(
        prog="sinew feedback branch",
        description=__doc__,
        epilog="Then: sinew feedback ask --siblings --dataset DIR --log FILE.",
    )
    parser.add_argument("dataset", type=Path, metavar="DIR", help="where the episodes go")
    parser.add_argument("--hardware", default="sim_mujoco", help="a station of MuJoCo (sim_mujoco)")
    parser.add_argument("--task", default="push")
    parser.add_argument("--policy", default="affordance_follower", help="what drives, with an unsteady hand")
    parser.add_argument("--moments", type=int, default=10, metavar="N", help="how many (10)")
    parser.add_argument("--branches", type=int, default=3, metavar="N", help="from each moment (3)")
    parser.add_argument("--steps", type=int, default=100, help="control periods of each at most (100)")
    parser.add_argument("--seed", type=int, default=0, help="moment i is of the scene of seed + i (0)")
    arguments = parser.parse_args(argv)
    try:
        from sinew_rewards.asking.branching import BranchConfig, record_trees
    except ImportError as error:
        raise ConfigError(f"branching needs a simulator ({error}): pip install 'sinew[sim]'.") from error
    names = ("hardware", "task", "policy", "branches", "steps")
    config = BranchConfig(**{name: getattr(arguments, name) for name in names})
    seeds = range(arguments.seed, arguments.seed + arguments.moments)
    found = 0
    for tree in record_trees(config, arguments.dataset, seeds):
        found += len(tree.siblings)
        done = counted(len(tree.siblings), "sibling") if tree.siblings else "done before it could branch"
        output().print(f"seed {tree.seed}: {done}", markup=False)
    return int(found == 0)
