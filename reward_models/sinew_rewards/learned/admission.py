"""Whether a learned reward may train or end episodes: what its report card says."""

from __future__ import annotations

from pathlib import Path

from sinew_rewards.report.card import MADE_BY, card_path, load_card


def reasons_against(weights: Path, weights_sha256: str) -> list[str]:
    """Return why these weights may neither train nor end episodes, as sentences; empty if they may."""
    path = card_path(weights)
    if not path.is_file():
        return [f"there is no report card ({path.name}); {MADE_BY} makes one"]
    card = load_card(path)
    if card.weights_sha256 != weights_sha256:
        return [f"{path.name} is about other weights; {MADE_BY} makes a card of these"]
    return card.failures()
