"""measure a trained policy over fresh scenes, with its interval"""

from __future__ import annotations

import argparse
from collections.abc import Sequence
from pathlib import Path

from sinew_eval.benches.result import add_result_options, write_result
from sinew_eval.benches.success import measure, summarise
from sinew_eval.names import check_names
from sinew_eval.options import add_run_options, positive, run_config
from sinew_policies.learned.checkpoint import read_sheet

from sinew_training.final import TEST_SEED
from sinew_training.run_directory import RunDirectory


def main(argv: Sequence[str]) -> int:
    """Run `sinew eval`: 0 when all episodes ran, whatever their success, else 1."""
    arguments = _parser().parse_args(argv)
    arguments.policy = str(_weights(arguments.run))
    config = run_config(arguments, video=False)
    check_names(config, "process")
    seeds = range(arguments.seed, arguments.seed + arguments.episodes)
    results = measure(config, seeds, min(arguments.jobs, len(seeds)))
    write_result(
        "eval", summarise(config, arguments.seed, results), arguments.out, list(argv), verb=("sinew", "eval")
    )
    return 1 if any(result.outcome == "error" for result in results) else 0


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="sinew eval", description=__doc__)
    parser.add_argument("run", type=Path, help="a training's directory, or a policy's .safetensors file")
    add_run_options(parser, episodes=100, seed=TEST_SEED)
    parser.add_argument("--jobs", type=positive, default=2, help="worker processes, at most")
    add_result_options(parser)
    return parser


def _weights(path: Path) -> Path:
    """Return the file of a policy, or of the one in a training's directory."""
    weights = RunDirectory(path).policy if path.is_dir() else path
    read_sheet(weights)
    return weights
