"""make the report card of a classifier anew, on held-out or other episodes"""

from __future__ import annotations

import argparse
import json
from collections.abc import Sequence
from pathlib import Path

from rich.console import Console
from sinew_core.errors import ConfigError

from sinew_rewards.classifier.card import Criteria, card_facts
from sinew_rewards.classifier.labels import Labelled, LabelRule, label_all
from sinew_rewards.classifier.making import command_of, publish_card, tell
from sinew_rewards.classifier.pictures import PictureSpec
from sinew_rewards.classifier.recorded import Wanted
from sinew_rewards.classifier.scorer import ClassifierFacts, load_scorer
from sinew_rewards.classifier.sources import Gathered, add_data_options, gather, label_rule


def main(argv: Sequence[str]) -> int:
    """Run `sinew classifier card`: 0 if the classifier passes, 1 if it fails."""
    arguments = _parser().parse_args(argv)
    console = Console(stderr=True, highlight=False, soft_wrap=True)
    criteria = _criteria(arguments)
    scorer = load_scorer(arguments.weights)
    held_out = _unseen(arguments, scorer.facts, label_rule(arguments), console)
    command = command_of("card", argv, [arguments.weights, *arguments.data, arguments.cache])
    threshold = scorer.facts.threshold if arguments.threshold is None else arguments.threshold
    card = publish_card(arguments.weights, scorer, held_out, criteria, threshold, command)
    if arguments.json:
        print(json.dumps({"weights": str(arguments.weights), **card_facts(card)}), flush=True)
    tell(arguments.weights, card, console if arguments.json else Console(highlight=False, soft_wrap=True))
    return 0 if card.passed else 1


def _parser() -> argparse.ArgumentParser:
    default = Criteria()
    parser = argparse.ArgumentParser(
        prog="sinew classifier card",
        description=__doc__,
        epilog="Episodes that the classifier was trained or tuned on are left out. Exit code: 0 if it "
        "passes, 1 if it fails, 2 for what cannot be measured.",
    )
    parser.add_argument("weights", type=Path, metavar="WEIGHTS", help="a classifier (.safetensors)")
    add_data_options(parser)
    parser.add_argument("--threshold", type=float, help="of the probability (the classifier's own)")
    parser.add_argument("--precision", type=float, default=default.precision, help="at least (0.95)")
    parser.add_argument("--recall", type=float, default=default.recall, help="at least (0.8)")
    parser.add_argument(
        "--calibration-error", type=float, default=default.calibration_error, help="at most (0.1)"
    )
    parser.add_argument("--latency", type=float, default=default.latency_ms, help="ms at most (20)")
    parser.add_argument("--episodes", type=int, default=default.episodes, help="held out, at least (5)")
    parser.add_argument("--json", action="store_true", help="print one JSON object on stdout")
    return parser


def _criteria(arguments: argparse.Namespace) -> Criteria:
    if arguments.threshold is not None and not 0 < arguments.threshold <= 1:
        raise ConfigError(f"--threshold: expected 0 < threshold <= 1, got {arguments.threshold}.")
    try:
        return Criteria(
            precision=arguments.precision,
            recall=arguments.recall,
            calibration_error=arguments.calibration_error,
            latency_ms=arguments.latency,
            episodes=arguments.episodes,
        )
    except ValueError as error:
        raise ConfigError(f"sinew classifier card: {error}") from error


def _unseen(
    arguments: argparse.Namespace, facts: ClassifierFacts, rule: LabelRule, console: Console
) -> list[Labelled]:
    """Return the episodes that the classifier was neither trained nor tuned on."""
    gathered = gather(arguments.data, _wanted(facts.spec, arguments.task), arguments.cache)
    _check_kind(arguments.weights, facts, gathered)
    labelled, _ = label_all(gathered.episodes, rule)
    known = {name for part in ("train", "validation") for name in facts.split.get(part, ())}
    unseen = [item for item in labelled if item.name not in known]
    if not unseen:
        raise ConfigError(
            f"the classifier was trained or tuned on all {len(labelled)} episodes: there is nothing to test "
            "it on. Collect others."
        )
    left = len(labelled) - len(unseen)
    if left:
        console.print(f"left out: {left} episodes that it was trained or tuned on", markup=False)
    return unseen


def _wanted(spec: PictureSpec, task: str) -> Wanted:
    whole = {view.name: (0, 0, view.width, view.height) for view in spec.views}
    crops = tuple((view.name, view.crop) for view in spec.views if view.crop != whole[view.name])
    return Wanted(spec.cameras, spec.size, crops, task)


def _check_kind(weights: Path, facts: ClassifierFacts, gathered: Gathered) -> None:
    robot = gathered.episodes[0].facts.robot
    if robot != facts.robot:
        raise ConfigError(
            f"{weights}: was trained on pictures of the robot '{facts.robot}', the episodes are of '{robot}'."
        )
    if gathered.spec != facts.spec:
        raise ConfigError(
            f"{weights}: looks at {facts.spec.views} at {facts.spec.size} px, the episodes have "
            f"{gathered.spec.views} at {gathered.spec.size} px."
        )
