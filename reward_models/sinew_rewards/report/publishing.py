"""Writes a report: the card as JSON, the page beside it, and a few lines for the terminal."""

from __future__ import annotations

import math
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from rich.console import Console
from sinew_core.config import to_mapping
from sinew_core.files import write_whole
from sinew_eval.machine import describe_machine

from sinew_rewards.classifier.making import versions
from sinew_rewards.report.card import Gate, RewardCard, card_path, save_card
from sinew_rewards.report.episodes import EpisodeSet
from sinew_rewards.report.evidence import Evidence
from sinew_rewards.report.making import Model
from sinew_rewards.report.moment_pictures import MomentPictures
from sinew_rewards.report.page import render_page_of

TOLD = ("comparison_accuracy", "rank_correlation", "pair_accuracy", "success_first", "starc_distance")


def card_of(model: Model, evidence: Evidence, gates: Sequence[Gate], command: str) -> RewardCard:
    """Return the card of what was found."""
    return RewardCard(
        weights_sha256="" if model.facts is None else model.facts.weights_sha256,
        figures={name: _rounded(value) for name, value in evidence.figures.items()},
        gates=tuple(gates),
        details=_details(evidence),
        held_out=tuple(case.trajectory.name for case in evidence.cases),
        provenance={"command": command, "machine": describe_machine(), "versions": versions()},
    )


def publish(page: Path, model: Model, episodes: EpisodeSet, evidence: Evidence, card: RewardCard) -> Path:
    """Write card and page, each whole or not at all, and return the page's path.

    The card of weights lies beside them, where the reward node looks for it.
    """
    path = page.with_suffix(".json") if model.weights is None else card_path(model.weights)
    save_card(path, card)
    html = render_page_of(model, episodes, evidence, card, MomentPictures(episodes))
    write_whole(page, html.encode())
    return page


def tell(card: RewardCard, page: Path, console: Console) -> None:
    """Print a card in a few lines."""
    shown = [f"{name.replace('_', ' ')} {card.figures[name]:.3f}" for name in TOLD if name in card.figures]
    shown += [f"latency {card.figures['latency_ms']:.2f} ms"] if "latency_ms" in card.figures else []
    console.print(", ".join(shown), markup=False)
    for finding in card.details["lint"]:
        if finding["level"] != "note":
            console.print(f"{finding['level']}: {finding['sentence']}", markup=False)
    for chain in card.details["chain"]:
        console.print(f"{chain['run']}: the weak link is {chain['sentence']}", markup=False)
    console.print(f"held out: {len(card.held_out)} episodes; {page}", markup=False)
    if card.passed:
        console.print("it passes its gates", style="green")
    else:
        console.print(f"it FAILS: {'; '.join(card.failures())}", style="red", markup=False)


def _details(evidence: Evidence) -> dict[str, Any]:
    """Return everything beside the figures, as JSON values."""
    lists = {
        "ablations": evidence.ablations,
        "mistakes": evidence.mistakes,
        "lint": evidence.findings,
        "chain": evidence.chains,
        "preference_reliability": evidence.preference_bins,
        "success_reliability": evidence.success_bins,
    }
    plain = {name: [_plain(to_mapping(item)) for item in items] for name, items in lists.items()}
    return {
        "standing": evidence.by,
        "asked": evidence.asked,
        "reference": evidence.reference,
        "outside": _plain([list(pair) for pair in evidence.outside]),
        **plain,
    }


def _plain(value: Any) -> Any:
    """Return JSON values: numbers of six digits, null for what is not finite."""
    if isinstance(value, dict):
        return {key: _plain(item) for key, item in value.items()}
    if isinstance(value, list | tuple):
        return [_plain(item) for item in value]
    if isinstance(value, float):
        return _rounded(value) if math.isfinite(value) else None
    return value


def _rounded(value: float) -> float:
    return float(f"{value:.6g}")
