"""make the report card of a reward on held-out episodes, as a page and as JSON"""

from __future__ import annotations

import argparse
import json
from collections.abc import Sequence
from pathlib import Path
from typing import get_args

from rich.console import Console
from sinew_core.config import to_mapping
from sinew_core.errors import ConfigError, InferenceError

from sinew_rewards.learned.features import FeatureConfig
from sinew_rewards.learned.saved import load_facts
from sinew_rewards.report.card import RewardCard
from sinew_rewards.report.chain import read_chain
from sinew_rewards.report.episodes import EpisodeSet
from sinew_rewards.report.evidence import Evidence, measure
from sinew_rewards.report.gates import load_gates
from sinew_rewards.report.making import Model, is_learned, latencies, material_of, open_model
from sinew_rewards.report.options import add_episode_options, command_of, episodes_of, messages, on_one_core
from sinew_rewards.report.publishing import card_of, publish, tell
from sinew_rewards.report.standing import By


def main(argv: Sequence[str]) -> int:
    """Run `sinew reward report`: 0 if the reward passes its gates, 1 if it does not."""
    arguments = _parser().parse_args(argv)
    console = messages()
    on_one_core()
    gates = load_gates(arguments.gates)
    features = load_facts(Path(arguments.model)).features if is_learned(arguments.model) else FeatureConfig()
    episodes = episodes_of(arguments, features, console)
    model = open_model(arguments.model, episodes)
    evidence = _evidence(arguments, model, episodes, console)
    paths = [Path(arguments.model) if is_learned(arguments.model) else None, arguments.episodes]
    paths += [arguments.feedback, arguments.gates, arguments.out, arguments.cache, *arguments.run]
    card = card_of(model, evidence, gates, command_of("report", argv, paths))
    page = publish(_beside(arguments), model, episodes, evidence, card)
    _tell(arguments, card, page, console)
    return 0 if card.passed else 1


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="sinew reward report",
        description=__doc__,
        epilog="Episodes that the reward was learnt from are left out. Exit code: 0 if it passes its gates, "
        "1 if it does not, 2 for what cannot be measured. Of a reward that was not learnt it is a page only: "
        "nobody asks for its card.",
    )
    add = parser.add_argument
    add("model", metavar="MODEL", help="learned weights (.safetensors), or any reward: a name or a YAML file")
    add_episode_options(parser)
    add("--feedback", type=Path, metavar="LOG", help="whose comparisons it must predict")
    add("--gates", type=Path, metavar="YAML", help="what it must reach: figures with `least` or `most`")
    add("--reference", default="", metavar="REWARD", help="to measure the STARC distance to (the truth)")
    add("--run", type=Path, action="append", default=[], metavar="DIR", help="a `sinew train` on this reward")
    add(
        "--by",
        choices=get_args(By),
        default="auto",
        help="what is held against progress; `return` suits rewards that pay for changes (auto)",
    )
    add("--out", type=Path, metavar="FILE", help="the page (beside the weights)")
    add("--json", action="store_true", help="print one JSON object on stdout")
    return parser


def _evidence(
    arguments: argparse.Namespace, model: Model, episodes: EpisodeSet, console: Console
) -> Evidence:
    """Measure; whatever the reward raises becomes a sentence."""
    try:
        material = material_of(model, episodes, arguments.feedback, arguments.reference, console)
        evidence = measure(model.subject, material, arguments.by)
        figures = {**evidence.figures, **latencies(model, episodes)}
    except InferenceError as error:
        raise ConfigError(f"{arguments.model}: cannot be measured: {error}") from error
    chains = tuple(read_chain(run, figures) for run in arguments.run)
    for chain in chains:
        if Path(chain.reward).name != Path(arguments.model).name:
            told = f"{chain.run}: was trained on '{chain.reward}'; is that the reward that is reported on?"
            console.print(told, style="yellow", markup=False)
    return evidence.with_(figures, chains)


def _beside(arguments: argparse.Namespace) -> Path:
    """Return the page's path; the card lies beside it."""
    if is_learned(arguments.model):
        return Path(arguments.out or Path(arguments.model).with_suffix(".card.html"))
    return Path(arguments.out or f"{Path(arguments.model).stem}.card.html")


def _tell(arguments: argparse.Namespace, card: RewardCard, page: Path, console: Console) -> None:
    if arguments.json:
        verdict = {"passed": card.passed, "failures": card.failures()}
        print(json.dumps({"model": arguments.model, **verdict, **to_mapping(card)}), flush=True)
    tell(card, page, console if arguments.json else Console(highlight=False, soft_wrap=True))
