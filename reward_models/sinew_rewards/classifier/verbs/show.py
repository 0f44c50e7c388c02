"""print what a classifier looks at, what it was made of, and what its report card says"""

from __future__ import annotations

import argparse
import json
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from rich.console import Console
from sinew_core.config import to_mapping

from sinew_rewards.classifier.card import Card, card_facts, card_path, load_card, reasons_against
from sinew_rewards.classifier.making import tell
from sinew_rewards.classifier.scorer import ClassifierFacts, load_scorer


def main(argv: Sequence[str]) -> int:
    """Run `sinew classifier show`."""
    arguments = _parser().parse_args(argv)
    facts = load_scorer(arguments.weights).facts
    path = card_path(arguments.weights)
    card = load_card(path) if path.is_file() else None
    threshold = facts.threshold if card is None else card.threshold
    reasons = reasons_against(card, path, facts.weights_sha256, threshold)
    if arguments.json:
        shown = {**to_mapping(facts), "card": None if card is None else card_facts(card)}
        print(json.dumps({**shown, "may_end_episodes": not reasons, "reasons_against": reasons}))
        return 0
    _show(arguments.weights, facts, card, reasons)
    return 0


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="sinew classifier show", description=__doc__)
    parser.add_argument("weights", type=Path, metavar="WEIGHTS", help="a classifier (.safetensors)")
    parser.add_argument("--json", action="store_true", help="print everything as one JSON object")
    return parser


def _show(weights: Path, facts: ClassifierFacts, card: Card | None, reasons: Sequence[str]) -> None:
    console = Console(highlight=False, soft_wrap=True)
    made: dict[str, Any] = dict(facts.provenance)
    cameras = ", ".join(f"{v.name} {v.width}x{v.height} {v.crop}" for v in facts.spec.views)
    lines = {
        "task": f"{facts.task} on {facts.robot}",
        "cameras": f"{cameras}, seen at {facts.spec.size} px",
        "threshold": f"{facts.threshold:.3g}",
        "temperature": f"{facts.calibration.temperature:.3g}, shift {facts.calibration.shift:.3g}",
        "episodes": ", ".join(f"{len(names)} {part}" for part, names in facts.split.items()),
        "made by": made.get("command", "unknown"),
    }
    for name, value in lines.items():
        console.print(f"{name:<12} {value}", markup=False)
    if card is not None:
        tell(weights, card, console)
    elif reasons:
        console.print("; ".join(reasons), style="red", markup=False)
