"""look for what is odd about a reward by itself: scale, bounds, sparsity, dependence on history"""

from __future__ import annotations

import argparse
import json
from collections.abc import Sequence
from dataclasses import asdict
from pathlib import Path

from rich.console import Console
from sinew_core.errors import ConfigError, InferenceError

from sinew_rewards.learned.features import FeatureConfig
from sinew_rewards.learned.saved import load_facts
from sinew_rewards.report.evidence import cases_of
from sinew_rewards.report.lint import Finding, lint
from sinew_rewards.report.making import is_learned, open_model
from sinew_rewards.report.options import add_episode_options, episodes_of, messages, on_one_core

STYLES = {"error": "red", "warning": "yellow", "note": ""}


def main(argv: Sequence[str]) -> int:
    """Run `sinew reward lint`: 1 where something is an error, else 0."""
    arguments = _parser().parse_args(argv)
    on_one_core()
    findings = _lint(arguments)
    if arguments.json:
        print(json.dumps([asdict(finding) for finding in findings]), flush=True)
    console = Console(highlight=False, soft_wrap=True, stderr=arguments.json)
    for finding in findings:
        console.print(f"{finding.level}: {finding.sentence}", style=STYLES[finding.level], markup=False)
    if not findings:
        console.print("nothing looks odd")
    return int(any(finding.level == "error" for finding in findings))


def _lint(arguments: argparse.Namespace) -> list[Finding]:
    features = load_facts(Path(arguments.model)).features if is_learned(arguments.model) else FeatureConfig()
    episodes = episodes_of(arguments, features, messages())
    subject = open_model(arguments.model, episodes).subject
    try:
        return lint(subject, cases_of(subject, episodes.episodes.trajectories))
    except InferenceError as error:
        raise ConfigError(f"{arguments.model}: {error}") from error


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="sinew reward lint",
        description=__doc__,
        epilog="Any episodes will do, those that it was learnt from, too. Exit code: 1 where something is an "
        "error.",
    )
    parser.add_argument(
        "model", metavar="MODEL", help="learned weights, or any reward: a name or a YAML file"
    )
    add_episode_options(parser)
    parser.add_argument("--json", action="store_true", help="print the findings as JSON on stdout")
    return parser
