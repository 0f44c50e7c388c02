"""The report card beside a learned reward: its figures, the gates they were held against, the verdict."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from sinew_core.config import from_mapping, to_mapping
from sinew_core.errors import ConfigError

from sinew_rewards.files import read_json, write_json

FORMAT = "sinew-reward-card/1"
MADE_BY = "`sinew reward report`"


@dataclass(frozen=True, slots=True)
class Gate:
    """A figure that a reward must reach before it may train or end episodes."""

    figure: str  # its name among the card's figures
    least: float | None = None
    most: float | None = None


GATES = (
    Gate("rank_correlation", least=0.6),
    Gate("pair_accuracy", least=0.75),
    Gate("latency_ms", most=20.0),
    Gate("episodes", least=5),
)


@dataclass(frozen=True, slots=True)
class RewardCard:
    """What was measured on held-out episodes; a figure that could not be had is absent."""

    weights_sha256: str
    figures: Mapping[str, float]
    gates: tuple[Gate, ...] = GATES
    details: Mapping[str, Any] = field(default_factory=dict)  # curves, ablations, worst errors, lint, chain
    held_out: tuple[str, ...] = ()  # names of the episodes
    provenance: Mapping[str, Any] = field(default_factory=dict)

    def failures(self) -> list[str]:
        """Return a sentence for each gate that is not passed."""
        return [sentence for gate in self.gates if (sentence := _failure(gate, self.figures))]

    @property
    def passed(self) -> bool:
        """Whether the reward may train and end episodes."""
        return not self.failures()


def _failure(gate: Gate, figures: Mapping[str, float]) -> str:
    value, unit = figures.get(gate.figure), " ms" if gate.figure.endswith("_ms") else ""
    name = gate.figure.removesuffix("_ms").replace("_", " ")
    if value is None:
        return f"{name} is unknown"
    if gate.least is not None and not value >= gate.least:
        return f"{name} {value:.3g}{unit} (at least {gate.least:g}{unit})"
    if gate.most is not None and not value <= gate.most:
        return f"{name} {value:.3g}{unit} (at most {gate.most:g}{unit})"
    return ""


def card_path(weights: Path) -> Path:
    """Return the card beside a weights file."""
    return weights.with_suffix(".card.json")


def save_card(path: Path, card: RewardCard) -> None:
    """Write a card as JSON, with its verdict in words."""
    verdict = {"passed": card.passed, "failures": card.failures()}
    write_json(path, {"format": FORMAT, **verdict, **to_mapping(card)})


def load_card(path: Path) -> RewardCard:
    """Return a card; its verdict is made from its figures, whatever the file says of it."""
    data = read_json(path, MADE_BY)
    made = data.pop("format", None)
    if made != FORMAT:
        raise ConfigError(f"{path}: is a card of version {made!r}, expected '{FORMAT}'; {MADE_BY} makes one.")
    for words in ("passed", "failures"):
        data.pop(words, None)
    return from_mapping(RewardCard, data, str(path))
